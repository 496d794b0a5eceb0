/**
 * One text for one JSON value, so that a signature is over what a document says and not over how it is laid out: RFC
 * 8785 (JCS), members sorted by UTF-16 units, numbers as ECMAScript writes them, no white space.
 */

/** Deeper than any document of ours, and far from the end of the stack. */
const DEPTH_MAX = 64;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** What has no canonical text. */
export class NotCanonical extends Error {
  override readonly name = "NotCanonical";
}

/**
 * The canonical bytes of a JSON value.
 * @throws NotCanonical for what JSON cannot say or not say twice alike: numbers that are not finite, undefined,
 *   half a surrogate pair, objects that are no plain ones, and what is nested more than 64 deep
 */
export function canonicalJson(value: unknown): Buffer {
  return Buffer.from(textOf(value, "", 0), "utf8");
}

function textOf(value: unknown, at: string, depth: number): string {
  if (depth > DEPTH_MAX) throw no(at, `nested at most ${DEPTH_MAX} deep`, "more");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return stringOf(value, at);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw no(at, "a finite number", String(value));
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    // By index: a hole is no member, and must not be passed over.
    const members = Array.from({ length: value.length }, (_, i) => textOf(value[i], `${at}/${i}`, depth + 1));
    return `[${members.join(",")}]`;
  }
  if (typeof value === "object" && isPlain(value)) {
    const members = Object.keys(value)
      .sort()
      .map((key) => {
        const member = (value as Record<string, unknown>)[key];
        return `${stringOf(key, at)}:${textOf(member, `${at}/${key}`, depth + 1)}`;
      });
    return `{${members.join(",")}}`;
  }
  throw no(at, "a JSON value", typeof value === "object" ? "an object of another kind" : typeof value);
}

function stringOf(text: string, at: string): string {
  if (LONE_SURROGATE.test(text)) throw no(at, "whole characters", "half a surrogate pair");
  return JSON.stringify(text);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function no(at: string, expected: string, found: string): NotCanonical {
  return new NotCanonical(`${at === "" ? "the document" : at}: expected ${expected}, found ${found}`);
}
