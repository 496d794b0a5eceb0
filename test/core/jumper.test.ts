/** The Simple Jumper and the ranks it lives on: the vector, exchangeable scores, and a shift. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normal, type Random, seededRandom } from "../../src/core/random.ts";
import { nextJumper, STARTED_JUMPER, smoothedP } from "../../src/core/statistics/jumper.ts";
import { addScore, emptyBag, rankAmong, type ScoreBag } from "../../src/core/statistics/score-bag.ts";

interface Vectors {
  readonly simpleJumper: { readonly J: number; readonly p: number[]; readonly capital: number[] };
}

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8")) as Vectors;

/** The p-value of a score among all earlier ones, which it then joins. */
function rankedP(bag: ScoreBag, score: number, v: number): number {
  const { larger, equal } = rankAmong(bag, score);
  const p = smoothedP(larger, equal, bag.size, v);
  addScore(bag, score);
  return p;
}

/** Largest ln capital over a run of scores. */
function topLogCapital(score: (n: number) => number, scores: number, random: Random): number {
  const bag = emptyBag();
  let jumper = STARTED_JUMPER;
  let top = 0;
  for (let n = 0; n < scores; n++) {
    jumper = nextJumper(jumper, rankedP(bag, score(n), random.next()));
    top = Math.max(top, jumper.logCapital);
  }
  return top;
}

describe("the Simple Jumper", () => {
  test("multiplies its capital as computed outside this project", () => {
    const { J, p, capital } = vectors.simpleJumper;
    let jumper = STARTED_JUMPER;
    p.forEach((value, i) => {
      jumper = nextJumper(jumper, value, J);
      expect(Math.exp(jumper.logCapital)).toBeCloseTo(capital[i]!, 10);
    });
  });

  test("reaches 25 in at most 4% of 1,000 runs of exchangeable scores, ties among them", async ({
    annotate,
  }) => {
    const random = seededRandom(20);
    let alarms = 0;
    for (let run = 0; run < 1000; run++) {
      const top = topLogCapital(() => Math.round(3 * normal(random)), 500, random);
      if (!(top < Math.log(25))) alarms++;
    }
    await annotate(`${alarms} alarms in 1000 runs`);
    expect(alarms / 1000).toBeLessThanOrEqual(0.04);
  });

  test("wins on scores that have become larger", () => {
    const random = seededRandom(21);
    expect(topLogCapital((n) => normal(random) + (n < 500 ? 0 : 1), 1000, random)).toBeGreaterThan(
      Math.log(1000),
    );
  });

  test("neither overflows nor underflows over 300,000 extreme p-values, and takes a lost one for the strangest", () => {
    let jumper = STARTED_JUMPER;
    for (let n = 0; n < 300_000; n++) jumper = nextJumper(jumper, n % 2 === 0 ? Number.NaN : 0);
    expect(jumper.logCapital).toBeGreaterThan(100_000);
    for (let n = 0; n < 300_000; n++) jumper = nextJumper(jumper, 0.5);
    expect(Number.isFinite(jumper.logCapital)).toBe(true);
    expect(jumper.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(nextJumper(jumper, Number.NaN)).toEqual(nextJumper(jumper, 0));
  });

  test("is refused for what is no p-value and no share", () => {
    for (const p of [-0.1, 1.1, Number.POSITIVE_INFINITY]) {
      expect(() => nextJumper(STARTED_JUMPER, p)).toThrow(/a p-value lies in/);
    }
    for (const jumping of [-0.1, 1.1, Number.NaN]) {
      expect(() => nextJumper(STARTED_JUMPER, 0.5, jumping)).toThrow(/J lies in/);
    }
  });
});

describe("the smoothed p-value", () => {
  test("is v where nothing came before, and counts the score itself among its equals", () => {
    expect(smoothedP(0, 0, 0, 0.3)).toBe(0.3);
    expect(smoothedP(2, 3, 9, 0.5)).toBe((2 + 0.5 * 4) / 10);
  });

  test("is refused for counts that do not fit and a v outside its range", () => {
    for (const [larger, equal, n] of [
      [3, 3, 5],
      [-1, 0, 5],
      [0, 0.5, 5],
      [0, 0, Number.NaN],
    ] as const) {
      expect(() => smoothedP(larger, equal, n, 0.5)).toThrow(/larger \+ equal <= n/);
    }
    for (const v of [-0.1, 1.1, Number.NaN]) expect(() => smoothedP(0, 0, 1, v)).toThrow(/v lies in/);
  });
});

describe("the bag of scores", () => {
  test("ranks as counting one by one does, and what is not finite as the largest", () => {
    const score = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double());
    fc.assert(
      fc.property(fc.array(score, { maxLength: 200 }), score, (scores, next) => {
        const bag = emptyBag();
        for (const one of scores) addScore(bag, one);
        const worst = (one: number): number => (Number.isFinite(one) ? one : Number.MAX_VALUE);
        expect(bag.size).toBe(scores.length);
        expect(rankAmong(bag, next)).toEqual({
          larger: scores.filter((one) => worst(one) > worst(next)).length,
          equal: scores.filter((one) => worst(one) === worst(next)).length,
        });
      }),
    );
  });

  test.each(["rising", "falling", "mixed"])("stays in short sorted chunks, scores %s", (order) => {
    const random = seededRandom(22);
    const bag = emptyBag();
    const count = 20_000;
    for (let n = 0; n < count; n++)
      addScore(bag, order === "rising" ? n : order === "falling" ? count - n : random.next());
    expect(Math.max(...bag.chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(1024);
    expect(bag.chunks.length).toBeLessThan(60);
    expect(bag.chunks.flat()).toEqual(bag.chunks.flat().sort((a, b) => a - b));
    expect(rankAmong(bag, Number.NEGATIVE_INFINITY)).toEqual({ larger: 0, equal: 0 });
    expect(rankAmong(bag, -1)).toEqual({ larger: count, equal: 0 });
    expect(JSON.parse(JSON.stringify(bag))).toEqual(bag);
  });
});
