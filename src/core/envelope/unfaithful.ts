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
export function unfaithfulFrames(
  evidence: Pick<Evidence, "classes" | "studentLogits" | "teacherLogits" | "largestGap">,
  delta: number,
): Uint8Array {
  if (!(delta >= 0 && delta <= 1)) throw new RangeError(`delta lies in [0, 1], got ${delta}`);
  const classes = evidence.classes.length;
  return Uint8Array.from(evidence.largestGap, (gap, row) => {
    const student = finiteArgmax(evidence.studentLogits, row, classes);
    const teacher = finiteArgmax(evidence.teacherLogits, row, classes);
    const faithful = student >= 0 && student === teacher && gap >= 0 && gap <= delta;
    return faithful ? 0 : 1;
  });
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
