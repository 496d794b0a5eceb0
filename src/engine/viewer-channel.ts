/**
 * The channel to a viewer: messages of u32 length and body, as on the channel to an engine.
 *
 *   task:     u32 bytes of the head, the head as v8 serializes it, the student's ONNX file; the first message, unanswered
 *   question: u8 encoding, the payload
 *   answer:   u32 bytes of the head, the head in JSON, the PNGs one after another
 */

import { deserialize, serialize } from "node:v8";
import type { Projection } from "../core/envelope/types.ts";
import type { FrameSpec, Preprocessing, RejectReason } from "../core/frame.ts";
import type { Drawn } from "../core/frame-view.ts";
import { ChannelBroken, PREFIX_BYTES } from "./channel.ts";
import type { ModelSpec } from "./student.ts";

/** Frames of the recording, near which a person looks for one like theirs. */
export interface Gallery {
  /** The frames one after another, in the type of the bundle's frames. */
  readonly frames: Uint8Array | Int16Array | Float32Array;
  /** The student's class of each. */
  readonly classIndex: Int32Array;
  readonly confidenceStudent: Float32Array;
  /** The teacher's, in that class. */
  readonly confidenceTeacher: Float32Array;
  /** [frames, outputs of the projection] row-major. */
  readonly places: Float32Array;
}

/** What all questions to one viewer have in common. */
export interface ViewerTask {
  readonly spec: FrameSpec;
  readonly preprocessing: Preprocessing;
  readonly model: ModelSpec;
  readonly temperature: number;
  readonly projection: Projection;
  readonly gallery: Gallery | undefined;
  readonly student: Uint8Array;
}

export interface Neighbour {
  readonly classIndex: number;
  readonly confidenceTeacher: number;
  readonly confidenceStudent: number;
  readonly distance: number;
  readonly drawn: Drawn;
  /** Which of the answer's images it is; undefined where it is none. */
  readonly image?: number;
}

export interface Viewed {
  /** Why there is nothing to be seen. */
  readonly reject?: RejectReason;
  readonly drawn?: Drawn;
  /** Which of the answer's images is the frame's. */
  readonly image?: number;
  /** The student's soft confidence, one number a class; undefined where it cannot be run. */
  readonly confidence?: readonly number[];
  /** Why the student cannot be run. */
  readonly problem?: string;
  readonly neighbours: readonly Neighbour[];
  /** PNGs. */
  readonly images: readonly Uint8Array[];
}

/** Bytes of the longest answer: pictures are drawn small. */
export const VIEW_BYTES_MAX = 16 * 2 ** 20;

export function viewerTaskMessage({ student, ...head }: ViewerTask): readonly Uint8Array[] {
  return message(serialize(head), [student]);
}

export function readViewerTask(body: Uint8Array): ViewerTask {
  const { head, rest } = parts(body);
  return { ...(deserialize(head) as Omit<ViewerTask, "student">), student: rest };
}

export function viewAnswer({ images, ...head }: Viewed): readonly Uint8Array[] {
  const text = JSON.stringify({ ...head, imageBytes: images.map(({ length }) => length) });
  return message(Buffer.from(text), images);
}

/** @throws ChannelBroken if it is no answer */
export function readView(body: Uint8Array): Viewed {
  const { head, rest } = parts(body);
  const { imageBytes, ...view } = JSON.parse(Buffer.from(head).toString()) as Omit<Viewed, "images"> & {
    readonly imageBytes: readonly number[];
  };
  let at = 0;
  // Copied: what is kept for a while must not keep the whole message.
  const images = imageBytes.map((bytes) => {
    at += bytes;
    return new Uint8Array(rest.subarray(at - bytes, at));
  });
  if (at !== rest.length)
    throw new ChannelBroken(`an answer of ${rest.length} bytes of images, said to be ${at}`);
  return { ...view, images };
}

function parts(body: Uint8Array): { readonly head: Uint8Array; readonly rest: Uint8Array } {
  if (body.length < 4) throw new ChannelBroken(`a message of ${body.length} bytes`);
  const end = 4 + new DataView(body.buffer, body.byteOffset).getUint32(0, true);
  if (end > body.length) throw new ChannelBroken(`a head that ends at ${end} in ${body.length} bytes`);
  return { head: body.subarray(4, end), rest: body.subarray(end) };
}

function message(head: Uint8Array, pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  const front = Buffer.alloc(PREFIX_BYTES + 4);
  front.writeUInt32LE(4 + head.length + pieces.reduce((sum, { length }) => sum + length, 0));
  front.writeUInt32LE(head.length, PREFIX_BYTES);
  return [front, head, ...pieces];
}
