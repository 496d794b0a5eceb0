/** The drift reference: what is kept of **ref**, which coordinates are watched, and what envelopes of before say. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readEnvelope } from "../../src/bundle/envelope-file.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import { driftReference, driftScores, driftTest, watchesPlace } from "../../src/core/envelope/reference.ts";
import { extentOf, extentOfAll } from "../../src/core/extent.ts";
import { MODELS } from "../support/apparel.ts";
import { someEvidence } from "./evidence.ts";

const ETAS = { etaRef: 0.01, etaMon: 0.04 };

describe("the drift reference", () => {
  const evidence = someEvidence({ features: 4, framesPerPart: 3 });
  const fitted = fitEnvelope(evidence, { delta: 0.1, seed: 1 });
  const reference = driftReference(evidence, fitted)!;

  test("watches both ends of each coordinate, furthest over the frames of a part", () => {
    const { highest, lowest } = reference.place!;
    expect([highest.length, lowest.length]).toEqual([4, 4]);
    const single = driftReference(someEvidence({ features: 4 }), fitted)!.place!;
    for (let i = 0; i < 4; i++) {
      expect(highest[i]!.steps[1]!.score).toBeGreaterThan(single.highest[i]!.steps[1]!.score);
      expect(lowest[i]!.steps[1]!.score).toBeGreaterThan(single.lowest[i]!.steps[1]!.score);
    }
  });

  test("leaves out a coordinate that hardly moves, since another processor's last digits would be a drift there", () => {
    const still = { ...evidence, features: evidence.features!.map((value, i) => (i % 4 === 3 ? 7 : value)) };
    const place = driftReference(still, fitEnvelope(still, { delta: 0.1, seed: 1 }))!.place!;
    expect([place.highest.length, place.lowest.length]).toEqual([3, 3]);
  });

  test("gives score and novelty half of the evidence, as many coordinates as there may be", () => {
    const { streams, shares } = driftTest(reference, ETAS);
    expect(streams).toHaveLength(2 + 2 * 4);
    const bets = shares.length / streams.length;
    const sum = (values: Float64Array): number => values.reduce((all, one) => all + one, 0);
    expect(sum(shares)).toBeCloseTo(1, 12);
    expect(sum(shares.subarray(0, 2 * bets))).toBeCloseTo(0.5, 12);
  });

  test("without place is that of an envelope from before: two streams, and nothing else is looked at", () => {
    const { place: _, ...before } = reference;
    const drift = driftTest(before, ETAS);
    expect(watchesPlace(drift)).toBe(false);
    expect(watchesPlace(driftTest(reference, ETAS))).toBe(true);
    const extent = extentOf([1, 2, 3, 4]);
    expect([...driftScores({ score: 0.1, novelty: 2, extent }, drift.streams.length)]).toEqual([0.1, 2]);
  });

  test("takes a part's lowest negated, and what is not known for the furthest out", () => {
    const extent = { lowest: [-1, -2], highest: [3, 4] };
    expect([...driftScores({ score: 0.1, novelty: 2, extent }, 6)]).toEqual([0.1, 2, 3, 4, 1, 2]);
    expect([...driftScores({ score: 0.1, novelty: 2 }, 4)]).toEqual([0.1, 2, Number.NaN, Number.NaN]);
  });
});

describe("an extent", () => {
  test("of several frames spans them all, and is not known where one of them is not", () => {
    const all = extentOfAll([extentOf([1, 5]), extentOf([3, -2])])!;
    expect([[...Array.from(all.lowest)], [...Array.from(all.highest)]]).toEqual([
      [1, -2],
      [3, 5],
    ]);
    expect(extentOfAll([extentOf([1]), undefined])).toBeUndefined();
    expect(extentOfAll([undefined, extentOf([1])])).toBeUndefined();
    const lost = extentOfAll([extentOf([1]), extentOf([Number.NaN])])!;
    expect([lost.lowest[0], lost.highest[0]]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe("an envelope file", () => {
  const text = readFileSync(join(MODELS, "apparel", "envelope.json"), "utf8");
  const changed = (change: (reference: Record<string, unknown>) => void): ReturnType<typeof readEnvelope> => {
    const document = JSON.parse(text) as { reference: Record<string, unknown> };
    change(document.reference);
    return readEnvelope(JSON.stringify(document), "envelope.json");
  };

  test("is read without place, as earlier versions wrote it", () => {
    const read = changed((reference) => delete reference.place);
    expect(read.ok && read.envelope.reference?.place).toBeUndefined();
    expect(read.ok).toBe(true);
  });

  test("is refused where the ends do not pair, or are more than the projection has", () => {
    type Place = { highest: unknown[]; lowest: unknown[] };
    const unpaired = changed((reference) => (reference.place as Place).lowest.pop());
    const many = changed((reference) => {
      const { highest, lowest } = reference.place as Place;
      highest.push(highest[0]);
      lowest.push(lowest[0]);
    });
    for (const read of [unpaired, many])
      expect(read.ok ? "" : read.problems[0]!.message).toMatch(
        /reference.place: expected both ends of up to 16/,
      );
  });
});
