/** The beta-binomial sequence: the vectors, other reference values, and coverage at every look. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { betaBinomialSequence, type RateInterval } from "../../src/core/statistics/beta-binomial.ts";
import { binomialUpperBound } from "../../src/core/statistics/binomial.ts";

interface Vectors {
  readonly betaBinomialSequenceUpper: {
    readonly eta: number;
    readonly rows: [a: number, b: number, k: number, n: number, upper: number][];
  };
}

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8")) as Vectors;

const ETA = 0.05;

/** As many significant digits as the vectors give. */
function expectDigits(found: number, expected: number): void {
  const digits = String(expected).replace(/^0\.0*|\./g, "").length;
  expect(Number(found.toPrecision(digits))).toBe(expected);
}

describe("the vectors computed outside this project", () => {
  const { eta, rows } = vectors.betaBinomialSequenceUpper;

  test.each(rows)(
    "beta-binomial sequence, Beta(%d, %d): upper end at %i of %i is %d",
    (a, b, k, n, upper) => {
      expectDigits(betaBinomialSequence(k, n, eta, { a, b }).upper, upper);
    },
  );
});

describe("the beta-binomial confidence sequence", () => {
  test.each([
    [5, 400, 0.5, 50, 0.05, 0.0023339889068943846, 0.036443076980406573],
    [60_000, 2_000_000, 0.5, 50, 0.01, 0.029435966162078882, 0.030570969196029748],
  ])("%i of %i under Beta(%d, %d) at eta %d (bisection, mpmath)", (k, n, a, b, eta, lower, upper) => {
    const interval = betaBinomialSequence(k, n, eta, { a, b });
    expect(interval.lower / lower).toBeCloseTo(1, 8);
    expect(interval.upper / upper).toBeCloseTo(1, 8);
    expect(interval.lower).toBeLessThanOrEqual(lower);
    expect(interval.upper).toBeGreaterThanOrEqual(upper);
  });

  test("says nothing without trials, nothing above where all failed, nothing below where none did", () => {
    expect(betaBinomialSequence(0, 0, ETA)).toEqual({ lower: 0, upper: 1 });
    expect(betaBinomialSequence(7, 7, ETA, { a: 1, b: 1 }).upper).toBe(1);
    expect(betaBinomialSequence(7, 7, ETA, { a: 1, b: 1 }).lower).toBeCloseTo(0.4843125429634987, 8);
    expect(betaBinomialSequence(0, 7, ETA).lower).toBe(0);
    expect(betaBinomialSequence(49, 50, ETA, { a: 1, b: 1 }).upper).toBeCloseTo(0.9999803732905727, 12);
  });

  test("holds the share seen, rises with failures, falls with trials, and is wider than one fixed look", () => {
    fc.assert(
      fc.property(anyCounts, fc.double({ min: 1e-6, max: 0.5, noNaN: true }), ([k, n], eta) => {
        const { lower, upper } = betaBinomialSequence(k, n, eta);
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(lower).toBeLessThanOrEqual(k / n || 0);
        expect(upper).toBeGreaterThanOrEqual(k / n || 0);
        expect(upper).toBeLessThanOrEqual(1);
        expect(upper).toBeGreaterThanOrEqual(binomialUpperBound(k, n, eta) * (1 - 1e-12));
        expect(betaBinomialSequence(k, n + 1, eta).upper).toBeLessThanOrEqual(upper * (1 + 1e-9));
        expect(betaBinomialSequence(k + 1, n + 1, eta).upper).toBeGreaterThanOrEqual(upper * (1 - 1e-9));
      }),
    );
  });

  test("is refused for counts, shares and mixtures that are none", () => {
    for (const [k, n] of [
      [-1, 5],
      [6, 5],
      [Number.NaN, 5],
      [0, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(() => betaBinomialSequence(k, n, ETA)).toThrow(RangeError);
    }
    for (const eta of [0, 1, Number.NaN]) expect(() => betaBinomialSequence(0, 5, eta)).toThrow(RangeError);
    for (const a of [0, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => betaBinomialSequence(0, 5, ETA, { a, b: 1 })).toThrow(RangeError);
    }
  });
});

describe("at every look", () => {
  const RUNS = 1000;
  /** What a rate of eta may show in so many runs: three standard deviations above it. */
  const atMost = (runs: number): number => ETA + 3 * Math.sqrt((ETA * (1 - ETA)) / runs);

  test.for([
    [0.001, 2000],
    [0.01, 2000],
    [0.1, 500],
    [0.5, 300],
  ] as const)("the beta-binomial intervals hold a rate of %d", async ([rate, trials], { annotate }) => {
    const runs = 4 * RUNS;
    const random = seededRandom(10);
    const known = new Map<number, RateInterval>();
    const interval = (k: number, n: number): RateInterval => {
      const found = known.get(k * 10_000 + n) ?? betaBinomialSequence(k, n, ETA);
      known.set(k * 10_000 + n, found);
      return found;
    };
    let broken = 0;
    for (let run = 0; run < runs; run++) {
      let k = 0;
      let holds = true;
      for (let n = 0; n < trials; n++) {
        if (random.next() >= rate) continue;
        // The upper end is lowest right before a failure, the lower end highest right after it.
        holds &&= rate <= interval(k, n).upper;
        k++;
        holds &&= rate >= interval(k, n + 1).lower;
      }
      if (!(holds && rate <= interval(k, trials).upper)) broken++;
    }
    await annotate(`broken in ${broken} of ${runs} runs`);
    expect(broken / runs).toBeLessThanOrEqual(atMost(runs));
    expect(broken).toBeGreaterThan(0);
  });

  test("the bound for one look does not hold, which is why there are sequences", () => {
    const random = seededRandom(11);
    let broken = 0;
    for (let run = 0; run < RUNS; run++) {
      let k = 0;
      let holds = true;
      for (let n = 0; n < 500; n++) {
        if (random.next() >= 0.1) continue;
        holds &&= binomialUpperBound(k, n, ETA) >= 0.1;
        k++;
      }
      if (!holds) broken++;
    }
    expect(broken / RUNS).toBeGreaterThan(3 * ETA);
  });
});

const anyCounts = fc
  .tuple(fc.nat(100_000), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([n, share]) => [Math.floor(n * share ** 3), n] as const);
