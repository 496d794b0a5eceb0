/** The main process's end of the channel to one engine: the load and the batches go out, the answers come in. */

import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { EngineFrame, Outcome } from "../gateway/ports.ts";
import {
  BODY_BYTES_MAX,
  batchBodyBytes,
  CHANNEL_FD,
  decodeLoadAnswer,
  encodeBatch,
  singleBodyBytes,
} from "./channel.ts";
import type { LoadAnswer } from "./load.ts";
import { createParser } from "./message-parser.ts";
import { createOpenBatches, type OpenBatches } from "./open-batches.ts";
import { answerBytesMax } from "./reply.ts";
import type { Slots } from "./slots.ts";

export interface Line {
  readonly batches: OpenBatches;
  /** What the engine says to its load; rejects if that makes no sense. */
  readonly answered: Promise<LoadAnswer>;
  send(pieces: readonly Uint8Array[]): void;
  /** Outcomes of these frames, of which the engine takes at most `batchMax` at once. */
  judge(batchMax: number, frames: readonly EngineFrame[]): Promise<readonly Outcome[]>;
  /** Nothing more to come; the engine ends. */
  end(): void;
  /** Gives the engine up, and kills it. */
  lose(reason: string): void;
}

/** @param batchMax frames that the engine takes at once: what it answers is bounded by them */
export function createLine(child: ChildProcess, slots: Slots | undefined, batchMax: number): Line {
  const channel = child.stdio[CHANNEL_FD] as Socket | undefined;
  const batches = createOpenBatches(() => performance.now());
  let answer: (answer: LoadAnswer) => void = () => {};
  let refuse: (error: Error) => void = () => {};
  const answered = new Promise<LoadAnswer>((resolve, reject) => {
    answer = resolve;
    refuse = reject;
  });
  answered.catch(() => {}); // Whoever awaits it is told.
  let isAnswered = false;
  const parser = createParser({
    bodyBytesMax: answerBytesMax(batchMax),
    onBody(body) {
      if (isAnswered) batches.answer(body);
      else answer(decodeLoadAnswer(body));
      isAnswered = true;
      parser.recycle(body);
    },
  });
  const lose = (reason: string): void => {
    batches.fail(reason, "strong");
    refuse(new Error(reason));
    child.kill("SIGKILL");
    // Not a byte more is taken of what it has sent.
    channel?.destroy();
  };
  channel?.on("data", (chunk: Buffer) => {
    try {
      parser.push(chunk);
    } catch (error) {
      lose(`the engine's answer made no sense: ${String(error)}`);
    }
  });
  // An error is followed by the child's end, which says more.
  channel?.on("error", () => {});
  const send = (pieces: readonly Uint8Array[]): void => {
    if (pieces.length > 1) channel?.cork();
    for (const piece of pieces) channel?.write(piece);
    if (pieces.length > 1) channel?.uncork();
  };
  return {
    batches,
    answered,
    send,
    judge: (batchMax, frames) => judgeOn({ batches, slots, send }, batchMax, frames),
    end: () => void channel?.end(),
    lose,
  };
}

/** What a batch needs on its way out. */
interface Way {
  readonly batches: OpenBatches;
  readonly slots: Slots | undefined;
  send(pieces: readonly Uint8Array[]): void;
}

async function judgeOn(
  way: Way,
  batchMax: number,
  frames: readonly EngineFrame[],
): Promise<readonly Outcome[]> {
  if (frames.length > batchMax) {
    throw new RangeError(`a batch of ${frames.length} frames; at most ${batchMax} are taken`);
  }
  if (frames.length === 0) return [];
  if (batchBodyBytes(frames) > BODY_BYTES_MAX) return judgeInHalves(way, batchMax, frames);
  const { id, answer } = way.batches.open(frames.length);
  const place = way.slots?.put(frames);
  way.send(encodeBatch(id, frames, place));
  if (place === undefined) return answer;
  const outcomes = await answer;
  way.slots?.free(place);
  return outcomes;
}

/** A batch too large for one message goes in two; a single frame too large for one is never sent. */
async function judgeInHalves(
  way: Way,
  batchMax: number,
  frames: readonly EngineFrame[],
): Promise<readonly Outcome[]> {
  const [only] = frames;
  if (frames.length === 1 && only !== undefined && singleBodyBytes(only) > BODY_BYTES_MAX) {
    return [{ kind: "reject", reason: "too-large" }];
  }
  const middle = frames.length >> 1;
  const first = await judgeOn(way, batchMax, frames.slice(0, middle));
  return [...first, ...(await judgeOn(way, batchMax, frames.slice(middle)))];
}
