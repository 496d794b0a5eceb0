/** Recording: student and teacher over every frame and its epsilon neighbourhood, in batches, into a sink. */

import type { FrameRow } from "../bundle/evidence.ts";
import type { CalibrationFrames } from "../bundle/frames.ts";
import type { TeacherOutputs } from "../bundle/teacher-outputs.ts";
import { type FrameSpec, frameLength } from "../core/frame.ts";
import { compareOverNeighbourhood } from "../core/neighbourhood.ts";
import { type NeighbourhoodRecipe, writeNeighbourhood } from "../core/nuisance.ts";
import type { Preprocessor } from "../engine/preprocess.ts";
import type { Student } from "../engine/student.ts";
import type { Progress } from "./terminal.ts";

/** Where recorded rows go: evidence, or memory. */
export interface RecordingSink {
  /** Frames that it holds already. */
  readonly recorded: number;
  append(rows: readonly FrameRow[]): void;
}

export interface Recording {
  readonly frames: CalibrationFrames;
  /** Index of the part of each frame. */
  readonly partOf: Int32Array;
  readonly spec: FrameSpec;
  readonly preprocessor: Preprocessor;
  readonly student: Student;
  /** The teacher itself, or what it said elsewhere. */
  readonly teacher: Student | TeacherOutputs;
  readonly recipe: NeighbourhoodRecipe;
  readonly sink: RecordingSink;
  readonly progress: Progress;
}

const BATCH_FRAMES = 32;

/** Records what is not recorded yet; each batch is one transaction, so that an interrupted run can go on. */
export async function recordFrames(recording: Recording): Promise<void> {
  const { frames, sink, progress, recipe, preprocessor } = recording;
  const tensor = new Float32Array(BATCH_FRAMES * (1 + recipe.copies) * preprocessor.length);
  for (let start = sink.recorded; start < frames.count; start += BATCH_FRAMES) {
    await recordBatch(recording, start, Math.min(BATCH_FRAMES, frames.count - start), tensor);
    progress.at(Math.min(frames.count, start + BATCH_FRAMES));
  }
}

async function recordBatch(
  recording: Recording,
  start: number,
  count: number,
  tensor: Float32Array,
): Promise<void> {
  const { frames, partOf, student, teacher, recipe, sink } = recording;
  const copies = recipe.copies;
  const rowsPerFrame = 1 + copies;
  await frames.load(start, count);
  writeRows(recording, start, count, tensor);
  const k = student.spec.classes;
  const f = student.spec.featureCount;
  const d = student.spec.doubtCount;
  const own = await student.run(tensor, count * rowsPerFrame);
  const taught =
    "logitsOf" in teacher
      ? teacher.logitsOf(start, count)
      : (await teacher.run(tensor, count * rowsPerFrame)).logits;
  sink.append(
    Array.from({ length: count }, (_, i) => {
      const row = i * rowsPerFrame;
      return {
        frame: start + i,
        part: partOf[start + i]!,
        label: frames.labels[start + i]!,
        studentLogits: own.logits.slice(row * k, (row + 1) * k),
        teacherLogits: taught.slice(row * k, (row + 1) * k),
        features: own.features?.slice(row * f, (row + 1) * f),
        doubt: own.doubt?.slice(row * d, (row + 1) * d),
        ...compareOverNeighbourhood(own.logits, taught, k, row, copies),
      };
    }),
  );
}

/** Writes each frame and its copies, preprocessed, into the tensor. */
function writeRows(
  { frames, spec, preprocessor, teacher, recipe }: Recording,
  start: number,
  count: number,
  tensor: Float32Array,
): void {
  const neighbourhood = new Float32Array(recipe.copies * frameLength(spec));
  for (let i = 0; i < count; i++) {
    const values = frames.values(start + i);
    if ("logitsOf" in teacher) teacher.writeCopies(start + i, neighbourhood);
    else writeNeighbourhood(values, spec, recipe, start + i, neighbourhood);
    writeFrame(preprocessor, values, neighbourhood, tensor, i * (1 + recipe.copies));
  }
}

/** Writes one frame, and behind it its copies, preprocessed, into the tensor from a row on. */
export function writeFrame(
  preprocessor: Preprocessor,
  values: Float32Array,
  neighbourhood: Float32Array,
  tensor: Float32Array,
  row: number,
): void {
  preprocessor.write(values, tensor, row);
  for (let at = 0, j = 1; at < neighbourhood.length; at += values.length, j++)
    preprocessor.write(neighbourhood.subarray(at, at + values.length), tensor, row + j);
}
