/** JSON frames: `{"values": [...]}`, flat or nested, as numbers that the frame's element type can hold. */

import type { FrameSpec } from "../core/frame.ts";
import { frameLength } from "../core/frame.ts";
import type { Decoded } from "./decode.ts";

/** Arrays in arrays that a document may hold. */
const DEPTH_MAX = 8;

const RANGES = { u8: [0, 255], i16: [-32768, 32767], f32: [-Infinity, Infinity] } as const;

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Decodes a JSON frame. Where several reasons apply, the document's form comes first, then the count, then
 * numbers that are not finite (1e999, or beyond float32). Integers are not required of u8 and i16: a sensor
 * may average pixels; numbers outside the type's range are no such frame.
 */
export function decodeJson(payload: Uint8Array, spec: FrameSpec): Decoded {
  let document: unknown;
  try {
    document = JSON.parse(UTF8.decode(payload));
  } catch {
    return { kind: "reject", reason: "invalid-json" };
  }
  const written =
    typeof document === "object" && document !== null && "values" in document ? document.values : null;
  if (!Array.isArray(written)) return { kind: "reject", reason: "invalid-json" };
  const [low, high] = RANGES[spec.kind === "image" ? "u8" : spec.type];
  const values = new Float32Array(frameLength(spec));
  const sink: Sink = { values, low, high, count: 0, finite: true };
  if (!collect(written, sink, 1)) return { kind: "reject", reason: "invalid-json" };
  if (sink.count < values.length) return { kind: "reject", reason: "too-short" };
  if (sink.count > values.length) return { kind: "reject", reason: "too-long" };
  return sink.finite ? { kind: "values", values } : { kind: "reject", reason: "not-finite" };
}

interface Sink {
  readonly values: Float32Array;
  readonly low: number;
  readonly high: number;
  /** Numbers seen; may exceed what `values` holds. */
  count: number;
  finite: boolean;
}

/** Appends the numbers of a nested array in order; false where an element is none. */
function collect(elements: readonly unknown[], sink: Sink, depth: number): boolean {
  if (depth > DEPTH_MAX) return false;
  const { values, low, high } = sink;
  for (const element of elements) {
    if (typeof element === "number") {
      const finite = Number.isFinite(Math.fround(element));
      if (finite && !(element >= low && element <= high)) return false;
      sink.finite &&= finite;
      // A write behind the end of a typed array does nothing.
      values[sink.count++] = element;
    } else if (!(Array.isArray(element) && collect(element, sink, depth + 1))) {
      return false;
    }
  }
  return true;
}
