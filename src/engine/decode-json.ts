/** JSON frames: `{ id?, part?, partCount?, values }`; values flat or nested, as numbers of the frame's element type. */

import type { FrameMembers, FrameSpec, RejectReason } from "../core/frame.ts";
import { frameLength, isId, isPartCount } from "../core/frame.ts";
import type { Decoded } from "./decode.ts";

/** Arrays in arrays that a document may hold. */
const DEPTH_MAX = 8;

const RANGES = { u8: [0, 255], i16: [-32768, 32767], f32: [-Infinity, Infinity] } as const;

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Decodes a JSON frame. Where several reasons apply, the document's form comes first, then the count, then
 * numbers that are not finite (1e999, or beyond float32). Integers are not required of u8 and i16: a sensor
 * may average pixels; numbers outside the type's range are no such frame. What was said of the frame's ids is told
 * of a reject too: its part must hear of it.
 */
export function decodeJson(payload: Uint8Array, spec: FrameSpec): Decoded {
  let document: unknown;
  try {
    document = JSON.parse(UTF8.decode(payload));
  } catch {
    return { kind: "reject", reason: "invalid-json" };
  }
  if (typeof document !== "object" || document === null) return { kind: "reject", reason: "invalid-json" };
  const { members, areValid } = membersOf(document as Readonly<Record<string, unknown>>);
  const reject = (reason: RejectReason): Decoded => ({ kind: "reject", reason, ...(members && { members }) });
  const written = "values" in document ? document.values : null;
  if (!areValid || !Array.isArray(written)) return reject("invalid-json");
  const [low, high] = RANGES[spec.kind === "image" ? "u8" : spec.type];
  const values = new Float32Array(frameLength(spec));
  const sink: Sink = { values, low, high, count: 0, finite: true };
  if (!collect(written, sink, 1)) return reject("invalid-json");
  if (sink.count < values.length) return reject("too-short");
  if (sink.count > values.length) return reject("too-long");
  return sink.finite ? { kind: "values", values, ...(members && { members }) } : reject("not-finite");
}

/**
 * The frame's ids, texts or integers, and the part's count; null is as good as none. One that is there and cannot be
 * used makes the document invalid: a frame must not pass for a part of its own because its part's name is too long.
 */
function membersOf({ id, part, partCount }: Readonly<Record<string, unknown>>): {
  readonly members: FrameMembers | undefined;
  readonly areValid: boolean;
} {
  const [frameId, partId] = [idOf(id), idOf(part)];
  const isCount = typeof partCount === "number" && isPartCount(partCount);
  const members = {
    ...(frameId !== undefined && { id: frameId }),
    ...(partId !== undefined && { part: partId }),
    ...(isCount && { partCount }),
  };
  const isUnusable = (given: unknown, read: unknown): boolean => (given ?? undefined) !== undefined && !read;
  return {
    members: Object.keys(members).length > 0 ? members : undefined,
    areValid: !isUnusable(id, frameId) && !isUnusable(part, partId) && !isUnusable(partCount, isCount),
  };
}

function idOf(value: unknown): string | undefined {
  if (typeof value === "string") return isId(value) ? value : undefined;
  return Number.isSafeInteger(value) ? String(value) : undefined;
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
