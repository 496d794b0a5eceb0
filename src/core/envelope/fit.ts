/** Fitting the envelope: everything that run time uses but the certificate, each on its own third of fit. */

import { softmax } from "../confidence.ts";
import { type Assessor, createAssessor } from "./assess.ts";
import { bandMiddle, type ConfidencePairs, fitBand, withHalfWidth } from "./bands.ts";
import {
  checkEvidence,
  cutFit,
  type FramesByPart,
  framesByPart,
  studentColumns,
  type WeightedRows,
  weightedRows,
} from "./cut.ts";
import { createNeighbours } from "./neighbours.ts";
import { fitProjection, projectRows } from "./projection.ts";
import { fitPrototypes, weightedMedian } from "./prototypes.ts";
import { fitScore, flatScore } from "./score.ts";
import type { Evidence, FittedEnvelope, Projection, Prototypes, TeacherBand } from "./types.ts";
import { finiteArgmax, unfaithfulFrames } from "./unfaithful.ts";

/** Confidence is compared as the student deploys it, and the gap is defined there. */
const TEMPERATURE = 1;
const NOVELTY_PERCENTILE = 0.99;
/** Frames of fit-C that are more likely faithful than not set the limit: others no lambda would pass. */
const PASSABLE_SCORE = 0.5;

export interface FitOptions {
  /** Tolerance on the gap, in [0, 1]. */
  readonly delta: number;
  /** Decides the cut of fit and the places of prototypes. */
  readonly seed: number;
}

/**
 * Fits the envelope on the fit parts of the evidence; cal and ref are not read.
 * @returns the envelope; a class without evidence has noveltyMax NaN, and is always reviewed
 * @throws RangeError if columns do not fit together, delta is outside [0, 1] or fit has fewer than 3 parts
 */
export function fitEnvelope(evidence: Evidence, { delta, seed }: FitOptions): FittedEnvelope {
  checkEvidence(evidence);
  const frames = framesByPart(evidence);
  const cut = cutFit(evidence, seed);
  const rowsA = weightedRows(frames, cut.a);
  const projection = fitProjection(evidence, rowsA, seed);
  const classes = evidence.classes.length;
  const placed: FittedEnvelope = {
    classes: evidence.classes,
    temperature: TEMPERATURE,
    delta,
    seed,
    projection,
    prototypes: fitPlaced(evidence, rowsA, projection, seed),
    score: flatScore(classes, evidence.doubtCount),
    bands: fitMiddles(evidence, rowsA),
    noveltyMax: new Array<number>(classes).fill(Number.NaN),
  };
  const scored = { ...placed, score: fitScoreOn(evidence, weightedRows(frames, cut.b), placed) };
  return withLimits(evidence, frames, cut.c, scored);
}

/** Prototypes of fit-A, and the median distance of its frames to the nearest of them. */
function fitPlaced(evidence: Evidence, rows: WeightedRows, projection: Projection, seed: number): Prototypes {
  const classes = evidence.classes.length;
  const { outputs } = projection;
  const places = projectRows(evidence, projection, TEMPERATURE, rows.rows);
  const classIndex = Int16Array.from(rows.rows, (row, i) =>
    Number.isFinite(places[i * outputs]) ? finiteArgmax(evidence.studentLogits, row, classes) : -1,
  );
  const largestGap = Float64Array.from(rows.rows, (row) => {
    const gap = evidence.largestGap[row]!;
    return gap >= 0 && gap <= 1 ? gap : 1;
  });
  const prototypes = fitPrototypes(
    { places, classIndex, largestGap, weight: rows.weight },
    classes,
    outputs,
    seed,
  );
  const { found, search } = createNeighbours(prototypes, outputs);
  const distances = Array.from({ length: classes }, () => ({
    values: [] as number[],
    weights: [] as number[],
  }));
  classIndex.forEach((c, i) => {
    if (c < 0) return;
    search(places.subarray(i * outputs, (i + 1) * outputs), c);
    distances[c]!.values.push(found.distance);
    distances[c]!.weights.push(rows.weight[i]!);
  });
  return {
    ...prototypes,
    medianDistance: distances.map(({ values, weights }) => weightedMedian(values, weights)),
  };
}

/** m_c of every class on fit-A. */
function fitMiddles(evidence: Evidence, { rows, weight }: WeightedRows): TeacherBand[] {
  const classes = evidence.classes.length;
  const pairs = Array.from({ length: classes }, () => ({
    student: [] as number[],
    teacher: [] as number[],
    weight: [] as number[],
  }));
  const p = new Float64Array(classes);
  rows.forEach((row, i) => {
    const c = finiteArgmax(evidence.studentLogits, row, classes);
    if (c < 0) return;
    const teacher = teacherConfidence(evidence, row, c);
    if (!Number.isFinite(teacher)) return;
    softmax(evidence.studentLogits, row, classes, TEMPERATURE, p);
    const of = pairs[c]!;
    of.student.push(p[c]!);
    of.teacher.push(teacher);
    of.weight.push(weight[i]!);
  });
  return pairs.map((of: ConfidencePairs) => fitBand(of));
}

function fitScoreOn(evidence: Evidence, { rows, weight }: WeightedRows, placed: FittedEnvelope) {
  const assessor = createAssessor(placed);
  const unfaithful = unfaithfulFrames(evidence, placed.delta);
  const student = studentColumns(evidence);
  const inputs: number[] = [];
  const seen = { classIndex: [] as number[], unfaithful: [] as number[], weight: [] as number[] };
  rows.forEach((row, i) => {
    const { classIndex } = assessor.assess(student, row);
    if (classIndex < 0) return;
    inputs.push(...assessor.inputs);
    seen.classIndex.push(classIndex);
    seen.unfaithful.push(unfaithful[row]!);
    seen.weight.push(weight[i]!);
  });
  return fitScore({ inputs, ...seen }, placed.classes.length, evidence.doubtCount);
}

/** The worst that one part shows in one class, over its frames there. */
interface Worst {
  /** |teacher - m(student)|; 1 where the teacher is not finite. */
  readonly residual: number;
  readonly novelty: number;
  readonly score: number;
}

/** Half-widths and novelty limits on fit-C. */
function withLimits(
  evidence: Evidence,
  frames: FramesByPart,
  parts: Int32Array,
  scored: FittedEnvelope,
): FittedEnvelope {
  const seen = worstByClass(evidence, frames, parts, scored);
  const limit = (ofClass: readonly Worst[]): number => {
    const sure = ofClass.filter(({ score }) => score <= PASSABLE_SCORE);
    return percentile(
      (sure.length > 0 ? sure : ofClass).map(({ novelty }) => novelty),
      NOVELTY_PERCENTILE,
    );
  };
  const { classStart } = scored.prototypes;
  return {
    ...scored,
    bands: scored.bands.map((band, c) =>
      withHalfWidth(
        band,
        seen[c]!.map(({ residual }) => residual),
      ),
    ),
    noveltyMax: seen.map((ofClass, c) => (classStart[c + 1]! > classStart[c]! ? limit(ofClass) : Number.NaN)),
  };
}

/** [K] The parts that show each class; a part counts once in a class, by its worst frame there. */
function worstByClass(
  evidence: Evidence,
  frames: FramesByPart,
  parts: Int32Array,
  scored: FittedEnvelope,
): Worst[][] {
  const assessor: Assessor = createAssessor(scored);
  const student = studentColumns(evidence);
  const seen = scored.classes.map((): Worst[] => []);
  for (const part of parts) {
    const worst = new Map<number, Worst>();
    for (let i = frames.start[part]!; i < frames.start[part + 1]!; i++) {
      const row = frames.rows[i]!;
      const { classIndex, confidence, novelty, score } = assessor.assess(student, row);
      if (classIndex < 0) continue;
      const teacher = teacherConfidence(evidence, row, classIndex);
      const residual = Math.abs(teacher - bandMiddle(scored.bands[classIndex]!, confidence));
      const before = worst.get(classIndex) ?? { residual: 0, novelty: 0, score: 0 };
      worst.set(classIndex, {
        residual: Math.max(before.residual, Number.isFinite(residual) ? residual : 1),
        novelty: Math.max(before.novelty, novelty),
        score: Math.max(before.score, score),
      });
    }
    for (const [c, ofClass] of worst) seen[c]!.push(ofClass);
  }
  return seen;
}

/** The order statistic of rank ceil(share * n); NaN where there is nothing. */
function percentile(values: readonly number[], share: number): number {
  return Float64Array.from(values).sort()[Math.ceil(share * values.length) - 1] ?? Number.NaN;
}

/** The teacher's soft confidence in class c; NaN where its logits are not finite. */
function teacherConfidence(evidence: Evidence, row: number, c: number): number {
  const classes = evidence.classes.length;
  if (finiteArgmax(evidence.teacherLogits, row, classes) < 0) return Number.NaN;
  const p = new Float64Array(classes);
  softmax(evidence.teacherLogits, row, classes, TEMPERATURE, p);
  return p[c]!;
}
