/** One text for one value: stable under the order of members, and nothing that could be said in two ways. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, NotCanonical } from "../../src/signing/canonical.ts";

const text = (value: unknown): string => canonicalJson(value).toString("utf8");

/** Any JSON value; zero without a sign, which JSON does not keep. */
const aJson = fc.jsonValue({ maxDepth: 5, stringUnit: "grapheme" });

/** The same value with the members of its objects in another order. */
function shuffled(value: unknown, seed: number): unknown {
  if (Array.isArray(value)) return value.map((one) => shuffled(one, seed));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => [key, shuffled(member, seed + 1)] as const);
  return Object.fromEntries(
    seed % 2 === 0 ? members.toReversed() : [...members.slice(1), ...members.slice(0, 1)],
  );
}

describe("canonical JSON", () => {
  test("is that of RFC 8785, section 3.2", () => {
    const value = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0],
      string: '\u20ac$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    };
    expect(text(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],' +
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    // By UTF-16 units, not by characters.
    const keys = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080", "\u00f6"];
    expect(text(Object.fromEntries(keys.map((key) => [key, 0])))).toBe(
      '{"\\r":0,"1":0,"\u0080":0,"\u00f6":0,"\u20ac":0,"\ud83d\ude00":0,"\ufb33":0}',
    );
  });

  test("round trips, and is the same for any order of members", () => {
    fc.assert(
      fc.property(aJson, fc.nat(9), (value, seed) => {
        const once = text(value);
        const back: unknown = JSON.parse(once);
        expect(back).toEqual(JSON.parse(JSON.stringify(value)));
        expect(text(back)).toBe(once);
        expect(text(shuffled(value, seed))).toBe(once);
      }),
      { numRuns: 500, seed: 7 },
    );
  });

  test("tells values apart that are not the same", () => {
    fc.assert(
      fc.property(aJson, aJson, (a, b) => {
        const isSame = JSON.stringify(JSON.parse(text(a))) === JSON.stringify(JSON.parse(text(b)));
        expect(canonicalJson(a).equals(canonicalJson(b))).toBe(isSame);
      }),
      { numRuns: 500, seed: 7 },
    );
  });

  const deep = (depth: number): unknown => (depth === 0 ? 1 : [deep(depth - 1)]);
  test.each<[string, unknown, RegExp]>([
    ["NaN", { a: [Number.NaN] }, /^\/a\/0: expected a finite number, found NaN$/],
    ["infinity", Number.POSITIVE_INFINITY, /^the document: expected a finite number/],
    ["undefined", undefined, /found undefined/],
    ["a member that is undefined", { a: undefined }, /^\/a: .* found undefined/],
    ["a hole", Object.assign([1], { length: 2 }), /^\/1: .* found undefined/],
    ["half a character", "a\ud800", /half a surrogate pair/],
    ["half a character in a name", { "\udc00": 1 }, /half a surrogate pair/],
    ["a date", new Date(0), /an object of another kind/],
    ["a map", new Map(), /an object of another kind/],
    ["a function", () => 1, /found function/],
    ["a bigint", 1n, /found bigint/],
    ["what is nested too deep", deep(65), /at most 64 deep/],
  ])("refuses %s", (_, value, reason) => {
    expect(() => canonicalJson(value)).toThrow(NotCanonical);
    expect(() => canonicalJson(value)).toThrow(reason);
  });

  test("takes a member by any name", () => {
    const named: unknown = JSON.parse('{"__proto__":1,"constructor":2,"":3}');
    expect(text(named)).toBe('{"":3,"__proto__":1,"constructor":2}');
    expect(text(deep(64))).toBe(`${"[".repeat(64)}1${"]".repeat(64)}`);
  });
});
