/** A PNG made of a frame's decoded numbers: nothing of the payload as it came in is in it, neither markup nor metadata. */

import sharp from "sharp";
import type { Look } from "../core/frame-view.ts";
import type { Values } from "./preprocess.ts";

export interface Png {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * @param isImage whether the numbers are pixels of 0 to 255, with fractions perhaps; else they are spread over all greys
 * @param sideMax of the longer side; a smaller picture stays as it is
 */
export async function drawPng(
  values: Values,
  { width, height, channels }: Extract<Look, { kind: "picture" }>,
  isImage: boolean,
  sideMax: number,
): Promise<Png> {
  const pixels =
    values instanceof Uint8Array ? values : isImage ? Uint8ClampedArray.from(values) : greysOf(values);
  const raw = { width, height, channels };
  const { data, info } = await sharp(pixels, { raw })
    .resize({ width: sideMax, height: sideMax, fit: "inside", withoutEnlargement: true })
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .png({ compressionLevel: 6 })
    .toBuffer({ resolveWithObject: true });
  return { bytes: data, width: info.width, height: info.height };
}

function greysOf(values: Int16Array | Float32Array): Uint8Array {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const scale = high > low ? 255 / (high - low) : 0;
  return Uint8Array.from(values, (value) => Math.round((value - low) * scale));
}
