/**
 * The channel to a decoder: messages of u32 length and body, as on the channel to an engine.
 *
 *   task:     JSON, `{"spec", "preprocessing"}`; the first message, once, unanswered
 *   question: u8 encoding, the payload
 *   answer:   u8 kind (0 to 2: values of u8, i16 or f32; from 3 on the index of a reject reason), the values
 */

import {
  type Encoding,
  type FrameSpec,
  frameLength,
  type Preprocessing,
  REJECT_REASONS,
} from "../core/frame.ts";
import type { EngineFrame } from "../gateway/ports.ts";
import { ChannelBroken, PREFIX_BYTES } from "./channel.ts";
import type { Decoded } from "./decode.ts";

/** What all frames of one decoder have in common. */
export interface DecoderTask {
  readonly spec: FrameSpec;
  readonly preprocessing: Preprocessing;
}

const ENCODINGS: readonly Encoding[] = ["raw", "png", "jpeg", "json"];
const VALUE_KINDS = [Uint8Array, Int16Array, Float32Array] as const;

export function taskMessage(task: DecoderTask): readonly Uint8Array[] {
  return message(Buffer.from(JSON.stringify(task)));
}

export function readTask(body: Uint8Array): DecoderTask {
  return JSON.parse(new TextDecoder().decode(body)) as DecoderTask;
}

export function questionOf({ encoding, payload }: EngineFrame): readonly Uint8Array[] {
  return message(Uint8Array.of(ENCODINGS.indexOf(encoding)), payload);
}

export function readQuestion(body: Uint8Array): EngineFrame {
  return { encoding: ENCODINGS[body[0]!]!, payload: body.subarray(1) };
}

export function answerOf(decoded: Decoded): readonly Uint8Array[] {
  if (decoded.kind === "reject") {
    return message(Uint8Array.of(VALUE_KINDS.length + REJECT_REASONS.indexOf(decoded.reason)));
  }
  const { values } = decoded;
  const kind = VALUE_KINDS.findIndex((one) => values instanceof one);
  return message(Uint8Array.of(kind), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

/** Bytes of the longest answer about a frame of this spec. */
export function answerBytesMax(spec: FrameSpec): number {
  return 1 + 4 * frameLength(spec);
}

/** @throws ChannelBroken if it is no answer about a frame of this spec */
export function readAnswer(body: Uint8Array, spec: FrameSpec): Decoded {
  const kind = body[0] ?? -1;
  const reason = REJECT_REASONS[kind - VALUE_KINDS.length];
  if (reason !== undefined && body.length === 1) return { kind: "reject", reason };
  const Values = VALUE_KINDS[kind];
  const length = frameLength(spec);
  if (Values === undefined || body.length !== 1 + length * Values.BYTES_PER_ELEMENT) {
    throw new ChannelBroken(`an answer of kind ${kind} and ${body.length} bytes`);
  }
  // Copied to where any typed array can begin.
  return { kind: "values", values: new Values(body.slice(1).buffer) };
}

function message(...pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(pieces.reduce((sum, piece) => sum + piece.length, 0));
  return [prefix, ...pieces];
}
