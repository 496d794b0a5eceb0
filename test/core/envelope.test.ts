/** Fitting the envelope, each piece on its own third of fit. */

import { describe, expect, test } from "vitest";
import { createAssessor } from "../../src/core/envelope/assess.ts";
import { cutFit, framesByPart, partsOf, studentColumns } from "../../src/core/envelope/cut.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import { partOutcomes } from "../../src/core/envelope/outcomes.ts";
import { PROTOTYPES_MAX, shareOut } from "../../src/core/envelope/prototypes.ts";
import type { Evidence, FittedEnvelope } from "../../src/core/envelope/types.ts";
import { unfaithfulFrames } from "../../src/core/envelope/unfaithful.ts";
import { normal, seededRandom } from "../../src/core/random.ts";
import { someEvidence, withRowsChanged } from "./evidence.ts";

const DELTA = 0.15;
const evidence = someEvidence({ parts: 2000 });
const fitted = fitEnvelope(evidence, { delta: DELTA, seed: 3 });

describe("the cut of fit", () => {
  test("puts every part of fit in exactly one third, and no part of cal or ref in any", () => {
    const { a, b, c } = cutFit(evidence, 3);
    expect([...a, ...b, ...c].sort((x, y) => x - y)).toEqual([...partsOf(evidence, "fit")]);
  });

  test("is the same for the same seed and another for another", () => {
    expect(cutFit(evidence, 3)).toEqual(cutFit(evidence, 3));
    expect(cutFit(evidence, 4).a).not.toEqual(cutFit(evidence, 3).a);
  });

  test("finds the frames of each part", () => {
    const twice = someEvidence({ parts: 6, framesPerPart: 2 });
    const { start, rows } = framesByPart({
      ...twice,
      part: Int32Array.of(0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0),
    });
    expect([...start]).toEqual([0, 2, 4, 6, 8, 10, 12]);
    expect([...rows]).toEqual([0, 11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6]);
  });
});

describe("U", () => {
  const one = (changes: Partial<Evidence>): number => {
    const frame = { ...someEvidence({ parts: 1, classes: 2 }), ...changes };
    return unfaithfulFrames(frame, 0.1)[0]!;
  };
  const agreeing = {
    studentLogits: Float32Array.of(2, 0),
    teacherLogits: Float32Array.of(3, 0),
    largestGap: Float32Array.of(0.05),
  };

  test("is 0 where both agree within delta, 1 where the class or the gap does not", () => {
    expect(one(agreeing)).toBe(0);
    expect(one({ ...agreeing, teacherLogits: Float32Array.of(0, 3) })).toBe(1);
    expect(one({ ...agreeing, largestGap: Float32Array.of(0.11) })).toBe(1);
  });

  test("is 1 where anything is not finite", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(one({ ...agreeing, studentLogits: Float32Array.of(2, bad) })).toBe(1);
      expect(one({ ...agreeing, teacherLogits: Float32Array.of(3, bad) })).toBe(1);
    }
    expect(one({ ...agreeing, largestGap: Float32Array.of(Number.NaN) })).toBe(1);
  });
});

/** How often an unfaithful part of cal scores higher than a faithful one. */
function areaUnderRoc(of: Evidence, envelope: FittedEnvelope): number {
  const { score, unfaithful, classIndex } = partOutcomes(of, envelope, partsOf(of, "cal"));
  const scoresWhere = (u: number): number[] =>
    [...score].filter((_, i) => classIndex[i]! >= 0 && unfaithful[i] === u);
  const bad = scoresWhere(1);
  const good = scoresWhere(0);
  return bad.reduce((sum, b) => sum + good.filter((g) => g < b).length, 0) / (bad.length * good.length);
}

describe("the fitted envelope", () => {
  test("is a function of fit alone", () => {
    const changed = ["cal", "ref"].reduce(
      (sofar, split) =>
        withRowsChanged(sofar, split as "cal" | "ref", ({ logits, teacher, gap }, row) => {
          logits.fill(Number.NaN, row * 3, row * 3 + 3);
          teacher.fill(7, row * 3, row * 3 + 3);
          gap[row] = 1;
        }),
      evidence,
    );
    expect(fitEnvelope(changed, { delta: DELTA, seed: 3 })).toEqual(fitted);
  });

  test("holds at most 1,024 prototypes, in every class that occurs, each with a gap of its own class's range", () => {
    const { classStart, gaps } = fitted.prototypes;
    expect(gaps.length).toBeLessThanOrEqual(PROTOTYPES_MAX);
    expect(classStart.at(-1)).toBe(gaps.length);
    for (let c = 0; c < 3; c++) expect(classStart[c + 1]! - classStart[c]!).toBeGreaterThan(20);
    expect(gaps.every((gap) => gap >= 0 && gap <= 1)).toBe(true);
  });

  test("prototypes are shared out evenly, and what a small class leaves goes to the others", () => {
    expect(shareOut([500, 500, 500, 500], 1000)).toEqual([250, 250, 250, 250]);
    expect(shareOut([10, 300, 300], 410)).toEqual([10, 200, 200]);
    expect(shareOut([0, 5000], 1024)).toEqual([0, 256]);
  });

  test("ranks: unfaithful parts of cal score higher than faithful ones, as they were not fitted on", () => {
    expect(areaUnderRoc(evidence, fitted)).toBeGreaterThan(0.85);
  });

  test("a student's own doubt, where it tells of the gap, makes the score rank better", () => {
    const doubting = someEvidence({ parts: 2000, doubts: 1 });
    const plain: Evidence = { ...doubting, doubt: undefined, doubtCount: 0 };
    const rankOf = (of: Evidence): number => areaUnderRoc(of, fitEnvelope(of, { delta: DELTA, seed: 3 }));
    expect(1 - rankOf(doubting)).toBeLessThan(0.7 * (1 - rankOf(plain)));
  });

  test("the band holds nine teachers in ten of frames that it was not fitted on", () => {
    const assessor = createAssessor(fitted);
    let inside = 0;
    const cal = partsOf(evidence, "cal");
    for (const row of cal) {
      const { classIndex, bandLow, bandHigh } = assessor.assess(studentColumns(evidence), row);
      const z = evidence.teacherLogits.subarray(row * 3, row * 3 + 3);
      const teacher = Math.exp(z[classIndex]!) / z.reduce((sum, v) => sum + Math.exp(v), 0);
      if (teacher >= bandLow && teacher <= bandHigh) inside++;
    }
    expect(inside / cal.length).toBeGreaterThan(0.86);
    expect(inside / cal.length).toBeLessThan(0.95);
  });

  test("one frame in a hundred of what it knows is novel, and frames from elsewhere are", () => {
    const assessor = createAssessor(fitted);
    const isNovel = (logits: Float32Array, features: Float32Array, row: number): boolean => {
      const { classIndex, novelty } = assessor.assess({ logits, features, doubt: undefined }, row);
      return !(novelty <= fitted.noveltyMax[classIndex]!);
    };
    const cal = partsOf(evidence, "cal");
    const known = cal.filter((row) => isNovel(evidence.studentLogits, evidence.features!, row)).length;
    // The limit is set by the frames that score lowest, so that more of the doubtful ones lie beyond it.
    expect(known / cal.length).toBeLessThan(0.15);
    const sure = cal.filter((row) => assessor.assess(studentColumns(evidence), row).score < 0.1);
    const sureAndNovel = sure.filter((row) =>
      isNovel(evidence.studentLogits, evidence.features!, row),
    ).length;
    expect(sure.length).toBeGreaterThan(300);
    expect(sureAndNovel / sure.length).toBeLessThan(0.05);
    const random = seededRandom(9);
    const elsewhere = Float32Array.from(evidence.features!, () => 20 * normal(random));
    const unknown = cal.filter((row) => isNovel(evidence.studentLogits, elsewhere, row)).length;
    expect(unknown / cal.length).toBeGreaterThan(0.95);
  });

  test("works without features, on the soft confidence", () => {
    const bare = { ...evidence, features: undefined, featureCount: 0 };
    const envelope = fitEnvelope(bare, { delta: DELTA, seed: 3 });
    expect(envelope.projection.kind).toBe("centred-log-p");
    const { score, classIndex } = partOutcomes(bare, envelope, partsOf(bare, "cal"));
    expect([...classIndex].filter((c) => c >= 0).length).toBeGreaterThan(0.9 * score.length);
  });

  test("finds by iteration in many features the components that it finds exactly in few", () => {
    const few = someEvidence({ parts: 600, features: 100 });
    // Forty features that never move take the iteration's path, and carry nothing.
    const many: Evidence = {
      ...few,
      featureCount: 140,
      features: Float32Array.from({ length: 600 * 140 }, (_, i) => {
        const f = i % 140;
        return f < 100 ? few.features![Math.floor(i / 140) * 100 + f]! : 1;
      }),
    };
    const componentsOf = (of: Evidence): Float32Array => {
      const { projection } = fitEnvelope(of, { delta: DELTA, seed: 3 });
      if (projection.kind !== "pca") throw new Error("expected principal components");
      return projection.components;
    };
    const exact = componentsOf(few);
    const iterated = componentsOf(many);
    for (const o of [0, 1]) {
      let along = 0;
      for (let f = 0; f < 100; f++) along += exact[o * 100 + f]! * iterated[o * 140 + f]!;
      expect(Math.abs(along)).toBeCloseTo(1, 4);
    }
  });

  test("evidence whose columns do not fit together is refused by name", () => {
    const fitting = (changes: Partial<Evidence>) => () =>
      fitEnvelope({ ...evidence, ...changes }, { delta: 0.1, seed: 1 });
    expect(fitting({ largestGap: new Float32Array(3) })).toThrow(/largestGap has 3 entries/);
    expect(fitting({ studentLogits: new Float32Array(3) })).toThrow(/studentLogits/);
    expect(fitting({ splitOfPart: evidence.splitOfPart.map(() => "cal") })).toThrow(/fit has 0 parts/);
    expect(fitting({ splitOfPart: [...evidence.splitOfPart, "fit"] })).toThrow(/has no frame/);
    expect(() => fitEnvelope(evidence, { delta: Number.NaN, seed: 1 })).toThrow(RangeError);
  });
});
