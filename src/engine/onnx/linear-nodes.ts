/** Operators that are linear in the frame, each as one layer of weights and bias. */

import {
  type Kernel,
  type LinearLayer,
  POINT_KERNEL,
  type Shape,
  sizeOf,
} from "../../core/bounds/network.ts";
import type { OnnxNode } from "./graph.ts";
import { kernelOf } from "./kernel.ts";
import { UnsupportedGraph } from "./unsupported.ts";
import type { InnerValue } from "./values.ts";

/** Where a layer stands: its name, what it takes, and both shapes. */
export interface Place {
  readonly name: string;
  readonly input: number;
  readonly from: Shape;
  readonly to: Shape;
}

type Stored = readonly (InnerValue | undefined)[];

export function convolution(node: OnnxNode, place: Place, [weights, bias]: Stored): LinearLayer {
  const { shape, constant } = expected(node, weights, "weights");
  const groups = node.attributes.get("group")?.integers[0] ?? 1;
  return linear(place, {
    weights: Float64Array.from(constant),
    bias:
      bias === undefined
        ? new Float64Array(shape[0]!)
        : Float64Array.from(expected(node, bias, "bias").constant),
    groups,
    kernel: kernelOf(node, place.from, place.to, shape.slice(2)),
  });
}

/** Gemm, or MatMul whose first input is a batch of rows. */
export function matrix(
  node: OnnxNode,
  place: Place,
  [weights, bias]: Stored,
  from: readonly number[],
): LinearLayer {
  const { shape, constant } = expected(node, weights, "a matrix");
  const number = (name: string, plain: number): number => {
    const attribute = node.attributes.get(name);
    return attribute?.integers[0] ?? attribute?.floats[0] ?? plain;
  };
  if (from.length !== 2 || shape.length !== 2 || number("transA", 0) !== 0) {
    throw new UnsupportedGraph(
      node,
      `expected a batch of rows times a matrix, found [${from}] and [${shape}]`,
    );
  }
  const isTransposed = number("transB", 0) !== 0;
  const [inputs, outputs] = isTransposed ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!];
  const alpha = number("alpha", 1);
  const beta = number("beta", 1);
  const turned = new Float64Array(inputs * outputs);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      turned[o * inputs + i] = alpha * constant[isTransposed ? o * inputs + i : i * outputs + o]!;
    }
  }
  const added = bias?.constant;
  if (added !== undefined && added.length !== outputs && added.length !== 1) {
    throw new UnsupportedGraph(node, `expected a bias of ${outputs} numbers, found ${added.length}`);
  }
  return linear(
    { ...place, from: rowOf(inputs), to: rowOf(outputs) },
    {
      weights: turned,
      bias: Float64Array.from({ length: outputs }, (_, o) =>
        added === undefined ? 0 : beta * added[added.length === 1 ? 0 : o]!,
      ),
    },
  );
}

/** (x - mean) scale / sqrt(variance + epsilon) + bias, as it is at inference. */
export function batchNormalization(node: OnnxNode, place: Place, stored: Stored): LinearLayer {
  const [scale, bias, mean, variance] = ["scale", "bias", "mean", "variance"].map(
    (what, i) => expected(node, stored[i], what).constant,
  ) as [ArrayLike<number>, ArrayLike<number>, ArrayLike<number>, ArrayLike<number>];
  if ((node.attributes.get("training_mode")?.integers[0] ?? 0) !== 0) {
    throw new UnsupportedGraph(
      node,
      "expected a model for inference, found training_mode: export it in eval mode",
    );
  }
  const epsilon = node.attributes.get("epsilon")?.floats[0] ?? 1e-5;
  const slopes = Float64Array.from(
    { length: scale.length },
    (_, c) => scale[c]! / Math.sqrt(variance[c]! + epsilon),
  );
  if (!slopes.every(Number.isFinite)) {
    throw new UnsupportedGraph(
      node,
      "expected variances above 0, found one that is not: export the model again",
    );
  }
  return linear(place, {
    weights: slopes,
    bias: slopes.map((slope, c) => bias[c]! - slope * mean[c]!),
    biasMass: slopes.map((slope, c) => Math.abs(bias[c]!) + Math.abs(slope * mean[c]!)),
    groups: slopes.length,
  });
}

/** AveragePool, GlobalAveragePool, or ReduceMean over all of height and width. */
export function mean(node: OnnxNode, place: Place, [axes]: Stored, from: readonly number[]): LinearLayer {
  const kernel = node.operator === "AveragePool" ? pooling(node, place) : wholePlane(node, place, axes, from);
  const { channels } = place.from;
  const places = kernel.height * kernel.width;
  return linear(
    { ...place, to: node.operator === "AveragePool" ? place.to : { channels, height: 1, width: 1 } },
    {
      weights: new Float64Array(channels * places).fill(1 / places),
      bias: new Float64Array(channels),
      groups: channels,
      kernel,
    },
  );
}

function pooling(node: OnnxNode, { from, to }: Place): Kernel {
  const kernel = kernelOf(node, from, to);
  const pads = node.attributes.get("pads")?.integers ?? [];
  const countsPads = (node.attributes.get("count_include_pad")?.integers[0] ?? 0) !== 0;
  if (pads.some((pad) => pad !== 0) && !countsPads) {
    throw new UnsupportedGraph(
      node,
      "expected a mean over windows of one size, found pads that do not count: export with count_include_pad",
    );
  }
  return kernel;
}

function wholePlane(
  node: OnnxNode,
  { from, to }: Place,
  given: InnerValue | undefined,
  shape: readonly number[],
): Kernel {
  const axes = Array.from(given?.constant ?? node.attributes.get("axes")?.integers ?? []);
  const isWhole =
    node.operator === "GlobalAveragePool" ||
    (axes.length === shape.length - 2 &&
      axes.every((axis) => axis >= 2 || (axis < 0 && axis > 1 - shape.length)));
  if (!isWhole || sizeOf(to) !== from.channels) {
    throw new UnsupportedGraph(node, `expected a mean over all of height and width, found axes [${axes}]`);
  }
  return { ...POINT_KERNEL, height: from.height, width: from.width };
}

/** A value with a stored tensor added to it, taken from it, times it, or divided by it. */
export function scaled(
  node: OnnxNode,
  place: Place,
  operand: InnerValue,
  shape: readonly number[],
  fixed: number,
): LinearLayer {
  const numbers = broadcast(node, operand, shape);
  const size = sizeOf(place.to);
  const ones = new Float64Array(size).fill(1);
  const zeros = new Float64Array(size);
  const of = (weights: Float64Array, bias: Float64Array): LinearLayer =>
    linear({ ...place, from: rowOf(size), to: rowOf(size) }, { weights, bias, groups: size });
  switch (node.operator) {
    case "Add":
      return of(ones, numbers);
    case "Sub":
      return fixed === 1
        ? of(
            ones,
            numbers.map((number) => -number),
          )
        : of(ones.fill(-1), numbers);
    case "Mul":
      return of(numbers, zeros);
    default:
      if (fixed === 0 || numbers.some((number) => number === 0)) {
        throw new UnsupportedGraph(node, "expected a division by stored numbers other than 0");
      }
      return of(
        numbers.map((number) => 1 / number),
        zeros,
      );
  }
}

/** A stored tensor spread over one row of a shape, as numpy does. */
function broadcast(node: OnnxNode, { shape, constant }: InnerValue, own: readonly number[]): Float64Array {
  const sides = [...Array.from({ length: own.length - shape.length }, () => 1), ...shape];
  const isWide = sides.length > own.length || sides.some((side, i) => side !== 1 && side !== own[i]);
  if (constant === undefined || isWide || (sides[0] ?? 1) !== 1) {
    throw new UnsupportedGraph(node, `expected a stored tensor for one row of [${own}], found [${shape}]`);
  }
  const row = own.slice(1);
  return Float64Array.from({ length: row.reduce((a, b) => a * b, 1) }, (_, place) => {
    let rest = place;
    let at = 0;
    let step = 1;
    for (let axis = row.length - 1; axis >= 0; axis--) {
      const index = rest % row[axis]!;
      rest = Math.floor(rest / row[axis]!);
      const side = sides[axis + 1]!;
      if (side !== 1) at += index * step;
      step *= side;
    }
    return constant[at]!;
  });
}

function linear(
  place: Place,
  of: Pick<LinearLayer, "weights" | "bias"> & Partial<Pick<LinearLayer, "biasMass" | "groups" | "kernel">>,
): LinearLayer {
  return {
    kind: "linear",
    groups: 1,
    kernel: POINT_KERNEL,
    biasMass: of.bias.map(Math.abs),
    ...place,
    ...of,
  };
}

function rowOf(size: number): Shape {
  return { channels: size, height: 1, width: 1 };
}

function expected(
  node: OnnxNode,
  value: InnerValue | undefined,
  what: string,
): { readonly shape: readonly number[]; readonly constant: ArrayLike<number> } {
  if (value?.constant === undefined) throw new UnsupportedGraph(node, `expected ${what} stored in the file`);
  return { shape: value.shape, constant: value.constant };
}
