/** From an ONNX file to the network that bounds are computed for; what it cannot follow it refuses by the node's name. */

import { type Layer, type Network, type Shape, sizeOf } from "../../core/bounds/network.ts";
import { Malformed } from "../protobuf.ts";
import type { ModelSpec } from "../student.ts";
import { type OnnxGraph, type OnnxNode, readGraph } from "./graph.ts";
import { kernelOf } from "./kernel.ts";
import { batchNormalization, convolution, matrix, mean, scaled } from "./linear-nodes.ts";
import { UnsupportedGraph } from "./unsupported.ts";
import { type InnerValue, type InnerValues, innerValues } from "./values.ts";

/** Operators that bounds can be carried through, for people. */
export const SUPPORTED_OPERATORS = [
  ..."Add AveragePool BatchNormalization Concat Constant Conv Div Dropout Flatten Gather Gemm".split(" "),
  ..."GlobalAveragePool Identity MatMul MaxPool Mul Pad ReduceMean Relu Reshape Squeeze Sub Tanh".split(" "),
  "Unsqueeze",
];

/**
 * Reads a model as a network from one preprocessed frame to its logits. What leads to other outputs is not looked at.
 * @throws UnsupportedGraph that names the node, what was expected and found
 */
export async function readNetwork(bytes: Uint8Array, spec: ModelSpec): Promise<Network> {
  const graph = graphOf(bytes);
  const reading = new Reading(await innerValues(bytes, graph, spec), spec);
  const output = reading.row(spec.logits, 0);
  const found = sizeOf(reading.shape(output));
  if (found !== spec.classes) {
    throw new UnsupportedGraph(
      reading.nodeOf(spec.logits),
      `expected logits of ${spec.classes} classes, found ${found}: the models must be of the same classes`,
    );
  }
  return { input: reading.input, layers: reading.layers, output };
}

function graphOf(bytes: Uint8Array): OnnxGraph {
  try {
    return readGraph(bytes);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new UnsupportedGraph(
      undefined,
      `expected an ONNX file, found ${error.message} at byte ${error.at}`,
    );
  }
}

/** Follows values back from the logits, one row of their batch at a time, so that what no row needs is never met. */
class Reading {
  readonly layers: Layer[] = [];
  readonly input: Shape;
  private readonly inner: InnerValues;
  private readonly spec: ModelSpec;
  private readonly rows = new Map<string, number>();

  constructor(inner: InnerValues, spec: ModelSpec) {
    this.inner = inner;
    this.spec = spec;
    this.input = rowShape([1, ...spec.inputShape]);
  }

  shape(tensor: number): Shape {
    return tensor === 0 ? this.input : this.layers[tensor - 1]!.to;
  }

  nodeOf(name: string): OnnxNode | undefined {
    return this.inner.nodeOf.get(name);
  }

  /** @returns the tensor that holds one row of a value */
  row(name: string, row: number): number {
    if (name === this.spec.input) return 0;
    const key = `${row} ${name}`;
    const known = this.rows.get(key);
    if (known !== undefined) return known;
    const node = this.inner.nodeOf.get(name);
    if (node === undefined) {
      throw new UnsupportedGraph(
        undefined,
        `expected "${name}" to follow from the frame, found a stored tensor`,
      );
    }
    const tensor = this.through(node, name, row);
    this.rows.set(key, tensor);
    return tensor;
  }

  private through(node: OnnxNode, name: string, row: number): number {
    if (node.domain !== "") {
      throw new UnsupportedGraph(node, `expected one of ONNX's own operators, found one of "${node.domain}"`);
    }
    switch (node.operator) {
      case "Dropout":
        if ((node.inputs[2] ?? "") !== "") {
          throw new UnsupportedGraph(
            node,
            "expected a model for inference, found training_mode: export it in eval mode",
          );
        }
        return this.row(node.inputs[0]!, row);
      case "Identity":
        return this.row(node.inputs[0]!, row);
      case "Flatten":
      case "Reshape":
      case "Squeeze":
      case "Unsqueeze":
        return this.reshaped(node, name, row);
      case "Concat":
        return this.concatenated(node, row);
      case "Gather":
        return this.gathered(node, row);
      case "Pad":
        return this.padded(node, row);
      case "Add":
      case "Sub":
      case "Mul":
      case "Div":
        return this.combined(node, name, row);
      default:
        return this.layered(node, name, row);
    }
  }

  /** Operators that treat each row of their first input by itself. */
  private layered(node: OnnxNode, name: string, row: number): number {
    const source = node.inputs[0]!;
    const from = rowShape(this.value(source, node).shape);
    const to = rowShape(this.value(name, node).shape);
    const constants = node.inputs.slice(1).map((input) => this.stored(node, input));
    const place = { name: nameOf(node), from, to };
    const make = (input: number): Layer => {
      switch (node.operator) {
        case "Relu":
          return { ...place, kind: "relu", input };
        case "Tanh":
          return { ...place, kind: "tanh", input };
        case "MaxPool":
          return { ...place, kind: "max", input, kernel: kernelOf(node, from, to) };
        case "Conv":
          return convolution(node, { ...place, input }, constants);
        case "Gemm":
        case "MatMul":
          return matrix(node, { ...place, input }, constants, this.value(source, node).shape);
        case "BatchNormalization":
          return batchNormalization(node, { ...place, input }, constants);
        case "AveragePool":
        case "GlobalAveragePool":
        case "ReduceMean":
          return mean(node, { ...place, input }, constants, this.value(source, node).shape);
        default:
          throw new UnsupportedGraph(
            node,
            `expected one of ${SUPPORTED_OPERATORS.join(", ")}; bounds cannot be carried through ${node.operator}`,
          );
      }
    };
    return this.put(make(this.row(source, row)));
  }

  /** Numbers keep their order; only a batch axis that is cut otherwise would mix rows. */
  private reshaped(node: OnnxNode, name: string, row: number): number {
    const [from, to] = [this.value(node.inputs[0]!, node).shape, this.value(name, node).shape];
    if (from[0] !== to[0]) {
      throw new UnsupportedGraph(node, `expected the batch axis to stay, found [${from}] made into [${to}]`);
    }
    return this.row(node.inputs[0]!, row);
  }

  private concatenated(node: OnnxNode, row: number): number {
    const axis = node.attributes.get("axis")?.integers[0];
    if (axis !== 0) throw new UnsupportedGraph(node, `expected axis 0, the batch, found ${axis}`);
    let first = 0;
    for (const name of node.inputs) {
      const count = this.value(name, node).shape[0] ?? 0;
      if (row < first + count) return this.row(name, row - first);
      first += count;
    }
    throw new UnsupportedGraph(node, `expected a row ${row}, found ${first}`);
  }

  /** Of a batch that was cut into [views, batch, ...], one view. */
  private gathered(node: OnnxNode, row: number): number {
    const { shape } = this.value(node.inputs[0]!, node);
    const index = this.value(node.inputs[1]!, node);
    const axis = node.attributes.get("axis")?.integers[0] ?? 0;
    if (
      axis !== 0 ||
      index.shape.length !== 0 ||
      index.constant === undefined ||
      shape[1] !== 1 ||
      row !== 0
    ) {
      throw new UnsupportedGraph(
        node,
        "expected one fixed index along the first axis of [views, batch, ...]",
      );
    }
    const view = index.constant[0]!;
    return this.row(node.inputs[0]!, view < 0 ? view + shape[0]! : view);
  }

  /** As exporters write it before a pooling, with nothing to pad. */
  private padded(node: OnnxNode, row: number): number {
    const pads = node.inputs[1] === undefined ? undefined : this.value(node.inputs[1], node).constant;
    const found = pads === undefined ? node.attributes.get("pads")?.integers : Array.from(pads);
    if (found === undefined || found.some((pad) => pad !== 0)) {
      throw new UnsupportedGraph(
        node,
        `expected pads of 0, found [${found ?? "what depends on the frame"}]: give the padding to the convolution behind it`,
      );
    }
    return this.row(node.inputs[0]!, row);
  }

  /** Of two values, or of one and a stored tensor. */
  private combined(node: OnnxNode, name: string, row: number): number {
    const [left, right] = node.inputs.map((input) => this.value(input, node)) as [InnerValue, InnerValue];
    const own = this.value(name, node).shape;
    const place = { name: nameOf(node), from: rowShape(own), to: rowShape(own) };
    const isFixed = [left, right].map(({ constant }) => constant !== undefined);
    if (isFixed[0] !== isFixed[1]) {
      const [moving, fixed] = isFixed[0] ? [1, 0] : [0, 1];
      const source = this.value(node.inputs[moving]!, node).shape;
      if (source.join() !== own.join()) {
        throw new UnsupportedGraph(node, `expected a result of shape [${source}], found [${own}]`);
      }
      const operand = this.stored(node, node.inputs[fixed]!)!;
      return this.put(
        scaled(node, { ...place, input: this.row(node.inputs[moving]!, row) }, operand, own, fixed),
      );
    }
    if (node.operator !== "Add" || left.shape.join() !== right.shape.join()) {
      throw new UnsupportedGraph(
        node,
        `expected a sum of two values of one shape, found ${node.operator} of [${left.shape}] and [${right.shape}]`,
      );
    }
    const [input, other] = node.inputs.map((source) => this.row(source, row)) as [number, number];
    return this.put({ ...place, kind: "sum", input, other });
  }

  private put(layer: Layer): number {
    return this.layers.push(layer);
  }

  private value(name: string, node: OnnxNode): InnerValue {
    const found = this.inner.values.get(name);
    if (found === undefined)
      throw new UnsupportedGraph(node, `expected to know "${name}", which is no tensor`);
    return found;
  }

  /** A stored tensor that an operator takes, all of it finite. */
  private stored(node: OnnxNode, name: string): InnerValue | undefined {
    if (name === "") return undefined;
    const value = this.inner.values.get(name);
    if (value?.constant === undefined) {
      throw new UnsupportedGraph(
        node,
        `expected "${name}" to be stored in the file, found what depends on the frame`,
      );
    }
    const bad = Array.from(value.constant).findIndex((number) => !Number.isFinite(number));
    if (bad >= 0) {
      throw new UnsupportedGraph(
        node,
        `expected finite weights, found ${value.constant[bad]} in "${name}" at [${bad}]: train or export the model again`,
      );
    }
    return value;
  }
}

function nameOf({ operator, name }: OnnxNode): string {
  return `${operator} "${name}"`;
}

/** Of one row of a value with these sides, the batch first. */
function rowShape([, ...sides]: readonly number[]): Shape {
  const [channels = 1, height = 1, ...rest] = sides;
  if (sides.length === 2) return { channels, height: 1, width: height };
  return { channels, height, width: rest.reduce((a, b) => a * b, 1) };
}
