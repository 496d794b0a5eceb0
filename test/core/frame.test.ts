import { expect, test } from "vitest";
import { isId, isPartCount } from "../../src/core/frame.ts";

test.each([[""], ["a\n"], ["\u009f"], ["x".repeat(129)]])("%j is no id", (id) =>
  expect(isId(id)).toBe(false),
);

test.each([["a"], ["7/ü b"], ["x".repeat(128)]])("%j is an id", (id) => expect(isId(id)).toBe(true));

test("a part has from one to a million frames", () => {
  expect([1, 1_000_000].every(isPartCount)).toBe(true);
  expect([0, -1, 1.5, 1_000_001, Number.NaN, Number.POSITIVE_INFINITY].some(isPartCount)).toBe(false);
});
