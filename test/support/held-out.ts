/** Apparel frames that the bundle never saw: those of the repository and, where they are at hand, the rest of its test split. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { readNpz } from "../../src/bundle/npz.ts";
import { apparelFrames } from "./apparel.ts";

const PIXELS = 28 * 28;

/**
 * The frames, each once.
 * @param more `test.npz` as the recipe's images.py writes it, or the folder that it is in; undefined for the
 *   repository's alone
 */
export async function heldOutFrames(more: string | undefined): Promise<readonly Uint8Array[]> {
  const frames = [...(await apparelFrames()), ...(more === undefined ? [] : await framesIn(more))];
  return [...new Map(frames.map((frame) => [Buffer.from(frame).toString("latin1"), frame])).values()];
}

async function framesIn(place: string): Promise<readonly Uint8Array[]> {
  const file = statSync(place).isDirectory() ? join(place, "test.npz") : place;
  const frames = (await readNpz(file, file)).get("frames");
  if (frames === undefined || !(frames.values instanceof Uint8Array) || frames.shape.length !== 3)
    throw new Error(`${file}: expected frames of bytes, [N, 28, 28], as images.py writes them`);
  const { values, shape } = frames;
  return Array.from({ length: shape[0]! }, (_, i) => values.subarray(i * PIXELS, (i + 1) * PIXELS));
}
