/** Writes whole ONNX networks for tests, node by node. */

import { seededRandom } from "../../src/core/random.ts";
import {
  bytesField,
  intAttribute,
  message,
  node,
  stringField,
  tensor,
  value,
  varint,
  varintField,
} from "./tiny-onnx.ts";

export type AttributeValue = number | readonly number[] | string | { readonly float: number };

/** Nodes are named `OPERATOR_0`, `OPERATOR_1`, ... in the order of the calls, and give a value of the same name. */
export interface OnnxBuilder {
  node(
    operator: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
  ): string;
  /** A stored float32 tensor; without values seeded ones, of a size at which layers neither die nor explode. */
  stored(shape: readonly number[], values?: ArrayLike<number>): string;
  /** A stored int64 tensor. */
  integers(values: readonly number[]): string;
  /** @param shape of the input, without the batch axis */
  model(shape: readonly number[], logits: string, opset?: number): Uint8Array;
}

export const INPUT = "input";

export function anOnnx(seed: number): OnnxBuilder {
  const random = seededRandom(seed);
  const nodes: Uint8Array[] = [];
  const tensors: Uint8Array[] = [];
  const counts = new Map<string, number>();
  return {
    node(operator, inputs, attributes = {}) {
      const count = counts.get(operator) ?? 0;
      counts.set(operator, count + 1);
      const name = `${operator}_${count}`;
      const written = Object.entries(attributes).map(([key, of]) => attribute(key, of));
      nodes.push(message([node(operator, [...inputs], [name], written), stringField(3, name)]));
      return name;
    },
    stored(shape, values) {
      const name = `stored_${tensors.length}`;
      const length = shape.reduce((a, b) => a * b, 1);
      const size = 1.5 / Math.sqrt(Math.max(1, length / (shape[0] ?? 1)));
      const numbers =
        values === undefined
          ? Float32Array.from({ length }, () => size * (2 * random.next() - 1))
          : Float32Array.from(values);
      tensors.push(tensor(name, shape, numbers));
      return name;
    },
    integers(values) {
      const name = `stored_${tensors.length}`;
      const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
      const sides = values.length === 1 ? [] : [varintField(1, values.length)];
      tensors.push(message([...sides, varintField(2, 7), stringField(8, name), bytesField(9, raw)]));
      return name;
    },
    model(shape, logits, opset = 13) {
      const graph = message([
        ...nodes.map((bytes) => bytesField(1, bytes)),
        stringField(2, "small"),
        ...tensors.map((bytes) => bytesField(5, bytes)),
        bytesField(11, value(INPUT, 1, ["N", ...shape])),
        bytesField(12, value(logits, 1, ["N", "K"])),
      ]);
      return message([
        varintField(1, 8),
        bytesField(7, graph),
        bytesField(8, message([stringField(1, ""), varintField(2, opset)])),
      ]);
    },
  };
}

function attribute(name: string, of: AttributeValue): Uint8Array {
  if (typeof of === "number") return intAttribute(name, of);
  if (typeof of === "string") return message([stringField(1, name), stringField(4, of), varintField(20, 3)]);
  if ("float" in of) {
    const float = new Uint8Array(Float32Array.of(of.float).buffer);
    return message([stringField(1, name), varint(2 * 8 + 5), float, varintField(20, 1)]);
  }
  return message([stringField(1, name), ...of.map((number) => varintField(8, number)), varintField(20, 7)]);
}
