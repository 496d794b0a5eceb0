/** Tolerance bounds by Wilks: how many values the largest of which covers how much. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toleranceCoverage, toleranceSize } from "../../src/core/statistics/tolerance.ts";

describe("the largest of n values", () => {
  test.each([
    [0.95, 0.95, 59],
    [0.99, 0.95, 299],
    [0.9, 0.95, 29],
    [0.99, 0.99, 459],
    [0.999, 0.95, 2995],
    [0.5, 0.75, 2], // 1 - 0.5^2 is 0.75 exactly.
  ])("covers %d with confidence %d from %i on", (coverage, confidence, n) => {
    expect(toleranceSize(coverage, confidence)).toBe(n);
    expect(1 - coverage ** n).toBeGreaterThanOrEqual(confidence);
    expect(1 - coverage ** (n - 1)).toBeLessThan(confidence);
  });

  test("of 58 does not cover 95%, of 298 not 99%; one more does", () => {
    expect(toleranceCoverage(58, 0.95)).toBeLessThan(0.95);
    expect(toleranceCoverage(59, 0.95)).toBeGreaterThanOrEqual(0.95);
    expect(toleranceCoverage(298, 0.95)).toBeLessThan(0.99);
    expect(toleranceCoverage(299, 0.95)).toBeGreaterThanOrEqual(0.99);
  });

  test.each([
    [59, 0.950492390111773],
    [93, 0.9683011110088852],
    [299, 0.9900308532071007],
  ])("of %i covers this share with confidence 95% (numpy)", (n, coverage) => {
    expect(toleranceCoverage(n, 0.95)).toBeCloseTo(coverage, 14);
  });

  test("and the number of values needed are two sides of one bound", () => {
    const share = fc.double({ min: 0.01, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(share, share, (coverage, confidence) => {
        const n = toleranceSize(coverage, confidence);
        expect(toleranceCoverage(n, confidence)).toBeGreaterThanOrEqual(coverage - 1e-12);
        if (n > 1) expect(toleranceCoverage(n - 1, confidence)).toBeLessThan(coverage + 1e-12);
      }),
    );
  });

  test("is asked for counts and shares only", () => {
    expect(() => toleranceCoverage(0, 0.95)).toThrow(RangeError);
    expect(() => toleranceCoverage(1.5, 0.95)).toThrow(RangeError);
    expect(() => toleranceCoverage(59, 1)).toThrow(RangeError);
    expect(() => toleranceSize(Number.NaN, 0.95)).toThrow(RangeError);
    expect(() => toleranceSize(0.95, 0)).toThrow(RangeError);
  });
});
