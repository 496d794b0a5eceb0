/** `gallery.npz`: some of the frames that a bundle was recorded on, for a person to compare theirs with. Optional. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { GalleryFrame } from "../core/envelope/gallery.ts";
import { type FrameSpec, frameLength } from "../core/frame.ts";
import { sha256 } from "./bundle.ts";
import { frameSpecOf, type Manifest } from "./manifest.ts";
import { type NpyArray, NpzError, readNpz } from "./npz.ts";
import { type NpyType, openNpzWriter } from "./npz-writer.ts";

export interface Gallery {
  /** The frames one after another, in the bundle's type. */
  readonly frames: Uint8Array | Int16Array | Float32Array;
  readonly classIndex: Int32Array;
  readonly confidenceStudent: Float32Array;
  readonly confidenceTeacher: Float32Array;
  /** [frames, outputs of the projection] row-major. */
  readonly places: Float32Array;
}

export const GALLERY_FILE = "gallery.npz";
/** What a bundle may ask a gateway to hold for those who look. */
const BYTES_MAX = 16 * 2 ** 20;

const KINDS = {
  u8: { npy: "|u1", array: Uint8Array },
  i16: { npy: "<i2", array: Int16Array },
  f32: { npy: "<f4", array: Float32Array },
} as const;

function kindOf(spec: FrameSpec): (typeof KINDS)[keyof typeof KINDS] {
  return KINDS[spec.kind === "image" ? "u8" : spec.type];
}

/** Bytes that one frame takes in the file. */
export function galleryFrameBytes(spec: FrameSpec, outputs: number): number {
  return frameLength(spec) * kindOf(spec).array.BYTES_PER_ELEMENT + 2 + 4 + 4 + 4 * outputs;
}

/** @param valuesOf the numbers of a frame by its row */
export function writeGallery(
  path: string,
  spec: FrameSpec,
  outputs: number,
  frames: readonly GalleryFrame[],
  valuesOf: (row: number) => ArrayLike<number>,
): void {
  const { npy, array } = kindOf(spec);
  const shape = spec.kind === "image" ? [spec.height, spec.width, spec.channels] : spec.shape;
  const writer = openNpzWriter(path);
  const append = (values: ArrayBufferView): void =>
    writer.append(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  try {
    writer.array("frames", npy, shape);
    for (const { row } of frames) append(array.from(valuesOf(row)));
    const columns: readonly (readonly [string, NpyType, ArrayBufferView])[] = [
      ["class_index", "<i2", Int16Array.from(frames, (one) => one.classIndex)],
      ["confidence_student", "<f4", Float32Array.from(frames, (one) => one.confidenceStudent)],
      ["confidence_teacher", "<f4", Float32Array.from(frames, (one) => one.confidenceTeacher)],
    ];
    for (const [name, type, values] of columns) {
      writer.array(name, type, []);
      append(values);
    }
    writer.array("places", "<f4", [outputs]);
    for (const { place } of frames) append(Float32Array.from(place));
    writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/**
 * Reads a bundle's gallery against its digest.
 * @param outputs of the envelope's projection
 * @returns undefined where the bundle has none
 * @throws NpzError if it is not the file that the bundle was made with, or does not fit the bundle
 */
export async function readGallery(
  folder: string,
  manifest: Manifest,
  outputs: number,
): Promise<Gallery | undefined> {
  if (manifest.gallery === undefined) return undefined;
  const path = join(folder, manifest.gallery.file);
  const { size } = statSync(path);
  if (size > BYTES_MAX) throw new NpzError(`${path}: expected at most ${BYTES_MAX} bytes, found ${size}`);
  const bytes = readFileSync(path);
  if (sha256(bytes) !== manifest.gallery.sha256)
    throw new NpzError(`${path}: is not the file that this bundle was made with; make the gallery again`);
  const arrays = await readNpz(bytes, path);
  const spec = frameSpecOf(manifest.frame);
  const count = arrays.get("class_index")?.values.length ?? 0;
  const column = <T extends NpyArray["values"]>(
    name: string,
    Kind: new (...args: never[]) => T,
    length: number,
  ): T => {
    const values = arrays.get(name)?.values;
    if (values instanceof Kind && values.length === length) return values;
    throw new NpzError(`${path}: expected an array "${name}" of ${length} ${Kind.name.replace("Array", "")}`);
  };
  const classIndex = Int32Array.from(column("class_index", Int16Array, count));
  if (classIndex.some((c) => c < 0 || c >= manifest.classes.length))
    throw new NpzError(`${path}: names a class that the bundle does not have`);
  const frames: Gallery["frames"] = column<Gallery["frames"]>(
    "frames",
    kindOf(spec).array as new () => Gallery["frames"],
    count * frameLength(spec),
  );
  return {
    ...{ frames, classIndex },
    confidenceStudent: column("confidence_student", Float32Array, count),
    confidenceTeacher: column("confidence_teacher", Float32Array, count),
    places: column("places", Float32Array, count * outputs),
  };
}
