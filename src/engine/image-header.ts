/** The header of a PNG or JPEG file: its size and whether it has colour, read before anything is decoded. */

export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  readonly grey: boolean;
}

const PNG_MAGIC = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Length 13 and the name of the chunk that must come first. */
const PNG_IHDR = [0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52];

/** @returns undefined where the bytes are no such image */
export function readImageHeader(bytes: Uint8Array, encoding: "png" | "jpeg"): ImageHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = encoding === "png" ? pngHeader(view) : jpegHeader(view);
  return header !== undefined && header.width > 0 && header.height > 0 ? header : undefined;
}

/** PNG (third edition) 5.2 and 11.2.1. */
function pngHeader(view: DataView): ImageHeader | undefined {
  if (view.byteLength < 33) return undefined;
  const begins = [...PNG_MAGIC, ...PNG_IHDR].every((byte, i) => view.getUint8(i) === byte);
  if (!begins) return undefined;
  const colourType = view.getUint8(25);
  // Bit 1 of the colour type is colour; 0 is grey, 4 grey with alpha.
  return { width: view.getUint32(16), height: view.getUint32(20), grey: (colourType & 2) === 0 };
}

/** ITU-T T.81 B.1 and B.2.2: segments up to the first start of frame. */
function jpegHeader(view: DataView): ImageHeader | undefined {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return undefined;
  let at = 2;
  while (at + 4 <= view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      // Any marker may be preceded by fill bytes.
      at++;
      continue;
    }
    if (isStartOfFrame(marker)) {
      if (at + 10 > view.byteLength) return undefined;
      return {
        height: view.getUint16(at + 5),
        width: view.getUint16(at + 7),
        grey: view.getUint8(at + 9) === 1,
      };
    }
    // Image data before a start of frame, the end of the image, or a marker without a segment.
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xda)) return undefined;
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

/** SOF0 to SOF15, but for the three codes among them that mean tables (C4, CC) or are kept back (C8). */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
