/** What is written of a monitor, and what it is again after a restart: the acts say its state, the rest is evidence. */

import type { MonitorState } from "../core/judge.ts";
import {
  failed,
  type Monitor,
  type MonitorCause,
  type MonitorTests,
  startMonitor,
  tightened,
} from "../core/monitor.ts";
import { monitorText } from "../core/monitor-words.ts";
import { evidenceOf, noRestarts } from "../core/statistics/restarts.ts";
import type { MonitorBook } from "./monitor-ports.ts";
import type { ActBook, ActRow } from "./ports.ts";

/** The body of an act of kind `monitor` or `monitor-cleared`. */
interface MonitorAct {
  readonly state: Monitor["state"];
  readonly sinceMs: number;
  readonly cause: MonitorCause;
  readonly envelope: string;
}

/** @param more what else the act is to keep, such as the document that cleared it */
export function actOf(
  station: string,
  revision: number,
  monitor: Monitor,
  atMs: number,
  more: { readonly kind: "monitor" } | { readonly kind: "monitor-cleared"; readonly document: unknown },
): Omit<ActRow, "seq"> {
  const { state, sinceMs, cause, envelope, drift, risk } = monitor;
  const { kind, ...rest } = more;
  const body = {
    ...{ state, sinceMs, cause, envelope, evidence: { drift: evidenceOf(drift), risk }, ...rest },
    words: { en: monitorText(station, monitor, "en"), ja: monitorText(station, monitor, "ja") },
  };
  return { station, kind, revision, atMs, body: JSON.stringify(body) };
}

/** What the book keeps of a monitor. */
interface SavedMonitor extends Monitor {
  /** Number of the act that cleared it last; 0, or absent in what earlier versions wrote, before the first. */
  readonly clearing?: number;
}

/** What the book is to keep of a monitor. @param clearing number of the act that cleared it last */
export function savedMonitor(monitor: Monitor | undefined, clearing: number): string {
  return JSON.stringify(monitor === undefined ? null : { ...monitor, clearing });
}

/** Number of the act that cleared a station's red last; 0 where none has. */
export function lastClearing(acts: Pick<ActBook, "list">, station: string): number {
  return acts.list({ station, kinds: ["monitor-cleared"], limit: 1 })[0]?.seq ?? 0;
}

/** The state that is on record. @param none what it is where no act says any */
export function stateOnRecord(
  acts: Pick<ActBook, "list">,
  station: string,
  none: MonitorState = "off",
): MonitorState {
  const [last] = acts.list({ station, kinds: ["monitor", "monitor-cleared"], limit: 1 });
  return last === undefined ? none : (JSON.parse(last.body) as MonitorAct).state;
}

/**
 * A station's monitor at start. Red is what the chain of acts says, whatever stands beside it, and what was saved of
 * it where the act could not be written. Evidence that cannot be read is a defect; evidence that belongs to another
 * envelope, or that was saved before red was cleared, is none.
 * @param tests undefined where it is off; one that was red is red all the same
 * @returns undefined where it is off
 */
export function restoreMonitor(
  station: string,
  tests: MonitorTests | undefined,
  envelope: string,
  { acts, book }: { readonly acts: Pick<ActBook, "list">; readonly book: Pick<MonitorBook, "find"> },
  nowMs: number,
): Monitor | undefined {
  const [last] = acts.list({ station, kinds: ["monitor", "monitor-cleared"], limit: 1 });
  const said = last && (JSON.parse(last.body) as MonitorAct);
  const unknown: Monitor = {
    ...{ state: "red", sinceMs: nowMs, envelope, drift: noRestarts(1), risk: 1, calm: 0 },
    cause: { kind: "started" },
  };
  if (said?.state === "red") {
    const { sinceMs, cause, envelope: before } = said;
    return { ...unknown, sinceMs, cause, envelope: before };
  }
  const state = said === undefined ? {} : { state: said.state, sinceMs: said.sinceMs, cause: said.cause };
  try {
    const saved = savedSince(lastClearing(acts, station), book.find(station)?.state);
    if (saved?.state === "red") {
      // Its act could not be written.
      const { sinceMs, cause, envelope: before } = saved;
      return { ...unknown, sinceMs, cause, envelope: before };
    }
    if (tests === undefined) return undefined;
    const fresh = { ...startMonitor(tests, envelope, nowMs), ...state };
    // What alarms now alarmed when it was saved; that it did may not be on record.
    return saved === undefined ? fresh : tightened(tests, { ...fresh, ...evidenceIn(saved, fresh) }, nowMs);
  } catch (error) {
    if (tests === undefined) return undefined;
    return failed(
      { ...startMonitor(tests, envelope, nowMs), ...state },
      "defect",
      `what was saved of its tests cannot be read: ${(error as Error).message}`,
      nowMs,
    );
  }
}

/** What was saved since it was cleared last. Null is written of one that is off. @throws where it is no JSON */
function savedSince(clearing: number, saved: string | undefined): SavedMonitor | undefined {
  const found = saved === undefined ? null : (JSON.parse(saved) as SavedMonitor | null);
  return found !== null && (found.clearing ?? 0) === clearing ? found : undefined;
}

/** The evidence that was saved; none where it is of another envelope. @throws where it is none */
function evidenceIn(found: SavedMonitor, { envelope, drift }: Monitor): Partial<Monitor> {
  if (found.envelope !== envelope) return {};
  const { steps, capital } = found.drift;
  const isEvidence = [steps, found.risk, found.calm, ...capital].every(
    (number) => Number.isFinite(number) && number >= 0,
  );
  if (!isEvidence || capital.length !== drift.capital.length)
    throw new RangeError(`expected ${drift.capital.length} capitals, all numbers >= 0`);
  return { drift: { steps, capital }, risk: found.risk, calm: found.calm };
}
