/** A frame: one sensor message, and the shapes in which it may come. */

/** What a frame looks like before preprocessing. Images are rows of interleaved 8-bit channels. */
export type FrameSpec =
  | { readonly kind: "image"; readonly height: number; readonly width: number; readonly channels: 1 | 3 }
  | { readonly kind: "tensor"; readonly type: TensorType; readonly shape: readonly number[] };

/** Element types of raw tensors, little-endian. */
export type TensorType = "u8" | "i16" | "f32";

/** How a payload is written: a raw tensor, an encoded image, or `{"values": [...]}`. */
export type Encoding = "raw" | "png" | "jpeg" | "json";

/** From the frame to the student's input tensor: value * scale, then (x - mean) / std for each channel. */
export interface Preprocessing {
  /** `none`: another size is a reject; `fill`: encoded images are resized to the spec, ignoring aspect. */
  readonly resize: "none" | "fill";
  /** Order of the tensor behind the batch axis; `flat` keeps the frame's own order. */
  readonly layout: "CHW" | "HWC" | "flat";
  readonly scale: number;
  /** One number for each channel, or one for all. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Longest frame or part id, in UTF-16 units. */
export const ID_LENGTH_MAX = 128;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Whether a text can be a frame or part id: short, not empty, no control characters. */
export function isId(text: string): boolean {
  return text.length > 0 && text.length <= ID_LENGTH_MAX && !CONTROL.test(text);
}

/** Most frames that a part can be said to have. */
export const PART_COUNT_MAX = 1_000_000;

/** Stands for a part count that was given and is none: such a part goes to a person. */
export const NO_PART_COUNT = 0;

/** Whether a number can be how many frames a part has. */
export function isPartCount(count: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= PART_COUNT_MAX;
}

/** What a payload says of its frame beside the values. */
export interface FrameMembers {
  readonly id?: string;
  readonly part?: string;
  readonly partCount?: number;
}

/** A frame as it was taken in: identified and addressed, its payload not yet looked into. */
export interface Frame {
  readonly station: string;
  readonly source: string;
  /** The plant's id; where it gave none, one made at intake, and `identified` is false. */
  readonly id: string;
  readonly identified: boolean;
  readonly part: string | undefined;
  /** Frames that the part has, as this one says; NO_PART_COUNT where it says nonsense. */
  readonly partCount: number | undefined;
  /** MQTT 5 content type, or undefined where the message names none. */
  readonly contentType: string | undefined;
  readonly correlation: Uint8Array | undefined;
  readonly payload: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly receivedAtMs: number;
}

export const REJECT_REASONS = [
  "unknown-source",
  "wrong-content-type",
  "too-large",
  "too-short",
  "too-long",
  "not-an-image",
  "wrong-shape",
  "invalid-json",
  "not-finite",
  "poison",
  "shed",
] as const;

/** Why a frame cannot be judged at all. */
export type RejectReason = (typeof REJECT_REASONS)[number];

/** Frames that are read as they are needed. */
export interface FrameRows {
  readonly count: number;
  /** The plant's own id of each frame, where it has one: an image's file name. */
  readonly names?: readonly string[] | undefined;
  /** Makes frames start .. start + count - 1 ready for `values`; others may no longer be. */
  load(start: number, count: number): Promise<void>;
  /** Numbers of a loaded frame before preprocessing; valid until the next call. */
  values(i: number): Float32Array;
}

/** Numbers in one frame of this spec. */
export function frameLength(spec: FrameSpec): number {
  return spec.kind === "image"
    ? spec.height * spec.width * spec.channels
    : spec.shape.reduce((product, side) => product * side, 1);
}

/** Bytes of one frame of this spec as a raw tensor. */
export function frameBytes(spec: FrameSpec): number {
  return frameLength(spec) * (spec.kind === "image" ? 1 : { u8: 1, i16: 2, f32: 4 }[spec.type]);
}
