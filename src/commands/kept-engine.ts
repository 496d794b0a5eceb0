/** Keeps an engine: where one ends, the next is started, and frames wait for it. */

import type { EngineProcess } from "../engine/engine-process.ts";
import { type Clock, type Engine, EngineLost, type Log } from "../gateway/ports.ts";

export interface KeptEngine extends Engine {
  readonly isUp: () => boolean;
  /** Resolves when an engine runs. @throws EngineLost once closed */
  whenUp(): Promise<EngineProcess>;
  /** Engines started so far. */
  readonly starts: () => number;
  close(): Promise<void>;
}

/** The pause before the second start after an end; the first follows at once. */
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 30_000;
/** An engine that lived this long ended of something else than its start, though no frame came. */
const HEALTHY_MS = 60_000;

/**
 * Starts an engine and keeps one running until closed. The next follows at once upon one that has been of use, and
 * with doubling pauses upon those that cannot be started, or end before they have answered a batch.
 * @param start starts one; it calls `ended` once when that one is gone
 * @param restarting called each time that one has ended and the next is to be started
 * @throws what `start` throws, if the first engine cannot be started
 */
export async function keepEngine(
  start: (ended: () => void) => Promise<EngineProcess>,
  clock: Clock,
  log: Log,
  restarting: () => void = () => {},
): Promise<KeptEngine> {
  let pauseMs = 0;
  let starts = 0;
  let isClosing = false;
  let running: EngineProcess | undefined;
  let starting: Promise<void> = Promise.resolve();
  let cancelPause: (() => void) | undefined;
  const waiting: { resolve(engine: EngineProcess): void; reject(error: Error): void }[] = [];

  const begin = async (): Promise<void> => {
    const startedMs = clock.monotonicMs();
    starts++;
    const engine = await start(() => {
      running = undefined;
      if (isClosing) return;
      if (clock.monotonicMs() - startedMs >= HEALTHY_MS) pauseMs = 0;
      restarting();
      again("the engine ended; another is started");
    });
    if (isClosing) return engine.close();
    running = engine;
    for (const { resolve } of waiting.splice(0)) resolve(engine);
  };

  const again = (message: string): void => {
    log.warn({ pauseMs }, message);
    cancelPause = clock.after(pauseMs, () => {
      pauseMs = Math.min(RESTART_MS_MAX, Math.max(RESTART_MS_MIN, 2 * pauseMs));
      starting = begin().catch((error: Error) => {
        if (!isClosing) again(`the engine could not be started: ${error.message}`);
      });
    });
  };

  const closed = (): EngineLost => new EngineLost("the engine is closed", "none");
  const whenUp = async (): Promise<EngineProcess> => {
    if (isClosing) throw closed();
    return running ?? (await new Promise((resolve, reject) => waiting.push({ resolve, reject })));
  };

  await begin();
  return {
    isUp: () => running !== undefined,
    whenUp,
    starts: () => starts,
    async judge(frames) {
      if (isClosing) throw closed();
      // Without a wait where it runs: a batch is with the engine before anything else can come between.
      const engine = running ?? (await whenUp());
      try {
        const outcomes = await engine.judge(frames);
        pauseMs = 0;
        return outcomes;
      } catch (error) {
        // It may still be ending; what comes now waits for the next one instead of failing at once.
        if (running === engine) running = undefined;
        throw error;
      }
    },
    async close() {
      isClosing = true;
      cancelPause?.();
      for (const { reject } of waiting.splice(0)) reject(closed());
      await starting;
      await running?.close();
    },
  };
}
