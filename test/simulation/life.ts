/** Virtual time, and lives of the daemon: what a killed one had scheduled or asked for never comes. */

import type { Random } from "../../src/core/random.ts";
import type { Clock } from "../../src/gateway/ports.ts";

/** Where a `kill -9` may strike inside a call; between calls it may strike at any time. */
export type KillPoint = "before-commit" | "after-commit" | "before-puback" | "after-puback" | "in-publish";

/** One run of the daemon, from its start to its kill or stop. */
export interface Life {
  alive: boolean;
  killAt: KillPoint | undefined;
  /** Ends this life if it is to end here. @throws Killed if it is over */
  passes(point: KillPoint): void;
}

/** Unwinds what a killed daemon was in the middle of; the world goes on. */
class Killed extends Error {}

/** Calls into the daemon, which may be killed in it. */
export function outlives(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
}

export function aLife(onKill: () => void): Life {
  const life: Life = {
    alive: true,
    killAt: undefined,
    passes(point) {
      if (life.alive && life.killAt === point) {
        life.alive = false;
        onKill();
      }
      if (!life.alive) throw new Killed("killed");
    },
  };
  return life;
}

export interface VirtualTime {
  /** Of the machine's own, which outlives the daemon: brokers, engines, plant. */
  readonly clock: Clock;
  clockOf(life: Life): Clock;
  /** Sets the clock on the wall forward or back; timers do not care. */
  jump(ms: number): void;
  /** Moves on, and calls what is due in order, letting each call's consequences run out. */
  pass(ms: number): Promise<void>;
}

interface Timer {
  readonly atMs: number;
  readonly call: () => void;
}

const ORIGIN_MS = 1_700_000_000_000;

export function virtualTime(): VirtualTime {
  let elapsedMs = 0;
  let offsetMs = ORIGIN_MS;
  const timers = new Set<Timer>();
  const clock: Clock = {
    nowMs: () => offsetMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after(ms, call) {
      const timer = { atMs: elapsedMs + ms, call };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
  const next = (untilMs: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (timer.atMs <= untilMs && (first === undefined || timer.atMs < first.atMs)) first = timer;
    }
    return first;
  };
  return {
    clock,
    clockOf: (life) => ({
      ...clock,
      after: (ms, call) => clock.after(ms, () => life.alive && call()),
    }),
    jump(ms) {
      offsetMs += ms;
    },
    async pass(ms) {
      const untilMs = elapsedMs + ms;
      await consequences();
      for (let timer = next(untilMs); timer !== undefined; timer = next(untilMs)) {
        timers.delete(timer);
        elapsedMs = Math.max(elapsedMs, timer.atMs);
        outlives(timer.call);
        await consequences();
      }
      elapsedMs = untilMs;
    },
  };
}

/** A turn of the event loop: every promise that waits for nothing but its turn has had it. */
function consequences(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random.next() * (high - low + 1));
}

export function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random.next() * choices.length)]!;
}
