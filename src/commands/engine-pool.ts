/** The engines of one bundle at one station: a batch goes to the one that has least to do. */

import type { Engine } from "../gateway/ports.ts";
import type { KeptEngine } from "./kept-engine.ts";

export interface EnginePool extends Engine {
  readonly processes: number;
  readonly engines: () => readonly { readonly engine: string; readonly isUp: boolean }[];
  /** Lets open batches be answered, and ends all. */
  close(): Promise<void>;
}

/**
 * Starts a pool. The first engine alone: a bundle that it refuses, every other would refuse too.
 * @param names of the engines, at least one
 * @throws what `keep` throws, if one cannot be started; those that had been are closed again
 */
export async function startPool(
  names: readonly string[],
  keep: (name: string) => Promise<KeptEngine>,
): Promise<EnginePool> {
  const [first, ...others] = names;
  const started = [await keep(first!)];
  const rest = await Promise.allSettled(others.map(keep));
  for (const one of rest) if (one.status === "fulfilled") started.push(one.value);
  const failed = rest.find((one) => one.status === "rejected");
  if (failed !== undefined) {
    await Promise.all(started.map((kept) => kept.close()));
    throw failed.reason;
  }
  return poolOf(started.map((kept, i) => ({ name: names[i]!, kept, open: 0 })));
}

interface Member {
  readonly name: string;
  readonly kept: KeptEngine;
  /** Batches with it. */
  open: number;
}

function poolOf(members: readonly Member[]): EnginePool {
  const leastBusy = (): Member | undefined =>
    members
      .filter(({ kept }) => kept.isUp())
      .reduce<Member | undefined>((least, one) => (least && least.open <= one.open ? least : one), undefined);

  return {
    processes: members.length,
    engines: () => members.map(({ name, kept }) => ({ engine: name, isUp: kept.isUp() })),
    async judge(frames) {
      let member = leastBusy();
      while (member === undefined) {
        await Promise.race(members.map(({ kept }) => kept.whenUp()));
        member = leastBusy();
      }
      member.open++;
      try {
        return await member.kept.judge(frames);
      } finally {
        member.open--;
      }
    },
    async close() {
      await Promise.all(members.map(({ kept }) => kept.close()));
    },
  };
}

/** How many engines a station gets: an equal share of all, the first stations one more, each at least one. */
export function shareOf(count: number, stations: number, index: number): number {
  return Math.max(1, Math.floor(count / stations) + (index < count % stations ? 1 : 0));
}
