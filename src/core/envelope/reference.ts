/** The drift reference: how scores and novelty lie on **ref**, as far as the monitor needs to know. */

import { ladderOf, REF_PARTS_MIN, type ReferenceLadder } from "../statistics/exceedance.ts";
import { createAssessor } from "./assess.ts";
import { framesByPart, partsOf, studentColumns } from "./cut.ts";
import type { Evidence, FittedEnvelope } from "./types.ts";

/** Of each part its largest score and its largest distance ratio, as the gateway gives them to the monitor. */
export interface DriftReference {
  readonly score: ReferenceLadder;
  readonly novelty: ReferenceLadder;
}

/**
 * Assesses the parts of **ref**, by which nothing else was fitted or counted.
 * @returns undefined where there are too few of them for a test to notice anything
 * @throws RangeError if hardly a part of them can be assessed
 */
export function driftReference(evidence: Evidence, fitted: FittedEnvelope): DriftReference | undefined {
  const parts = partsOf(evidence, "ref");
  if (parts.length < REF_PARTS_MIN) return undefined;
  const assessor = createAssessor(fitted);
  const student = studentColumns(evidence);
  const frames = framesByPart(evidence);
  const scores = new Float64Array(parts.length);
  const novelties = new Float64Array(parts.length);
  parts.forEach((part, at) => {
    let score = Number.NEGATIVE_INFINITY;
    let novelty = Number.NEGATIVE_INFINITY;
    for (let i = frames.start[part]!; i < frames.start[part + 1]!; i++) {
      const prediction = assessor.assess(student, frames.rows[i]!);
      score = Math.max(score, prediction.score);
      novelty = Math.max(novelty, prediction.novelty);
    }
    scores[at] = score;
    novelties[at] = novelty;
  });
  return { score: ladderOf(scores, "scores of ref"), novelty: ladderOf(novelties, "novelty of ref") };
}
