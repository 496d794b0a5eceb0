/** What ONNX Runtime says of the values inside a model: their shapes, and those that no frame changes. */

import { Tensor } from "onnxruntime-node";
import { type ModelSpec, openSession } from "../student.ts";
import { type OnnxGraph, type OnnxNode, withOutputs } from "./graph.ts";

export interface InnerValue {
  readonly shape: readonly number[];
  /** Undefined where the value depends on the frame. */
  readonly constant: ArrayLike<number> | undefined;
}

/** The nodes that a value depends on, in the order of the graph, and the values by name. */
export interface InnerValues {
  readonly nodeOf: ReadonlyMap<string, OnnxNode>;
  readonly values: ReadonlyMap<string, InnerValue>;
}

/**
 * Runs the model on one frame of zeros and reads every value that the logits depend on. Sizes are computed by the
 * program that will run the model; with one frame in the batch none of them is free.
 */
export async function innerValues(
  bytes: Uint8Array,
  graph: OnnxGraph,
  { input, logits, inputShape }: Pick<ModelSpec, "input" | "logits" | "inputShape">,
): Promise<InnerValues> {
  const nodeOf = ancestorsOf(graph, logits);
  const names = [...new Set([...nodeOf.values()].flatMap(({ outputs }) => outputs))].filter(
    (name) => name !== "" && nodeOf.has(name),
  );
  const session = await openSession(
    withOutputs(
      bytes,
      names.filter((name) => !graph.outputs.includes(name)),
    ),
  );
  try {
    const shape = [1, ...inputShape];
    const zeros = new Tensor("float32", new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
    const results = await session.run({ [input]: zeros }, names);
    const values = new Map<string, InnerValue>([[input, { shape, constant: undefined }]]);
    for (const [name, tensor] of graph.initializers) {
      if (tensor !== undefined) values.set(name, { shape: tensor.shape, constant: tensor.values });
    }
    for (const node of new Set(nodeOf.values())) {
      const isConstant = isFixed(node, graph, values);
      for (const name of node.outputs.filter((output) => nodeOf.has(output))) {
        const { dims, data } = results[name]!;
        values.set(name, { shape: dims, constant: isConstant ? numbersOf(data) : undefined });
      }
    }
    return { nodeOf, values };
  } finally {
    await session.release();
  }
}

/** By output, the nodes on the way to a value; a graph's nodes come before those that take from them. */
function ancestorsOf({ nodes }: OnnxGraph, logits: string): Map<string, OnnxNode> {
  const wanted = new Set([logits]);
  const taken: OnnxNode[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => wanted.has(output))) continue;
    for (const name of node.inputs) wanted.add(name);
    taken.unshift(node);
  }
  return new Map(
    taken.flatMap((node) =>
      node.outputs.filter((output) => wanted.has(output)).map((output) => [output, node] as const),
    ),
  );
}

/** Whether no frame changes what a node gives: sizes, and what is made of stored tensors alone. */
function isFixed(node: OnnxNode, graph: OnnxGraph, values: ReadonlyMap<string, InnerValue>): boolean {
  if (node.domain !== "" || /^Random|^Multinomial|^Bernoulli/.test(node.operator)) return false;
  if (node.operator === "Shape" || node.operator === "Size") return true;
  return node.inputs.every(
    (name) => name === "" || graph.initializers.has(name) || values.get(name)?.constant !== undefined,
  );
}

function numbersOf(data: Tensor.DataType | ArrayLike<unknown>): ArrayLike<number> | undefined {
  if (data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array) return data;
  if (data instanceof BigInt64Array) return Array.from(data, Number);
  return undefined;
}
