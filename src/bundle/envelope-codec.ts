/** Envelope values as JSON: float32 arrays in base64, NaN as null. */

const FLOATS = "f32:";

/** Turns typed arrays into text and NaN into null, all the way down. */
export function toJson(value: unknown): unknown {
  if (value instanceof Float32Array) {
    return FLOATS + Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  }
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toJson(member)]));
  }
  return typeof value === "number" && Number.isNaN(value) ? null : value;
}

/** The inverse of `toJson`: null among numbers is NaN, null as a member stays null. */
export function fromJson(value: unknown): unknown {
  if (typeof value === "string" && value.startsWith(FLOATS)) {
    const bytes = new Uint8Array(Buffer.from(value.slice(FLOATS.length), "base64"));
    return new Float32Array(bytes.buffer, 0, bytes.byteLength >> 2);
  }
  if (Array.isArray(value)) return value.map((entry) => (entry === null ? Number.NaN : fromJson(entry)));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fromJson(member)]));
  }
  return value;
}
