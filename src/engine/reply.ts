/** The engine's reply to a batch, as `channel.ts` lays it out: a record of fixed size for each outcome, and what the payloads say. */

import { COORDINATES_MAX, extentOf } from "../core/extent.ts";
import { type FrameMembers, REJECT_REASONS, type RejectReason } from "../core/frame.ts";
import type { Prediction } from "../core/judge.ts";
import type { Outcome } from "../gateway/ports.ts";
import { ANSWER_BYTES_MAX, ChannelBroken, PREFIX_BYTES, readHead, viewOf } from "./channel.ts";
import { encodeMembers, MEMBERS_BYTES_MAX, readMembers } from "./reply-members.ts";

const HEAD_BYTES = 8;
const PLACE_AT = 48;
const RECORD_BYTES = PLACE_AT + 4 * COORDINATES_MAX;

/** A reply under construction; each of its outcomes must be written once, in any order. */
export interface Reply {
  /**
   * The whole message. No getter: one in an object literal gets each object a hidden class of its own, which holds the
   * object's buffer until V8 collects its old space, and in an engine that is after some hundred thousand frames.
   */
  message(): Uint8Array;
  prediction(index: number, prediction: Prediction): void;
  reject(index: number, reason: RejectReason): void;
  /** At most once a frame. */
  members(index: number, members: FrameMembers): void;
}

/** Bytes of the body of a reply to so many frames that say nothing beside their values. */
export function replyBytes(count: number): number {
  return HEAD_BYTES + RECORD_BYTES * count;
}

/** Bytes of the largest body that an engine of batches up to a size may send. */
export function answerBytesMax(batchMax: number): number {
  return Math.max(ANSWER_BYTES_MAX, replyBytes(batchMax) + batchMax * MEMBERS_BYTES_MAX);
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
    message() {
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
      const place = prediction.extent?.lowest;
      for (let i = 0; i < COORDINATES_MAX; i++)
        view.setFloat32(at + PLACE_AT + 4 * i, place?.[i] ?? Number.NaN, true);
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
  const { id, count } = readHead(view, HEAD_BYTES, RECORD_BYTES);
  const outcomes: Outcome[] = [];
  for (let i = 0; i < count; i++) outcomes.push(readOutcome(view, HEAD_BYTES + RECORD_BYTES * i));
  for (const { index, members } of readMembers(body.subarray(replyBytes(count)), count)) {
    outcomes[index] = { ...outcomes[index]!, members };
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
  const place = new Float32Array(COORDINATES_MAX);
  for (let i = 0; i < COORDINATES_MAX; i++) place[i] = view.getFloat32(at + PLACE_AT + 4 * i, true);
  return {
    kind: "prediction",
    prediction: {
      classIndex: view.getInt32(at + 4, true),
      confidence: view.getFloat64(at + 8, true),
      score: view.getFloat64(at + 16, true),
      bandLow: view.getFloat64(at + 24, true),
      bandHigh: view.getFloat64(at + 32, true),
      novelty: view.getFloat64(at + 40, true),
      extent: extentOf(place),
    },
  };
}
