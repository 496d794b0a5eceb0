/** Golden frames: frames kept in a bundle with the logits its student gave, which every engine must reproduce. */

import type { FrameSpec } from "./frame.ts";
import { frameBytes, frameLength } from "./frame.ts";
import { seededRandom } from "./random.ts";

export interface GoldenFrame {
  /** Uniform noise from a seed, or the raw tensor's bytes. */
  readonly frame: { readonly seed: number } | { readonly base64: string };
  /** What the student gave, one number for each class. */
  readonly logits: readonly number[];
}

/**
 * The raw payload of a golden frame, little-endian.
 * A seed gives uniform noise u in [0, 1): floor(256 u) for u8 and images, floor(65536 u) - 32768 for i16,
 * 2u - 1 for f32, in the frame's own order.
 * @throws Error if the base64 text is none, or is not as long as a frame of this spec
 */
export function goldenPayload(spec: FrameSpec, frame: GoldenFrame["frame"]): Uint8Array {
  return "seed" in frame ? noise(spec, frame.seed) : fromBase64(frame.base64, frameBytes(spec));
}

function noise(spec: FrameSpec, seed: number): Uint8Array {
  const random = seededRandom(seed);
  const length = frameLength(spec);
  const payload = new Uint8Array(frameBytes(spec));
  const view = new DataView(payload.buffer);
  const type = spec.kind === "image" ? "u8" : spec.type;
  for (let i = 0; i < length; i++) {
    const u = random.next();
    if (type === "u8") payload[i] = Math.floor(256 * u);
    else if (type === "i16") view.setInt16(2 * i, Math.floor(65536 * u) - 32768, true);
    else view.setFloat32(4 * i, 2 * u - 1, true);
  }
  return payload;
}

function fromBase64(text: string, bytesExpected: number): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new Error("the golden frame is not base64: write the raw tensor's bytes in base64, or a seed");
  }
  if (binary.length !== bytesExpected) {
    throw new Error(
      `the golden frame holds ${binary.length} bytes, a frame of this bundle ${bytesExpected}: ` +
        "record the golden frames again for this input",
    );
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
