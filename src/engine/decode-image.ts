/** PNG and JPEG frames: from the file to rows of interleaved 8-bit pixels, with sharp. */

import sharp from "sharp";
import type { FrameSpec, Preprocessing } from "../core/frame.ts";
import type { Decoded } from "./decode.ts";
import { readImageHeader } from "./image-header.ts";

/** Pixels of an encoded image that is resized; 8192 x 8192. */
const IMAGE_PIXELS_MAX = 2 ** 26;
const DECODE_SECONDS_MAX = 10;

// Whoever imports this file gives libvips to frames: no loader but these two can be reached by a payload, no
// result is cached, and the batch is what runs in parallel, not the single image.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({ operation: ["VipsForeignLoadPngBuffer", "VipsForeignLoadJpegBuffer"] });
sharp.cache(false);
sharp.concurrency(1);

/**
 * Decodes an image to the spec's size and channels. Pixels are taken as stored: colour profiles and EXIF
 * orientation are not applied. Alpha is flattened on black, 16 bits become 8.
 */
export async function decodePixels(
  payload: Uint8Array,
  encoding: "png" | "jpeg",
  spec: Extract<FrameSpec, { kind: "image" }>,
  resize: Preprocessing["resize"],
): Promise<Decoded> {
  const header = readImageHeader(payload, encoding);
  if (header === undefined) return { kind: "reject", reason: "not-an-image" };
  const fits = header.width === spec.width && header.height === spec.height;
  if (!fits && resize === "none") return { kind: "reject", reason: "wrong-shape" };
  if (!fits && header.width * header.height > IMAGE_PIXELS_MAX)
    return { kind: "reject", reason: "too-large" };
  const pixels = await readPixels(payload, header.grey, spec, header.width * header.height, !fits);
  if (pixels === undefined) return { kind: "reject", reason: "not-an-image" };
  if (pixels.width !== spec.width || pixels.height !== spec.height)
    return { kind: "reject", reason: "wrong-shape" };
  const values = toChannels(pixels.values, pixels.channels, spec.channels, spec.width * spec.height);
  return values === undefined ? { kind: "reject", reason: "not-an-image" } : { kind: "values", values };
}

interface Pixels {
  readonly values: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

async function readPixels(
  payload: Uint8Array,
  grey: boolean,
  spec: { readonly width: number; readonly height: number },
  pixelsMax: number,
  resized: boolean,
): Promise<Pixels | undefined> {
  try {
    let image = sharp(payload, { failOn: "error", limitInputPixels: pixelsMax, ignoreIcc: true })
      .timeout({ seconds: DECODE_SECONDS_MAX })
      .flatten({ background: "#000" });
    if (resized) image = image.resize(spec.width, spec.height, { fit: "fill" });
    // One channel in, one out; sharp would make three of it.
    if (grey) image = image.toColourspace("b-w");
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    return { values: data, width: info.width, height: info.height, channels: info.channels };
  } catch {
    // Whatever libvips objects to, the frame can't be judged; its texts name no more than that.
    return undefined;
  }
}

/** Grey to rgb by repetition; rgb to grey by Rec. 601 luma in 16-bit integers, which keeps grey as it was. */
function toChannels(values: Uint8Array, from: number, to: number, places: number): Uint8Array | undefined {
  if (values.length !== from * places) return undefined;
  if (from === to) return values;
  const result = new Uint8Array(to * places);
  if (from === 1 && to === 3) {
    for (let p = 0; p < places; p++) result.fill(values[p]!, 3 * p, 3 * p + 3);
    return result;
  }
  if (from === 3 && to === 1) {
    for (let p = 0; p < places; p++) {
      result[p] =
        (19595 * values[3 * p]! + 38470 * values[3 * p + 1]! + 7471 * values[3 * p + 2]! + 32768) >> 16;
    }
    return result;
  }
  return undefined;
}
