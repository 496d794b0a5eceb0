/** Whatever is missing, broken or infinite: nothing throws where frames are judged, and nothing passes for it. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAssessor } from "../../src/core/envelope/assess.ts";
import { certify, certifyCounts } from "../../src/core/envelope/certificate.ts";
import { countPasses } from "../../src/core/envelope/counts.ts";
import { partsOf } from "../../src/core/envelope/cut.ts";
import { deltaFacts, deltaRange } from "../../src/core/envelope/delta-range.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import { boundsAt, classesIn } from "../../src/core/envelope/lookup.ts";
import { outcomesOf, partOutcomes } from "../../src/core/envelope/outcomes.ts";
import { teacherReliability } from "../../src/core/envelope/teacher-reliability.ts";
import type { Evidence } from "../../src/core/envelope/types.ts";
import { type Proposal, supportOf } from "../../src/core/guard.ts";
import { judge, type MonitorState, type Prediction, type Rule } from "../../src/core/judge.ts";
import { FULL_OPTIONS, NO_SIZES, someCounts, someEvidence, someFamily } from "./evidence.ts";

const DELTA = 0.15;
const broken = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
/** Any number at all, those that break things more often than chance would have it. */
const anyNumber = fc.oneof(fc.double(), fc.double({ min: 0, max: 1 }), broken, fc.constantFrom(0, 1, -1));

describe("the judge, asked anything", () => {
  const anyIndex = fc.oneof(fc.integer({ min: -2, max: 5 }), anyNumber);
  const anyPrediction: fc.Arbitrary<Prediction> = fc.record({
    classIndex: anyIndex,
    confidence: anyNumber,
    score: anyNumber,
    bandLow: anyNumber,
    bandHigh: anyNumber,
    novelty: anyNumber,
  });
  const anyRule: fc.Arbitrary<Rule> = fc.record({
    mode: fc.constantFrom("guarded" as const, "shadow" as const),
    revision: fc.nat(),
    delta: anyNumber,
    lambda: fc.array(anyNumber, { maxLength: 3 }).map((values) => Float64Array.from(values)),
    lambdaAmber: fc.array(anyNumber, { maxLength: 3 }).map((values) => Float64Array.from(values)),
    noveltyMax: fc.array(anyNumber, { maxLength: 3 }).map((values) => Float64Array.from(values)),
    stopped: fc.boolean(),
  });
  const anyMonitor = fc.constantFrom<MonitorState>("off", "green", "amber", "red");

  test("decides, and passes only what is finite and within every limit", () => {
    let passed = 0;
    fc.assert(
      fc.property(anyPrediction, anyRule, anyMonitor, (prediction, rule, monitor) => {
        const decision = judge(prediction, rule, monitor);
        if (decision.kind !== "pass") return;
        passed++;
        const { classIndex, confidence, score, bandLow, bandHigh, novelty } = prediction;
        expect([confidence, score, bandLow, bandHigh, novelty].every(Number.isFinite)).toBe(true);
        const lambda = monitor === "amber" ? rule.lambdaAmber : rule.lambda;
        expect(score <= lambda[classIndex]!).toBe(true);
        expect(novelty <= rule.noveltyMax[classIndex]!).toBe(true);
        expect(bandLow - rule.delta <= confidence && confidence <= bandHigh + rule.delta).toBe(true);
        expect([rule.mode, rule.stopped, monitor === "red"]).toEqual(["guarded", false, false]);
      }),
      { numRuns: 20_000 },
    );
    expect(passed).toBeGreaterThan(0);
  });
});

describe("evidence with a number that is none", () => {
  const whole = someEvidence({ parts: 400, seed: 4 });
  const columns = ["studentLogits", "teacherLogits", "features", "largestGap", "teacherSwing"] as const;
  const spoiled = fc.record({
    column: fc.constantFrom(...columns),
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    value: broken,
    width: fc.constantFrom(1, 40, 400),
  });

  test("fits and certifies without an exception; what it spoils is unfaithful, or never passes", () => {
    fc.assert(
      fc.property(spoiled, ({ column, at, value, width }) => {
        const values = whole[column]!.slice();
        const frames = whole.part.length;
        const perFrame = values.length / frames;
        const first = Math.floor(at * frames);
        const last = Math.min(frames, first + width);
        values.fill(value, first * perFrame, last * perFrame);
        const evidence: Evidence = { ...whole, [column]: values };
        const fitted = fitEnvelope(evidence, { delta: DELTA, seed: 1 });
        const certificate = certify(evidence, fitted, FULL_OPTIONS);
        expect([...certificate.stationCells, ...certificate.classCells].flat().every(isSound)).toBe(true);
        expect(deltaRange(deltaFacts(evidence)).suggested > 1).toBe(false);

        const outcomes = partOutcomes(evidence, fitted, partsOf(evidence, "cal"));
        partsOf(evidence, "cal").forEach((part, i) => {
          if (part < first || part >= last) return;
          const isHidden = column === "studentLogits" || column === "features";
          if (isHidden) expect(outcomes.classIndex[i]).toBe(-1);
          else if (column !== "teacherSwing") expect(outcomes.unfaithful[i]).toBe(1);
        });
      }),
      { numRuns: 25 },
    );
  });
});

describe("evidence of one class alone, or without one", () => {
  test.each([
    ["one class alone", [1]],
    ["no part of one class", [0, 2]],
  ])("%s: no other class passes, whatever is asked of guard and judge", (_, occurring) => {
    const drawn = someEvidence({ parts: 3000, occurring });
    const evidence = {
      ...drawn,
      studentLogits: drawn.studentLogits.map((z, i) => (occurring.includes(i % 3) ? z : -9)),
      label: new Int16Array(3000).fill(1),
    };
    const fitted = fitEnvelope(evidence, { delta: DELTA, seed: 1 });
    const certificate = certify(evidence, fitted, FULL_OPTIONS);
    expect(certificate.chosen).not.toBeNull();
    const absent = [0, 1, 2].filter((c) => !occurring.includes(c));
    expect(classesIn(certificate, certificate.chosen!.chain).filter((c) => absent.includes(c))).toEqual([]);
    const reliability = teacherReliability(evidence, fitted, certificate, 0.05)!;
    const assessor = createAssessor(fitted);
    for (const c of absent) {
      for (const cells of [certificate.classCells[c]!, reliability.classCells[c]!]) {
        expect(cells.every(({ n, k, upperBound }) => n === 0 && k === 0 && upperBound === 1)).toBe(true);
      }
      const asked: Proposal = {
        ...{ alpha: 0.99, alphaClass: 0.99, eta: 0.99 },
        lambda: certificate.lambdas.at(-1)!,
        classes: [c],
        classLambdas: new Map(),
      };
      expect(supportOf(asked, certificate, evidence.classes).supported).toBe(false);
      const logits = Float32Array.from([0, 1, 2], (at) => (at === c ? 9 : 0));
      const features = Float32Array.from([0, 1, 2, 3], (at) => (at === c ? 3 : 0));
      const prediction = assessor.assess({ logits, features, doubt: undefined }, 0);
      const open = { mode: "guarded" as const, revision: 1, delta: 1, stopped: false };
      const rule = {
        ...open,
        lambda: new Float64Array(3).fill(1),
        lambdaAmber: new Float64Array(3).fill(1),
        noveltyMax: Float64Array.from(fitted.noveltyMax),
      };
      expect(judge(prediction, rule, "green").kind).toBe("review");
    }
  });
});

describe("counts at the edge", () => {
  test.each([
    ["nothing passed", [[0, 0]]],
    ["all that passed was unfaithful", [[5000, 5000]]],
    ["one part passed", [[1, 0]]],
  ] as const)("%s: nothing is certified, and nothing passes", (_, row) => {
    const certificate = certifyCounts(someFamily([0.5], 1), someCounts([row]), FULL_OPTIONS, NO_SIZES);
    expect(certificate.chosen).toBeNull();
    const { station, holds } = boundsAt(certificate, 0, 0);
    expect([station.certified, holds]).toEqual([false, false]);
    const asked = { ...FULL_OPTIONS, lambda: 0.5, classes: [0], classLambdas: new Map<number, number>() };
    expect(supportOf(asked, certificate, ["good"]).supported).toBe(false);
    const nothing = supportOf({ ...asked, lambda: null }, certificate, ["good"]);
    expect(nothing.supported && [...nothing.lambda]).toEqual([Number.NaN]);
  });

  test("a score that is no number is counted nowhere", () => {
    const evidence = someEvidence({ parts: 20 });
    const parts = Int32Array.from({ length: 20 }, (_, i) => i);
    fc.assert(
      fc.property(broken, (score) => {
        const outcomes = outcomesOf(evidence, parts, DELTA, () => ({ classIndex: 0, score }));
        expect([...outcomes.classIndex].every((c) => c === -1)).toBe(true);
        const counts = countPasses(outcomes, 3, [0.5, 1]);
        expect([...counts.n, ...counts.k].every((count) => count === 0)).toBe(true);
      }),
    );
  });
});

function isSound({ n, k, upperBound }: { n: number; k: number; upperBound: number }): boolean {
  return k <= n && upperBound >= (n === 0 ? 1 : k / n) && upperBound <= 1;
}
