/** Engines of a simulation: slow, dying, hanging, ended by poison, and back after a while. */

import type { Random } from "../../src/core/random.ts";
import { type Engine, EngineLost, type Outcome, type Suspicion } from "../../src/gateway/ports.ts";
import type { Journal } from "./journal.ts";
import { between, type Life, type VirtualTime } from "./life.ts";
import { isPoison, outcomeOf } from "./plant.ts";

export interface SimulatedEngine extends Engine {
  /** Ends with what it has: by a crash, or killed from outside. */
  die(how: "crashed" | "killed"): void;
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
  /** A batch was lost with it. */
  readonly onLost: (payloads: readonly Uint8Array[], suspicion: Suspicion) => void;
}

const BATCHES_MAX = 2;

interface Batch {
  readonly payloads: readonly Uint8Array[];
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (error: Error) => void;
}

export function anEngine({
  time,
  life,
  random,
  journal,
  batchMax,
  deadlineMs,
  onLost,
}: EngineOptions): SimulatedEngine {
  const clock = time.clockOf(life);
  // Taken one by one, in the order of their coming.
  const open: Batch[] = [];
  let isUp = true;
  let isHung = false;

  const die = (how: "crashed" | "killed"): void => {
    if (!isUp) return;
    journal.note(`engine-${how}`);
    isUp = false;
    isHung = false;
    for (const [i, { payloads, reject }] of open.splice(0).entries()) {
      const suspicion = i > 0 ? "none" : how === "crashed" ? "strong" : "slight";
      onLost(payloads, suspicion);
      reject(new EngineLost("the engine ended", suspicion));
    }
    clock.after(between(random, 50, 1500), () => {
      isUp = true;
      begin();
    });
  };

  /** Begins on the oldest batch. */
  const begin = (): void => {
    const [batch] = open;
    if (!isUp || batch === undefined) return;
    const { payloads, resolve } = batch;
    clock.after(between(random, 1, 10) * engine.slowness, () => {
      if (open[0] !== batch || isHung) return;
      if (payloads.some(isPoison)) return die("crashed");
      open.shift();
      resolve(payloads.map(outcomeOf));
      begin();
    });
    clock.after(deadlineMs, () => {
      if (open[0] === batch) die("crashed");
    });
  };

  const engine: SimulatedEngine = {
    slowness: 1,
    die,
    hang() {
      if (!isUp) return;
      journal.note("engine-hung");
      isHung = true;
    },
    judge(frames) {
      if (frames.length > batchMax) journal.violate(`a batch of ${frames.length} frames`);
      const payloads = frames.map(({ payload }) => payload);
      return new Promise((resolve, reject) => {
        if (open.push({ payloads, resolve, reject }) > BATCHES_MAX)
          journal.violate(`${open.length} batches with one engine`);
        if (open.length === 1) begin();
      });
    },
  };
  return engine;
}
