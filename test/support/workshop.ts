/** A bundle on its way from an ONNX file to a certificate, made by the commands that a process engineer types. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../src/core/random.ts";
import { sekisho } from "./cli.ts";
import { npy, npz } from "./npz.ts";
import { tinyOnnx } from "./tiny-onnx.ts";

export const SIDES = 8;
export const RECORDED_FRAMES = 1200;

export interface Workshop {
  readonly bundle: string;
  path(name: string): string;
  /** Writes frames.npz files and the like. */
  put(name: string, arrays: Readonly<Record<string, Buffer>>): string;
}

/** Frames that no other seed gives. */
export function someFrames(count: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count * SIDES }, () => 6 * (random.next() - 0.5));
}

/**
 * A student of two classes with a bundle, frames to record, and its twin without features for a teacher.
 * @param seed another makes another student
 */
export async function aWorkshop(classes = "good,bad", seed = 5): Promise<Workshop> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-workshop-"));
  const path = (name: string): string => join(folder, name);
  const put = (name: string, arrays: Readonly<Record<string, Buffer>>): string => {
    writeFileSync(path(name), npz(arrays));
    return path(name);
  };
  put("frames.npz", { frames: npy([RECORDED_FRAMES, SIDES], someFrames(RECORDED_FRAMES, 1)) });
  const model = { inputShape: [SIDES], classes: 2, featureCount: 3 };
  writeFileSync(path("student.onnx"), tinyOnnx({ ...model, seed }));
  writeFileSync(path("teacher.onnx"), tinyOnnx({ ...model, featureCount: 0, seed }));
  writeFileSync(path("stranger.onnx"), tinyOnnx({ ...model, featureCount: 0, seed: 99 }));
  await done("bundle", "new", path("bundle"), "--student", path("student.onnx"), "--classes", classes);
  return { bundle: path("bundle"), path, put };
}

/** A workshop whose bundle is recorded, by its teacher or as told, and certified. */
export async function aCertifiedWorkshop(
  teacher = (workshop: Workshop): string[] => ["--teacher", workshop.path("teacher.onnx")],
  classes?: string,
  seed?: number,
): Promise<Workshop> {
  const workshop = await aWorkshop(classes, seed);
  await done("record", workshop.bundle, "--frames", workshop.path("frames.npz"), ...teacher(workshop));
  await done("certify", workshop.bundle, "--alpha", "0.05");
  return workshop;
}

/** Standard output of a command that succeeds. */
export async function done(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await sekisho(args);
  if (status !== 0) throw new Error(`${args.join(" ")}: ${status}\n${stdout}\n${stderr}`);
  return stdout;
}
