/**
 * Bundles in shadow: each judges the frames that the live one has decided, when those are committed and published, and
 * is compared with it. Nothing waits for a shadow: what it cannot take in time is dropped, and counted.
 */

import type { Encoding } from "../core/frame.ts";
import { judgeGuarded, type Rule } from "../core/judge.ts";
import type { Committed, Judged } from "../core/record.ts";
import { type Compared, type Comparison, differ, type Said, saidOf } from "../core/shadow.ts";
import { firstOfKind } from "./first-of-kind.ts";
import type { Clock, Engine, Log, Outcome } from "./ports.ts";
import { openCounts } from "./shadow-counts.ts";
import type { ShadowBook, ShadowExample, ShadowMetrics } from "./shadow-ports.ts";
import type { Taken } from "./station.ts";

/** What judges in shadow at a station. */
export interface InShadow {
  readonly engine: Engine;
  readonly classes: readonly string[];
  readonly bundle: string;
  readonly rule: Rule;
}

export interface ShadowsOptions {
  readonly book: ShadowBook;
  readonly clock: Clock;
  readonly metrics: ShadowMetrics;
  readonly log: Log;
  readonly batchMax: number;
}

/** Frames that may wait for a shadow, and bytes of them; what comes beyond is dropped. */
const WAITING_MAX = { frames: 512, bytes: 16 * 2 ** 20 };
/** How much may be lost to a crash of the gateway: counts, and nothing else. */
const FLUSH_MS = 2000;

interface Waiting {
  readonly comparison: Comparison;
  readonly live: Said;
  readonly example: ShadowExample;
  readonly encoding: Encoding;
  readonly payload: Uint8Array;
}

interface Shadow {
  inShadow: InShadow;
  readonly waiting: Waiting[];
  waitingBytes: number;
  isJudging: boolean;
}

export type Shadows = ReturnType<typeof createShadows>;

export function createShadows({ book, clock, metrics, log, batchMax }: ShadowsOptions) {
  const shadows = new Map<string, Shadow>();
  const counts = openCounts(book);
  const isNewlyLost = firstOfKind(1000);
  let cancelFlush: (() => void) | undefined;
  let isFailing = false;

  function flush(): void {
    cancelFlush = undefined;
    try {
      counts.flush(clock.nowMs());
      isFailing = false;
    } catch (error) {
      if (!isFailing)
        log.warn({ error: (error as Error).message }, "what a shadow found cannot be noted; tried again");
      isFailing = true;
      armFlush();
    }
  }

  function armFlush(): void {
    cancelFlush ??= clock.after(FLUSH_MS, flush);
  }

  function drop(comparison: Comparison, why: "busy" | "engine-lost", frames: number): void {
    metrics.shadowDropped(comparison.station, why, frames);
    if (why === "busy") counts.of(comparison).dropped += frames;
    else counts.of(comparison).lost += frames;
    armFlush();
  }

  /** The live path has done its work by then, and goes on. */
  function failed(station: string, error: Error): void {
    log.error({ station, error: error.stack }, "the shadow of a station failed; the live bundle goes on");
  }

  async function pump(shadow: Shadow): Promise<void> {
    if (shadow.isJudging) return;
    shadow.isJudging = true;
    try {
      while (shadow.waiting.length > 0) {
        const batch = shadow.waiting.splice(0, batchMax);
        for (const { payload } of batch) shadow.waitingBytes -= payload.length;
        await judgeBatch(shadow.inShadow, batch);
      }
    } finally {
      shadow.isJudging = false;
    }
  }

  async function judgeBatch(
    { engine, rule, classes, bundle }: InShadow,
    batch: readonly Waiting[],
  ): Promise<void> {
    const { comparison } = batch[0]!;
    let outcomes: readonly Outcome[];
    try {
      outcomes = await engine.judge(batch.map(({ encoding, payload }) => ({ encoding, payload })));
    } catch (error) {
      // Never given again: a frame that ends an engine would end the next one as well.
      drop(comparison, "engine-lost", batch.length);
      if (isNewlyLost(comparison.station))
        log.warn(
          { station: comparison.station, bundle, error: (error as Error).message },
          "an engine in shadow was lost with its frames; nothing else is, and further losses are only counted",
        );
      return;
    }
    for (const [i, { live, example, comparison: of }] of batch.entries()) {
      const compared = { live, shadow: shadowSaid(outcomes[i]!, rule, classes) };
      note(of, compared, example);
    }
    armFlush();
  }

  function note(comparison: Comparison, compared: Compared, example: ShadowExample): void {
    counts.add(comparison, compared, example);
    metrics.shadowJudged(comparison.station);
    if (differ(compared))
      metrics.shadowDifference(comparison.station, compared.live.decision, compared.shadow.decision);
  }

  function accept(
    station: string,
    shadow: Shadow,
    taken: Taken,
    judged: Judged,
    { record }: Committed,
  ): void {
    const { inShadow } = shadow;
    const comparison = {
      station,
      liveBundle: judged.bundle,
      liveRevision: judged.revision,
      shadowBundle: inShadow.bundle,
      shadowRevision: inShadow.rule.revision,
    };
    const { payload } = taken.frame;
    const isFull =
      shadow.waiting.length >= WAITING_MAX.frames || shadow.waitingBytes + payload.length > WAITING_MAX.bytes;
    if (isFull) {
      drop(comparison, "busy", 1);
      return;
    }
    shadow.waitingBytes += payload.length;
    shadow.waiting.push({
      comparison,
      live: saidOf(judged.decision, judged.className),
      example: { decision: record.id, source: record.source, frame: record.frame },
      encoding: taken.encoding,
      payload: new Uint8Array(payload), // A copy: it is judged behind the acknowledgement.
    });
  }

  return {
    /** Frames that have been decided and committed, and are not yet acknowledged. */
    offer(
      station: string,
      batch: readonly Taken[],
      judged: readonly Judged[],
      committed: readonly Committed[],
    ): void {
      const shadow = shadows.get(station);
      if (shadow === undefined) return;
      try {
        for (const [i, taken] of batch.entries()) {
          // What has been decided before was compared then; what no engine was asked about says nothing.
          if (taken.reject === undefined && !committed[i]!.isRedelivery)
            accept(station, shadow, taken, judged[i]!, committed[i]!);
        }
      } catch (error) {
        failed(station, error as Error);
      }
      // The live path goes first.
      queueMicrotask(() => pump(shadow).catch((error: Error) => failed(station, error)));
    },

    /** Puts a bundle in shadow at a station, or none. What waits for the one before is dropped. */
    put(station: string, inShadow: InShadow | undefined): void {
      const before = shadows.get(station);
      if (before !== undefined) before.waiting.length = 0;
      shadows.delete(station);
      if (inShadow !== undefined)
        shadows.set(station, { inShadow, waiting: [], waitingBytes: 0, isJudging: false });
    },

    /** Notes what has been found; what still waits is dropped. */
    close(): void {
      shadows.clear();
      cancelFlush?.();
      flush();
      cancelFlush?.();
    },
  };
}

function shadowSaid(outcome: Outcome, rule: Rule, classes: readonly string[]): Said {
  if (outcome.kind === "reject") return { decision: "reject", className: undefined };
  const { prediction } = outcome;
  // The monitor watches the live bundle; of this one it says nothing.
  const { kind } = judgeGuarded(prediction, rule, "off");
  return { decision: kind, className: classes[prediction.classIndex] };
}
