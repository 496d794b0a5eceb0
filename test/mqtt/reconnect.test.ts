import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { waitMs } from "../../src/mqtt/connection.ts";

describe("the wait before connecting again", () => {
  const waits = (failures: number, options = {}) => {
    const random = seededRandom(failures);
    return Array.from({ length: 1000 }, () => waitMs(options, failures, random));
  };

  test.each([
    [1, 125, 250],
    [2, 250, 500],
    [5, 2_000, 4_000],
    [8, 15_000, 30_000],
    [9, 15_000, 30_000],
    [1_000_000, 15_000, 30_000],
  ])("after failure %i in a row is drawn from %i to %i ms, and reaches both ends", (failures, low, high) => {
    const all = waits(failures);
    expect(Math.min(...all)).toBeGreaterThanOrEqual(low);
    expect(Math.max(...all)).toBeLessThanOrEqual(high);
    expect(Math.min(...all)).toBeLessThan(low + (high - low) / 50);
    expect(Math.max(...all)).toBeGreaterThan(high - (high - low) / 50);
  });

  test("two gateways that lost one broker do not come back together", () => {
    const [one, other] = [seededRandom(1), seededRandom(2)];
    const pairs = Array.from({ length: 20 }, (_, i) => [waitMs({}, i + 1, one), waitMs({}, i + 1, other)]);
    expect(pairs.filter(([a, b]) => a === b)).toEqual([]);
  });

  test("keeps to the bounds it is given", () => {
    const options = { firstRetryMs: 20, retryMaxMs: 200 };
    expect(Math.max(...waits(1, options))).toBeLessThanOrEqual(20);
    expect(Math.max(...waits(50, options))).toBeLessThanOrEqual(200);
  });
});
