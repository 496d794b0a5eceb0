/** Calibration frames from a folder of images, one folder a class: `DIR/CLASS/[PART__]anything.png`. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { type FrameSpec, frameLength } from "../core/frame.ts";
import { nearest } from "../schema/nearest.ts";
import { sha256 } from "./bundle.ts";
import type { CalibrationFrames } from "./frames.ts";

/** A folder that cannot be taken for frames, with the path that is wrong. */
export class ImageFolderError extends Error {
  override readonly name = "ImageFolderError";
}

/** Decodes one image as live frames are decoded; the problem is in words. */
export type DecodeImage = (
  bytes: Uint8Array,
) => Promise<{ readonly values: ArrayLike<number> } | { readonly problem: string }>;

interface ImageFile {
  /** CLASS/FILE, the frame's name. */
  readonly name: string;
  readonly label: number;
  /** What stands before `__` in the file's name. */
  readonly part: string | undefined;
}

/** Images decoded at a time while the folder is read. */
const BATCH_FRAMES = 32;

/**
 * Reads a folder of images, each once, so that what is no frame is refused before anything is recorded. Only what
 * `load` asked for is kept in memory.
 * @param progress told of images read
 * @throws ImageFolderError that names the path, what was expected and found
 */
export async function readImageFolder(
  folder: string,
  spec: FrameSpec,
  classes: readonly string[],
  decode: DecodeImage,
  progress: (done: number, total: number) => void,
): Promise<CalibrationFrames> {
  if (spec.kind !== "image") {
    throw new ImageFolderError(
      `${folder}: is a folder of images, and the bundle's frames are tensors; give them as frames.npz`,
    );
  }
  const files = imagesIn(folder, classes);
  checkParts(folder, files);
  const length = frameLength(spec);
  const decodeFile = async (i: number, out: Float32Array, row: number): Promise<string> => {
    const path = join(folder, files[i]!.name);
    const bytes = readFileSync(path);
    const decoded = await decode(bytes);
    if ("problem" in decoded) throw new ImageFolderError(`${path}: ${decoded.problem}`);
    out.set(decoded.values, row * length);
    return sha256(bytes);
  };
  const digests: string[] = [];
  const checked = new Float32Array(BATCH_FRAMES * length);
  for (let start = 0; start < files.length; start += BATCH_FRAMES) {
    const batch = files.slice(start, start + BATCH_FRAMES).map((_, i) => decodeFile(start + i, checked, i));
    digests.push(...(await Promise.all(batch)));
    progress(digests.length, files.length);
  }
  let loaded = { start: 0, values: new Float32Array(0) };
  return {
    count: files.length,
    sha256: sha256(Buffer.from(files.map(({ name }, i) => `${digests[i]}  ${name}\n`).join(""))),
    async load(start, count) {
      const values = new Float32Array(count * length);
      const again = await Promise.all(
        Array.from({ length: count }, (_, i) => decodeFile(start + i, values, i)),
      );
      const changed = again.findIndex((digest, i) => digest !== digests[start + i]);
      if (changed >= 0) {
        throw new ImageFolderError(
          `${join(folder, files[start + changed]!.name)}: changed while it was being recorded; record again`,
        );
      }
      loaded = { start, values };
    },
    values(i) {
      const at = (i - loaded.start) * length;
      if (at >= 0 && at + length <= loaded.values.length) return loaded.values.subarray(at, at + length);
      throw new RangeError(`frame ${i} is not loaded`);
    },
    names: files.map(({ name }) => name),
    labels: Int16Array.from(files, ({ label }) => label),
    parts: files.map(({ name, part }) => part ?? name),
    partsKnown: files.every(({ part }) => part !== undefined),
    lots: undefined,
    splits: undefined,
  };
}

/** All images, by class folder and file name in the order of their code units, which no locale changes. */
function imagesIn(folder: string, classes: readonly string[]): ImageFile[] {
  const files: ImageFile[] = [];
  for (const className of visible(folder)) {
    const path = join(folder, className);
    const label = classes.indexOf(className);
    if (!statSync(path).isDirectory()) {
      throw new ImageFolderError(`${path}: expected folders here, one a class, with the images in them`);
    }
    if (label < 0) {
      const close = nearest(className, classes);
      throw new ImageFolderError(
        `${path}: the bundle has no class "${className}"; ${close === undefined ? `its classes are ${classes.join(", ")}` : `did you mean "${close}"?`}`,
      );
    }
    for (const file of visible(path)) {
      if (!statSync(join(path, file)).isFile()) {
        throw new ImageFolderError(`${join(path, file)}: expected images here, found something else`);
      }
      const at = file.indexOf("__");
      files.push({ name: `${className}/${file}`, label, part: at > 0 ? file.slice(0, at) : undefined });
    }
  }
  if (files.length === 0) {
    throw new ImageFolderError(
      `${folder}: expected folders named as the classes (${classes.join(", ")}) with images in them, found none`,
    );
  }
  return files;
}

/** Names that are not hidden, in order. */
function visible(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !basename(name).startsWith("."))
    .sort();
}

/** One name in two class folders is more likely two parts that are numbered alike than one of two classes. */
function checkParts(folder: string, files: readonly ImageFile[]): void {
  const first = new Map<string, ImageFile>();
  for (const file of files) {
    if (file.part === undefined) continue;
    const known = first.get(file.part) ?? file;
    first.set(file.part, known);
    if (known.label === file.label) continue;
    throw new ImageFolderError(
      `${folder}: ${known.name} and ${file.name} both name part "${file.part}", in two classes; ` +
        "give every part a name of its own over all class folders",
    );
  }
}
