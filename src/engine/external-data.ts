/**
 * Looks through an ONNX file for tensors whose values lie outside it, without ONNX Runtime, which would
 * open them: a model must be whole in the bytes whose digest the bundle names. The locations it understands
 * reach files of the machine and even addresses in memory.
 */

import { FieldReader, Malformed, text } from "./protobuf.ts";

export type ExternalDataScan =
  | { readonly kind: "self-contained" }
  /** The first tensor found that is stored elsewhere, and where, as far as the file says. */
  | { readonly kind: "external"; readonly tensor: string; readonly location: string }
  /** Not a protobuf message that this scan can vouch for; `at` is a byte offset. */
  | { readonly kind: "malformed"; readonly at: number; readonly problem: string };

type MessageType =
  | "model"
  | "training"
  | "function"
  | "graph"
  | "node"
  | "attribute"
  | "sparse"
  | "tensor"
  | "entry";

/** The fields of onnx.proto on the way to a TensorProto; every other field is stepped over. */
const FIELDS: Record<Exclude<MessageType, "entry">, Readonly<Record<number, MessageType>>> = {
  model: { 7: "graph", 20: "training", 25: "function" },
  training: { 1: "graph", 2: "graph" },
  function: { 7: "node", 11: "attribute" },
  graph: { 1: "node", 5: "tensor", 15: "sparse" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  sparse: { 1: "tensor", 2: "tensor" },
  tensor: { 13: "entry" },
};

const TENSOR_NAME = 8;
const TENSOR_DATA_LOCATION = 14;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** As deep as protobuf's own parser follows messages in messages. */
const DEPTH_MAX = 100;

/**
 * Reads every message in which a tensor can stand, once per level of nesting, at most 100 levels. Errs
 * towards refusing: anything a canonical writer does not write is malformed, and one field of external data
 * is enough, whatever later fields say.
 */
export function scanExternalData(bytes: Uint8Array): ExternalDataScan {
  // "ORTM" at byte 4 makes ONNX Runtime read its own flatbuffer format instead, which this scan can't see into.
  if (text(bytes, 4, 8) === "ORTM") return malformed(4, "an ORT format model, not an ONNX file");
  try {
    return scanMessage(bytes, "model", 0, bytes.length, 0) ?? { kind: "self-contained" };
  } catch (error) {
    if (error instanceof Malformed) return malformed(error.at, error.message);
    throw error;
  }
}

type External = Extract<ExternalDataScan, { kind: "external" }>;

function scanMessage(
  bytes: Uint8Array,
  type: Exclude<MessageType, "entry">,
  start: number,
  end: number,
  depth: number,
): External | undefined {
  if (depth > DEPTH_MAX) throw new Malformed(start, `messages nested deeper than ${DEPTH_MAX}`);
  const inner = FIELDS[type];
  const reader = new FieldReader(bytes, start, end);
  while (reader.next()) {
    if (type === "tensor" && isExternal(reader)) return describeTensor(bytes, start, end);
    const innerType = inner[reader.field];
    if (innerType === undefined || innerType === "entry") continue;
    // Protobuf would keep a known field of another wire type as an unknown one; no writer makes such a file.
    if (reader.wireType !== 2)
      throw new Malformed(reader.at, `field ${reader.field} of a ${type} is no message`);
    const found = scanMessage(bytes, innerType, reader.valueStart, reader.valueEnd, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isExternal(reader: FieldReader): boolean {
  if (FIELDS.tensor[reader.field] === "entry") return true;
  // DEFAULT is 0. Not "is 1": the enum is cut to 32 bits when it is parsed.
  return reader.field === TENSOR_DATA_LOCATION && !(reader.wireType === 0 && reader.varintIsZero);
}

function describeTensor(bytes: Uint8Array, start: number, end: number): External {
  let tensor = "";
  let location = "";
  const reader = new FieldReader(bytes, start, end);
  while (reader.next()) {
    if (reader.wireType !== 2) continue;
    if (reader.field === TENSOR_NAME) tensor = text(bytes, reader.valueStart, reader.valueEnd);
    if (FIELDS.tensor[reader.field] === "entry") {
      location = locationIn(bytes, reader.valueStart, reader.valueEnd) ?? location;
    }
  }
  return { kind: "external", tensor, location };
}

function locationIn(bytes: Uint8Array, start: number, end: number): string | undefined {
  let key = "";
  let value = "";
  const reader = new FieldReader(bytes, start, end);
  while (reader.next()) {
    if (reader.wireType !== 2) continue;
    if (reader.field === ENTRY_KEY) key = text(bytes, reader.valueStart, reader.valueEnd);
    if (reader.field === ENTRY_VALUE) value = text(bytes, reader.valueStart, reader.valueEnd);
  }
  return key === "location" ? value : undefined;
}

function malformed(at: number, problem: string): ExternalDataScan {
  return { kind: "malformed", at, problem };
}
