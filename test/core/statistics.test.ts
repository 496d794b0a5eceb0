/** Exact bounds and special functions, against values computed elsewhere and against their own definitions. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gap, softmax } from "../../src/core/confidence.ts";
import {
  binomialLowerTail,
  binomialUpperBound,
  failuresAllowed,
  partsNeeded,
} from "../../src/core/statistics/binomial.ts";
import { conformalQuantile, conformalRank } from "../../src/core/statistics/conformal.ts";
import { incompleteBeta, incompleteBetaInverse, logGamma } from "../../src/core/statistics/special.ts";

interface Vectors {
  readonly clopperPearsonUpper: { readonly "eta0.05": [k: number, n: number, bound: number][] };
  readonly acceptedPartsNeeded: { readonly rows: [alpha: number, eta: number, ...needed: number[]][] };
  readonly fixedSequence: { readonly rows: [k: number, n: number, alpha: number, p: number][] };
  readonly conformalRank: { readonly rows: [n: number, miscoverage: number, rank: number][] };
  readonly distances: {
    readonly zTeacher: number[];
    readonly zStudent: number[];
    readonly pTeacher: number[];
    readonly pStudent: number[];
    readonly linf: number;
  };
}

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8")) as Vectors;

/** Relative to the larger of the two; a difference in the last digit that a vector gives is no error. */
function expectClose(found: number, expected: number, tolerance: number): void {
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(tolerance * Math.abs(expected));
}

describe("the vectors computed outside this project", () => {
  test.each(vectors.clopperPearsonUpper["eta0.05"])("bound on %i of %i is %d", (k, n, bound) => {
    expectClose(binomialUpperBound(k, n, 0.05), bound, 1e-6);
  });

  test.each(vectors.acceptedPartsNeeded.rows)("parts needed at alpha %d, eta %d", (alpha, eta, ...needed) => {
    expect([0, 1, 2, 3, 5].map((k) => partsNeeded(k, alpha, eta))).toEqual(needed);
  });

  test.each(vectors.fixedSequence.rows)("p of %i of %i at alpha %d is %d", (k, n, alpha, p) => {
    expect(Number(binomialLowerTail(k, n, alpha).toPrecision(4))).toBe(p);
  });

  test.each(vectors.conformalRank.rows)("rank of %i residuals at %d is %i", (n, miscoverage, rank) => {
    expect(conformalRank(n, miscoverage)).toBe(rank);
  });

  test("soft confidence and gap of the logits given", () => {
    const { zTeacher, zStudent, pTeacher, pStudent, linf } = vectors.distances;
    const p = new Float64Array(3);
    const q = new Float64Array(3);
    softmax(zTeacher, 0, 3, 1, p);
    softmax(zStudent, 0, 3, 1, q);
    p.forEach((value, i) => {
      expectClose(value, pTeacher[i]!, 1e-6);
    });
    q.forEach((value, i) => {
      expectClose(value, pStudent[i]!, 1e-6);
    });
    expectClose(gap(p, q), linf, 1e-6);
  });
});

describe("special functions", () => {
  test.each([
    [0.001, 6.907178885383853],
    [0.5, 0.5723649429247001],
    [10, 12.801827480081469],
    [12345.5, 103958.24296512322],
    [1e7, 151180949.3694739],
  ])("log-gamma of %d to fourteen digits (mpmath)", (x, value) => {
    expectClose(logGamma(x), value, 2e-15);
  });

  test.each([
    [0.5, 0.5, 0.3, 0.36901011956554536, 0.6309898804344546, 1e-14],
    [2.5, 40, 0.02, 0.10439979061538537, 0.8956002093846146, 1e-14],
    [50, 3, 0.99, 0.9846473742663409, 0.015352625733659137, 1e-13],
    [12345.5, 999, 0.9160254110866826, 5.4430048821057717e-5, 0.9999455699511789, 1e-13],
    // With counts of millions the last digit of x itself moves the result by about 1e-12.
    [1e6, 1e7, 0.09056237725603404, 3.11005795663181e-5, 0.9999688994204337, 2e-12],
    [1e6, 1e7, 0.09125580456214778, 0.9999677509883195, 3.224901168048521e-5, 2e-12],
  ])("both tails of Beta(%d, %d) at %d (mpmath)", (a, b, x, lower, upper, tolerance) => {
    expectClose(incompleteBeta(a, b, x), lower, tolerance);
    expectClose(incompleteBeta(a, b, x, "upper"), upper, tolerance);
  });

  test("the inverse brings back the tail asked for, however large the counts", () => {
    const shape = fc.double({ min: 0.01, max: 1e7, noNaN: true });
    const probability = fc.double({ min: 1e-12, max: 0.5, noNaN: true });
    fc.assert(
      fc.property(
        shape,
        shape,
        probability,
        fc.constantFrom("lower" as const, "upper" as const),
        (a, b, p, tail) => {
          const x = incompleteBetaInverse(a, b, p, tail);
          fc.pre(x > 1e-280 && x < 1 - 1e-3);
          expectClose(incompleteBeta(a, b, x, tail), p, 1e-9);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("what is outside its range is refused", () => {
    for (const x of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => logGamma(x)).toThrow(RangeError);
    expect(() => incompleteBeta(0, 1, 0.5)).toThrow(RangeError);
    expect(() => incompleteBeta(1, 1, 1.5)).toThrow(RangeError);
    expect(() => incompleteBetaInverse(1, 1, Number.NaN)).toThrow(RangeError);
  });
});

describe("the binomial bound", () => {
  test.each([
    [33, 6004, 2.2e-5, 0.010501467930044743],
    [7, 306, 2.4e-5, 0.07913969161372679],
    [5, 393, 2.4e-5, 0.05338169689885168],
    [49, 50, 0.01, 0.9997990134834266],
  ])("%i of %i at eta %d (bisection of the exact sum, mpmath)", (k, n, eta, bound) => {
    expectClose(binomialUpperBound(k, n, eta), bound, 1e-13);
  });

  test.each([
    [33, 6004, 0.01, 9.478381862214856e-5],
    [7, 306, 0.05, 0.013337973742532473],
    [0, 440, 0.01, 0.012008413191705727],
    [120, 12000, 0.012, 0.02205531012381745],
    [25, 50, 0.5, 0.5561375863296085],
  ])("P(Bin(n, p) <= k) for %i of %i at %d is the exact sum (mpmath)", (k, n, p, tail) => {
    expectClose(binomialLowerTail(k, n, p), tail, 1e-13);
  });

  test("is 1 where nothing was tried and where all failed", () => {
    expect(binomialUpperBound(0, 0, 0.05)).toBe(1);
    expect(binomialUpperBound(7, 7, 0.05)).toBe(1);
    expect(binomialLowerTail(7, 7, 0.05)).toBe(1);
  });

  test("is the rate at which that few failures have probability eta", () => {
    fc.assert(
      fc.property(anyCounts, anyEta, ([k, n], eta) => {
        fc.pre(k < n);
        const bound = binomialUpperBound(k, n, eta);
        expect(bound).toBeGreaterThan(k / n);
        expect(bound).toBeLessThanOrEqual(1);
        // Close to 1 the rate cannot be told finely enough in a double.
        if (bound < 0.999) expectClose(binomialLowerTail(k, n, bound), eta, 1e-8);
      }),
    );
  });

  test("rises with failures and falls with trials", () => {
    fc.assert(
      fc.property(anyCounts, anyEta, ([k, n], eta) => {
        const bound = binomialUpperBound(k, n, eta);
        expect(binomialUpperBound(k + 1, n + 1, eta)).toBeGreaterThanOrEqual(bound);
        expect(binomialUpperBound(k, n + 1, eta)).toBeLessThanOrEqual(bound);
      }),
    );
  });

  test("parts needed and failures allowed are where the bound crosses the rate", () => {
    fc.assert(
      fc.property(fc.nat(60), fc.double({ min: 1e-4, max: 0.9, noNaN: true }), anyEta, (k, rate, eta) => {
        const n = partsNeeded(k, rate, eta);
        expect(binomialUpperBound(k, n, eta)).toBeLessThanOrEqual(rate * (1 + 1e-12));
        expect(binomialUpperBound(Math.min(k, n - 1), n - 1, eta)).toBeGreaterThan(rate * (1 - 1e-12));
        expect(failuresAllowed(n, rate, eta)).toBeGreaterThanOrEqual(k);
        expect(failuresAllowed(n - 1, rate, eta)).toBeLessThan(k);
      }),
    );
  });

  test("counts that are no counts, and rates and shares outside their range, are refused", () => {
    const noCounts = [
      [-1, 5],
      [6, 5],
      [1.5, 5],
      [1, 5.5],
      [Number.NaN, 5],
      [1, Number.POSITIVE_INFINITY],
    ] as const;
    for (const [k, n] of noCounts) {
      expect(() => binomialUpperBound(k, n, 0.05)).toThrow(RangeError);
      expect(() => binomialLowerTail(k, n, 0.05)).toThrow(RangeError);
    }
    for (const eta of [0, 1, -0.1, Number.NaN]) {
      expect(() => binomialUpperBound(1, 5, eta)).toThrow(RangeError);
      expect(() => partsNeeded(1, 0.01, eta)).toThrow(RangeError);
      expect(() => failuresAllowed(5, 0.01, eta)).toThrow(RangeError);
    }
    expect(() => partsNeeded(-1, 0.01, 0.05)).toThrow(RangeError);
    expect(() => partsNeeded(1, 0, 0.05)).toThrow(RangeError);
    expect(() => binomialLowerTail(1, 5, 1.1)).toThrow(RangeError);
  });
});

describe("conformal quantiles", () => {
  test("too few residuals cover nothing but everything", () => {
    expect(conformalRank(8, 0.1)).toBe(Number.POSITIVE_INFINITY);
    expect(conformalQuantile([0.1, 0.2], 0.1)).toBe(Number.POSITIVE_INFINITY);
    expect(conformalQuantile([], 0.1)).toBe(Number.POSITIVE_INFINITY);
  });

  test("the ninth of nine at a tenth, and a NaN counts as the largest", () => {
    const residuals = [9, 1, 8, 2, 7, 3, 6, 4, 5];
    expect(conformalQuantile(residuals, 0.1)).toBe(9);
    expect(conformalQuantile([...residuals.slice(1), Number.NaN], 0.1)).toBe(Number.POSITIVE_INFINITY);
  });

  test("a decimal rate means its decimal value, not the double above it", () => {
    // 10 * (1 - 0.7) is 3.0000000000000004 in doubles.
    expect(conformalRank(9, 0.7)).toBe(3);
  });

  test("what is no count or no rate is refused", () => {
    for (const n of [-1, 1.5, Number.NaN]) expect(() => conformalRank(n, 0.1)).toThrow(RangeError);
    for (const rate of [0, 1, Number.NaN]) expect(() => conformalRank(10, rate)).toThrow(RangeError);
  });
});

const anyEta = fc.double({ min: 1e-7, max: 0.5, noNaN: true });
const anyCounts = fc
  .tuple(fc.nat(200_000), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([n, share]) => [Math.floor(n * share ** 3), n] as const);
