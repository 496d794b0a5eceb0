/** What the epsilon neighbourhood of one frame shows: the largest gap, and how far each model moves in it. */

import { gap, softmax } from "./confidence.ts";

export interface NeighbourhoodFindings {
  /** Largest L-infinity gap between teacher and student, both at the same copy, the frame itself included. */
  readonly largestGap: number;
  /** Largest L-infinity move of each model from the frame to a copy. */
  readonly teacherSwing: number;
  readonly studentSwing: number;
}

/**
 * Compares the models over a frame and its copies. NaN in any logit gives NaN where it counts.
 * @param student logits [rows, K] row-major; row `start` is the frame, the next `copies` its neighbourhood
 * @param teacher likewise
 */
export function compareOverNeighbourhood(
  student: Float32Array,
  teacher: Float32Array,
  classes: number,
  start: number,
  copies: number,
): NeighbourhoodFindings {
  const [s0, t0, s, t] = [0, 1, 2, 3].map(() => new Float64Array(classes)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  softmax(student, start, classes, 1, s0);
  softmax(teacher, start, classes, 1, t0);
  let largestGap = gap(t0, s0);
  let teacherSwing = 0;
  let studentSwing = 0;
  for (let j = 1; j <= copies; j++) {
    softmax(student, start + j, classes, 1, s);
    softmax(teacher, start + j, classes, 1, t);
    largestGap = Math.max(largestGap, gap(t, s));
    teacherSwing = Math.max(teacherSwing, gap(t, t0));
    studentSwing = Math.max(studentSwing, gap(s, s0));
  }
  return { largestGap, teacherSwing, studentSwing };
}
