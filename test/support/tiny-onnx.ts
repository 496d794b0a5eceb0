/** Writes small ONNX students by hand, so that no test depends on a real model. */

import { seededRandom } from "../../src/core/random.ts";

export interface TinyOnnx {
  /** Without the batch axis. */
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** 0: the student exports no features. */
  readonly featureCount: number;
  /** 0: the student exports no doubt. */
  readonly doubtCount?: number;
  readonly seed?: number;
  /** A size instead of the free batch axis. */
  readonly batch?: number;
  /** Added to every logit, every feature, every number of doubt; NaN spoils them all. */
  readonly logitOffset?: number;
  readonly featureOffset?: number;
  readonly doubtOffset?: number;
  /** Where the weights are said to lie instead of in the file. */
  readonly externalLocation?: string;
  /** Puts the external tensor into a Constant node in a subgraph instead of the initializers. */
  readonly externalInSubgraph?: boolean;
  /** Element type of the logits; float64 by a Cast. */
  readonly logitType?: "float32" | "float64";
  /** Another output before the logits. */
  readonly firstOutput?: string;
}

/** logits = flatten(input) W + b; features = tanh(flatten(input) V + c); doubt = flatten(input) U + d; weights uniform in +-1/sqrt(inputs). */
export function tinyOnnx(options: TinyOnnx): Uint8Array {
  const { inputShape, classes, featureCount, doubtCount = 0 } = options;
  const { externalLocation, externalInSubgraph = false } = options;
  const inputs = inputShape.reduce((product, side) => product * side, 1);
  const { w, b, v, c, u, d } = tinyWeights(options);
  const external =
    externalLocation === undefined ? undefined : externalTensor("w", [inputs, classes], externalLocation);
  const withFeatures = featureCount > 0;
  const withDoubt = doubtCount > 0;
  const asFloat64 = options.logitType === "float64";
  const nodes = [
    node("Flatten", ["input"], ["flat"], [intAttribute("axis", 1)]),
    node("Gemm", ["flat", "w", "b"], [asFloat64 ? "logits32" : "logits"]),
    ...(asFloat64 ? [node("Cast", ["logits32"], ["logits"], [intAttribute("to", 11)])] : []),
    ...(withFeatures ? [node("Gemm", ["flat", "v", "c"], ["z"]), node("Tanh", ["z"], ["features"])] : []),
    ...(withDoubt ? [node("Gemm", ["flat", "u", "d"], ["doubt"])] : []),
    ...(options.firstOutput === undefined ? [] : [node("Neg", ["flat"], [options.firstOutput])]),
    ...(external !== undefined && externalInSubgraph ? [ifNode(external)] : []),
  ];
  const initializers = [
    external === undefined || externalInSubgraph ? tensor("w", [inputs, classes], w) : external,
    tensor("b", [classes], b),
    ...(withFeatures ? [tensor("v", [inputs, featureCount], v), tensor("c", [featureCount], c)] : []),
    ...(withDoubt ? [tensor("u", [inputs, doubtCount], u), tensor("d", [doubtCount], d)] : []),
    ...(externalInSubgraph ? [boolTensor("yes")] : []),
  ];
  const outputs = [
    ...(options.firstOutput === undefined ? [] : [value(options.firstOutput, 1, ["N", inputs])]),
    value("logits", asFloat64 ? 11 : 1, ["N", classes]),
    ...(withFeatures ? [value("features", 1, ["N", featureCount])] : []),
    ...(withDoubt ? [value("doubt", 1, ["N", doubtCount])] : []),
  ];
  const graph = message([
    ...nodes.map((bytes) => bytesField(1, bytes)),
    stringField(2, "tiny"),
    ...initializers.map((bytes) => bytesField(5, bytes)),
    bytesField(11, value("input", 1, [options.batch ?? "N", ...inputShape])),
    ...outputs.map((bytes) => bytesField(12, bytes)),
  ]);
  const opset = message([stringField(1, ""), varintField(2, 13)]);
  return message([
    varintField(1, 8),
    stringField(2, "sekisho-test"),
    bytesField(7, graph),
    bytesField(8, opset),
  ]);
}

/** What the student has learnt, and so what it answers. */
function tinyWeights({ inputShape, classes, featureCount, doubtCount = 0, seed = 1, ...options }: TinyOnnx): {
  readonly w: Float32Array;
  readonly b: Float32Array;
  readonly v: Float32Array;
  readonly c: Float32Array;
  readonly u: Float32Array;
  readonly d: Float32Array;
} {
  const inputs = inputShape.reduce((product, side) => product * side, 1);
  const random = seededRandom(seed);
  const uniform = (length: number, offset: number, size: number): Float32Array =>
    Float32Array.from({ length }, () => offset + size * (2 * random.next() - 1));
  const size = 1 / Math.sqrt(inputs);
  return {
    w: uniform(inputs * classes, 0, size),
    b: uniform(classes, options.logitOffset ?? 0, 0.5),
    v: uniform(inputs * featureCount, 0, size),
    c: uniform(featureCount, options.featureOffset ?? 0, 0.5),
    u: uniform(inputs * doubtCount, 0, size),
    d: uniform(doubtCount, options.doubtOffset ?? 0, 0.5),
  };
}

/** The logits of one preprocessed frame, in double precision. */
export function tinyLogits(options: TinyOnnx, row: ArrayLike<number>): number[] {
  const { w, b } = tinyWeights(options);
  return Array.from(b, (bias, k) => {
    let sum = bias;
    for (let i = 0; i < row.length; i++) sum += row[i]! * w[i * options.classes + k]!;
    return sum;
  });
}

export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

export function varintField(field: number, number: number): Uint8Array {
  return message([varint(field * 8), varint(number)]);
}

export function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return message([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

export function stringField(field: number, text: string): Uint8Array {
  return bytesField(field, new TextEncoder().encode(text));
}

export function message(fields: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(fields));
}

/** A TensorProto whose values lie in another file. */
export function externalTensor(name: string, shape: readonly number[], location: string): Uint8Array {
  const entry = message([stringField(1, "location"), stringField(2, location)]);
  return message([...tensorHead(name, shape, 1), bytesField(13, entry), varintField(14, 1)]);
}

export function tensor(name: string, shape: readonly number[], values: Float32Array): Uint8Array {
  return message([...tensorHead(name, shape, 1), bytesField(9, new Uint8Array(values.buffer))]);
}

function boolTensor(name: string): Uint8Array {
  return message([...tensorHead(name, [], 9), bytesField(9, Uint8Array.of(1))]);
}

function tensorHead(name: string, shape: readonly number[], type: number): Uint8Array[] {
  return [...shape.map((side) => varintField(1, side)), varintField(2, type), stringField(8, name)];
}

export function node(
  type: string,
  inputs: string[],
  outputs: string[],
  attributes: Uint8Array[] = [],
): Uint8Array {
  return message([
    ...inputs.map((name) => stringField(1, name)),
    ...outputs.map((name) => stringField(2, name)),
    stringField(4, type),
    ...attributes.map((bytes) => bytesField(5, bytes)),
  ]);
}

export function intAttribute(name: string, number: number): Uint8Array {
  return message([stringField(1, name), varintField(3, number), varintField(20, 2)]);
}

/** If(yes) with the tensor as a Constant in both branches. */
function ifNode(external: Uint8Array): Uint8Array {
  const constant = message([stringField(1, "value"), bytesField(5, external), varintField(20, 4)]);
  const branch = message([
    bytesField(1, node("Constant", [], ["hidden"], [constant])),
    stringField(2, "branch"),
    bytesField(12, value("hidden", 1, [])),
  ]);
  const branches = ["then_branch", "else_branch"].map((name) =>
    message([stringField(1, name), bytesField(6, branch), varintField(20, 5)]),
  );
  return node("If", ["yes"], ["unused"], branches);
}

export function value(name: string, type: number, shape: readonly (number | string)[]): Uint8Array {
  const sides = shape.map((side) =>
    bytesField(1, typeof side === "number" ? varintField(1, side) : stringField(2, side)),
  );
  const tensorType = message([varintField(1, type), bytesField(2, message(sides))]);
  return message([stringField(1, name), bytesField(2, bytesField(1, tensorType))]);
}
