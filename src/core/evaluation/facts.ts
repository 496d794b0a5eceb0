/** Frame by frame what student and teacher said, for the pictures of a report. */

import { softmax } from "../confidence.ts";
import type { Evidence } from "../envelope/types.ts";
import { finiteArgmax, unfaithfulFrames } from "../envelope/unfaithful.ts";

/** One held-out frame on which both models gave finite numbers. */
export interface FrameFacts {
  /** Row number in the frames file. */
  readonly row: number;
  readonly studentClass: number;
  readonly teacherClass: number;
  /** Of each model in its own class. */
  readonly studentConfidence: number;
  readonly teacherConfidence: number;
  /** The teacher's confidence in the student's class. */
  readonly teacherInStudentClass: number;
  /** Largest over the frame and its copies; NaN where a copy's was not finite. */
  readonly gap: number;
  readonly isUnfaithful: boolean;
  /** Whether its part passed. */
  readonly isPassed: boolean;
  /** True class; -1 where unknown. */
  readonly label: number;
}

/**
 * @param passes 1 for each part that passes [parts]
 * @returns in the order of rows; frames with logits that are not finite are left out
 */
export function frameFacts(heldOut: Evidence, delta: number, passes: Uint8Array): FrameFacts[] {
  const classes = heldOut.classes.length;
  const unfaithful = unfaithfulFrames(heldOut, delta);
  const student = new Float64Array(classes);
  const teacher = new Float64Array(classes);
  const facts: FrameFacts[] = [];
  heldOut.part.forEach((part, row) => {
    const studentClass = finiteArgmax(heldOut.studentLogits, row, classes);
    const teacherClass = finiteArgmax(heldOut.teacherLogits, row, classes);
    if (studentClass < 0 || teacherClass < 0) return;
    softmax(heldOut.studentLogits, row, classes, 1, student);
    softmax(heldOut.teacherLogits, row, classes, 1, teacher);
    facts.push({
      row,
      studentClass,
      teacherClass,
      studentConfidence: student[studentClass]!,
      teacherConfidence: teacher[teacherClass]!,
      teacherInStudentClass: teacher[studentClass]!,
      gap: heldOut.largestGap[row]!,
      isUnfaithful: unfaithful[row] === 1,
      isPassed: passes[part] === 1,
      label: heldOut.label[row]!,
    });
  });
  return facts;
}
