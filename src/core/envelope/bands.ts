/** The teacher band: what the teacher was recorded to be sure of, at each confidence of the student. */

import { conformalQuantile } from "../statistics/conformal.ts";
import { isotonicSteps, stepAt } from "../statistics/isotonic.ts";
import type { TeacherBand } from "./types.ts";

/** Rate at which the teacher of a next part may lie outside the band. */
export const BAND_MISCOVERAGE = 0.1;

/** Student and teacher confidence in the student's class, frame by frame. */
export interface ConfidencePairs {
  readonly student: readonly number[];
  readonly teacher: readonly number[];
  readonly weight: readonly number[];
}

/**
 * Fits one class's step function m on fit-A; its half-width is still the widest, 1.
 * @returns one step at 1/2 where the class has no frame: with its half-width, anything at all
 */
export function fitBand({ student, teacher, weight }: ConfidencePairs): TeacherBand {
  if (student.length === 0) return { from: [0], teacher: [0.5], halfWidth: 1 };
  const steps = isotonicSteps(student, teacher, weight);
  const from = Array.from(steps.from);
  from[0] = 0;
  return { from, teacher: Array.from(steps.value), halfWidth: 1 };
}

/** The middle of the band at the student's confidence. */
export function bandMiddle(band: TeacherBand, confidence: number): number {
  return band.teacher[stepAt(band.from, confidence)]!;
}

/**
 * Sets the half-width q on parts of fit-C.
 * @param residuals of each part: the largest |teacher - m(student)| over its frames of this class
 * @returns the band; where too few parts are recorded its half-width is 1, which no difference exceeds
 */
export function withHalfWidth(band: TeacherBand, residuals: readonly number[]): TeacherBand {
  return { ...band, halfWidth: Math.min(1, conformalQuantile(residuals, BAND_MISCOVERAGE)) };
}
