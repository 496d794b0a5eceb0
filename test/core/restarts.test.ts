/** Restarts in one number: the same as one by one, and beyond what could poison them. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evidenceOf, nextRestarts, noRestarts, type Restarts } from "../../src/core/statistics/restarts.ts";

describe("restarts", () => {
  const reserve = (j: number): number => 1 / (1 + Math.log(1 + j / 64));
  const factor = fc.double({ min: 0, max: 3, noNaN: true });

  test("in one number are the sum of all restarts, each with its weight", () => {
    const runs = fc.array(fc.tuple(factor, factor), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(runs, (steps) => {
        let state = noRestarts(2);
        for (const factors of steps) state = nextRestarts(state, factors);
        let sum = reserve(steps.length);
        for (let j = 1; j <= steps.length; j++) {
          for (const bet of [0, 1] as const) {
            const product = steps.slice(j - 1).reduce((capital, factors) => capital * factors[bet], 1);
            sum += ((reserve(j - 1) - reserve(j)) / 2) * product;
          }
        }
        expect(Math.abs(evidenceOf(state) - sum)).toBeLessThanOrEqual(1e-10 * sum);
      }),
    );
  });

  test("with bets that neither win nor lose keep the start capital of 1 for ever", () => {
    let state = noRestarts(1);
    for (let step = 0; step < 100_000; step++) state = nextRestarts(state, [1]);
    expect(evidenceOf(state)).toBeCloseTo(1, 10);
  });

  test("neither overflow nor vanish over 200,000 wins and as many losses", () => {
    let state = noRestarts(2);
    for (let step = 0; step < 200_000; step++) state = nextRestarts(state, [20, 0]);
    expect(Number.isFinite(evidenceOf(state))).toBe(true);
    expect(evidenceOf(state)).toBeGreaterThan(1e299);
    for (let step = 0; step < 200_000; step++) state = nextRestarts(state, [0.5, 0.5]);
    expect(evidenceOf(state)).toBeGreaterThan(0);
    expect(evidenceOf(state)).toBeLessThan(1);
  });

  test("refuse what would poison them, and stay as they were", () => {
    const state = nextRestarts(noRestarts(2), [1, 2]);
    const before = JSON.stringify(state);
    for (const wrong of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      expect(() => nextRestarts(state, [1, wrong])).toThrow(/bet 1 after step 1/);
      expect(() => nextRestarts({ steps: 1, capital: [0, wrong] }, [1, 1])).toThrow(/bet 1/);
    }
    expect(() => nextRestarts(state, [1])).toThrow(/expected 2 factors, got 1/);
    // JSON has no NaN: it comes back as null, which arithmetic takes for 0.
    expect(() => nextRestarts(JSON.parse('{"steps":null,"capital":[0]}') as Restarts, [1])).toThrow(/steps/);
    expect(() => nextRestarts(JSON.parse('{"steps":3,"capital":[null]}') as Restarts, [1])).toThrow(/bet 0/);
    for (const bets of [0, 1.5, Number.NaN]) expect(() => noRestarts(bets)).toThrow(RangeError);
    expect(JSON.stringify(state)).toBe(before);
  });
});
