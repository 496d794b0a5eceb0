/** The assessor: from a student's output on one frame to what the judge needs, on the hot path. */

import { argmax, entropy, softmax } from "../confidence.ts";
import { COORDINATES_MAX, extentOf } from "../extent.ts";
import type { Prediction } from "../judge.ts";
import { stepAt } from "../statistics/isotonic.ts";
import { sigmoid } from "../statistics/logistic.ts";
import { createNeighbours } from "./neighbours.ts";
import { createProjector } from "./projection.ts";
import { doubtCountOf, SCORE_INPUTS, scoreInputs } from "./score.ts";
import type { FittedEnvelope, StudentColumns } from "./types.ts";

/** Keeps logarithms finite where a probability underflows. */
const LEAST_PROBABILITY = 1e-12;
const LEAST_NOVELTY = 1e-3;
const INPUTS = SCORE_INPUTS.length;

/** Assesses frame after frame, allocating nothing. */
export interface Assessor {
  /**
   * @param student what it says of N frames; features or doubt may lack where the envelope uses none
   * @param row which frame
   * @returns the assessor's one prediction, valid until the next call; where any number is not finite its
   *   classIndex is -1 and the rest NaN
   */
  assess(student: StudentColumns, row: number): Prediction;
  /** What the score was computed from on the last frame that could be assessed, in the order of the score's own. */
  readonly inputs: Float64Array;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * @throws RangeError if the envelope's parts do not fit together, or its score wants other inputs
 */
export function createAssessor(envelope: FittedEnvelope): Assessor {
  checkFitted(envelope);
  const classes = envelope.classes.length;
  const { temperature } = envelope;
  const project = createProjector(envelope.projection);
  const { found, search } = createNeighbours(envelope.prototypes, envelope.projection.outputs);
  const band = envelope.bands.map(({ from, teacher, halfWidth }) => ({
    from: Float64Array.from(from),
    teacher: Float64Array.from(teacher),
    halfWidth,
  }));
  const slope = Float64Array.from(envelope.score.weights, (weight, d) => weight / envelope.score.scale[d]!);
  const offset = envelope.score.mean.reduce(
    (sum, mean, d) => sum - mean * slope[d]!,
    envelope.score.intercept,
  );
  const classOffset = Float64Array.from(envelope.score.classIntercept, (intercept) => offset + intercept);
  const p = new Float64Array(classes);
  const place = new Float64Array(envelope.projection.outputs);
  // Rounded as the engine sends it: the reference and what is compared with it must not differ by that.
  const seen = new Float32Array(COORDINATES_MAX).fill(Number.NaN);
  const seenCount = Math.min(place.length, COORDINATES_MAX);
  const extent = extentOf(seen);
  const doubtCount = doubtCountOf(envelope.score);
  const inputs = new Float64Array(INPUTS + doubtCount);
  const prediction: Writable<Prediction> = unjudgeable();

  function assess({ logits, features, doubt }: StudentColumns, row: number): Prediction {
    if (!isFiniteRow(logits, row, classes)) return Object.assign(prediction, UNJUDGEABLE);
    if (!writeDoubt(doubt, row)) return Object.assign(prediction, UNJUDGEABLE);
    softmax(logits, row, classes, temperature, p);
    const c = argmax(p);
    if (c < 0 || !project(p, features, row, place)) return Object.assign(prediction, UNJUDGEABLE);
    search(place, c);
    const { from, teacher, halfWidth } = band[c]!;
    const middle = teacher[stepAt(from, p[c]!)]!;
    writeInputs(c, middle);
    let sum = classOffset[c]!;
    for (let d = 0; d < inputs.length; d++) sum += slope[d]! * inputs[d]!;
    prediction.classIndex = c;
    prediction.confidence = p[c]!;
    prediction.score = sigmoid(sum);
    prediction.bandLow = Math.max(0, middle - halfWidth);
    prediction.bandHigh = Math.min(1, middle + halfWidth);
    prediction.novelty = found.novelty;
    for (let i = 0; i < seenCount; i++) seen[i] = place[i]!;
    prediction.extent = extent;
    return prediction;
  }

  /** False where the student gives no such number, or one that is not finite. */
  function writeDoubt(doubt: ArrayLike<number> | undefined, row: number): boolean {
    for (let d = 0; d < doubtCount; d++) {
      const value = doubt?.[row * doubtCount + d] ?? Number.NaN;
      if (!Number.isFinite(value)) return false;
      inputs[INPUTS + d] = value;
    }
    return true;
  }

  function writeInputs(c: number, middle: number): void {
    let rest = 0;
    let second = 0;
    let third = 0;
    for (let i = 0; i < classes; i++) {
      if (i === c) continue;
      const value = p[i]!;
      // Summed over the others, since 1 - p1 loses its digits where p1 is near 1.
      rest += value;
      if (value > second) {
        third = second;
        second = value;
      } else if (value > third) third = value;
    }
    inputs[0] = Math.log(Math.max(rest, LEAST_PROBABILITY) / p[c]!);
    inputs[1] = rest;
    inputs[2] = p[c]! - second;
    inputs[3] = entropy(p);
    inputs[4] = found.localGap;
    inputs[5] = Math.log(Math.max(found.novelty, LEAST_NOVELTY));
    inputs[6] = middle;
    inputs[7] = Math.log(Math.max(second, LEAST_PROBABILITY));
    inputs[8] = Math.log(Math.max(third, LEAST_PROBABILITY));
  }

  return { assess, inputs };
}

const UNJUDGEABLE: Prediction = {
  classIndex: -1,
  confidence: Number.NaN,
  score: Number.NaN,
  bandLow: Number.NaN,
  bandHigh: Number.NaN,
  novelty: Number.NaN,
  extent: extentOf(new Float64Array(COORDINATES_MAX).fill(Number.NaN)),
};

function unjudgeable(): Writable<Prediction> {
  return { ...UNJUDGEABLE };
}

function isFiniteRow(logits: ArrayLike<number>, row: number, classes: number): boolean {
  const start = row * classes;
  for (let c = 0; c < classes; c++) if (!Number.isFinite(logits[start + c])) return false;
  return true;
}

function checkFitted({ classes, projection, prototypes, score, bands, noveltyMax }: FittedEnvelope): void {
  const expect = (name: string, found: number, expected: number): void => {
    if (found !== expected)
      throw new RangeError(`the envelope's ${name}: ${found} numbers, expected ${expected}`);
  };
  const rows = prototypes.classStart[classes.length] ?? Number.NaN;
  expect("prototypes.classStart", prototypes.classStart.length, classes.length + 1);
  expect("prototypes.points", prototypes.points.length, rows * projection.outputs);
  expect("prototypes.gaps", prototypes.gaps.length, rows);
  expect("prototypes.classGap", prototypes.classGap.length, classes.length);
  expect("prototypes.medianDistance", prototypes.medianDistance.length, classes.length);
  expect("bands", bands.length, classes.length);
  expect("noveltyMax", noveltyMax.length, classes.length);
  expect("score.classIntercept", score.classIntercept.length, classes.length);
  const known = scoreInputs(Math.max(0, doubtCountOf(score)));
  if (score.inputs.join() !== known.join()) {
    throw new RangeError(
      `the envelope's score wants [${score.inputs.join()}], this version has [${known.join()}]`,
    );
  }
  for (const name of ["mean", "scale", "weights"] as const)
    expect(`score.${name}`, score[name].length, score.inputs.length);
  if (projection.kind === "pca") {
    expect("projection.mean", projection.mean.length, projection.inputs);
    expect("projection.components", projection.components.length, projection.inputs * projection.outputs);
  } else expect("projection.outputs", projection.outputs, classes.length);
}
