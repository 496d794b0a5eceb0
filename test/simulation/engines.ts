/** Engines of a simulation: slow, dying, hanging, ended by poison, and back after a while. */

import type { Random } from "../../src/core/random.ts";
import { type Engine, EngineLost, type Outcome } from "../../src/gateway/ports.ts";
import type { Journal } from "./journal.ts";
import { between, type Life, type VirtualTime } from "./life.ts";
import { isPoison, outcomeOf } from "./plant.ts";

export interface SimulatedEngine extends Engine {
  /** Ends with what it has. */
  die(): void;
  /** Answers nothing until its deadline ends it. */
  hang(): void;
  slowness: number;
}

export interface EngineOptions {
  readonly time: VirtualTime;
  readonly life: Life;
  readonly random: Random;
  readonly journal: Journal;
  readonly batchMax: number;
  readonly deadlineMs: number;
}

const BATCHES_MAX = 2;

export function anEngine({
  time,
  life,
  random,
  journal,
  batchMax,
  deadlineMs,
}: EngineOptions): SimulatedEngine {
  const clock = time.clockOf(life);
  const lost = new Set<() => void>();
  let isUp = true;
  let isHung = false;
  const waiting: (() => void)[] = [];
  let inFlight = 0;

  const die = (): void => {
    if (!isUp) return;
    journal.note("engine-died");
    isUp = false;
    isHung = false;
    for (const lose of [...lost]) lose();
    clock.after(between(random, 50, 1500), () => {
      isUp = true;
      for (const go of waiting.splice(0)) go();
    });
  };

  async function answered(payloads: readonly Uint8Array[]): Promise<readonly Outcome[]> {
    if (!isUp) await new Promise<void>((resolve) => waiting.push(resolve));
    return new Promise((resolve, reject) => {
      const lose = (): void => {
        lost.delete(lose);
        reject(new EngineLost("the engine ended"));
      };
      lost.add(lose);
      clock.after(between(random, 1, 10) * engine.slowness, () => {
        if (!lost.has(lose)) return;
        if (isHung) return;
        if (payloads.some(isPoison)) return die();
        lost.delete(lose);
        resolve(payloads.map(outcomeOf));
      });
      clock.after(deadlineMs, () => {
        if (lost.has(lose)) die();
      });
    });
  }

  const engine: SimulatedEngine = {
    slowness: 1,
    die,
    hang() {
      if (!isUp) return;
      journal.note("engine-hung");
      isHung = true;
    },
    async judge(frames) {
      if (frames.length > batchMax) journal.violate(`a batch of ${frames.length} frames`);
      if (++inFlight > BATCHES_MAX) journal.violate(`${inFlight} batches with one engine`);
      try {
        return await answered(frames.map(({ payload }) => payload));
      } finally {
        inFlight--;
      }
    },
  };
  return engine;
}
