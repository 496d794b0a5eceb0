/** Evaluating on parts never seen: what is counted, what it is held against, and which frames are no such parts. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { certifyBaseline } from "../../src/core/envelope/baseline.ts";
import { certify } from "../../src/core/envelope/certificate.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import type { Evidence } from "../../src/core/envelope/types.ts";
import { compare, levels } from "../../src/core/evaluation/consistency.ts";
import { type EvaluationInput, evaluate } from "../../src/core/evaluation/evaluate.ts";
import { calibrationError, reliabilityBins } from "../../src/core/evaluation/reliability.ts";
import { riskCoverage } from "../../src/core/evaluation/risk-coverage.ts";
import { seenRows } from "../../src/core/evaluation/seen.ts";
import { riskSentences, verdictSentences } from "../../src/core/evaluation/sentences.ts";
import { chosenLambdas } from "../../src/core/evaluation/tally.ts";
import { binomialLowerTail } from "../../src/core/statistics/binomial.ts";
import { binomialInterval, binomialUpperTail } from "../../src/core/statistics/binomial-interval.ts";
import { FULL_OPTIONS, someEvidence, someOutcomes, withCopies } from "./evidence.ts";

const DELTA = 0.15;
const evidence = someEvidence({ parts: 6000, seed: 2 });
const fitted = fitEnvelope(evidence, { delta: DELTA, seed: 3 });
const certificate = certify(evidence, fitted, FULL_OPTIONS);
const baseline = certifyBaseline(evidence, fitted, FULL_OPTIONS);

function anInput(changes: Partial<EvaluationInput> = {}): EvaluationInput {
  const heldOut = someEvidence({ parts: 1500, seed: 77 });
  return { heldOut, fitted, certificate, baseline, neighbourhood: "recorded", notes: [], ...changes };
}

/** Every frame labelled with the class that its teacher gives it, or by a rule of one's own. */
function labelled(of: Evidence, label: (teacherClass: number, row: number) => number = (c) => c): Evidence {
  const classes = of.classes.length;
  return {
    ...of,
    label: Int16Array.from(of.label, (_, row) => {
      const logits = [...of.teacherLogits.subarray(row * classes, (row + 1) * classes)];
      return label(logits.indexOf(Math.max(...logits)), row);
    }),
  };
}

describe("exact intervals and tails", () => {
  // scipy.stats.beta.ppf(0.025, k, n - k + 1) and (0.975, k + 1, n - k), scipy 1.17.1.
  test.each([
    [0, 20, 0, 0.1684334709830853],
    [9, 1092, 0.0037753823285157483, 0.015587540894392994],
    [5, 10, 0.18708602844739855, 0.8129139715526015],
    [140, 140, 0.9739949706487073, 1],
  ])("%i of %i lies in %d to %d", (k, n, low, high) => {
    const found = binomialInterval(k, n, 0.05);
    expect(found.low).toBeCloseTo(low, 12);
    expect(found.high).toBeCloseTo(high, 12);
  });

  test("no trial leaves everything possible", () => {
    expect(binomialInterval(0, 0, 0.05)).toEqual({ low: 0, high: 1 });
  });

  // scipy.stats.binom.sf(k - 1, n, p), scipy 1.17.1.
  test.each([
    [9, 1092, 0.01, 0.7621650689844977],
    [20, 1092, 0.01, 0.008319156327005943],
    [31, 1000, 0.01, 6.419928603137628e-8],
    [50, 50, 0.9, 0.005153775207320118],
    [0, 50, 0.01, 1],
  ])("%i or more of %i at %d come with probability %d", (k, n, p, tail) => {
    expect(Math.abs(binomialUpperTail(k, n, p) / tail - 1)).toBeLessThan(1e-10);
  });

  test("the two tails leave nothing out and nothing over", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        (n, share, p) => {
          const k = Math.max(1, Math.round(share * n));
          expect(binomialUpperTail(k, n, p) + binomialLowerTail(k - 1, n, p)).toBeCloseTo(1, 10);
        },
      ),
    );
  });
});

describe("the comparison with a promise", () => {
  test("calls a promise that holds broken no more often than its level, to the last digit", () => {
    const { station } = levels(10);
    for (const [n, bound] of [
      [1092, 0.01],
      [187, 0.05],
      [30, 0.2],
    ] as const) {
      let first = 0;
      while (compare(first, n, bound, station).consistent) first++;
      expect(binomialUpperTail(first, n, bound)).toBeLessThanOrEqual(station);
      expect(binomialUpperTail(first - 1, n, bound)).toBeGreaterThan(station);
    }
  });

  test("shares its level between the station and the classes", () => {
    expect(levels(10).station + 10 * levels(10).class).toBeCloseTo(0.05, 15);
    expect(levels(0).class).toBeLessThan(1);
  });

  test("finds nothing wrong where nothing passed", () => {
    expect(compare(0, 0, 0.01, 0.025)).toEqual({ upperBound: 0.01, p: 1, consistent: true });
  });
});

describe("an evaluation", () => {
  const { summary, outcomes, facts } = evaluate(anInput());

  test("counts every part once, in the class that the student gives it", () => {
    expect(summary.frames).toBe(1500);
    expect(summary.parts).toBe(1500);
    const over = (of: "parts" | "passed" | "unfaithful"): number =>
      summary.classes.reduce((sum, one) => sum + one[of], 0);
    expect(over("parts")).toBe(summary.parts);
    expect(over("passed")).toBe(summary.passed);
    expect(over("unfaithful")).toBe(summary.unfaithful);
    expect(summary.passed).toBeGreaterThan(300);
    expect(summary.passRate).toBe(summary.passed / summary.parts);
    expect(summary.unfaithfulAmongPassed).toBe(summary.unfaithful / summary.passed);
  });

  test("passes the frames that the rule lets pass, and no other", () => {
    const lambda = chosenLambdas(certificate);
    const passed = [...outcomes.envelope.score.keys()].filter(
      (part) => outcomes.envelope.score[part]! <= lambda[outcomes.envelope.classIndex[part]!]!,
    );
    expect(facts.filter(({ isPassed }) => isPassed).map(({ row }) => row)).toEqual(passed);
    expect(facts.filter((of) => of.isPassed && of.isUnfaithful)).toHaveLength(summary.unfaithful);
    const unfaithful = facts.filter(({ isUnfaithful }) => isUnfaithful).length;
    expect(summary.unfaithfulRate).toBe(unfaithful / 1500);
  });

  test("of parts like the recorded ones is consistent with the certificate", () => {
    expect(summary.certificate).toMatchObject({ consistent: true });
    expect(summary.unfaithfulInterval[0]).toBeLessThanOrEqual(summary.certificate!.upperBound);
    expect(verdictSentences(summary)).toHaveLength(1);
    for (const { passes, certificate: of } of summary.classes) expect(of !== null).toBe(passes);
  });

  test("of parts that are not like them says so, and for which classes", () => {
    const stranger = someEvidence({ parts: 1500, seed: 77, teacherNoise: 4 });
    const broken = evaluate(anInput({ heldOut: stranger })).summary;
    expect(broken.certificate!.consistent).toBe(false);
    expect(verdictSentences(broken)[0]).toMatch(/^NOT consistent with the certificate: \d+ unfaithful of/);
    const classes = broken.classes.filter((of) => of.certificate?.consistent === false);
    expect(classes.length).toBeGreaterThan(0);
    expect(verdictSentences(broken)).toHaveLength(2 + classes.length);
    expect(verdictSentences(broken).at(-1)).toMatch(/Do not rely on it/);
  });

  test("without labels knows nothing of correctness, and says that", () => {
    expect(summary).toMatchObject({
      labelled: 0,
      wrong: 0,
      wrongAmongPassed: null,
      studentWrongRate: null,
      teacherWrongRate: null,
    });
    expect(riskSentences(summary)[1]).toMatch(/^Faithful, correctness unknown/);
  });

  test("with labels counts the passed parts that are of another class", () => {
    const right = evaluate(anInput({ heldOut: labelled(anInput().heldOut) })).summary;
    expect(right.labelled).toBe(right.passed);
    expect(right.teacherWrongRate).toBe(0);
    // The label is the teacher's class here, so that to be wrong is to disagree with it, which is unfaithful.
    expect(right.wrong).toBeLessThanOrEqual(right.unfaithful);
    const wrong = evaluate(anInput({ heldOut: labelled(anInput().heldOut, (c) => (c + 1) % 3) })).summary;
    // Only where teacher and student disagree can the student's class be the one after the teacher's.
    expect(wrong.labelled).toBe(right.labelled);
    expect(wrong.wrong).toBeGreaterThanOrEqual(wrong.labelled - wrong.unfaithful);
    const half = evaluate(
      anInput({ heldOut: labelled(anInput().heldOut, (c, row) => (row % 2 === 0 ? c : -1)) }),
    );
    expect(half.summary.labelled).toBeLessThan(right.labelled);
    expect(riskSentences(half.summary)[1]).toContain(`of the ${half.summary.labelled} with a known class`);
  });

  test("counts parts, not frames: ten copies of every frame under their part change nothing", () => {
    const copied = evaluate(
      anInput({
        heldOut: withCopies(anInput().heldOut, 10),
        certificate: { ...certificate, framesPerPartMax: 10 },
        baseline: { ...baseline, framesPerPartMax: 10 },
      }),
    ).summary;
    expect({ ...copied, frames: summary.frames }).toEqual(summary);
  });

  test("passes no part of more frames than the evidence had", () => {
    const copied = evaluate(anInput({ heldOut: withCopies(anInput().heldOut, 2) })).summary;
    expect(copied).toMatchObject({ passed: 0, unfaithfulAmongPassed: null });
    expect(copied.unfaithfulRate).toBe(summary.unfaithfulRate);
  });

  test("a part is wrong whose labels contradict each other", () => {
    const twice = withCopies(anInput().heldOut, 2);
    const contradictory = { ...twice, label: twice.label.map((_, row) => row % 2) };
    const { wrong, passed } = evaluate(
      anInput({ heldOut: contradictory, certificate: { ...certificate, framesPerPartMax: 2 } }),
    ).summary;
    expect(passed).toBe(summary.passed);
    expect(wrong).toBe(passed);
  });

  test("at the frame alone is compared with nothing", () => {
    const { summary: alone } = evaluate(anInput({ neighbourhood: "frame-only" }));
    expect(alone.certificate).toBeNull();
    expect(alone.classes.every((of) => of.certificate === null)).toBe(true);
    expect(verdictSentences(alone)).toHaveLength(1);
    expect(verdictSentences(alone)[0]).toMatch(/^frame-only/);
    expect(alone.passed).toBe(summary.passed);
  });

  test("of an envelope that certifies nothing passes nothing", () => {
    const { summary: none } = evaluate(anInput({ certificate: { ...certificate, chosen: null } }));
    expect(none).toMatchObject({ lambda: null, passed: 0, unfaithfulAmongPassed: null, certificate: null });
    expect(none.baselines).toEqual(summary.baselines);
  });

  test("frames that are not finite pass nothing and are unfaithful", () => {
    const { heldOut } = anInput();
    const studentLogits = heldOut.studentLogits.slice().fill(Number.NaN, 0, 300);
    const spoiled = evaluate(anInput({ heldOut: { ...heldOut, studentLogits } }));
    expect(spoiled.facts).toHaveLength(1400);
    expect(spoiled.summary.classes.reduce((sum, of) => sum + of.parts, 0)).toBe(1400);
    expect(spoiled.outcomes.envelope.unfaithful.subarray(0, 100).every((u) => u === 1)).toBe(true);
  });
});

describe("reliability", () => {
  test("is the mean of what was found, tenth by tenth", () => {
    const bins = reliabilityBins([
      [0.95, 1],
      [0.91, 0],
      [1, 1],
      [0.25, 0.5],
      [Number.NaN, 1],
    ]);
    expect(bins).toHaveLength(2);
    expect(bins[0]).toMatchObject({ from: 0.2, count: 1, confidence: 0.25, found: 0.5 });
    expect(bins[1]).toMatchObject({ from: 0.9, to: 1, count: 3 });
    expect(bins[1]!.found).toBeCloseTo(2 / 3, 15);
    expect(calibrationError(bins)).toBeCloseTo((0.25 + Math.abs(2.86 - 2)) / 4, 12);
  });

  test("of nothing is nothing", () => {
    expect(reliabilityBins([])).toEqual([]);
    expect(calibrationError([])).toBeNaN();
  });
});

describe("the risk-coverage curve", () => {
  test("ends where every part that may pass does, and never parts equal scores", () => {
    const outcomes = someOutcomes(
      Array.from({ length: 100 }, (_, i) => [
        i < 80 ? 0 : -1,
        i < 80 ? Math.floor(i / 10) : 1,
        i % 4 === 0 ? 1 : 0,
      ]),
    );
    const points = riskCoverage(outcomes);
    expect(points.map(({ coverage }) => coverage)).toEqual([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]);
    expect(points.at(-1)!.risk).toBe(0.25);
  });
});

describe("frames that were seen", () => {
  const held = someEvidence({ parts: 300, seed: 5 });

  test("are found by what both models said of them, rounding aside", () => {
    const from = [3, 1000, 5999];
    const fresh = withRowsOf(held, evidence, [10, 20, 30], from, 1 + 3e-6);
    expect(seenRows(evidence, held)).toEqual([]);
    expect(seenRows(evidence, fresh)).toEqual([10, 20, 30]);
  });

  test("are not those that one of the models tells apart", () => {
    const fresh = withRowsOf(held, evidence, [10], [3], 1);
    fresh.teacherLogits[10 * 3 + 2]! += 0.01;
    expect(seenRows(evidence, fresh)).toEqual([]);
  });

  test("are none where logits are not finite", () => {
    const spoiled = { ...evidence, studentLogits: evidence.studentLogits.slice().fill(Number.NaN, 0, 9000) };
    expect(seenRows(spoiled, spoiled).length).toBe(3000);
    expect(seenRows(spoiled, spoiled)[0]).toBe(3000);
  });
});

/** `held` with some rows replaced by rows of `known`, as another machine would have computed them. */
function withRowsOf(
  held: Evidence,
  known: Evidence,
  rows: readonly number[],
  from: readonly number[],
  rounding: number,
): Evidence {
  const replaced = (own: Float32Array, theirs: Float32Array, width: number): Float32Array => {
    const column = own.slice();
    rows.forEach((row, i) => {
      const values = theirs.subarray(from[i]! * width, (from[i]! + 1) * width);
      column.set(
        values.map((value) => value * rounding),
        row * width,
      );
    });
    return column;
  };
  return {
    ...held,
    studentLogits: replaced(held.studentLogits, known.studentLogits, 3),
    teacherLogits: replaced(held.teacherLogits, known.teacherLogits, 3),
    features: replaced(held.features!, known.features!, 4),
  };
}
