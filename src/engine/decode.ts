/** Decoding: from a payload as the sensor wrote it to the frame's own numbers, or the reason why there are none. */

import type { FrameMembers, FrameSpec, Preprocessing, RejectReason } from "../core/frame.ts";
import { frameBytes } from "../core/frame.ts";
import type { EngineFrame } from "../gateway/ports.ts";
import { decodeJson } from "./decode-json.ts";
import type { Values } from "./preprocess.ts";

export type Decoded =
  | { readonly kind: "values"; readonly values: Values; readonly members?: FrameMembers }
  | { readonly kind: "reject"; readonly reason: RejectReason; readonly members?: FrameMembers };

/**
 * Decodes one frame. Total: no payload makes it throw or its promise reject.
 * @returns at once for raw tensors and JSON (raw values may be a view of the payload), a promise for images
 */
export function decode(
  frame: EngineFrame,
  spec: FrameSpec,
  preprocessing: Preprocessing,
): Decoded | Promise<Decoded> {
  switch (frame.encoding) {
    case "raw":
      return decodeRaw(frame.payload, spec);
    case "json":
      return decodeJson(frame.payload, spec);
    case "png":
    case "jpeg":
      return decodeImage(frame.payload, frame.encoding, spec, preprocessing);
    default:
      return unreachable(frame.encoding);
  }
}

function reject(reason: RejectReason): Decoded {
  return { kind: "reject", reason };
}

function decodeRaw(payload: Uint8Array, spec: FrameSpec): Decoded {
  const bytes = frameBytes(spec);
  if (payload.length < bytes) return reject("too-short");
  if (payload.length > bytes) return reject("too-long");
  const type = spec.kind === "image" ? "u8" : spec.type;
  switch (type) {
    case "u8":
      return { kind: "values", values: payload };
    case "i16": {
      const { buffer, byteOffset } = aligned(payload, 2);
      return { kind: "values", values: new Int16Array(buffer, byteOffset, bytes / 2) };
    }
    case "f32": {
      const { buffer, byteOffset } = aligned(payload, 4);
      const values = new Float32Array(buffer, byteOffset, bytes / 4);
      return areFinite(values) ? { kind: "values", values } : reject("not-finite");
    }
    default:
      return unreachable(type);
  }
}

/** The payload where a typed array can begin. Typed arrays are little-endian wherever ONNX Runtime runs. */
function aligned(payload: Uint8Array, bytesPerElement: number): Uint8Array {
  return payload.byteOffset % bytesPerElement === 0 ? payload : new Uint8Array(payload);
}

/** Whether there is neither a NaN nor an infinity among the values. */
export function areFinite(values: Float32Array): boolean {
  // 0 times a NaN or an infinity is NaN, which stays; one test at the end instead of one for each element. Four sums,
  // since each addition has to wait for the one before it.
  const { length } = values;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    a += values[i]! * 0;
    b += values[i + 1]! * 0;
    c += values[i + 2]! * 0;
    d += values[i + 3]! * 0;
  }
  for (; i < length; i++) a += values[i]! * 0;
  return a + b + c + d === 0;
}

async function decodeImage(
  payload: Uint8Array,
  encoding: "png" | "jpeg",
  spec: FrameSpec,
  preprocessing: Preprocessing,
): Promise<Decoded> {
  // An encoded image says nothing of a tensor without height and width.
  if (spec.kind !== "image") return reject("wrong-shape");
  // Loaded with the first image: libvips costs a gateway of raw tensors 25 MB for nothing.
  const { decodePixels } = await import("./decode-image.ts");
  return decodePixels(payload, encoding, spec, preprocessing.resize);
}

function unreachable(value: never): never {
  throw new Error(`no such encoding or type: ${String(value)}`);
}
