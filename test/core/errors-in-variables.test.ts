/** Lines through points that carry noise in both coordinates. */

import { describe, expect, test } from "vitest";
import { normal, seededRandom } from "../../src/core/random.ts";
import { errorsInVariables } from "../../src/core/statistics/errors-in-variables.ts";

describe("errors in variables", () => {
  test("with one regressor is Deming's line (its closed form, numpy)", () => {
    const fit = errorsInVariables([5.2, 3.1, 3.1, 2.6], [1, 0, 0, 1], 2);
    expect(fit.coefficients[0]).toBeCloseTo(1.5037249234820393, 12);
    expect(fit.variance).toBeCloseTo(0.53845274, 8);
    expect(fit.next).toBeCloseTo(7.26154726, 8);
  });

  test("with two whose noise is correlated is the smallest root's vector (numpy)", () => {
    const covariance = [5.2, 3.1, 2.9, 3.1, 2.6, 2.0, 2.9, 2.0, 2.3];
    const fit = errorsInVariables(covariance, [1, 0, 0, 0, 1, 1 / 4, 0, 1 / 4, 9 / 64], 3);
    expect(fit.coefficients[0]).toBeCloseTo(1.33102089, 7);
    expect(fit.coefficients[1]).toBeCloseTo(0.18660416, 7);
    expect(fit.variance).toBeCloseTo(0.53268316, 7);
    expect(fit.next).toBeCloseTo(2.32219342, 7);
  });

  test("finds slope and noise where least squares would see a weaker slope", () => {
    const random = seededRandom(4);
    const n = 20_000;
    let [xx, xy, yy] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const truth = normal(random);
      const x = truth + 0.5 * normal(random);
      const y = 2 * truth + 0.5 * normal(random);
      xx += (x * x) / n;
      xy += (x * y) / n;
      yy += (y * y) / n;
    }
    const { coefficients, variance } = errorsInVariables([yy, xy, xy, xx], [1, 0, 0, 1], 2);
    expect(Math.abs(coefficients[0]! - 2)).toBeLessThan(0.03);
    expect(Math.abs(Math.sqrt(variance) - 0.5)).toBeLessThan(0.01);
    expect(xy / xx).toBeLessThan(1.7);
  });

  test("refuses a noise that is none, and numbers that are not finite", () => {
    expect(() => errorsInVariables([1, 0, 0, 1], [1, 1, 1, 1], 2)).toThrow(/not positive definite/);
    expect(() => errorsInVariables([Number.NaN, 0, 0, 1], [1, 0, 0, 1], 2)).toThrow(RangeError);
    expect(() => errorsInVariables([1, 0, 1], [1, 0, 0, 1], 2)).toThrow(RangeError);
  });
});
