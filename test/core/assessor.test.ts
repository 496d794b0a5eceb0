/** Assessing frames: finite numbers or none, whatever comes in and whatever the evidence lacked. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAssessor } from "../../src/core/envelope/assess.ts";
import { baselineOutcomes } from "../../src/core/envelope/baseline.ts";
import { partsOf, studentColumns } from "../../src/core/envelope/cut.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import { partOutcomes } from "../../src/core/envelope/outcomes.ts";
import type { Evidence, FittedEnvelope } from "../../src/core/envelope/types.ts";
import { judge, type Prediction } from "../../src/core/judge.ts";
import { someEvidence, withRowsChanged } from "./evidence.ts";

const DELTA = 0.15;
const evidence = someEvidence({ parts: 2000 });
const fitted = fitEnvelope(evidence, { delta: DELTA, seed: 3 });

function numbersOf(prediction: Prediction): number[] {
  const { confidence, score, bandLow, bandHigh, novelty } = prediction;
  return [confidence, score, bandLow, bandHigh, novelty];
}

describe("the assessor", () => {
  test("writes every frame into the one prediction it owns", () => {
    const assessor = createAssessor(fitted);
    const first = assessor.assess(studentColumns(evidence), 0);
    expect(assessor.assess(studentColumns(evidence), 1)).toBe(first);
    const before = { ...first };
    expect(createAssessor(fitted).assess(studentColumns(evidence), 1)).toEqual(before);
  });

  test("gives finite numbers for finite input, and NaN with no class for any other; it never throws", () => {
    const assessor = createAssessor(fitted);
    const number = fc.oneof(
      { weight: 6, arbitrary: fc.float({ min: -30, max: 30, noNaN: true }) },
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    );
    const row = (length: number) => fc.array(number, { minLength: length, maxLength: length });
    let judgeable = 0;
    fc.assert(
      fc.property(row(3), row(4), (logits, features) => {
        const prediction = assessor.assess(
          { logits: Float32Array.from(logits), features: Float32Array.from(features), doubt: undefined },
          0,
        );
        if ([...logits, ...features].every(Number.isFinite)) {
          judgeable++;
          expect(numbersOf(prediction).every(Number.isFinite)).toBe(true);
          expect(prediction.classIndex).toBeGreaterThanOrEqual(0);
          expect(prediction.confidence).toBeLessThanOrEqual(1);
          expect(prediction.score).toBeGreaterThanOrEqual(0);
          expect(prediction.score).toBeLessThanOrEqual(1);
        } else {
          expect(prediction.classIndex).toBe(-1);
          expect(numbersOf(prediction).every(Number.isNaN)).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
    expect(judgeable).toBeGreaterThan(50);
  });

  test("takes missing features and rows beyond the end for numbers that are not finite", () => {
    const assessor = createAssessor(fitted);
    expect(assessor.assess({ ...studentColumns(evidence), features: undefined }, 0).classIndex).toBe(-1);
    expect(assessor.assess(studentColumns(evidence), 1e6).classIndex).toBe(-1);
    expect(assessor.assess(studentColumns(evidence), 0).classIndex).toBeGreaterThanOrEqual(0);
  });

  test("takes missing doubt, and doubt that is not finite, for frames that cannot be judged", () => {
    const doubting = someEvidence({ parts: 600, doubts: 2 });
    const assessor = createAssessor(fitEnvelope(doubting, { delta: DELTA, seed: 3 }));
    const columns = studentColumns(doubting);
    expect(assessor.assess(columns, 0).classIndex).toBeGreaterThanOrEqual(0);
    expect(assessor.assess({ ...columns, doubt: undefined }, 0).classIndex).toBe(-1);
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const prediction = assessor.assess({ ...columns, doubt: Float32Array.of(0, odd) }, 0);
      expect(numbersOf(prediction).every(Number.isNaN)).toBe(true);
    }
  });

  test("an envelope whose parts do not fit together is refused", () => {
    const broken = (changes: Partial<FittedEnvelope>) => () => createAssessor({ ...fitted, ...changes });
    expect(broken({ noveltyMax: [1] })).toThrow(/noveltyMax/);
    expect(broken({ bands: [] })).toThrow(/bands/);
    expect(broken({ score: { ...fitted.score, inputs: ["mood"] } })).toThrow(/wants \[mood\]/);
    expect(broken({ prototypes: { ...fitted.prototypes, gaps: new Float32Array(1) } })).toThrow(/gaps/);
  });
});

describe("evidence that lacks something", () => {
  test("a class that fit has never seen is reviewed, on finite numbers", () => {
    const lacking = someEvidence({ classes: 4, occurring: [0, 1, 3] });
    const envelope = fitEnvelope(lacking, { delta: DELTA, seed: 1 });
    expect(envelope.noveltyMax[2]).toBeNaN();
    const prediction = createAssessor(envelope).assess(
      { logits: Float32Array.of(0, 0, 9, 0), features: Float32Array.of(0, 0, 3, 0), doubt: undefined },
      0,
    );
    expect(prediction.classIndex).toBe(2);
    expect(numbersOf(prediction).every(Number.isFinite)).toBe(true);
    const rule = {
      mode: "guarded" as const,
      revision: 1,
      delta: DELTA,
      lambda: new Float64Array(4).fill(1),
      lambdaAmber: new Float64Array(4).fill(1),
      noveltyMax: Float64Array.from(envelope.noveltyMax),
      stopped: false,
    };
    expect(judge(prediction, rule, "green")).toEqual({ kind: "review", reason: "novel" });
  });

  test.each([
    ["one class alone", { occurring: [1] }],
    ["a teacher that is always the student", { teacherNoise: 0 }],
    ["a handful of parts", { parts: 10 }],
    ["parts of several frames", { parts: 200, framesPerPart: 3 }],
  ] as const)("%s fits, and every number of the envelope but the unseen classes' is finite", (_, options) => {
    const odd = someEvidence(options);
    const envelope = fitEnvelope(odd, { delta: DELTA, seed: 1 });
    const { weights, intercept, classIntercept } = envelope.score;
    expect([...weights, intercept, ...classIntercept].every(Number.isFinite)).toBe(true);
    expect([...envelope.prototypes.points, ...envelope.prototypes.gaps].every(Number.isFinite)).toBe(true);
    const assessor = createAssessor(envelope);
    odd.part.forEach((_part, row) => {
      expect(numbersOf(assessor.assess(studentColumns(odd), row)).every(Number.isFinite)).toBe(true);
    });
  });

  test("frames that are not finite are no evidence, and their parts never pass", () => {
    const broken = withRowsChanged(evidence, "fit", ({ logits }, row) => {
      if (row % 3 === 0) logits[row * 3 + 1] = Number.NaN;
    });
    const envelope = fitEnvelope(broken, { delta: DELTA, seed: 3 });
    const fit = partsOf(broken, "fit");
    const { classIndex, score } = partOutcomes(broken, envelope, fit);
    fit.forEach((part, i) => {
      if (part % 3 === 0) expect([classIndex[i], score[i]]).toEqual([-1, Number.POSITIVE_INFINITY]);
    });
    expect([...classIndex].filter((c) => c >= 0).length).toBeGreaterThan(0.6 * fit.length);
  });

  test("a part whose frames disagree on the class never passes, and one bad frame makes it unfaithful", () => {
    const pair = someEvidence({ parts: 400, framesPerPart: 2 });
    const envelope = fitEnvelope(pair, { delta: DELTA, seed: 1 });
    const parts = partsOf(pair, "cal");
    const outcomes = partOutcomes(pair, envelope, parts);
    const frames = Int32Array.from(pair.part.keys());
    const apart: Evidence = { ...pair, part: frames, splitOfPart: [...frames].map(() => "cal") };
    const single = baselineOutcomes(apart, DELTA, frames);
    let disagreeing = 0;
    parts.forEach((part, i) => {
      const [one, two] = [part * 2, part * 2 + 1];
      expect(outcomes.unfaithful[i]).toBe(Math.max(single.unfaithful[one]!, single.unfaithful[two]!));
      if (single.classIndex[one] === single.classIndex[two]) return;
      disagreeing++;
      expect(outcomes.classIndex[i]).toBe(-1);
    });
    expect(disagreeing).toBeGreaterThan(20);
  });
});
