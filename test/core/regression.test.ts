/** Isotonic and logistic regression, and the linear algebra under them. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normal, seededRandom } from "../../src/core/random.ts";
import { isotonicSteps, stepAt } from "../../src/core/statistics/isotonic.ts";
import { choleskySolve, symmetricEigen } from "../../src/core/statistics/linear.ts";
import { fitLogistic, sigmoid } from "../../src/core/statistics/logistic.ts";

describe("the isotonic fit", () => {
  test("pools the violators of a small example by hand", () => {
    const { from, value } = isotonicSteps([1, 2, 3, 4, 5], [1, 3, 2, 2, 5], [1, 1, 1, 2, 1]);
    expect([...from]).toEqual([1, 2, 5]);
    expect([...value]).toEqual([1, 2.25, 5]);
  });

  test("equal places share one step, whatever their order", () => {
    const { from, value } = isotonicSteps([2, 1, 2], [4, 1, 0], [1, 1, 3]);
    expect([...from]).toEqual([1]);
    expect(value[0]).toBeCloseTo(1, 12);
  });

  test("never falls, keeps the mean, and is no further from the points than any other rising line", () => {
    const point = fc.record({
      x: fc.double({ min: -9, max: 9, noNaN: true }),
      y: fc.double({ min: -9, max: 9, noNaN: true }),
      w: fc.double({ min: 0.1, max: 9, noNaN: true }),
    });
    const line = fc.record({
      level: fc.double({ min: -9, max: 9, noNaN: true }),
      slope: fc.double({ min: 0, max: 5, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 30 }), line, (points, { level, slope }) => {
        const { from, value } = isotonicSteps(
          points.map(({ x }) => x),
          points.map(({ y }) => y),
          points.map(({ w }) => w),
        );
        for (let i = 1; i < value.length; i++) {
          expect(from[i]!).toBeGreaterThan(from[i - 1]!);
          expect(value[i]!).toBeGreaterThan(value[i - 1]!);
        }
        const fitted = ({ x }: { x: number }) => value[stepAt(from, x)]!;
        const sum = (of: (p: (typeof points)[number]) => number) =>
          points.reduce((s, p) => s + p.w * of(p), 0);
        expect(sum(fitted)).toBeCloseTo(
          sum(({ y }) => y),
          6,
        );
        const error = (at: (p: { x: number }) => number) => sum((p) => (p.y - at(p)) ** 2);
        expect(error(fitted)).toBeLessThanOrEqual(error(({ x }) => level + slope * x) + 1e-9);
      }),
    );
  });

  test("nothing in, nothing out; what is not finite is refused", () => {
    expect(isotonicSteps([], [], []).from).toHaveLength(0);
    expect(() => isotonicSteps([Number.NaN], [1], [1])).toThrow(RangeError);
    expect(() => isotonicSteps([1], [1], [0])).toThrow(RangeError);
    expect(() => isotonicSteps([1, 2], [1], [1])).toThrow(RangeError);
  });
});

describe("linear algebra", () => {
  test("eigenvectors are orthonormal, fall in value and give the matrix back", () => {
    const random = seededRandom(5);
    const n = 24;
    const half = Float64Array.from({ length: n * n }, () => normal(random));
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) matrix[i * n + j] = half[i * n + j]! + half[j * n + i]!;
    const { values, vectors } = symmetricEigen(matrix, n);
    let worst = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let dot = 0;
        let rebuilt = 0;
        for (let m = 0; m < n; m++) {
          dot += vectors[i * n + m]! * vectors[j * n + m]!;
          rebuilt += values[m]! * vectors[m * n + i]! * vectors[m * n + j]!;
        }
        worst = Math.max(worst, Math.abs(dot - (i === j ? 1 : 0)), Math.abs(rebuilt - matrix[i * n + j]!));
      }
    }
    expect(worst).toBeLessThan(1e-12);
    expect([...values]).toEqual([...values].sort((a, b) => b - a));
  });

  test("the eigenvalues of a matrix solved by hand", () => {
    expect([...symmetricEigen([2, 1, 1, 2], 2).values]).toEqual([3, 1].map((v) => expect.closeTo(v, 14)));
    expect([...symmetricEigen([0, 0, 0, 0], 2).values]).toEqual([0, 0]);
  });

  test("Cholesky solves a system by hand, and refuses one that is not positive definite", () => {
    expect([...choleskySolve([4, 2, 2, 3], [10, 8])]).toEqual([1.75, 1.5].map((v) => expect.closeTo(v, 14)));
    expect(() => choleskySolve([1, 2, 2, 1], [1, 1])).toThrow(RangeError);
    expect(() => choleskySolve([1, Number.NaN, 0, 1], [1, 1])).toThrow(RangeError);
  });
});

describe("logistic regression", () => {
  test("finds the coefficients that made the outcomes", () => {
    const random = seededRandom(8);
    const rows = 20_000;
    const inputs = new Float64Array(rows * 3);
    const outcome = Float64Array.from({ length: rows }, (_, i) => {
      inputs.set([1, normal(random), normal(random)], i * 3);
      return random.next() < sigmoid(-1 + 2 * inputs[i * 3 + 1]! - 0.5 * inputs[i * 3 + 2]!) ? 1 : 0;
    });
    const fitted = fitLogistic({
      inputs,
      outcome,
      weight: new Float64Array(rows).fill(1),
      ridge: [1e-3, 1e-3, 1e-3],
    });
    [-1, 2, -0.5].forEach((truth, d) => {
      expect(Math.abs(fitted[d]! - truth)).toBeLessThan(0.08);
    });
  });

  test("a weight counts as that many rows", () => {
    const ridge = [0.1, 0.1];
    const weighted = fitLogistic({
      inputs: Float64Array.of(1, 0, 1, 1),
      outcome: [0, 1],
      weight: [3, 1],
      ridge,
    });
    const repeated = fitLogistic({
      inputs: Float64Array.of(1, 0, 1, 0, 1, 0, 1, 1),
      outcome: [0, 0, 0, 1],
      weight: [1, 1, 1, 1],
      ridge,
    });
    weighted.forEach((value, d) => {
      expect(value).toBeCloseTo(repeated[d]!, 9);
    });
  });

  test("separable, single-class and constant inputs have finite coefficients that point the right way", () => {
    const separable = fitLogistic({
      inputs: Float64Array.of(1, -2, 1, -1, 1, 1, 1, 2),
      outcome: [0, 0, 1, 1],
      weight: [1, 1, 1, 1],
      ridge: [1e-3, 1e-3],
    });
    expect(separable.every(Number.isFinite)).toBe(true);
    expect(separable[1]!).toBeGreaterThan(1);
    const single = fitLogistic({
      inputs: Float64Array.of(1, 1, 1),
      outcome: [0, 0, 0],
      weight: [1, 1, 1],
      ridge: [1e-3],
    });
    expect(Number.isFinite(single[0])).toBe(true);
    expect(sigmoid(single[0]!)).toBeLessThan(0.01);
    const empty = fitLogistic({ inputs: new Float64Array(0), outcome: [], weight: [], ridge: [1, 1] });
    expect([...empty]).toEqual([0, 0]);
  });

  test("any finite rows give finite coefficients", () => {
    const row = fc.tuple(
      fc.double({ min: -1e3, max: 1e3, noNaN: true }),
      fc.double({ min: -1e3, max: 1e3, noNaN: true }),
      fc.constantFrom(0, 1),
    );
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
        const fitted = fitLogistic({
          inputs: Float64Array.from(rows.flatMap(([a, b]) => [1, a, b])),
          outcome: rows.map(([, , u]) => u),
          weight: rows.map(() => 1),
          ridge: [1e-3, 1, 1],
        });
        expect(fitted.every(Number.isFinite)).toBe(true);
      }),
    );
  });

  test("shapes that do not fit and numbers out of range are refused", () => {
    const one = { inputs: Float64Array.of(1), outcome: [1], weight: [1], ridge: [1] };
    expect(() => fitLogistic({ ...one, weight: [] })).toThrow(RangeError);
    expect(() => fitLogistic({ ...one, ridge: [0] })).toThrow(RangeError);
    expect(() => fitLogistic({ ...one, outcome: [2] })).toThrow(RangeError);
    expect(() => fitLogistic({ ...one, inputs: Float64Array.of(Number.NaN) })).toThrow(RangeError);
  });
});
