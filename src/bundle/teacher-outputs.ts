/** Teacher outputs made elsewhere: `outputs.npz`, checked against the frames they are for. */

import { type FrameSpec, frameLength } from "../core/frame.ts";
import { checkShape, checkValues } from "./frames.ts";
import { type NpyArray, NpzError, readNpz } from "./npz.ts";

export interface TeacherOutputs {
  /** J; 0 where the file has no neighbourhood: what is recorded from it is frame-only. */
  readonly copies: number;
  /** Logits of frames start .. start + count - 1, each followed by its copies: [count * (1 + J), K]. */
  logitsOf(start: number, count: number): Float32Array;
  /** Writes the J copies of frame i, before preprocessing. */
  writeCopies(i: number, out: Float32Array): void;
}

/** @throws NpzError that names the array, what was expected and found */
export async function readTeacherOutputs(
  file: string,
  spec: FrameSpec,
  frames: number,
  classes: number,
): Promise<TeacherOutputs> {
  const arrays = await readNpz(file, file);
  const logits = arrays.get("teacher_logits");
  if (logits === undefined) {
    throw new NpzError(
      `${file}: expected an array "teacher_logits", found ${[...arrays.keys()].join(", ") || "none"}`,
    );
  }
  expectShape(file, "teacher_logits", logits, [frames, classes]);
  const around = arrays.get("teacher_logits_neighbourhood");
  const copiesOf = arrays.get("frames_neighbourhood");
  if ((around === undefined) !== (copiesOf === undefined)) {
    throw new NpzError(
      `${file}: "teacher_logits_neighbourhood" and "frames_neighbourhood" go together; one is missing`,
    );
  }
  const copies = around?.shape[1] ?? 0;
  if (around !== undefined && copiesOf !== undefined) {
    expectShape(file, "teacher_logits_neighbourhood", around, [frames, copies, classes]);
    if (copiesOf.shape[0] !== frames || copiesOf.shape[1] !== copies) {
      throw new NpzError(
        `${file}: "frames_neighbourhood" has shape (${copiesOf.shape}), expected (${frames},${copies},...)`,
      );
    }
    checkShape(file, "frames_neighbourhood", copiesOf.shape.slice(2), spec);
    checkValues(file, "frames_neighbourhood", copiesOf, spec);
  }
  const length = frameLength(spec);
  return {
    copies,
    logitsOf(start, count) {
      const rows = new Float32Array(count * (1 + copies) * classes);
      for (let i = 0; i < count; i++) {
        const row = i * (1 + copies) * classes;
        copy(logits, (start + i) * classes, classes, rows, row);
        if (around !== undefined)
          copy(around, (start + i) * copies * classes, copies * classes, rows, row + classes);
      }
      return rows;
    },
    writeCopies(i, out) {
      if (copiesOf !== undefined) copy(copiesOf, i * copies * length, copies * length, out, 0);
    },
  };
}

function expectShape(file: string, name: string, { shape }: NpyArray, expected: readonly number[]): void {
  if (shape.join() === expected.join()) return;
  throw new NpzError(
    `${file}: "${name}" has shape (${shape}), expected (${expected}): frames, classes as in the bundle`,
  );
}

function copy({ values }: NpyArray, from: number, count: number, out: Float32Array, at: number): void {
  for (let i = 0; i < count; i++) out[at + i] = Number(values[from + i]);
}
