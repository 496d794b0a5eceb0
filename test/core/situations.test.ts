/** Situations and the hourly budget, under any arrivals. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBudget, reserveOf } from "../../src/core/review-budget.ts";
import { begin, covers, join, tidings, told } from "../../src/core/situations.ts";

const HOUR_MS = 3_600_000;
const TIMES = { coalesceMs: 10_000, updateMs: 2000 };

describe("the alert budget", () => {
  test("is full at first, empties, and fills evenly", () => {
    const budget = createBudget(120);
    for (let i = 0; i < 120; i++) {
      expect(budget.available(0)).toBe(120 - i);
      budget.take(0);
    }
    expect(budget.available(29_999)).toBe(0);
    expect(budget.available(30_001)).toBe(1);
    expect(budget.available(HOUR_MS + 1)).toBe(120);
    expect(budget.available(10 * HOUR_MS)).toBe(120);
  });

  test("lets no more through in any span than its burst and what the span fills, whatever comes when", () => {
    const arrivals = fc.array(fc.integer({ min: 0, max: 120_000 }), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 200 }), (gapsMs, perHour) => {
        const budget = createBudget(perHour);
        const takenAtMs: number[] = [];
        let nowMs = 0;
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          if (budget.available(nowMs) < 1) continue;
          budget.take(nowMs);
          takenAtMs.push(nowMs);
        }
        for (const [i, fromMs] of takenAtMs.entries()) {
          const last = takenAtMs.at(-1)!;
          const most = perHour + ((last - fromMs) * perHour) / HOUR_MS;
          expect(takenAtMs.length - i).toBeLessThanOrEqual(most + 1e-6);
        }
      }),
    );
  });

  test("a clock that is set back gives nothing twice", () => {
    const budget = createBudget(60);
    for (let i = 0; i < 60; i++) budget.take(HOUR_MS);
    expect(budget.available(0)).toBe(0);
    expect(budget.available(HOUR_MS + 60_001)).toBe(1);
  });

  test("leaves a tenth for what happens next, where it has a tenth", () => {
    expect([1, 9, 10, 120].map(reserveOf)).toEqual([0, 0, 1, 12]);
  });
});

describe("a situation", () => {
  test("lasts as long as its reviews follow each other, however long that is", () => {
    let situation = begin("lead", 0);
    for (let nowMs = 9000; nowMs < HOUR_MS; nowMs += 9000) {
      expect(covers(situation, nowMs, TIMES)).toBe(true);
      situation = join(situation, nowMs);
    }
    expect(covers(situation, situation.lastAtMs + 9999, TIMES)).toBe(true);
    expect(covers(situation, situation.lastAtMs + 10_000, TIMES)).toBe(false);
  });

  test("is told of at doubling counts, at most every two seconds, and once more when it is over", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 500 }), (gapsMs) => {
        let situation = begin("lead", 0);
        const updates: { count: number; atMs: number }[] = [{ count: 1, atMs: 0 }];
        let nowMs = 0;
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          situation = join(situation, nowMs);
          if (tidings(situation, nowMs, TIMES) !== "update") continue;
          situation = told(situation, nowMs);
          updates.push({ count: situation.count, atMs: nowMs });
        }
        expect(situation.count).toBe(gapsMs.length + 1);
        expect(updates.length).toBeLessThanOrEqual(1 + Math.log2(situation.count));
        for (const [i, { count, atMs }] of updates.slice(1).entries()) {
          expect(count).toBeGreaterThanOrEqual(2 * updates[i]!.count);
          expect(atMs - updates[i]!.atMs).toBeGreaterThanOrEqual(TIMES.updateMs);
        }
        expect(tidings(situation, nowMs + TIMES.coalesceMs, TIMES)).toBe("over");
      }),
    );
  });
});
