/** A frame's own pixels as a PNG: what is passed on is what the student saw, and never a payload as it came in. */

import { promisify } from "node:util";
import { crc32, deflate, deflateSync } from "node:zlib";
import type { FrameSpec } from "../core/frame.ts";

type ImageSpec = Extract<FrameSpec, { kind: "image" }>;

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const GREY = 0;
const RGB = 2;
const deflateElsewhere = promisify(deflate);

/**
 * @param pixels rows of interleaved channels, 0 to 255; fractions are rounded
 * @see W3C Portable Network Graphics, third edition: no interlace, no filter
 */
export function encodePng(pixels: ArrayLike<number>, spec: ImageSpec): Buffer {
  return pngOf(deflateSync(rowsOf(pixels, spec)), spec);
}

/** The same, compressed on another thread. */
export async function encodePngElsewhere(pixels: Uint8Array, spec: ImageSpec): Promise<Buffer> {
  return pngOf(await deflateElsewhere(rowsOf(pixels, spec)), spec);
}

/** Each row behind the number of its filter, which is none. */
function rowsOf(pixels: ArrayLike<number>, { height, width, channels }: ImageSpec): Uint8ClampedArray {
  const rowBytes = width * channels;
  const rows = new Uint8ClampedArray(height * (1 + rowBytes));
  if (pixels instanceof Uint8Array) {
    for (let y = 0; y < height; y++)
      rows.set(pixels.subarray(y * rowBytes, (y + 1) * rowBytes), y * (1 + rowBytes) + 1);
    return rows;
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < rowBytes; x++) rows[y * (1 + rowBytes) + 1 + x] = pixels[y * rowBytes + x]!;
  }
  return rows;
}

function pngOf(content: Buffer, { height, width, channels }: ImageSpec): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, channels === 1 ? GREY : RGB], 8);
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", head),
    chunk("IDAT", content),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const checked = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(checked));
  return Buffer.concat([length, checked, crc]);
}
