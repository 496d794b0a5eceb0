/** Calibration frames: the arrays of a `frames.npz`, checked against each other and against the bundle. */

import { readFileSync } from "node:fs";
import type { Split } from "../core/envelope/types.ts";
import { type FrameRows, type FrameSpec, frameLength } from "../core/frame.ts";
import { sha256 } from "./bundle.ts";
import { type NpyArray, NpzError, readNpz } from "./npz.ts";

export interface CalibrationFrames extends FrameRows {
  /** Of the file; for a folder, of the names and digests of its images. */
  readonly sha256: string;
  /** Class of each frame; -1 where unknown. */
  readonly labels: Int16Array;
  /** Name of the part that each frame shows; without part ids every frame is its own part. */
  readonly parts: readonly string[];
  /** Whether `parts` holds the plant's own part ids. */
  readonly partsKnown: boolean;
  readonly lots: readonly string[] | undefined;
  /** Split of each frame where the file names it. */
  readonly splits: readonly Split[] | undefined;
}

const SPLITS: readonly Split[] = ["fit", "cal", "ref"];

/** @throws NpzError that names the array, what was expected and found, and what to do */
export async function readFrames(
  file: string,
  spec: FrameSpec,
  classes: readonly string[],
): Promise<CalibrationFrames> {
  const arrays = await readNpz(file, file);
  const frames = arrays.get("frames");
  if (frames === undefined) {
    throw new NpzError(
      `${file}: expected an array "frames", found ${[...arrays.keys()].join(", ") || "none"}`,
    );
  }
  const count = frames.shape[0] ?? 0;
  if (count === 0) throw new NpzError(`${file}: "frames" has shape (${frames.shape}): it holds no frame`);
  checkShape(file, "frames", frames.shape.slice(1), spec);
  checkValues(file, "frames", frames, spec);
  const column = (name: string): readonly string[] | undefined => {
    const array = arrays.get(name);
    if (array === undefined) return undefined;
    if (array.shape.length !== 1 || array.shape[0] !== count) {
      throw new NpzError(
        `${file}: array "${name}" has shape (${array.shape}), expected (${count}), one for each frame`,
      );
    }
    return Array.from(array.values as Iterable<number | bigint>, String);
  };
  const parts = column("parts");
  return {
    count,
    sha256: sha256(readFileSync(file)),
    load: () => Promise.resolve(),
    values: rowsOf(frames, spec),
    labels: labelsOf(file, column("labels"), count, classes),
    parts: parts ?? Array.from({ length: count }, (_, i) => String(i)),
    partsKnown: parts !== undefined,
    lots: column("lots"),
    splits: column("split")?.map((code, i) => splitOf(file, code, i)),
  };
}

/** Checks the shape of one frame in an array; a grey image may come without its channel axis. */
export function checkShape(file: string, name: string, found: readonly number[], spec: FrameSpec): void {
  const full = spec.kind === "image" ? [spec.height, spec.width, spec.channels] : spec.shape;
  const accepted = [full, ...(full.at(-1) === 1 ? [full.slice(0, -1)] : [])];
  if (accepted.some((shape) => shape.join() === found.join())) return;
  const expected = accepted.map((shape) => `(${shape})`).join(" or ");
  throw new NpzError(`${file}: each of "${name}" has shape (${found}), the bundle's frames have ${expected}`);
}

/**
 * Checks that an array holds what live frames hold: finite numbers, for images on the scale of 0 to 255. Evidence
 * on another scale would describe frames that never come. A live frame that is not finite is rejected before the
 * student sees it; as evidence it would count as a part that a rule might have passed, and hide a broken sensor.
 */
export function checkValues(file: string, name: string, array: NpyArray, spec: FrameSpec): void {
  const { values } = array;
  if (values instanceof Uint8Array) return;
  const bad = rowsNotFinite(array);
  if (bad.length > 0) {
    const rows = bad.length > 3 ? `${bad.slice(0, 3).join(", ")}, ...` : bad.join(", ");
    throw new NpzError(
      `${file}: "${name}" is not finite in ${bad.length} of ${array.shape[0]} rows (${rows}); a live frame like that is rejected ` +
        "unjudged: find out why the sensor gave it, and leave these rows out of every array",
    );
  }
  if (spec.kind !== "image") return;
  let [least, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, Number(value));
    largest = Math.max(largest, Number(value));
  }
  if (least < 0 || largest > 255 || (largest <= 1 && largest > 0)) {
    throw new NpzError(
      `${file}: "${name}" lies in ${least} to ${largest}; images are recorded as the sensor gives them, 0 to 255 (scaling is preprocessing)`,
    );
  }
}

/** Rows of the first axis with a NaN or an infinity in them. */
function rowsNotFinite({ values, shape }: NpyArray): number[] {
  const length = values.length / shape[0]!;
  const isWhole = (row: number): boolean => {
    for (let i = row * length; i < (row + 1) * length; i++) {
      if (!Number.isFinite(Number(values[i]))) return false;
    }
    return true;
  };
  return Array.from({ length: shape[0]! }, (_, row) => row).filter((row) => !isWhole(row));
}

/** Row reader over an array whose rows are frames. */
export function rowsOf({ values }: NpyArray, spec: FrameSpec): (i: number) => Float32Array {
  const length = frameLength(spec);
  const row = new Float32Array(length);
  return (i) => {
    for (let j = 0; j < length; j++) row[j] = Number(values[i * length + j]);
    return row;
  };
}

function labelsOf(
  file: string,
  column: readonly string[] | undefined,
  count: number,
  classes: readonly string[],
): Int16Array {
  const labels = new Int16Array(count).fill(-1);
  for (const [i, text] of (column ?? []).entries()) {
    const label = Number(text);
    if (!(Number.isInteger(label) && label >= -1 && label < classes.length)) {
      throw new NpzError(
        `${file}: labels[${i}] is ${text}, expected a class index from 0 to ${classes.length - 1}, or -1`,
      );
    }
    labels[i] = label;
  }
  return labels;
}

function splitOf(file: string, code: string, i: number): Split {
  const split = SPLITS[Number(code)];
  if (split === undefined)
    throw new NpzError(`${file}: split[${i}] is ${code}, expected 0 (fit), 1 (cal) or 2 (ref)`);
  return split;
}
