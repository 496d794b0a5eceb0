/** Evidence as the certificate counts it: one outcome a part, whatever rule is asked about. */

import { judge, type Rule } from "../judge.ts";
import { createAssessor } from "./assess.ts";
import { framesByPart, studentColumns } from "./cut.ts";
import type { Evidence, FittedEnvelope } from "./types.ts";
import { unfaithfulFrames } from "./unfaithful.ts";

/**
 * One outcome for each part. A part passes under a rule if its class is in the rule's set and its score is at
 * most the class's lambda; everything else that may send it to review is folded into `classIndex`.
 */
export interface PartOutcomes {
  /** The class that all its frames agree on [parts]; -1 where some check but the score's sends it to review. */
  readonly classIndex: Int16Array;
  /** Largest score of its frames [parts]; Infinity where classIndex is -1. */
  readonly score: Float64Array;
  /** 1 if any of its frames is unfaithful [parts]. */
  readonly unfaithful: Uint8Array;
}

/** Says of one frame under which class it would pass at a loose enough lambda, and its score; -1: never. */
export type FrameVerdict = (row: number) => { readonly classIndex: number; readonly score: number };

/** Outcomes of the parts named, from the assessor and the judge that serve at run time. */
export function partOutcomes(evidence: Evidence, fitted: FittedEnvelope, parts: Int32Array): PartOutcomes {
  const assessor = createAssessor(fitted);
  const rule = anyScore(fitted);
  const student = studentColumns(evidence);
  const never = { classIndex: -1, score: Number.POSITIVE_INFINITY };
  return outcomesOf(evidence, parts, fitted.delta, (row) => {
    const prediction = assessor.assess(student, row);
    return judge(prediction, rule, "off").kind === "pass" ? prediction : never;
  });
}

/** Outcomes of the parts named under any score, so that a baseline is certified by the same counts. */
export function outcomesOf(
  evidence: Evidence,
  parts: Int32Array,
  delta: number,
  verdictOn: FrameVerdict,
): PartOutcomes {
  const frames = framesByPart(evidence);
  const unfaithful = unfaithfulFrames(evidence, delta);
  const outcomes: PartOutcomes = {
    classIndex: new Int16Array(parts.length),
    score: new Float64Array(parts.length),
    unfaithful: new Uint8Array(parts.length),
  };
  parts.forEach((part, at) => {
    let classIndex = -2;
    let score = Number.NEGATIVE_INFINITY;
    for (let i = frames.start[part]!; i < frames.start[part + 1]!; i++) {
      const row = frames.rows[i]!;
      const verdict = verdictOn(row);
      // Frames that do not agree send the part to review, as at run time.
      classIndex = classIndex === -2 || classIndex === verdict.classIndex ? verdict.classIndex : -1;
      score = Math.max(score, verdict.score);
      if (unfaithful[row] === 1) outcomes.unfaithful[at] = 1;
    }
    const passes = classIndex >= 0 && Number.isFinite(score);
    outcomes.classIndex[at] = passes ? classIndex : -1;
    outcomes.score[at] = passes ? score : Number.POSITIVE_INFINITY;
  });
  return outcomes;
}

/**
 * Which parts pass.
 * @param lambda of each class [K]; NaN where it is always reviewed
 * @returns 1 for each part that passes [parts]
 */
export function passingParts(outcomes: PartOutcomes, lambda: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(outcomes.classIndex, (c, part) =>
    outcomes.score[part]! <= (lambda[c] ?? Number.NaN) ? 1 : 0,
  );
}

/** A rule that stops for every reason but the score. */
function anyScore(fitted: FittedEnvelope): Rule {
  const anything = new Float64Array(fitted.classes.length).fill(Number.POSITIVE_INFINITY);
  return {
    mode: "guarded",
    revision: 0,
    delta: fitted.delta,
    lambda: anything,
    lambdaAmber: anything,
    noveltyMax: Float64Array.from(fitted.noveltyMax),
    stopped: false,
  };
}
