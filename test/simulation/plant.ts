/** The plant's side of a simulation: what sensors send, each message told from every other by its payload. */

import type { Random } from "../../src/core/random.ts";
import type { Outcome } from "../../src/gateway/ports.ts";
import { aPrediction } from "../support/builders.ts";
import { between, oneOf } from "./life.ts";

export interface SensorMessage {
  readonly seq: number;
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Undefined: the sensor gives none. A sensor that is in doubt sends the same again. */
  readonly frameId: string | undefined;
  readonly qos: 0 | 1;
  readonly partId: string | undefined;
  readonly partCount: number | undefined;
}

/** A part on its way through a station. */
interface PassingPart {
  readonly id: string;
  readonly station: string;
  /** Frames that the plant means to send of it; it may stop before, or send more. */
  readonly count: number;
  readonly saysCount: boolean;
}

export const STATIONS = ["press", "weld"] as const;
export const FRAME_BYTES_MAX = 200;

/** What the engine makes of a frame: written in its payload. */
const KINDS = ["pass", "pass", "pass", "review", "review", "reject"] as const;
const POISON = 255;
const PARTS_SHARE = 0.3;
const FRAMES_OF_PART_MAX = 5;

export interface Plant {
  readonly sent: readonly SensorMessage[];
  next(): SensorMessage;
  /** The next message ends every engine that gets it. */
  nextIsPoison(): void;
}

export function aPlant(random: Random): Plant {
  const sent: SensorMessage[] = [];
  let poisonNext = false;
  const parts: PassingPart[] = [];

  /** A new part, or one of the last few: in turns, so that their frames come mixed. */
  const aPart = (): PassingPart => {
    if (parts.length > 0 && random.next() < 0.75) return oneOf(random, parts.slice(-5));
    const part = {
      id: `p${parts.length}`,
      station: oneOf(random, STATIONS),
      count: between(random, 1, FRAMES_OF_PART_MAX),
      saysCount: random.next() < 0.6,
    };
    parts.push(part);
    return part;
  };

  const fresh = (): Omit<SensorMessage, "seq" | "payload"> & { readonly tail: Uint8Array } => {
    const isStray = random.next() < 0.02;
    const part = random.next() < PARTS_SHARE ? aPart() : undefined;
    const station = part?.station ?? oneOf(random, STATIONS);
    const topic = isStray ? "nobody/cam" : `${station}/cam-${between(random, 1, 3)}`;
    const tail = new Uint8Array(random.next() < 0.03 ? FRAME_BYTES_MAX + 1 : between(random, 1, 60));
    // Most frames of parts pass, or no part ever would.
    const kindsMax = part !== undefined && random.next() < 0.8 ? 2 : KINDS.length - 1;
    tail[0] = poisonNext ? POISON : between(random, 0, kindsMax);
    poisonNext = false;
    const frameId = random.next() < (part === undefined ? 0.75 : 0.95) ? `f${sent.length}` : undefined;
    const qos = random.next() < 0.05 ? 0 : 1;
    return { topic, tail, frameId, qos, partId: part?.id, partCount: countSaid(part) };
  };
  /** Now and then a frame says another count than the rest. */
  const countSaid = (part: PassingPart | undefined): number | undefined => {
    if (part?.saysCount !== true || random.next() < 0.2) return undefined;
    return random.next() < 0.03 ? between(random, 0, FRAMES_OF_PART_MAX) : part.count;
  };

  return {
    sent,
    nextIsPoison() {
      poisonNext = true;
    },
    next() {
      const earlier = sent.length > 0 && random.next() < 0.08 ? oneOf(random, sent.slice(-20)) : undefined;
      const seq = sent.length;
      const { tail, ...rest } =
        earlier?.frameId === undefined ? fresh() : { ...earlier, tail: earlier.payload.subarray(4) };
      const payload = new Uint8Array(4 + tail.length);
      new DataView(payload.buffer).setUint32(0, seq, true);
      payload.set(tail, 4);
      const message = { ...rest, seq, payload };
      sent.push(message);
      return message;
    },
  };
}

export function seqOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
}

export function isPoison(payload: Uint8Array): boolean {
  return payload[4] === POISON;
}

export function outcomeOf(payload: Uint8Array): Outcome {
  const kind = KINDS[payload[4]!]!;
  if (kind === "reject") return { kind: "reject", reason: "wrong-shape" };
  return { kind: "prediction", prediction: aPrediction({ score: kind === "pass" ? 0.1 : 0.9 }) };
}
