/** What labels say of recorded parts: where the teacher was wrong and the student copied it. */

import { softmax } from "../confidence.ts";
import { framesByPart } from "./cut.ts";
import type { Evidence } from "./types.ts";
import { finiteArgmax } from "./unfaithful.ts";

/** Labelled parts in columns [parts]; each counts once, however many frames it has. */
export interface LabelledParts {
  /** Index of each part in the evidence. */
  readonly part: Int32Array;
  /** 1 if at some frame both models give the same class and the label is another. */
  readonly copiedError: Uint8Array;
  /** The class that both models give at every frame; -1 where there is no such class. */
  readonly classIndex: Int16Array;
  /** The teacher's soft confidence in its class, at the frame where it is least sure; NaN where not finite. */
  readonly teacherConfidence: Float64Array;
}

/**
 * The labelled ones among the parts named. A part is labelled if every frame of it is, or if one frame alone shows a
 * copied error: so what is left out can only make the teacher look worse.
 */
export function labelledParts(evidence: Evidence, parts: Int32Array): LabelledParts {
  const frames = framesByPart(evidence);
  const known = Array.from(parts, (part) => ({
    part,
    ...readPart(evidence, frames.rows.subarray(frames.start[part]!, frames.start[part + 1]!)),
  })).filter(({ isLabelled }) => isLabelled);
  return {
    part: Int32Array.from(known, ({ part }) => part),
    copiedError: Uint8Array.from(known, ({ copiedError }) => (copiedError ? 1 : 0)),
    classIndex: Int16Array.from(known, ({ classIndex }) => classIndex),
    teacherConfidence: Float64Array.from(known, ({ teacherConfidence }) => teacherConfidence),
  };
}

function readPart(evidence: Evidence, rows: Int32Array) {
  const classes = evidence.classes.length;
  const p = new Float64Array(classes);
  let classIndex = -2;
  let copiedError = false;
  let everyFrameLabelled = true;
  let teacherConfidence = 1;
  for (const row of rows) {
    const label = evidence.label[row]!;
    const taught = finiteArgmax(evidence.teacherLogits, row, classes);
    const isCopied = taught >= 0 && taught === finiteArgmax(evidence.studentLogits, row, classes);
    const copied = isCopied ? taught : -1;
    if (!(label >= 0)) everyFrameLabelled = false;
    else if (isCopied && label !== taught) copiedError = true;
    classIndex = classIndex === -2 || classIndex === copied ? copied : -1;
    softmax(evidence.teacherLogits, row, classes, 1, p);
    teacherConfidence = Math.min(teacherConfidence, p[taught] ?? Number.NaN);
  }
  return { isLabelled: everyFrameLabelled || copiedError, classIndex, copiedError, teacherConfidence };
}
