/** The batches that an engine owes an answer: matched by id, and all failed together when it is lost. */

import { EngineLost, type Outcome } from "../gateway/ports.ts";
import { ChannelBroken, decodeReply, IN_FLIGHT_MAX } from "./channel.ts";

export interface OpenBatches {
  /**
   * Opens a batch of `count` frames.
   * @throws Error at IN_FLIGHT_MAX open batches: the caller must wait for answers
   */
  open(count: number): { readonly id: number; readonly answer: Promise<readonly Outcome[]> };
  /** @throws ChannelBroken if the body is no reply to an open batch */
  answer(body: Uint8Array): void;
  /** Rejects what is open, and refuses what comes later, with EngineLost. The first reason counts. */
  fail(reason: string): void;
  /** How long the oldest batch has been open; 0 if none is. */
  oldestAgeMs(): number;
}

interface OpenBatch {
  readonly count: number;
  readonly openedAtMs: number;
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (error: Error) => void;
}

/** @param nowMs a clock that never goes back */
export function createOpenBatches(nowMs: () => number): OpenBatches {
  // In the order of opening: the first entry is the oldest.
  const batches = new Map<number, OpenBatch>();
  let nextId = 0;
  let lost: string | undefined;

  return {
    open(count) {
      if (lost !== undefined) throw new EngineLost(lost);
      if (batches.size >= IN_FLIGHT_MAX) {
        throw new Error(`${IN_FLIGHT_MAX} batches are open: await an answer before the next batch`);
      }
      const id = nextId;
      nextId = (nextId + 1) >>> 0;
      const answer = new Promise<readonly Outcome[]>((resolve, reject) => {
        batches.set(id, { count, openedAtMs: nowMs(), resolve, reject });
      });
      return { id, answer };
    },
    answer(body) {
      const { id, outcomes } = decodeReply(body);
      const batch = batches.get(id);
      if (batch?.count !== outcomes.length) throw new ChannelBroken(`a reply to no open batch: ${id}`);
      batches.delete(id);
      batch.resolve(outcomes);
    },
    fail(reason) {
      lost ??= reason;
      const open = [...batches.values()];
      batches.clear();
      for (const batch of open) batch.reject(new EngineLost(lost));
    },
    oldestAgeMs() {
      for (const batch of batches.values()) return nowMs() - batch.openedAtMs;
      return 0;
    },
  };
}
