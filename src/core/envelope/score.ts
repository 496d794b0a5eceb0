/** The score: a small logistic model of U. It needs no validity of its own, only to rank well. */

import { fitLogistic } from "../statistics/logistic.ts";
import type { ScoreModel } from "./types.ts";

/** What the assessor writes for each frame, in this order; behind them the student's numbers of doubt. */
export const SCORE_INPUTS = [
  "log-odds against",
  "1 - p1",
  "p1 - p2",
  "entropy",
  "local gap",
  "log novelty",
  "band middle",
  "log p2",
  "log p3",
] as const;

const RIDGE = 3;
const INTERCEPT_RIDGE = 1e-3;

/** Frames of fit-B, as the assessor saw them. */
export interface ScoreFrames {
  /** [frames, inputs] row-major, finite. */
  readonly inputs: readonly number[];
  readonly classIndex: readonly number[];
  readonly unfaithful: readonly number[];
  /** Each frame's share of its part. */
  readonly weight: readonly number[];
}

/** Names of the inputs of a score over a student with D numbers of doubt. */
export function scoreInputs(doubtCount: number): string[] {
  return [...SCORE_INPUTS, ...Array.from({ length: doubtCount }, (_, d) => `doubt ${d + 1}`)];
}

/** D of the student that a score was fitted for. */
export function doubtCountOf({ inputs }: ScoreModel): number {
  return inputs.length - SCORE_INPUTS.length;
}

/** A model that says 1/2 of everything, for the time before one is fitted. */
export function flatScore(classes: number, doubtCount: number): ScoreModel {
  const inputs = scoreInputs(doubtCount);
  return {
    inputs,
    mean: inputs.map(() => 0),
    scale: inputs.map(() => 1),
    weights: inputs.map(() => 0),
    intercept: 0,
    classIntercept: new Array<number>(classes).fill(0),
  };
}

/** Fits the score: common slopes, and an intercept of each class that is shrunk towards the common one. */
export function fitScore(frames: ScoreFrames, classes: number, doubtCount: number): ScoreModel {
  const names = scoreInputs(doubtCount);
  const width = names.length;
  const rows = frames.classIndex.length;
  const total = frames.weight.reduce((sum, weight) => sum + weight, 0);
  const average = (of: (row: number) => number): number => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += frames.weight[row]! * of(row);
    return total > 0 ? sum / total : 0;
  };
  const mean = names.map((_, d) => average((row) => frames.inputs[row * width + d]!));
  const scale = names.map((_, d) => {
    const deviation = Math.sqrt(average((row) => (frames.inputs[row * width + d]! - mean[d]!) ** 2));
    // A constant input says nothing, and must not blow up on the first frame that differs.
    return deviation > 1e-9 ? deviation : 1;
  });
  const columns = width + 1 + classes;
  const inputs = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    for (let d = 0; d < width; d++) inputs[at + d] = (frames.inputs[row * width + d]! - mean[d]!) / scale[d]!;
    inputs[at + width] = 1;
    inputs[at + width + 1 + frames.classIndex[row]!] = 1;
  }
  const ridge = Float64Array.from({ length: columns }, (_, d) => (d === width ? INTERCEPT_RIDGE : RIDGE));
  const fitted = fitLogistic({ inputs, outcome: frames.unfaithful, weight: frames.weight, ridge });
  return {
    inputs: names,
    mean,
    scale,
    weights: Array.from(fitted.subarray(0, width)),
    intercept: fitted[width]!,
    classIntercept: Array.from(fitted.subarray(width + 1)),
  };
}
