/** How evidence is cut: frames under their parts, and fit in three, so that nothing is judged by what it was fitted on. */

import { permutation, seededRandom } from "../random.ts";
import type { Evidence, Split, StudentColumns } from "./types.ts";

/** Shares of fit that place the prototypes, fit the score, and set limits and grids. */
const SHARE_A = 0.35;
const SHARE_B = 0.3;

/** Part indices of each third of fit. */
export interface FitCut {
  /** Projection, prototypes, isotonic fit, median distances. */
  readonly a: Int32Array;
  /** Score model. */
  readonly b: Int32Array;
  /** Half-widths, novelty limits, the certificate's family. */
  readonly c: Int32Array;
}

/** Frames of each part: part i has rows[start[i]] .. rows[start[i + 1] - 1]. */
export interface FramesByPart {
  readonly start: Int32Array;
  readonly rows: Int32Array;
}

/** Indices of the parts of a split, rising. */
export function partsOf(evidence: Evidence, split: Split): Int32Array {
  const parts: number[] = [];
  evidence.splitOfPart.forEach((of, part) => {
    if (of === split) parts.push(part);
  });
  return Int32Array.from(parts);
}

/**
 * Cuts the parts of fit in three at random.
 * @throws RangeError if fit has too few parts to leave one in each third
 */
export function cutFit(evidence: Evidence, seed: number): FitCut {
  const fit = partsOf(evidence, "fit");
  const firstEnd = Math.round(fit.length * SHARE_A);
  const secondEnd = Math.round(fit.length * (SHARE_A + SHARE_B));
  if (!(firstEnd > 0 && secondEnd > firstEnd && fit.length > secondEnd)) {
    throw new RangeError(`fit has ${fit.length} parts; at least 3 are needed to cut it in three`);
  }
  const order = permutation(fit.length, seededRandom(seed));
  const third = (from: number, to: number): Int32Array =>
    order
      .slice(from, to)
      .map((i) => fit[i]!)
      .sort();
  return { a: third(0, firstEnd), b: third(firstEnd, secondEnd), c: third(secondEnd, fit.length) };
}

/** Frames of each part. */
export function framesByPart(evidence: Evidence): FramesByPart {
  const start = new Int32Array(evidence.splitOfPart.length + 1);
  for (const part of evidence.part) start[part + 1]!++;
  for (let part = 0; part < evidence.splitOfPart.length; part++) start[part + 1]! += start[part]!;
  const next = start.slice();
  const rows = new Int32Array(evidence.part.length);
  evidence.part.forEach((part, row) => {
    rows[next[part]!++] = row;
  });
  return { start, rows };
}

/** What the student says of the evidence, as the assessor takes it. */
export function studentColumns({ studentLogits, features, doubt }: Evidence): StudentColumns {
  return { logits: studentLogits, features, doubt };
}

/** Frames to fit on, each weighing its share of its part, so that a part of many frames counts once. */
export interface WeightedRows {
  readonly rows: Int32Array;
  readonly weight: Float64Array;
}

export function weightedRows(frames: FramesByPart, parts: Int32Array): WeightedRows {
  const rows: number[] = [];
  const weight: number[] = [];
  for (const part of parts) {
    const from = frames.start[part]!;
    const to = frames.start[part + 1]!;
    for (let i = from; i < to; i++) {
      rows.push(frames.rows[i]!);
      weight.push(1 / (to - from));
    }
  }
  return { rows: Int32Array.from(rows), weight: Float64Array.from(weight) };
}

/**
 * Holds evidence to its shapes before anything is read from it.
 * @throws RangeError naming the column whose length or content does not fit
 */
export function checkEvidence(evidence: Evidence): void {
  const frames = evidence.part.length;
  const classes = evidence.classes.length;
  const expect = (name: string, found: number, expected: number): void => {
    if (found !== expected)
      throw new RangeError(`evidence.${name} has ${found} entries, expected ${expected}`);
  };
  if (classes === 0) throw new RangeError("evidence.classes is empty");
  expect("studentLogits", evidence.studentLogits.length, frames * classes);
  expect("teacherLogits", evidence.teacherLogits.length, frames * classes);
  if (evidence.features !== undefined) {
    if (!(evidence.featureCount > 0)) throw new RangeError("evidence.featureCount must be at least 1");
    expect("features", evidence.features.length, frames * evidence.featureCount);
  }
  if (evidence.doubt !== undefined) {
    if (!(evidence.doubtCount > 0)) throw new RangeError("evidence.doubtCount must be at least 1");
    expect("doubt", evidence.doubt.length, frames * evidence.doubtCount);
  }
  expect("largestGap", evidence.largestGap.length, frames);
  expect("teacherSwing", evidence.teacherSwing.length, frames);
  expect("studentSwing", evidence.studentSwing.length, frames);
  expect("label", evidence.label.length, frames);
  const held = new Uint8Array(evidence.splitOfPart.length);
  for (const part of evidence.part) {
    if (!(part >= 0 && part < held.length))
      throw new RangeError(`evidence.part names part ${part} of ${held.length}`);
    held[part] = 1;
  }
  const hole = held.indexOf(0);
  if (hole >= 0) throw new RangeError(`part ${hole} of the evidence has no frame`);
}
