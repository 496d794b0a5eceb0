/** The history's counts as stacked shares. */

import { describe, expect, test } from "vitest";
import type { HistoryPoint } from "../../web/src/contract.ts";
import { heights, stackOf } from "../../web/src/pages/line/stack.ts";

function aPoint(minute: number, frames: number, byReason: Record<string, number>): HistoryPoint {
  const review = Object.values(byReason).reduce((sum, one) => sum + one, 0);
  const at = new Date(Date.UTC(2026, 2, 1, 6, minute)).toISOString();
  return { at, frames, pass: frames - review, review, reject: 0, byReason, byClass: { good: review } };
}

describe("the stack", () => {
  test("has the largest layer first, and counts each point", () => {
    const points = [aPoint(0, 10, { novel: 1 }), aPoint(1, 20, { novel: 1, score: 5 })];
    const stack = stackOf(points, "reason");
    expect(stack.layers).toEqual([
      { name: "score", total: 5, counts: [0, 5] },
      { name: "novel", total: 2, counts: [1, 1] },
    ]);
    expect([stack.reviews, stack.decided]).toEqual([7, 30]);
    expect(stackOf(points, "class").layers).toEqual([{ name: "good", total: 7, counts: [1, 6] }]);
  });

  test("stands layer on layer, and has a gap where nothing was decided", () => {
    const stack = stackOf([aPoint(0, 10, { score: 4, novel: 1 }), aPoint(1, 0, {})], "reason");
    expect(heights(stack)).toEqual([
      [0.4, null],
      [0.5, null],
    ]);
  });

  test("puts together what is beyond eight names, and loses none of it", () => {
    const byReason = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`r${i}`, 12 - i]));
    const { layers } = stackOf([aPoint(0, 100, byReason)], "reason");
    expect(layers).toHaveLength(8);
    expect(layers.at(-1)).toEqual({ name: undefined, total: 5 + 4 + 3 + 2 + 1, counts: [15] });
    expect(layers.reduce((sum, { total }) => sum + total, 0)).toBe(78);
    const eight = Object.fromEntries(Object.entries(byReason).slice(0, 8));
    expect(stackOf([aPoint(0, 100, eight)], "reason").layers.map(({ name }) => name)).toEqual(
      Object.keys(eight),
    );
  });
});
