/**
 * The channel between the main process and an engine: messages of u32 length and body over a duplex stream,
 * little-endian. Both ends are the same build, so the format carries no version.
 *
 *   load:  the engine's load, as v8 serializes it; the first message, once
 *   answer to it: JSON, `{"type": "ready"}` or `{"type": "refused", "reason"}`
 *   batch: u32 id, u32 count, count x (u32 encoding, u32 payload bytes), the payloads one after another
 *   reply: u32 id, u32 count, count x (u32 status, i32 class, f64 confidence, score, band low, band high, novelty),
 *          what the payloads say of their frames, where they do (channel-members.ts)
 *
 * A status is 0 for a prediction, else 1 + the index of the reject reason.
 */

import { deserialize, serialize } from "node:v8";
import type { Encoding, FrameMembers } from "../core/frame.ts";
import { REJECT_REASONS, type RejectReason } from "../core/frame.ts";
import type { Prediction } from "../core/judge.ts";
import type { EngineFrame, Outcome } from "../gateway/ports.ts";
import { ChannelBroken } from "./channel-broken.ts";
import { encodeMembers, MEMBERS_BYTES_MAX, readMembers } from "./channel-members.ts";
import type { EngineLoad, LoadAnswer } from "./load.ts";

/** The engine's file descriptor, and place among the child's `stdio`, over which the channel runs. */
export const CHANNEL_FD = 3;

/** How the names of the folders begin in which engines live. */
export const ENGINE_DIRECTORY = "sekisho-engine-";

/** Bytes of the largest load's body. */
export const LOAD_BYTES_MAX = 2 ** 30;

/** Bytes of the largest batch's body. */
export const BODY_BYTES_MAX = 64 * 2 ** 20;

/** Bytes of the largest body that an engine may send, but for the members of frames in a large batch. */
export const ANSWER_BYTES_MAX = 64 * 2 ** 10;

/** The same for an engine of batches up to a size: all that it can make the main process set aside. */
export function answerBytesMax(batchMax: number): number {
  return Math.max(ANSWER_BYTES_MAX, replyBytes(batchMax) + batchMax * MEMBERS_BYTES_MAX);
}

/** Characters of a reason that an engine gives; four bytes each at most, and six where JSON escapes them. */
const REASON_CHARACTERS_MAX = 8_000;

/** Batches that may be on their way and unanswered at once. */
export const IN_FLIGHT_MAX = 8;

const PREFIX_BYTES = 4;
const HEAD_BYTES = 8;
const ENTRY_BYTES = 8;
const RECORD_BYTES = 48;

/** Up to here payloads are copied into one buffer, which costs less than a vector of many small writes. */
const COPY_BYTES_MAX = 64 * 1024;

const ENCODING_CODES: Readonly<Record<Encoding, number>> = { raw: 0, png: 1, jpeg: 2, json: 3 };
const ENCODINGS = Object.keys(ENCODING_CODES) as readonly Encoding[];

export { ChannelBroken };

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

/** Bytes of a batch message's body. */
export function batchBodyBytes(frames: readonly EngineFrame[]): number {
  let bytes = HEAD_BYTES + ENTRY_BYTES * frames.length;
  for (const frame of frames) bytes += frame.payload.length;
  return bytes;
}

/** Bytes of the body of a batch of this one frame. */
export function singleBodyBytes(frame: EngineFrame): number {
  return HEAD_BYTES + ENTRY_BYTES + frame.payload.length;
}

/** A batch message in the pieces in which it is to be written; large payloads are not copied. */
export function encodeBatch(id: number, frames: readonly EngineFrame[]): readonly Uint8Array[] {
  const bodyBytes = batchBodyBytes(frames);
  const payloadsAt = PREFIX_BYTES + HEAD_BYTES + ENTRY_BYTES * frames.length;
  const copied = bodyBytes <= COPY_BYTES_MAX;
  const message = Buffer.allocUnsafe(copied ? PREFIX_BYTES + bodyBytes : payloadsAt);
  message.writeUInt32LE(bodyBytes, 0);
  message.writeUInt32LE(id, 4);
  message.writeUInt32LE(frames.length, 8);
  let entryAt = PREFIX_BYTES + HEAD_BYTES;
  let payloadAt = payloadsAt;
  for (const { encoding, payload } of frames) {
    message.writeUInt32LE(ENCODING_CODES[encoding], entryAt);
    message.writeUInt32LE(payload.length, entryAt + 4);
    entryAt += ENTRY_BYTES;
    if (copied) message.set(payload, payloadAt);
    payloadAt += payload.length;
  }
  return copied ? [message] : [message, ...frames.map((frame) => frame.payload)];
}

export interface Batch {
  readonly id: number;
  /** Payloads are views of the message. */
  readonly frames: readonly EngineFrame[];
}

/** @throws ChannelBroken if the body is no batch */
export function decodeBatch(body: Uint8Array): Batch {
  const view = viewOf(body);
  const { id, count } = readHead(view, ENTRY_BYTES);
  const frames: EngineFrame[] = [];
  let payloadAt = HEAD_BYTES + ENTRY_BYTES * count;
  for (let i = 0; i < count; i++) {
    const entryAt = HEAD_BYTES + ENTRY_BYTES * i;
    const encoding = ENCODINGS[view.getUint32(entryAt, true)];
    const payloadEnd = payloadAt + view.getUint32(entryAt + 4, true);
    if (encoding === undefined || payloadEnd > body.length)
      throw new ChannelBroken(`frame ${i} of a batch is none`);
    frames.push({ encoding, payload: body.subarray(payloadAt, payloadEnd) });
    payloadAt = payloadEnd;
  }
  if (payloadAt !== body.length) throw new ChannelBroken(`${body.length - payloadAt} bytes behind a batch`);
  return { id, frames };
}

/** A reply under construction; each of its outcomes must be written once, in any order. */
export interface Reply {
  /** The whole message. */
  readonly message: Uint8Array;
  prediction(index: number, prediction: Prediction): void;
  reject(index: number, reason: RejectReason): void;
  /** At most once a frame. */
  members(index: number, members: FrameMembers): void;
}

/** Bytes of the body of a reply to so many frames that say nothing beside their values. */
export function replyBytes(count: number): number {
  return HEAD_BYTES + RECORD_BYTES * count;
}

export function createReply(id: number, count: number): Reply {
  const bodyBytes = replyBytes(count);
  const message = Buffer.allocUnsafe(PREFIX_BYTES + bodyBytes);
  const view = viewOf(message);
  view.setUint32(0, bodyBytes, true);
  view.setUint32(4, id, true);
  view.setUint32(8, count, true);
  // An outcome that is never written must not read as a prediction: this status is none.
  message.fill(0xff, PREFIX_BYTES + HEAD_BYTES);
  const recordAt = (index: number): number => PREFIX_BYTES + HEAD_BYTES + RECORD_BYTES * index;
  const said: Uint8Array[] = [];
  return {
    get message() {
      if (said.length === 0) return message;
      const whole = Buffer.concat([message, ...said]);
      whole.writeUInt32LE(whole.length - PREFIX_BYTES, 0);
      return whole;
    },
    members: (index, members) => void said.push(encodeMembers(index, members)),
    prediction(index, prediction) {
      const at = recordAt(index);
      view.setUint32(at, 0, true);
      view.setInt32(at + 4, prediction.classIndex, true);
      view.setFloat64(at + 8, prediction.confidence, true);
      view.setFloat64(at + 16, prediction.score, true);
      view.setFloat64(at + 24, prediction.bandLow, true);
      view.setFloat64(at + 32, prediction.bandHigh, true);
      view.setFloat64(at + 40, prediction.novelty, true);
    },
    reject(index, reason) {
      const at = recordAt(index);
      message.fill(0, at, at + RECORD_BYTES);
      view.setUint32(at, 1 + REJECT_REASONS.indexOf(reason), true);
    },
  };
}

/** @throws ChannelBroken if the body is no reply */
export function decodeReply(body: Uint8Array): {
  readonly id: number;
  readonly outcomes: readonly Outcome[];
} {
  const view = viewOf(body);
  const { id, count } = readHead(view, RECORD_BYTES);
  const outcomes: Outcome[] = [];
  for (let i = 0; i < count; i++) outcomes.push(readOutcome(view, HEAD_BYTES + RECORD_BYTES * i));
  if (body.length > replyBytes(count)) {
    for (const { index, members } of readMembers(body.subarray(replyBytes(count)), count)) {
      outcomes[index] = { ...outcomes[index]!, members };
    }
  }
  return { id, outcomes };
}

function readOutcome(view: DataView, at: number): Outcome {
  const status = view.getUint32(at, true);
  if (status !== 0) {
    const reason = REJECT_REASONS[status - 1];
    if (reason === undefined) throw new ChannelBroken(`no reject reason has the code ${status}`);
    return { kind: "reject", reason };
  }
  return {
    kind: "prediction",
    prediction: {
      classIndex: view.getInt32(at + 4, true),
      confidence: view.getFloat64(at + 8, true),
      score: view.getFloat64(at + 16, true),
      bandLow: view.getFloat64(at + 24, true),
      bandHigh: view.getFloat64(at + 32, true),
      novelty: view.getFloat64(at + 40, true),
    },
  };
}

/** Id and count of a message; the count is one for which the body has room. */
function readHead(view: DataView, bytesEach: number): { readonly id: number; readonly count: number } {
  if (view.byteLength < HEAD_BYTES) throw new ChannelBroken("a message too short for its head");
  const count = view.getUint32(4, true);
  if (count * bytesEach > view.byteLength - HEAD_BYTES)
    throw new ChannelBroken(`a message too short for ${count}`);
  return { id: view.getUint32(0, true), count };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
