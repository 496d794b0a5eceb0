/** A bundle of pictures or signals, its teacher, and frames to record with them. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { expect } from "vitest";
import { sekisho } from "./cli.ts";
import { npy, npz } from "./npz.ts";
import { aPicture, SIDE } from "./pictures.ts";
import { tinyOnnx } from "./tiny-onnx.ts";

export const PARTS = 60;

export interface Workshop {
  readonly bundle: string;
  path(name: string): string;
  /** Writes an .npz and names it. */
  arrays(name: string, arrays: Record<string, Buffer>): string;
  record(...options: string[]): ReturnType<typeof sekisho>;
}

/** A bundle for pictures of 24 x 24 pixels and two classes, or for signals, with a teacher beside it. */
export async function aWorkshop(inputShape: readonly number[] = [1, SIDE, SIDE]): Promise<Workshop> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-record-"));
  const path = (name: string): string => join(folder, name);
  const model = { inputShape, classes: 2, featureCount: 3 };
  writeFileSync(path("student.onnx"), tinyOnnx({ ...model, seed: 5 }));
  writeFileSync(path("teacher.onnx"), tinyOnnx({ ...model, featureCount: 0, seed: 5 }));
  const bundle = path("bundle");
  const made = await sekisho([
    ...["bundle", "new", bundle, "--student", path("student.onnx"), "--classes", "good,scratched"],
  ]);
  expect(made.stderr).toBe("");
  return {
    bundle,
    path,
    arrays(name, arrays) {
      writeFileSync(path(name), npz(arrays));
      return path(name);
    },
    record: (...options) => sekisho(["record", bundle, "--teacher", path("teacher.onnx"), ...options]),
  };
}

/** Pictures as an array of an .npz. */
export function pictures(rows: readonly Float32Array[]): Buffer {
  return npy([rows.length, SIDE, SIDE], Uint8Array.from(rows.flatMap((row) => [...row])));
}

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** One picture of each part. */
export const differentParts = range(PARTS).map((part) => aPicture(part));

/** Runs to the end; the one JSON document, and what was said beside it. */
export async function done(
  run: ReturnType<typeof sekisho>,
): Promise<{ json: Record<string, never>; stderr: string }> {
  const { status, stdout, stderr } = await run;
  if (status !== 0) throw new Error(`${status}\n${stdout}\n${stderr}`);
  return { json: JSON.parse(stdout), stderr };
}

/** Runs to a refusal that leaves the bundle as it was. */
export async function refused({ bundle }: Workshop, run: () => ReturnType<typeof sekisho>): Promise<string> {
  const before = readdirSync(bundle);
  const manifest = readFileSync(join(bundle, "bundle.json"), "utf8");
  const { status, stdout, stderr } = await run();
  expect(stdout).toBe("");
  expect(status).toBe(1);
  expect(readdirSync(bundle)).toEqual(before);
  expect(before).not.toContain("evidence.sqlite.partial");
  expect(readFileSync(join(bundle, "bundle.json"), "utf8")).toBe(manifest);
  return stderr;
}

/** A folder of images: of each class, files by name. */
export function imageFolder(workshop: Workshop, files: Readonly<Record<string, Uint8Array>>): string {
  const folder = workshop.path("images");
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  return folder;
}

export function encoded(picture: Float32Array, format: "png" | "jpeg", side = SIDE): Promise<Buffer> {
  const image = sharp(Uint8Array.from(picture), { raw: { width: side, height: side, channels: 1 } });
  return image.toColourspace("b-w").toFormat(format).toBuffer();
}
