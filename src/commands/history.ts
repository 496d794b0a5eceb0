/**
 * What the console's charts show: decisions by the minute, counted from the ledger in small slices once somebody has
 * looked, and the monitors as they stood. The main path counts nothing for it, and nothing is stored for it: what was
 * decided before a restart is counted again.
 */

import { setImmediate } from "node:timers/promises";
import { createMinutes, MINUTES_KEPT, type Minutes } from "../core/minutes.ts";
import type { MonitorReport } from "../gateway/monitors.ts";
import type { Clock, Log } from "../gateway/ports.ts";
import type { HistoryView } from "../http/history-route.ts";
import type { MinuteCounts } from "../ledger/minute-counts.ts";

export interface HistoryOptions {
  readonly counts: MinuteCounts;
  readonly stations: readonly string[];
  readonly report: (station: string) => MonitorReport;
  readonly clock: Clock;
  readonly log: Log;
}

export interface History {
  /** Undefined where there is no such station. */
  of(station: string, minutes: number, step: number): Promise<HistoryView | undefined>;
  close(): void;
}

const MINUTE_MS = 60_000;
/** About a fifth of a millisecond of the gateway's thread. */
const SLICE_IDS = 500;
const FOLLOW_MS = 1000;
/** Of the day before the first look: so many slices, and then a rest. */
const BACK = { slices: 20, restMs: 50 } as const;
/** What whoever looks first waits for; the rest is there at the next look. */
const BACK_SLICES_AT_ONCE = 200;

interface Sample {
  readonly atMs: number;
  readonly report: MonitorReport;
}

export function createHistory({ counts, stations, report, clock, log }: HistoryOptions): History {
  const minutesOf = new Map<string, Minutes>();
  const samplesOf = new Map<string, Sample[]>(stations.map((station) => [station, []]));
  /** All ids above `low` and up to `high` are counted. */
  let high: number | undefined;
  let low = 0;
  /** Whether a day is counted, or all there is. */
  let isWhole = false;
  let lowMinute = Number.POSITIVE_INFINITY;
  let isClosed = false;
  let working: Promise<void> = Promise.resolve();
  const cancel: { follow(): void; back(): void; sample(): void } = { follow() {}, back() {}, sample() {} };
  const nowMinute = (): number => Math.floor(clock.nowMs() / MINUTE_MS);

  function count(above: number, upTo: number): void {
    for (const { station, minute, decision, reason, class: name, frames } of counts.between(above, upTo)) {
      lowMinute = Math.min(lowMinute, minute);
      const minutes = minutesOf.get(station) ?? createMinutes();
      minutesOf.set(station, minutes);
      minutes.add(minute, decision, reason, name, frames);
    }
  }

  /** One after the other, each slice behind the frames that wait. */
  function work(slices: number, next: () => boolean): Promise<void> {
    const done = working.then(async () => {
      for (let slice = 0; slice < slices && !isClosed && next(); slice++) await setImmediate();
    });
    working = done.catch(() => {}); // Whoever waits for it is told; the next goes on.
    return done;
  }

  function forward(): boolean {
    const last = counts.lastId();
    high ??= last;
    if (high >= last) return false;
    const upTo = Math.min(last, high + SLICE_IDS);
    count(high, upTo);
    high = upTo;
    return true;
  }

  function backward(): boolean {
    if (isWhole) return false;
    const above = Math.max(0, low - SLICE_IDS);
    count(above, low);
    low = above;
    isWhole = low === 0 || lowMinute < nowMinute() - MINUTES_KEPT;
    return !isWhole;
  }

  function follow(): void {
    cancel.follow = clock.after(FOLLOW_MS, follow);
    for (const minutes of minutesOf.values()) minutes.prune(nowMinute());
    watched(work(Number.POSITIVE_INFINITY, forward));
  }

  function fillBack(): void {
    if (isWhole || isClosed) return;
    const filled = work(BACK.slices, backward).finally(() => {
      cancel.back = clock.after(BACK.restMs, fillBack);
    });
    watched(filled);
  }

  function watched(done: Promise<void>): void {
    done.catch((error: Error) => {
      log.warn({ error: error.message }, "decisions could not be counted for the console; trying again");
    });
  }

  function sample(): void {
    cancel.sample = clock.after(MINUTE_MS, sample);
    for (const [station, samples] of samplesOf) {
      samples.push({ atMs: clock.nowMs(), report: report(station) });
      if (samples.length > MINUTES_KEPT) samples.shift();
    }
  }
  sample();

  return {
    async of(station, span, step) {
      const samples = samplesOf.get(station);
      if (samples === undefined) return undefined;
      if (high === undefined) {
        high = counts.lastId();
        low = high;
        follow();
        fillBack();
        await work(BACK_SLICES_AT_ONCE, backward);
      }
      await work(Number.POSITIVE_INFINITY, forward);
      const steps = (minutesOf.get(station) ?? createMinutes()).steps(nowMinute(), span, step);
      const sinceMs = steps[0]!.minute * MINUTE_MS;
      return {
        ...{ station, step },
        complete: isWhole || lowMinute < steps[0]!.minute,
        points: steps.map(({ minute, tallied: { byReason, byClass, ...tallied } }) => ({
          at: timeOf(minute * MINUTE_MS),
          ...tallied,
          byReason: Object.fromEntries(byReason),
          byClass: Object.fromEntries(byClass),
        })),
        monitor: [...samples, { atMs: clock.nowMs(), report: report(station) }]
          .filter(({ atMs }) => atMs >= sinceMs)
          .map(({ atMs, report: { state, evidence } }) => ({
            ...{ at: timeOf(atMs), state },
            ...(evidence !== undefined && { evidence }),
          })),
      };
    },
    close() {
      isClosed = true;
      cancel.follow();
      cancel.back();
      cancel.sample();
    },
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
