/** An ONNX graph as its file writes it: nodes, their attributes, and the tensors stored beside them. */

import { FieldReader, Malformed } from "../protobuf.ts";
import { bytesField, joined, stringField } from "./write.ts";

export interface OnnxNode {
  /** The node's own name, or its first output where it has none. */
  readonly name: string;
  readonly operator: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** Numbers and text of an attribute; tensors and graphs in it are not read. */
export interface Attribute {
  readonly integers: readonly number[];
  readonly floats: readonly number[];
  readonly text: string;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  /** Stored tensors of float32 and int64; others have undefined. */
  readonly initializers: ReadonlyMap<string, StoredTensor | undefined>;
  /** Names of the graph's outputs. */
  readonly outputs: readonly string[];
}

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

const MODEL_GRAPH = 7;
const GRAPH_OUTPUT = 12;
const FLOAT32 = 1;
const INT64 = 7;

/** @throws Malformed where the bytes are no ONNX file */
export function readGraph(bytes: Uint8Array): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, StoredTensor | undefined>();
  const outputs: string[] = [];
  const graph = graphOf(bytes);
  const reader = new FieldReader(bytes, graph.valueStart, graph.valueEnd);
  while (reader.next()) {
    const inner = (): FieldReader => new FieldReader(bytes, reader.valueStart, reader.valueEnd);
    if (reader.field === 1) nodes.push(nodeOf(bytes, inner()));
    if (reader.field === 5) {
      const { name, tensor } = tensorOf(inner());
      initializers.set(name, tensor);
    }
    if (reader.field === GRAPH_OUTPUT) {
      const value = inner();
      while (value.next()) if (value.field === 1) outputs.push(value.text);
    }
  }
  return { nodes, initializers, outputs };
}

/** The same model with more of its values as outputs, so that ONNX Runtime itself says what they are. */
export function withOutputs(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const { start, valueStart, valueEnd } = graphOf(bytes);
  const more = names.map((name) => bytesField(GRAPH_OUTPUT, stringField(1, name)));
  const graph = bytesField(MODEL_GRAPH, joined([bytes.subarray(valueStart, valueEnd), ...more]));
  return joined([bytes.subarray(0, start), graph, bytes.subarray(valueEnd)]);
}

function graphOf(bytes: Uint8Array): { start: number; valueStart: number; valueEnd: number } {
  const reader = new FieldReader(bytes, 0, bytes.length);
  let found: { start: number; valueStart: number; valueEnd: number } | undefined;
  while (reader.next()) {
    if (reader.field !== MODEL_GRAPH) continue;
    // Protobuf would merge two; no writer makes such a file.
    if (found !== undefined) throw new Malformed(reader.at, "a second graph");
    found = { start: reader.at, valueStart: reader.valueStart, valueEnd: reader.valueEnd };
  }
  if (found === undefined) throw new Malformed(0, "a model without a graph");
  return found;
}

function nodeOf(bytes: Uint8Array, reader: FieldReader): OnnxNode {
  const node = { name: "", operator: "", domain: "", inputs: [] as string[], outputs: [] as string[] };
  const attributes = new Map<string, Attribute>();
  while (reader.next()) {
    if (reader.field === 1) node.inputs.push(reader.text);
    if (reader.field === 2) node.outputs.push(reader.text);
    if (reader.field === 3) node.name = reader.text;
    if (reader.field === 4) node.operator = reader.text;
    if (reader.field === 7) node.domain = reader.text;
    if (reader.field === 5) {
      const { name, attribute } = attributeOf(new FieldReader(bytes, reader.valueStart, reader.valueEnd));
      attributes.set(name, attribute);
    }
  }
  const domain = node.domain === "ai.onnx" ? "" : node.domain;
  return { ...node, domain, name: node.name || (node.outputs[0] ?? ""), attributes };
}

function attributeOf(reader: FieldReader): { readonly name: string; readonly attribute: Attribute } {
  let name = "";
  let text = "";
  const integers: number[] = [];
  const floats: number[] = [];
  while (reader.next()) {
    if (reader.field === 1) name = reader.text;
    if (reader.field === 2 || reader.field === 7) floats.push(...reader.floats);
    if (reader.field === 3 || reader.field === 8) integers.push(...reader.integers);
    if (reader.field === 4) text = reader.text;
  }
  return { name, attribute: { integers, floats, text } };
}

function tensorOf(reader: FieldReader): { readonly name: string; readonly tensor: StoredTensor | undefined } {
  let name = "";
  let type = 0;
  const shape: number[] = [];
  const numbers: ArrayLike<number>[] = [];
  while (reader.next()) {
    if (reader.field === 1) shape.push(...reader.integers);
    if (reader.field === 2) type = reader.integers[0]!;
    if (reader.field === 8) name = reader.text;
    if ((reader.field === 4 || reader.field === 9) && type === FLOAT32) numbers.push(reader.floats);
    if (reader.field === 7 && type === INT64) numbers.push(reader.integers);
    if (reader.field === 9 && type === INT64) numbers.push(reader.longs);
  }
  if (type !== FLOAT32 && type !== INT64) return { name, tensor: undefined };
  const values = type === FLOAT32 ? new Float32Array(lengthOf(numbers)) : new Float64Array(lengthOf(numbers));
  let at = 0;
  for (const some of numbers) {
    values.set(some, at);
    at += some.length;
  }
  const expected = shape.reduce((a, b) => a * b, 1);
  if (values.length !== expected) {
    throw new Malformed(reader.at, `tensor "${name}" of ${values.length} numbers for shape (${shape})`);
  }
  return { name, tensor: { shape, values } };
}

function lengthOf(numbers: readonly ArrayLike<number>[]): number {
  return numbers.reduce((sum, { length }) => sum + length, 0);
}
