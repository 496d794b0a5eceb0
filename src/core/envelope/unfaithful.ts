/** U: which recorded frames and parts were unfaithful, at a tolerance on the gap. */

import type { Evidence } from "./types.ts";

/**
 * U of each frame: teacher and student disagree on the class at the frame, or the largest gap over its
 * neighbourhood exceeds delta. Whatever is not finite counts as unfaithful.
 * @param evidence N frames
 * @param delta tolerance on the gap, in [0, 1]
 * @returns 0 or 1 for each frame [N]
 * @throws RangeError if delta is outside [0, 1]
 */
export function unfaithfulFrames(evidence: Evidence, delta: number): Uint8Array {
  if (!(delta >= 0 && delta <= 1)) throw new RangeError(`delta lies in [0, 1], got ${delta}`);
  const classes = evidence.classes.length;
  return Uint8Array.from(evidence.largestGap, (gap, row) => {
    const student = finiteArgmax(evidence.studentLogits, row, classes);
    const teacher = finiteArgmax(evidence.teacherLogits, row, classes);
    const faithful = student >= 0 && student === teacher && gap <= delta;
    return faithful ? 0 : 1;
  });
}

/**
 * Below this delta the teacher would call itself unfaithful: a quantile of its own largest move over the
 * neighbourhood, over the parts of fit, each counted by its frame that moved most.
 * @param evidence N frames
 * @param quantile the share of parts that move no more, in [0, 1]
 * @returns L-infinity move in [0, 1]; NaN where fit has no part, Infinity where the quantile is not finite
 * @throws RangeError if quantile is outside [0, 1]
 */
export function deltaFloor(evidence: Evidence, quantile = 0.9): number {
  if (!(quantile >= 0 && quantile <= 1)) throw new RangeError(`a quantile lies in [0, 1], got ${quantile}`);
  const swingOfPart = new Float64Array(evidence.splitOfPart.length);
  evidence.teacherSwing.forEach((swing, row) => {
    const part = evidence.part[row]!;
    swingOfPart[part] = Number.isFinite(swing)
      ? Math.max(swingOfPart[part]!, swing)
      : Number.POSITIVE_INFINITY;
  });
  const swings = swingOfPart.filter((_, part) => evidence.splitOfPart[part] === "fit").sort();
  if (swings.length === 0) return Number.NaN;
  return swings[Math.max(0, Math.ceil(quantile * swings.length) - 1)]!;
}

/**
 * The first index of the largest of one row's logits.
 * @param logits [N, K] row-major
 * @returns index in 0..K-1; -1 where any of them is not finite
 */
export function finiteArgmax(logits: ArrayLike<number>, row: number, classes: number): number {
  const start = row * classes;
  let best = -1;
  let largest = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) {
    const value = logits[start + c]!;
    if (!Number.isFinite(value)) return -1;
    if (value > largest) {
      largest = value;
      best = c;
    }
  }
  return best;
}
