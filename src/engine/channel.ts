/**
 * The channel between the main process and an engine: messages of u32 length and body over a duplex stream,
 * little-endian. Both ends are the same build, so the format carries no version.
 *
 *   load:  the engine's load, as v8 serializes it; the first message, once
 *   answer to it: JSON, `{"type": "ready"}` or `{"type": "refused", "reason"}`
 *   batch: u32 id, u32 count, u32 place, count x (u32 encoding, u32 payload bytes), the payloads one after another
 *   reply: u32 id, u32 count, count x (u32 status, i32 class, f64 confidence, score, band low, band high, novelty,
 *          f32 coordinates in the projection x 16, NaN where it has fewer), what the payloads say of their frames, where they do (reply-members.ts)
 *
 * A batch's place is 0xffffffff where the payloads follow in the message; else they lie in the file of the slots,
 * one after another, from this byte on, and the message ends without them. A status is 0 for a prediction, else 1 +
 * the index of the reject reason.
 */

import { deserialize, serialize } from "node:v8";
import type { Encoding } from "../core/frame.ts";
import type { EngineFrame } from "../gateway/ports.ts";
import type { EngineLoad, LoadAnswer } from "./load.ts";

/** The engine's file descriptor, and place among the child's `stdio`, over which the channel runs. */
export const CHANNEL_FD = 3;

/** The engine's file descriptor, and place among the child's `stdio`, of the file of the slots, where there is one. */
export const SLOTS_FD = 4;

/** How the names of the folders begin in which engines live. */
export const ENGINE_DIRECTORY = "sekisho-engine-";

/** Bytes of the largest load's body. */
export const LOAD_BYTES_MAX = 2 ** 30;

/** Bytes of the largest batch's body. */
export const BODY_BYTES_MAX = 64 * 2 ** 20;

/** Bytes of the largest body that an engine may send, but for the members of frames in a large batch. */
export const ANSWER_BYTES_MAX = 64 * 2 ** 10;

/** Characters of a reason that an engine gives; four bytes each at most, and six where JSON escapes them. */
const REASON_CHARACTERS_MAX = 8_000;

/** Batches that may be on their way and unanswered at once. */
export const IN_FLIGHT_MAX = 8;

/** Bytes of a message ahead of its body: the body's length. */
export const PREFIX_BYTES = 4;
const BATCH_HEAD_BYTES = 12;
const ENTRY_BYTES = 8;

/** The place of payloads that follow in the message. */
const PAYLOADS_FOLLOW = 0xffffffff;

/** Up to here payloads are copied into one buffer, which costs less than a vector of many small writes. */
const COPY_BYTES_MAX = 64 * 1024;

const ENCODING_CODES: Readonly<Record<Encoding, number>> = { raw: 0, png: 1, jpeg: 2, json: 3 };
const ENCODINGS = Object.keys(ENCODING_CODES) as readonly Encoding[];

/** The other end sent what this end would never send. */
export class ChannelBroken extends Error {
  override readonly name = "ChannelBroken";
}

/** A load's message, in pieces. @throws RangeError if it is too large for one */
export function encodeLoad(load: EngineLoad): readonly Uint8Array[] {
  const body = serialize(load);
  if (body.length > LOAD_BYTES_MAX) {
    throw new RangeError(
      `expected a student and envelope of at most ${LOAD_BYTES_MAX} bytes, found ${body.length}: use a smaller student`,
    );
  }
  return [prefixOf(body), body];
}

export function decodeLoad(body: Uint8Array): EngineLoad {
  return deserialize(body) as EngineLoad;
}

export function encodeLoadAnswer(answer: LoadAnswer): Uint8Array {
  const said =
    answer.type === "ready" ? answer : { ...answer, reason: answer.reason.slice(0, REASON_CHARACTERS_MAX) };
  const body = Buffer.from(JSON.stringify(said));
  return Buffer.concat([prefixOf(body), body]);
}

/** @throws ChannelBroken if the body is no answer to a load */
export function decodeLoadAnswer(body: Uint8Array): LoadAnswer {
  try {
    const { type, reason } = JSON.parse(Buffer.from(body).toString("utf8"));
    if (type === "ready") return { type };
    if (type === "refused" && typeof reason === "string") return { type, reason };
  } catch {
    // Said below.
  }
  throw new ChannelBroken("no answer to a load");
}

function prefixOf(body: Uint8Array): Uint8Array {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix.writeUInt32LE(body.length, 0);
  return prefix;
}

/** Bytes of a batch message's body, with its payloads. */
export function batchBodyBytes(frames: readonly EngineFrame[]): number {
  return BATCH_HEAD_BYTES + ENTRY_BYTES * frames.length + payloadBytes(frames);
}

/** Bytes of the body of a batch of this one frame. */
export function singleBodyBytes(frame: EngineFrame): number {
  return BATCH_HEAD_BYTES + ENTRY_BYTES + frame.payload.length;
}

export function payloadBytes(frames: readonly EngineFrame[]): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.payload.length;
  return bytes;
}

/**
 * A batch message in the pieces in which it is to be written; large payloads are not copied.
 * @param place where in the file of the slots the payloads lie; left out where they are to go with the message
 */
export function encodeBatch(
  id: number,
  frames: readonly EngineFrame[],
  place: number = PAYLOADS_FOLLOW,
): readonly Uint8Array[] {
  const payloadsAt = PREFIX_BYTES + BATCH_HEAD_BYTES + ENTRY_BYTES * frames.length;
  const follow = place === PAYLOADS_FOLLOW ? payloadBytes(frames) : 0;
  const copied = follow <= COPY_BYTES_MAX;
  const message = Buffer.allocUnsafe(copied ? payloadsAt + follow : payloadsAt);
  message.writeUInt32LE(payloadsAt - PREFIX_BYTES + follow, 0);
  message.writeUInt32LE(id, 4);
  message.writeUInt32LE(frames.length, 8);
  message.writeUInt32LE(place, 12);
  let entryAt = PREFIX_BYTES + BATCH_HEAD_BYTES;
  let payloadAt = payloadsAt;
  for (const { encoding, payload } of frames) {
    message.writeUInt32LE(ENCODING_CODES[encoding], entryAt);
    message.writeUInt32LE(payload.length, entryAt + 4);
    entryAt += ENTRY_BYTES;
    if (follow > 0 && copied) message.set(payload, payloadAt);
    payloadAt += payload.length;
  }
  return copied ? [message] : [message, ...frames.map((frame) => frame.payload)];
}

/** What a batch message says of one frame. */
export interface Entry {
  readonly encoding: Encoding;
  /** Of its payload. */
  readonly bytes: number;
}

export interface Batch {
  readonly id: number;
  readonly entries: readonly Entry[];
  /** The payloads, a view of the message, or where in the file of the slots they begin. */
  readonly payloads: Uint8Array | number;
}

/** @throws ChannelBroken if the body is no batch */
export function decodeBatch(body: Uint8Array): Batch {
  const view = viewOf(body);
  const { id, count } = readHead(view, BATCH_HEAD_BYTES, ENTRY_BYTES);
  const place = view.getUint32(8, true);
  const entries: Entry[] = [];
  const payloadsAt = BATCH_HEAD_BYTES + ENTRY_BYTES * count;
  let bytes = 0;
  for (let at = BATCH_HEAD_BYTES; at < payloadsAt; at += ENTRY_BYTES) {
    const encoding = ENCODINGS[view.getUint32(at, true)];
    if (encoding === undefined) throw new ChannelBroken(`frame ${entries.length} of a batch is none`);
    const entry = { encoding, bytes: view.getUint32(at + 4, true) };
    entries.push(entry);
    bytes += entry.bytes;
  }
  const follow = body.length - payloadsAt;
  if (follow !== (place === PAYLOADS_FOLLOW ? bytes : 0) || bytes > BODY_BYTES_MAX) {
    throw new ChannelBroken(`a batch of ${bytes} bytes with ${follow} behind it`);
  }
  return { id, entries, payloads: place === PAYLOADS_FOLLOW ? body.subarray(payloadsAt) : place };
}

/** The frames of a batch, as views of its payloads. */
export function framesOf(entries: readonly Entry[], payloads: Uint8Array): readonly EngineFrame[] {
  let at = 0;
  return entries.map(({ encoding, bytes }) => {
    at += bytes;
    return { encoding, payload: payloads.subarray(at - bytes, at) };
  });
}

/** Id and count of a message; the count is one for which the body has room. */
export function readHead(
  view: DataView,
  headBytes: number,
  bytesEach: number,
): { readonly id: number; readonly count: number } {
  if (view.byteLength < headBytes) throw new ChannelBroken("a message too short for its head");
  const count = view.getUint32(4, true);
  if (count * bytesEach > view.byteLength - headBytes)
    throw new ChannelBroken(`a message too short for ${count}`);
  return { id: view.getUint32(0, true), count };
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
