/** Which recorded frames are kept to be looked at: for each class those nearest to some of its prototypes. */

import { argmax, softmax } from "../confidence.ts";
import { createProjector } from "./projection.ts";
import type { Evidence, FittedEnvelope } from "./types.ts";

/** A recorded frame, as a person is shown it beside one of theirs. */
export interface GalleryFrame {
  /** Row of the evidence, and of the frames that it was recorded of. */
  readonly row: number;
  /** The student's class. */
  readonly classIndex: number;
  readonly confidenceStudent: number;
  /** The teacher's confidence in that class. */
  readonly confidenceTeacher: number;
  /** [outputs of the projection] */
  readonly place: Float64Array;
}

/**
 * Chooses frames of fit: cal and ref are for counting, and nobody needs to see them.
 * @param perClass at most so many of each class, spread over its prototypes
 */
export function chooseGallery(
  evidence: Evidence,
  envelope: Pick<FittedEnvelope, "temperature" | "projection" | "prototypes">,
  perClass: number,
): readonly GalleryFrame[] {
  const { outputs } = envelope.projection;
  const { classStart, points } = envelope.prototypes;
  const placed = placedFrames(evidence, envelope);
  return evidence.classes.flatMap((_, c) => {
    const own = placed.filter(({ classIndex }) => classIndex === c);
    const [first, end] = [classStart[c]!, classStart[c + 1]!];
    const wanted = Math.min(perClass, end - first);
    const chosen = new Map<number, GalleryFrame>();
    for (let i = 0; i < wanted; i++) {
      const prototype = first + Math.floor((i * (end - first)) / wanted);
      const nearest = nearestTo(points.subarray(prototype * outputs, (prototype + 1) * outputs), own);
      if (nearest !== undefined) chosen.set(nearest.row, nearest);
    }
    return [...chosen.values()];
  });
}

function placedFrames(
  { classes, studentLogits, teacherLogits, features, part, splitOfPart }: Evidence,
  { temperature, projection }: Pick<FittedEnvelope, "temperature" | "projection">,
): GalleryFrame[] {
  const project = createProjector(projection);
  const [student, teacher] = [new Float64Array(classes.length), new Float64Array(classes.length)];
  const placed: GalleryFrame[] = [];
  for (const [row, of] of part.entries()) {
    if (splitOfPart[of] !== "fit") continue;
    softmax(studentLogits, row, classes.length, temperature, student);
    softmax(teacherLogits, row, classes.length, 1, teacher);
    const classIndex = argmax(student);
    const place = new Float64Array(projection.outputs);
    if (classIndex < 0 || argmax(teacher) < 0 || !project(student, features, row, place)) continue;
    const [confidenceStudent, confidenceTeacher] = [student[classIndex]!, teacher[classIndex]!];
    placed.push({ row, classIndex, confidenceStudent, confidenceTeacher, place });
  }
  return placed;
}

function nearestTo(point: Float32Array, frames: readonly GalleryFrame[]): GalleryFrame | undefined {
  let nearest: GalleryFrame | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const frame of frames) {
    const distance = point.reduce((sum, value, d) => sum + (value - frame.place[d]!) ** 2, 0);
    if (distance < least) [nearest, least] = [frame, distance];
  }
  return nearest;
}
