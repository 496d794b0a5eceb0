/** What a reader of an evaluation must know besides its numbers. */

import type { CalibrationFrames } from "../../bundle/frames.ts";
import type { TeacherOptions } from "../teacher.ts";

/** @param evidenceParts names of the parts of the evidence, in its order */
export function notesOn(
  { teacherOutputs }: TeacherOptions,
  frames: CalibrationFrames,
  evidenceParts: readonly string[],
): string[] {
  const notes: string[] = [];
  if (teacherOutputs !== undefined) {
    notes.push(
      "The teacher's outputs were made elsewhere; that the teacher of the evidence made them is taken on trust.",
    );
  }
  const shared = sharedNames(new Set(frames.parts), evidenceParts);
  if (shared > 0) {
    notes.push(
      `${shared} of the parts bear names that the evidence has too: if they are the same things, they have been seen, and this evaluation flatters.`,
    );
  }
  return notes;
}

/** Parts without ids are named by their rows, which say nothing of what they are. */
function sharedNames(parts: ReadonlySet<string>, evidenceParts: readonly string[]): number {
  const isNamed = (names: readonly string[]): boolean => names.some((name, i) => name !== String(i));
  if (!isNamed([...parts]) || !isNamed(evidenceParts)) return 0;
  return evidenceParts.filter((name) => parts.has(name)).length;
}
