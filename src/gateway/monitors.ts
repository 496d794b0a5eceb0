/**
 * The monitors of all stations: fed with what has been committed, they tighten at once, loosen only once that is on
 * record, and stay red until a person clears them.
 */

import { watchesPlace } from "../core/envelope/reference.ts";
import type { Extent } from "../core/extent.ts";
import type { MonitorState } from "../core/judge.ts";
import {
  failed,
  type Monitor,
  type MonitorFault,
  type MonitorTests,
  nextMonitor,
  startMonitor,
  withRisk,
} from "../core/monitor.ts";
import { type Clearing, type ClearingContext, clearingProblem } from "../core/monitor-clearing.ts";
import { monitorText } from "../core/monitor-words.ts";
import type { Random } from "../core/random.ts";
import type { Committed, DecisionRecord } from "../core/record.ts";
import { evidenceOf } from "../core/statistics/restarts.ts";
import { createWindows, type WindowOptions, type Windows } from "../core/windows.ts";
import type { MonitorBook } from "./monitor-ports.ts";
import { actOf, restoreMonitor } from "./monitor-restore.ts";
import type { ActBook, ActRow, Clock, Log } from "./ports.ts";

/** What a station is watched by, as it is in force. */
export interface Watched {
  readonly station: string;
  readonly revision: number;
  readonly envelope: string;
  /** Undefined where it is off: switched off, or the envelope keeps no drift statistics. */
  readonly tests: MonitorTests | undefined;
  readonly window: WindowOptions;
}

export interface MonitorsOptions {
  readonly watched: readonly Watched[];
  readonly book: MonitorBook;
  readonly acts: Pick<ActBook, "append" | "list">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Tells operators of an act; `done` once it has arrived, else it is told again. */
  readonly tell: (act: ActRow, done: () => void) => void;
}

/** A monitor as people and programs are told of it. */
export interface MonitorReport {
  readonly station: string;
  readonly state: MonitorState;
  /** Undefined where it is off. */
  readonly sinceMs: number | undefined;
  readonly evidence: { readonly drift: number; readonly risk: number } | undefined;
  readonly words: { readonly en: string; readonly ja: string };
}

interface Kept {
  watched: Watched;
  windows: Windows;
  /** Undefined where it is off. */
  monitor: Monitor | undefined;
  /** A transition that has no act yet: the ledger could not be written. */
  isUnwritten: boolean;
  isUnsaved: boolean;
  told: number;
}

/** Further back than this the clock is not corrected but wrong. */
export const CLOCK_TOLERANCE_MS = 60_000;
const ROUND_MS = 10_000;
const ACTS_TOLD_AT_ONCE = 100;
const OFF = {
  en: "The monitor is off: it is switched off, or the envelope keeps no drift statistics; certify again to have them.",
  ja: "監視は切られています。設定で無効か、包絡にずれの統計がありません。再認証すると作られます。",
};

export type Monitors = ReturnType<typeof createMonitors>;

export function createMonitors({ watched, book, acts, clock, random, log, tell }: MonitorsOptions) {
  const kept = new Map<string, Kept>(watched.map((one) => [one.station, keep(one)]));
  let lastDecidedAtMs = book.lastDecisionAtMs() ?? Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | undefined;
  let isClosed = false;

  function keep(one: Watched): Kept {
    const monitor = restoreMonitor(one.station, one.tests, one.envelope, { acts, book }, clock.nowMs());
    const windows = createWindows(one.window, random);
    if (monitor === undefined) log.warn({ station: one.station }, OFF.en);
    const isNewlyRed = monitor?.state === "red" && monitor.cause.kind === "fault" && !isOnRecord(one.station);
    const told = book.find(one.station)?.told ?? 0;
    return { ...{ watched: one, windows, monitor, told }, isUnwritten: isNewlyRed, isUnsaved: false };
  }

  function isOnRecord(station: string): boolean {
    const [last] = acts.list({ station, kinds: ["monitor", "monitor-cleared"], limit: 1 });
    return last !== undefined && (JSON.parse(last.body) as { state: string }).state === "red";
  }

  /** Takes a next state: what loosens waits for its act, what tightens does not. */
  function turn(one: Kept, next: Monitor): void {
    const before = one.monitor;
    if (next === before) return;
    one.isUnsaved = true;
    if (next.state === before?.state) {
      one.monitor = next;
      return;
    }
    const tightens = next.state !== "green";
    if (tightens) {
      one.monitor = next;
      one.isUnwritten = true;
    }
    log.warn(
      { station: one.watched.station, state: next.state, before: before?.state },
      monitorText(one.watched.station, next, "en"),
    );
    try {
      write(one, next);
      one.monitor = next;
    } catch (error) {
      log.error(
        { station: one.watched.station, error: (error as Error).message },
        tightens
          ? "the monitor's state cannot be written yet; it holds all the same"
          : "the monitor stays amber: that it is green cannot be written",
      );
    }
  }

  function write(one: Kept, monitor: Monitor): void {
    const { station, revision } = one.watched;
    acts.append([actOf(station, revision, monitor, clock.nowMs(), { kind: "monitor" })]);
    one.isUnwritten = false;
    tellAll(one);
  }

  /** In their order, from the first on that has not arrived. */
  function tellAll(one: Kept): void {
    const { station } = one.watched;
    const rows = acts.list({ station, kinds: ["monitor", "monitor-cleared"], limit: ACTS_TOLD_AT_ONCE });
    for (const act of [...rows].reverse()) {
      if (act.seq <= one.told) continue;
      tell(act, () => {
        one.told = Math.max(one.told, act.seq);
        one.isUnsaved = true;
      });
    }
  }

  /** A defect of ours must not stop frames, and must not let them pass unwatched. */
  function guarded(one: Kept, work: (monitor: Monitor) => Monitor): void {
    const { monitor } = one;
    if (monitor === undefined) return;
    let next: Monitor;
    try {
      next = work(monitor);
    } catch (error) {
      next = failed(monitor, "defect", (error as Error).message, clock.nowMs());
    }
    turn(one, next);
  }

  function feed(one: Kept, record: DecisionRecord, extent: Extent | undefined): void {
    const { tests } = one.watched;
    if (tests === undefined || one.monitor === undefined || one.monitor.state === "red") return;
    // Of a part that was open over a restart some is forgotten, whatever it looked like: it is none that is drawn.
    if (extent === undefined && watchesPlace(tests.drift)) return;
    const score = record.score ?? Number.NaN;
    const novelty = record.novelty ?? Number.NaN;
    const drawn = one.windows.take(record.source, { score, novelty, extent }, clock.monotonicMs());
    if (drawn !== undefined)
      guarded(one, (monitor) => nextMonitor(tests, monitor, drawn, record.decidedAtMs));
  }

  function lookAtClock(atMs: number): void {
    if (atMs < lastDecidedAtMs - CLOCK_TOLERANCE_MS) {
      const seconds = Math.round((lastDecidedAtMs - atMs) / 1000);
      failAll("clock", `it stands ${seconds} s before the last decision`);
      lastDecidedAtMs = atMs; // Said once: after a clearing the clock counts from where it is.
    } else if (atMs > lastDecidedAtMs) lastDecidedAtMs = atMs;
  }

  function fail(station: string, fault: MonitorFault, detail: string): void {
    const one = kept.get(station);
    if (one !== undefined) guarded(one, (monitor) => failed(monitor, fault, detail, clock.nowMs()));
  }

  function failAll(fault: MonitorFault, detail: string): void {
    for (const station of kept.keys()) fail(station, fault, detail);
  }

  function save(): void {
    const unsaved = [...kept.values()].filter((one) => one.isUnsaved);
    if (unsaved.length === 0) return;
    book.save(
      unsaved.map(({ watched: { station }, monitor, told }) => ({
        ...{ station, state: JSON.stringify(monitor ?? null), told },
      })),
    );
    for (const one of unsaved) one.isUnsaved = false;
  }

  function round(): void {
    try {
      for (const one of kept.values()) {
        if (one.isUnwritten && one.monitor !== undefined) write(one, one.monitor);
        else tellAll(one);
      }
      save();
    } catch (error) {
      log.warn({ error: (error as Error).message }, "the monitors cannot be saved; tried again");
    }
    if (!isClosed) cancel = clock.after(ROUND_MS, round);
  }

  return {
    /** Looks at the clock, and from now on writes, tells and saves what has not been. */
    start(): void {
      lookAtClock(clock.nowMs());
      round();
    },

    state: (station: string): MonitorState => kept.get(station)?.monitor?.state ?? "off",

    /** Takes what has been committed: frames of no part, and the decisions on parts. */
    take(committed: readonly Committed[]): void {
      for (const { record, isRedelivery, extent } of committed) {
        if (isRedelivery) continue;
        lookAtClock(record.decidedAtMs);
        const one = kept.get(record.station);
        if (one !== undefined && isJudged(record)) feed(one, record, extent);
      }
    },

    /** Takes the evidence of the risk test. @param words what it rests on */
    observeRisk(station: string, evidence: number, words: string): void {
      const one = kept.get(station);
      const tests = one?.watched.tests;
      if (one === undefined || tests === undefined) return;
      guarded(one, (monitor) => withRisk(tests, monitor, evidence, words, clock.nowMs()));
    },

    fail,
    failAll,

    /** This is in force from now on. Red stays red; another envelope starts without evidence. */
    changed(next: Watched): void {
      const one = kept.get(next.station);
      if (one === undefined) return;
      const isOther = next.envelope !== one.watched.envelope;
      one.watched = next;
      if (!isOther || one.monitor?.state === "red") return;
      one.windows = createWindows(next.window, random);
      one.isUnsaved = true;
      if (next.tests === undefined) log.warn({ station: next.station }, OFF.en);
      one.monitor = next.tests && startMonitor(next.tests, next.envelope, clock.nowMs(), one.monitor);
    },

    /**
     * Clears red by an act whose signatures have been verified.
     * @param document the act as it was signed
     * @returns why it does not, or undefined
     * @throws what the ledger throws: it is then not cleared
     */
    clear(
      station: string,
      clearing: Clearing,
      inForce: ClearingContext,
      document: unknown,
    ): string | undefined {
      const one = kept.get(station);
      if (one?.monitor === undefined) return `station ${station} has no monitor`;
      const problem = clearingProblem(one.monitor, clearing, inForce);
      if (problem !== undefined) return problem;
      const { tests, envelope, revision } = one.watched;
      const atMs = clock.nowMs();
      const cleared: Monitor = {
        ...(tests === undefined ? one.monitor : startMonitor(tests, envelope, atMs)),
        ...{ state: "green", sinceMs: atMs, cause: { kind: "cleared" }, envelope },
      };
      acts.append([actOf(station, revision, cleared, atMs, { kind: "monitor-cleared", document })]);
      one.monitor = tests === undefined ? undefined : cleared;
      one.windows = createWindows(one.watched.window, random);
      one.isUnsaved = true;
      one.isUnwritten = false;
      tellAll(one);
      return undefined;
    },

    report(station: string): MonitorReport {
      const monitor = kept.get(station)?.monitor;
      if (monitor === undefined)
        return { station, state: "off", sinceMs: undefined, evidence: undefined, words: OFF };
      return {
        ...{ station, state: monitor.state, sinceMs: monitor.sinceMs },
        evidence: { drift: evidenceOf(monitor.drift), risk: monitor.risk },
        words: { en: monitorText(station, monitor, "en"), ja: monitorText(station, monitor, "ja") },
      };
    },

    close(): void {
      isClosed = true;
      cancel?.();
      try {
        save();
      } catch (error) {
        log.warn(
          { error: (error as Error).message },
          "the monitors' evidence since the last round is not kept",
        );
      }
    },
  };
}

/** Whether an engine spoke of all that the row is about. */
function isJudged({ decision, reason }: DecisionRecord): boolean {
  return (
    (decision === "pass" || decision === "review") && reason !== "late-frame" && reason !== "frame-rejected"
  );
}
