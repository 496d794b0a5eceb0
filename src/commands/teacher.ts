/** The teacher that a command is given: the model itself, or what it said elsewhere; never a wrong one. */

import { readFileSync } from "node:fs";
import { type Bundle, sha256 } from "../bundle/bundle.ts";
import type { Manifest } from "../bundle/manifest.ts";
import { readTeacherOutputs, type TeacherOutputs } from "../bundle/teacher-outputs.ts";
import type { FrameSpec } from "../core/frame.ts";
import { openStudent, type Student } from "../engine/student.ts";
import { teacherSpec } from "./models.ts";
import { Refusal } from "./terminal.ts";

export interface TeacherOptions {
  /** teacher.onnx */
  readonly teacher?: string;
  /** outputs.npz */
  readonly teacherOutputs?: string;
}

/** The one file that the options name. */
export function teacherFileOf(command: string, { teacher, teacherOutputs }: TeacherOptions): string {
  const file = teacher ?? teacherOutputs;
  if (file === undefined || (teacher !== undefined && teacherOutputs !== undefined)) {
    throw new Refusal(`${command}: name the teacher by one of --teacher and --teacher-outputs`);
  }
  return file;
}

/** Digest of the file that names the teacher, which is not the student and not another than the bundle's. */
export function teacherDigest(file: string, options: TeacherOptions, { folder, manifest }: Bundle): string {
  const digest = sha256(readFileSync(file));
  if (digest === manifest.student.sha256) {
    throw new Refusal(
      `${file} is the student itself; --teacher takes the large model that it was distilled from`,
    );
  }
  const isOther =
    options.teacher !== undefined && manifest.teacher !== undefined && manifest.teacher.sha256 !== digest;
  if (isOther) {
    throw new Refusal(
      `${file} is not the teacher that ${folder} names (${manifest.teacher!.file}, ${manifest.teacher!.sha256})`,
    );
  }
  return digest;
}

/** @param frames how many the teacher outputs must be for */
export async function openTeacher(
  { teacher, teacherOutputs }: TeacherOptions,
  manifest: Manifest,
  spec: FrameSpec,
  frames: number,
): Promise<Student | TeacherOutputs> {
  if (teacherOutputs !== undefined) {
    return readTeacherOutputs(teacherOutputs, spec, frames, manifest.classes.length);
  }
  try {
    return await openStudent(readFileSync(teacher!), teacherSpec(manifest));
  } catch (error) {
    throw new Refusal(`${teacher}: as the teacher of ${manifest.name}: ${(error as Error).message}`);
  }
}
