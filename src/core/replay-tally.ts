/** Counts a replay up: what was decided, what would have been, and what is known of the difference. */

import type { GuardedDecision } from "./judge.ts";

/** What people and audits have found out about one decision. */
export interface FoundOut {
  /** Whether the student's class is right, by a vouched answer; undefined where nobody said. */
  readonly right: boolean | undefined;
  /** Whether the teacher's audit found it unfaithful; undefined where it did not say. */
  readonly unfaithful: boolean | undefined;
}

/** One frame or part, decided twice. */
export interface Replayed {
  readonly atMs: number;
  readonly className: string | null;
  readonly now: GuardedDecision;
  readonly would: GuardedDecision;
  readonly finding: FoundOut | undefined;
}

export interface Counts {
  decided: number;
  /** Sent to a person, as it was and as it would have been. */
  now: number;
  would: number;
}

/** Decisions of which something is known. */
export interface Known {
  found: number;
  passedNow: number;
  wouldPass: number;
  /** Passed, and would have gone to a person. */
  caught: number;
  /** Went to a person, and would have passed. */
  missed: number;
}

export type KnownKind = "wrong" | "right" | "unfaithful";

const HOUR_MS = 3_600_000;
/** Classes and reasons are few; a ledger of many bundles may still bring more names than anyone reads. */
const NAMES_MAX = 2000;
const OTHERS = "(others)";

export type ReplayTally = ReturnType<typeof createTally>;

export function createTally() {
  const all: Counts = { decided: 0, now: 0, would: 0 };
  const classes = new Map<string, Counts>();
  const reasons = new Map<string, { now: number; would: number }>();
  const hours = new Map<number, { now: number; would: number }>();
  const known: Record<KnownKind, Known> = { wrong: aKnown(), right: aKnown(), unfaithful: aKnown() };
  const moved = { passToReview: 0, reviewToPass: 0, otherReason: 0 };
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;

  function escalate(atMs: number, now: boolean, would: boolean): void {
    firstMs = Math.min(firstMs, atMs);
    lastMs = Math.max(lastMs, atMs);
    if (!now && !would) return;
    const hour = Math.floor(atMs / HOUR_MS);
    const counts = hours.get(hour) ?? { now: 0, would: 0 };
    hours.set(hour, counts);
    if (now) counts.now++;
    if (would) counts.would++;
  }

  return {
    add({ atMs, className, now, would, finding }: Replayed): void {
      const [reviewedNow, wouldReview] = [now.kind === "review", would.kind === "review"];
      const ofClass = entry(classes, className ?? "(none)", () => ({ decided: 0, now: 0, would: 0 }));
      for (const counts of [all, ofClass]) {
        counts.decided++;
        if (reviewedNow) counts.now++;
        if (wouldReview) counts.would++;
      }
      if (reviewedNow) entry(reasons, now.reason, () => ({ now: 0, would: 0 })).now++;
      if (wouldReview) entry(reasons, would.reason, () => ({ now: 0, would: 0 })).would++;
      if (!reviewedNow && wouldReview) moved.passToReview++;
      if (reviewedNow && !wouldReview) moved.reviewToPass++;
      if (reviewedNow && wouldReview && now.reason !== would.reason) moved.otherReason++;
      escalate(atMs, reviewedNow, wouldReview);
      const kinds: KnownKind[] = [];
      if (finding?.right !== undefined) kinds.push(finding.right ? "right" : "wrong");
      if (finding?.unfaithful === true) kinds.push("unfaithful");
      for (const kind of kinds) count(known[kind], reviewedNow, wouldReview);
    },

    /** A late frame opens a review of its own where its part has none. */
    addLate(atMs: number, now: boolean, would: boolean): void {
      escalate(atMs, now, would);
      if (now) entry(reasons, "late-frame", () => ({ now: 0, would: 0 })).now++;
      if (would) entry(reasons, "late-frame", () => ({ now: 0, would: 0 })).would++;
    },

    result: () => ({ ...{ all, moved, known }, classes, reasons, hours, firstMs, lastMs }),
  };
}

function aKnown(): Known {
  return { found: 0, passedNow: 0, wouldPass: 0, caught: 0, missed: 0 };
}

function count(known: Known, reviewedNow: boolean, wouldReview: boolean): void {
  known.found++;
  if (!reviewedNow) known.passedNow++;
  if (!wouldReview) known.wouldPass++;
  if (!reviewedNow && wouldReview) known.caught++;
  if (reviewedNow && !wouldReview) known.missed++;
}

function entry<T>(map: Map<string, T>, name: string, make: () => T): T {
  const key = map.has(name) || map.size < NAMES_MAX ? name : OTHERS;
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

/** Reviews in an hour: the mean over the time that the decisions span, the largest hour, and hours over a budget. */
export interface Workload {
  readonly perHour: number;
  readonly largestHour: number;
  readonly hoursOverBudget: number;
}

/** @param budget reviews that people can take in an hour */
export function workloadOf(
  { hours, firstMs, lastMs }: Pick<ReturnType<ReplayTally["result"]>, "hours" | "firstMs" | "lastMs">,
  side: "now" | "would",
  budget: number,
): Workload {
  let total = 0;
  let largestHour = 0;
  let hoursOverBudget = 0;
  for (const counts of hours.values()) {
    total += counts[side];
    largestHour = Math.max(largestHour, counts[side]);
    if (counts[side] > budget) hoursOverBudget++;
  }
  // What was seen in less than an hour is not projected on more than was seen.
  const spanHours = Math.max(1, (lastMs - firstMs) / HOUR_MS);
  return { perHour: total / spanHours, largestHour, hoursOverBudget };
}
