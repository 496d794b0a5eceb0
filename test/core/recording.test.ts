/** How many parts to record: the least that could prove anything, and estimates of what is missing. */

import { describe, expect, test } from "vitest";
import { certifyCounts } from "../../src/core/envelope/certificate.ts";
import { fewestParts, partsToRecord } from "../../src/core/envelope/recording.ts";
import type { CertifyOptions } from "../../src/core/envelope/types.ts";
import { binomialUpperBound } from "../../src/core/statistics/binomial.ts";
import { NO_SIZES, someCounts, someFamily } from "./evidence.ts";

const OPTIONS: CertifyOptions = { alpha: 0.01, alphaClass: 0.05, eta: 0.05, revision: 1 };

describe("the fewest parts", () => {
  test("are what the walks of one class set and of a class need without an unfaithful part", () => {
    // Shares of revision 1: half of 0.3 / pi^2, and half of that over 10 classes.
    const walk = 0.15 / Math.PI ** 2;
    const { station, class: ofClass } = fewestParts(OPTIONS, 10);
    expect(station).toBe(Math.ceil(Math.log(walk) / Math.log(0.99)));
    expect(ofClass).toBe(Math.ceil(Math.log(walk / 20) / Math.log(0.95)));
    expect([station, ofClass]).toEqual([417, 141]);
  });

  test("certify where all of them pass faithfully, and one fewer certifies nothing", () => {
    const certified = (n: number) =>
      certifyCounts(someFamily([0.5], 1), someCounts([[[n, 0]]]), OPTIONS, NO_SIZES).chosen !== null;
    const { station, class: ofClass } = fewestParts(OPTIONS, 1);
    const fewest = Math.max(station, ofClass);
    expect([certified(fewest), certified(fewest - 1)]).toEqual([true, false]);
  });

  test("are refused for what is no rate", () => {
    for (const bad of [0, 1, Number.NaN]) {
      expect(() => fewestParts({ ...OPTIONS, alpha: bad }, 10)).toThrow(RangeError);
      expect(() => fewestParts({ ...OPTIONS, eta: bad }, 10)).toThrow(RangeError);
    }
  });
});

describe("parts to record", () => {
  const cell = (n: number, k: number) => ({ n, k, upperBound: 1 });
  const eta = 1e-4;

  test("would prove the rate, at the rates seen, and hardly fewer would", () => {
    const inAll = partsToRecord([cell(400, 8)], 0.05, eta, 10_000);
    const passing = (inAll * 400) / 10_000;
    const failing = (8.5 / 401) * passing;
    expect(binomialUpperBound(Math.ceil(failing), Math.ceil(passing), eta)).toBeLessThanOrEqual(0.05);
    expect(binomialUpperBound(Math.ceil(0.9 * failing), Math.ceil(0.9 * passing), eta)).toBeGreaterThan(0.05);
  });

  test("are those of the cell that wants the fewest, and grow with the rarity of the class", () => {
    const common = partsToRecord([cell(400, 8)], 0.05, eta, 10_000);
    expect(partsToRecord([cell(10, 0), cell(400, 8), cell(500, 100)], 0.05, eta, 10_000)).toBe(common);
    expect(partsToRecord([cell(400, 8)], 0.05, eta, 20_000)).toBe(2 * common);
  });

  test("are without end where too much failed or nothing passed", () => {
    expect(partsToRecord([cell(400, 40), cell(3, 0)], 0.05, eta, 1000)).toBe(Number.POSITIVE_INFINITY);
    expect(partsToRecord([cell(0, 0)], 0.05, eta, 1000)).toBe(Number.POSITIVE_INFINITY);
    expect(partsToRecord([], 0.05, eta, 1000)).toBe(Number.POSITIVE_INFINITY);
    // A rate of failures just below the one to prove.
    expect(partsToRecord([cell(100_000, 4_999)], 0.05, eta, 100_000)).toBe(Number.POSITIVE_INFINITY);
  });
});
