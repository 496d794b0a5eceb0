/** The batches that an engine owes an answer: answered in the order of opening, all failed when it is lost. */

import { EngineLost, type Outcome, type Suspicion } from "../gateway/ports.ts";
import { ChannelBroken, IN_FLIGHT_MAX } from "./channel.ts";
import { decodeReply } from "./reply.ts";

export interface OpenBatches {
  /**
   * Opens a batch of `count` frames.
   * @throws EngineLost after `fail`
   * @throws Error at IN_FLIGHT_MAX open batches: the caller must wait for answers
   */
  open(count: number): { readonly id: number; readonly answer: Promise<readonly Outcome[]> };
  /** @throws ChannelBroken if the body is no reply to the oldest open batch */
  answer(body: Uint8Array): void;
  /**
   * Rejects what is open, and refuses what comes later, with EngineLost. The first reason counts. Only the oldest
   * batch can have been begun, and come under suspicion: an engine takes them one by one.
   */
  fail(reason: string, suspicion: Suspicion): void;
  /** The batch that the engine is at: its frames, and how long it has had it to itself. */
  oldest(): { readonly count: number; readonly ageMs: number } | undefined;
}

interface OpenBatch {
  readonly id: number;
  readonly count: number;
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (error: Error) => void;
}

/** @param nowMs a clock that never goes back */
export function createOpenBatches(nowMs: () => number): OpenBatches {
  const batches: OpenBatch[] = [];
  let nextId = 0;
  let oldestSinceMs = 0;
  let lost: string | undefined;

  return {
    open(count) {
      if (lost !== undefined) throw new EngineLost(lost, "none");
      if (batches.length >= IN_FLIGHT_MAX) {
        throw new Error(`${IN_FLIGHT_MAX} batches are open: await an answer before the next batch`);
      }
      const id = nextId;
      nextId = (nextId + 1) >>> 0;
      if (batches.length === 0) oldestSinceMs = nowMs();
      const answer = new Promise<readonly Outcome[]>((resolve, reject) => {
        batches.push({ id, count, resolve, reject });
      });
      return { id, answer };
    },
    answer(body) {
      const { id, outcomes } = decodeReply(body);
      const [batch] = batches;
      if (batch?.id !== id || batch.count !== outcomes.length)
        throw new ChannelBroken(`a reply to another batch than the oldest: ${id}`);
      batches.shift();
      oldestSinceMs = nowMs();
      batch.resolve(outcomes);
    },
    fail(reason, suspicion) {
      lost ??= reason;
      for (const [i, batch] of batches.splice(0).entries())
        batch.reject(new EngineLost(lost, i === 0 ? suspicion : "none"));
    },
    oldest: () => batches[0] && { count: batches[0].count, ageMs: nowMs() - oldestSinceMs },
  };
}
