/** The drift reference: how score, novelty and place lie on **ref**, as far as the monitor needs to know. */

import { COORDINATES_MAX, type Extent, extentOfAll } from "../extent.ts";
import {
  type ExceedanceOptions,
  type ExceedanceTest,
  fixExceedanceTest,
  ladderOf,
  REF_PARTS_MIN,
  type ReferenceLadder,
} from "../statistics/exceedance.ts";
import { createAssessor } from "./assess.ts";
import { framesByPart, partsOf, studentColumns } from "./cut.ts";
import type { Evidence, FittedEnvelope } from "./types.ts";

/** Of each part what the gateway gives to the monitor: its largest score and distance ratio, and its extent. */
export interface DriftReference {
  readonly score: ReferenceLadder;
  readonly novelty: ReferenceLadder;
  /** Absent from envelopes of earlier versions: they know drift by score and novelty alone. */
  readonly place?: PlaceReference;
}

/** Of each watched coordinate, in both directions. */
export interface PlaceReference {
  readonly highest: readonly ReferenceLadder[];
  /** Of the lowest, each negated, so that larger is further out. */
  readonly lowest: readonly ReferenceLadder[];
}

/** What the drift test takes of a part; NaN where it has no such number. */
export interface PartScores {
  readonly score: number;
  readonly novelty: number;
  /** Undefined where nobody looks at it, as with a reference that has no place. */
  readonly extent?: Extent | undefined;
}

/**
 * A coordinate that moves less than this, of the furthest that any does, is not watched: on another processor the
 * student's last digits differ, and would look like a drift.
 */
const SPREAD_MIN = 1e-3;
/** Streams that every reference has: score and novelty. */
const SCORES = 2;

/**
 * Assesses the parts of **ref**, by which nothing else was fitted or counted.
 * @returns undefined where there are too few of them for a test to notice anything
 * @throws RangeError if hardly a part of them can be assessed
 */
export function driftReference(evidence: Evidence, fitted: FittedEnvelope): DriftReference | undefined {
  const parts = partsOf(evidence, "ref");
  if (parts.length < REF_PARTS_MIN) return undefined;
  const scores = assessedParts(evidence, fitted, parts);
  const place = placeReference(scores, fitted.projection.outputs);
  return {
    score: ladderOf(
      scores.map(({ score }) => score),
      "scores of ref",
    ),
    novelty: ladderOf(
      scores.map(({ novelty }) => novelty),
      "novelty of ref",
    ),
    ...(place !== undefined && { place }),
  };
}

function assessedParts(evidence: Evidence, fitted: FittedEnvelope, parts: Int32Array): readonly PartScores[] {
  const assessor = createAssessor(fitted);
  const student = studentColumns(evidence);
  const frames = framesByPart(evidence);
  return Array.from(parts, (part) => {
    let score = Number.NEGATIVE_INFINITY;
    let novelty = Number.NEGATIVE_INFINITY;
    let extent: Extent | undefined;
    for (let i = frames.start[part]!; i < frames.start[part + 1]!; i++) {
      const prediction = assessor.assess(student, frames.rows[i]!);
      score = Math.max(score, prediction.score);
      novelty = Math.max(novelty, prediction.novelty);
      const own = Float32Array.from(prediction.extent!.lowest); // The assessor uses its own again.
      const known = { lowest: own, highest: own };
      extent = extent === undefined ? known : extentOfAll([extent, known]);
    }
    return { score, novelty, extent };
  });
}

function placeReference(parts: readonly PartScores[], outputs: number): PlaceReference | undefined {
  const of = (end: "highest" | "lowest", sign: 1 | -1, i: number): ReferenceLadder =>
    ladderOf(
      parts.map(({ extent }) => sign * extent![end][i]!),
      `coordinate ${i} of ref`,
    );
  const ladders = Array.from({ length: Math.min(outputs, COORDINATES_MAX) }, (_, i) => ({
    highest: of("highest", 1, i),
    lowest: of("lowest", -1, i),
  }));
  const spreads = ladders.map(
    ({ highest, lowest }) => highest.steps.at(-1)!.score + lowest.steps.at(-1)!.score,
  );
  const least = SPREAD_MIN * Math.max(...spreads);
  const tooNarrow = spreads.findIndex((spread) => !(spread > least));
  const watched = tooNarrow < 0 ? ladders : ladders.slice(0, tooNarrow);
  if (watched.length === 0) return undefined;
  return {
    highest: watched.map(({ highest }) => highest),
    lowest: watched.map(({ lowest }) => lowest),
  };
}

/** The drift test of a reference. @throws RangeError as fixExceedanceTest */
export function driftTest(
  { score, novelty, place }: DriftReference,
  etas: ExceedanceOptions,
): ExceedanceTest {
  const groups = [[score, novelty], ...(place === undefined ? [] : [[...place.highest, ...place.lowest]])];
  return fixExceedanceTest(groups, etas);
}

/** Whether the test looks at a part's extent. */
export function watchesPlace({ streams }: ExceedanceTest): boolean {
  return streams.length > SCORES;
}

/** A part's scores in the order of the test's streams. An extent that is not known counts as furthest out. */
export function driftScores({ score, novelty, extent }: PartScores, streams: number): Float64Array {
  const scores = new Float64Array(streams).fill(Number.NaN);
  scores[0] = score;
  scores[1] = novelty;
  const coordinates = (streams - SCORES) / 2;
  for (let i = 0; i < coordinates; i++) {
    scores[SCORES + i] = extent?.highest[i] ?? Number.NaN;
    scores[SCORES + coordinates + i] = -(extent?.lowest[i] ?? Number.NaN);
  }
  return scores;
}
