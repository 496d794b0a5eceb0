/** The monitor of a station: from what its tests say to green, amber or red. Red stays until a person clears it. */

import { driftScores, type PartScores } from "./envelope/reference.ts";
import { type ExceedanceTest, nextExceedanceTest, startExceedanceTest } from "./statistics/exceedance.ts";
import { evidenceOf, type Restarts } from "./statistics/restarts.ts";

/** Evidence of either test at which the monitor turns amber. */
export const AMBER_AT = 10;
/** Amber is over once all evidence has been below this for so many windows in a row. */
export const AMBER_CLEARS_BELOW = 2;
export const AMBER_CLEARS_AFTER = 200;

/** What turns the monitor red without a test. */
export const MONITOR_FAULTS = ["defect", "digest", "ledger", "clock", "audits"] as const;
export type MonitorFault = (typeof MONITOR_FAULTS)[number];

/** Why the monitor is in its state. */
export type MonitorCause =
  | { readonly kind: "started" }
  | { readonly kind: "drift"; readonly evidence: number }
  | { readonly kind: "risk"; readonly evidence: number; readonly words: string }
  | { readonly kind: "fault"; readonly fault: MonitorFault; readonly detail: string }
  /** Amber, and its evidence has gone. */
  | { readonly kind: "calm" }
  | { readonly kind: "cleared" };

/** What is fixed by the envelope and the configuration. */
export interface MonitorTests {
  readonly drift: ExceedanceTest;
  /** Evidence of the risk test that is its alarm, 1 / etaRisk. */
  readonly riskAlarmAt: number;
}

/** A station's monitor as it stands; plain JSON. */
export interface Monitor {
  readonly state: "green" | "amber" | "red";
  readonly sinceMs: number;
  readonly cause: MonitorCause;
  /** Digest of the envelope that its tests are fixed on. */
  readonly envelope: string;
  readonly drift: Restarts;
  /** Evidence of the risk test as it was last told; 1 before. */
  readonly risk: number;
  /** Windows in a row, while amber, in which all evidence was low. */
  readonly calm: number;
}

/**
 * A monitor without evidence.
 * @param before the one that it takes the place of: amber stays amber until it is calm, red is not replaced but cleared
 */
export function startMonitor(
  { drift }: MonitorTests,
  envelope: string,
  atMs: number,
  before?: Monitor,
): Monitor {
  if (before?.state === "red") return before;
  const fresh = { envelope, drift: startExceedanceTest(drift), risk: 1, calm: 0 };
  return before?.state === "amber"
    ? { state: "amber", sinceMs: before.sinceMs, cause: before.cause, ...fresh }
    : { state: "green", sinceMs: atMs, cause: { kind: "started" }, ...fresh };
}

/**
 * Takes the part that was drawn of a window, passed or reviewed.
 * @throws RangeError if the state does not fit the tests; the caller then makes the monitor red
 */
export function nextMonitor(tests: MonitorTests, monitor: Monitor, part: PartScores, atMs: number): Monitor {
  if (monitor.state === "red") return monitor;
  const drift = nextExceedanceTest(tests.drift, monitor.drift, driftScores(part, tests.drift.streams.length));
  const isCalm = evidenceOf(drift) < AMBER_CLEARS_BELOW && monitor.risk < AMBER_CLEARS_BELOW;
  const calm = monitor.state === "amber" && isCalm ? monitor.calm + 1 : 0;
  return turned(tests, { ...monitor, drift, calm }, "", atMs);
}

/**
 * Takes the evidence of the risk test.
 * @param words what it rests on, for people
 */
export function withRisk(
  tests: MonitorTests,
  monitor: Monitor,
  evidence: number,
  words: string,
  atMs: number,
): Monitor {
  if (monitor.state === "red") return monitor;
  if (!(Number.isFinite(evidence) && evidence >= 0)) {
    return failed(monitor, "defect", `the evidence of the risk test is ${evidence}: ${words}`, atMs);
  }
  return turned(tests, { ...monitor, risk: evidence }, words, atMs);
}

/** Red for a reason that needs no test. One that is red already keeps its first reason. */
export function failed(monitor: Monitor, fault: MonitorFault, detail: string, atMs: number): Monitor {
  if (monitor.state === "red") return monitor;
  return { ...monitor, state: "red", sinceMs: atMs, cause: { kind: "fault", fault, detail }, calm: 0 };
}

/** Red and amber as the evidence has it. Evidence that is no number is an alarm: only what is below passes for less. */
function turned(tests: MonitorTests, monitor: Monitor, words: string, atMs: number): Monitor {
  const drift = evidenceOf(monitor.drift);
  const ofDrift: MonitorCause = { kind: "drift", evidence: drift };
  const ofRisk: MonitorCause = { kind: "risk", evidence: monitor.risk, words };
  const turn = (state: Monitor["state"], cause: MonitorCause): Monitor => ({
    ...monitor,
    ...{ state, cause, sinceMs: atMs, calm: 0 },
  });
  if (!(drift < tests.drift.alarmAt)) return turn("red", ofDrift);
  if (!(monitor.risk < tests.riskAlarmAt)) return turn("red", ofRisk);
  if (monitor.state === "amber") {
    return monitor.calm >= AMBER_CLEARS_AFTER ? turn("green", { kind: "calm" }) : monitor;
  }
  if (!(drift < AMBER_AT)) return turn("amber", ofDrift);
  if (!(monitor.risk < AMBER_AT)) return turn("amber", ofRisk);
  return monitor;
}
