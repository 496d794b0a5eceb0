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
}

export const STATIONS = ["press", "weld"] as const;
export const FRAME_BYTES_MAX = 200;

/** What the engine makes of a frame: written in its payload. */
const KINDS = ["pass", "pass", "pass", "review", "review", "reject"] as const;
const POISON = 255;

export interface Plant {
  readonly sent: readonly SensorMessage[];
  next(): SensorMessage;
  /** The next message ends every engine that gets it. */
  nextIsPoison(): void;
}

export function aPlant(random: Random): Plant {
  const sent: SensorMessage[] = [];
  let poisonNext = false;
  const fresh = (): Omit<SensorMessage, "seq" | "payload"> & { readonly tail: Uint8Array } => {
    const isStray = random.next() < 0.02;
    const topic = isStray ? "nobody/cam" : `${oneOf(random, STATIONS)}/cam-${between(random, 1, 3)}`;
    const tail = new Uint8Array(random.next() < 0.03 ? FRAME_BYTES_MAX + 1 : between(random, 1, 60));
    tail[0] = poisonNext ? POISON : between(random, 0, KINDS.length - 1);
    poisonNext = false;
    const frameId = random.next() < 0.75 ? `f${sent.length}` : undefined;
    return { topic, tail, frameId, qos: random.next() < 0.05 ? 0 : 1 };
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
