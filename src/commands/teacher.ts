/** The teacher named on the command line: an ONNX file, or what it said elsewhere. */

import { readFileSync } from "node:fs";
import { type Bundle, sha256 } from "../bundle/bundle.ts";
import { frameSpecOf } from "../bundle/manifest.ts";
import { readTeacherOutputs, type TeacherOutputs } from "../bundle/teacher-outputs.ts";
import { openStudent, type Student } from "../engine/student.ts";
import { teacherSpec } from "./models.ts";
import { Refusal } from "./terminal.ts";

export interface TeacherOptions {
  /** teacher.onnx */
  readonly teacher?: string;
  /** outputs.npz */
  readonly teacherOutputs?: string;
}

export interface NamedTeacher {
  readonly file: string;
  readonly sha256: string;
  /** The model itself, or what it said elsewhere. */
  readonly teacher: Student | TeacherOutputs;
}

/** @returns the one file that names the teacher */
export function teacherFileOf(command: string, { teacher, teacherOutputs }: TeacherOptions): string {
  const file = teacher ?? teacherOutputs;
  if (file === undefined || (teacher !== undefined && teacherOutputs !== undefined)) {
    throw new Refusal(`${command}: name the teacher by one of --teacher and --teacher-outputs`);
  }
  return file;
}

/** @param frames how many there are, which outputs made elsewhere must match */
export async function openTeacher(
  command: string,
  options: TeacherOptions,
  { folder, manifest }: Bundle,
  frames: number,
): Promise<NamedTeacher> {
  const file = teacherFileOf(command, options);
  const bytes = readFileSync(file);
  const digest = sha256(bytes);
  if (options.teacherOutputs !== undefined) {
    const spec = frameSpecOf(manifest.frame);
    const teacher = await readTeacherOutputs(file, spec, frames, manifest.classes.length);
    return { file, sha256: digest, teacher };
  }
  if (digest === manifest.student.sha256) {
    throw new Refusal(
      `${file} is the student itself; --teacher takes the large model that it was distilled from`,
    );
  }
  if (manifest.teacher !== undefined && manifest.teacher.sha256 !== digest) {
    throw new Refusal(
      `${file} is not the teacher that ${folder} names (${manifest.teacher.file}, ${manifest.teacher.sha256})`,
    );
  }
  try {
    return { file, sha256: digest, teacher: await openStudent(bytes, teacherSpec(manifest)) };
  } catch (error) {
    throw new Refusal(`${file}: as the teacher of ${manifest.name}: ${(error as Error).message}`);
  }
}
