/** What is written of a monitor, and what it is again after a restart: the acts say its state, the rest is evidence. */

import type { MonitorState } from "../core/judge.ts";
import { failed, type Monitor, type MonitorCause, type MonitorTests, startMonitor } from "../core/monitor.ts";
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

/** The state that is on record; off where none is. */
export function stateOnRecord(acts: Pick<ActBook, "list">, station: string): MonitorState {
  const [last] = acts.list({ station, kinds: ["monitor", "monitor-cleared"], limit: 1 });
  return last === undefined ? "off" : (JSON.parse(last.body) as MonitorAct).state;
}

/**
 * A station's monitor at start. Red is what the chain of acts says, whatever stands beside it; evidence that cannot be
 * read, or that belongs to another envelope, is none.
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
  if (tests === undefined) return undefined;
  const fresh = startMonitor(tests, envelope, nowMs);
  const state = said === undefined ? {} : { state: said.state, sinceMs: said.sinceMs, cause: said.cause };
  const saved = book.find(station)?.state;
  try {
    return { ...fresh, ...(saved !== undefined && evidenceIn(saved, fresh)), ...state };
  } catch (error) {
    return failed(
      fresh,
      "defect",
      `what was saved of its tests cannot be read: ${(error as Error).message}`,
      nowMs,
    );
  }
}

/** The evidence that was saved; none where it is of another envelope. @throws where it is none */
function evidenceIn(saved: string, { envelope, drift }: Monitor): Partial<Monitor> {
  const found = JSON.parse(saved) as Monitor;
  if (found.envelope !== envelope) return {};
  const { steps, capital } = found.drift;
  const isEvidence = [steps, found.risk, found.calm, ...capital].every(
    (number) => Number.isFinite(number) && number >= 0,
  );
  if (!isEvidence || capital.length !== drift.capital.length)
    throw new RangeError(`expected ${drift.capital.length} capitals, all numbers >= 0`);
  return { drift: { steps, capital }, risk: found.risk, calm: found.calm };
}
