/** Windows: how long each is, whose it is, and that any of its parts is as likely to speak for it. */

import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { createWindows } from "../../src/core/windows.ts";

const OPTIONS = { parts: 20, ms: 10_000, sourcesMax: 2 };

describe("a window", () => {
  test("is over at the later of its parts and its time", () => {
    const windows = createWindows(OPTIONS, seededRandom(1));
    const fast = Array.from({ length: 101 }, (_, i) =>
      windows.take("fast", { score: i, novelty: 0 }, 100 * i),
    );
    expect(fast.findIndex((drawn) => drawn !== undefined)).toBe(100);
    const slow = Array.from({ length: 20 }, (_, i) =>
      windows.take("slow", { score: i, novelty: 0 }, 60_000 * i),
    );
    expect(slow.findIndex((drawn) => drawn !== undefined)).toBe(19);
  });

  test("draws each of its parts alike", () => {
    const windows = createWindows({ ...OPTIONS, ms: 0 }, seededRandom(2));
    const counts = new Array<number>(20).fill(0);
    const draws = 20_000;
    for (let i = 0; i < 20 * draws; i++) {
      const drawn = windows.take("camera", { score: i % 20, novelty: i % 20 }, i);
      if (drawn !== undefined) counts[drawn.score]!++;
    }
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(draws);
    const chi2 = counts.reduce((sum, n) => sum + (n - draws / 20) ** 2 / (draws / 20), 0);
    expect(chi2).toBeLessThan(43.8); // 99.9% of chi-square with 19 degrees of freedom.
  });

  test("gives score and novelty of one and the same part, not finite ones too", () => {
    const windows = createWindows({ ...OPTIONS, parts: 1, ms: 0 }, seededRandom(3));
    expect(windows.take("a", { score: 3, novelty: 4 }, 0)).toEqual({ score: 3, novelty: 4 });
    expect(windows.take("a", { score: Number.NaN, novelty: 4 }, 1)).toEqual({
      score: Number.NaN,
      novelty: 4,
    });
  });

  test("is shared by all sources beyond the bound", () => {
    const windows = createWindows({ parts: 2, ms: 0, sourcesMax: 1 }, seededRandom(4));
    expect(windows.take("a", { score: 1, novelty: 1 }, 0)).toBeUndefined();
    expect(windows.take("b", { score: 1, novelty: 1 }, 0)).toBeUndefined();
    expect(windows.take("c", { score: 1, novelty: 1 }, 0)).toBeDefined();
    expect(windows.take("a", { score: 1, novelty: 1 }, 0)).toBeDefined();
  });

  test("does not wait for a clock that was set back", () => {
    const windows = createWindows({ parts: 2, ms: 1000, sourcesMax: 1 }, seededRandom(5));
    windows.take("a", { score: 1, novelty: 1 }, 1e12);
    windows.take("a", { score: 1, novelty: 1 }, 5000);
    expect(windows.take("a", { score: 1, novelty: 1 }, 6000)).toBeDefined();
  });
});
