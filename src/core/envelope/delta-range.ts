/** The range in which delta says something: above what the teacher moves by itself, below half its lead. Fit alone. */

import { softmax } from "../confidence.ts";
import { framesByPart, partsOf } from "./cut.ts";
import type { Evidence } from "./types.ts";
import { finiteArgmax } from "./unfaithful.ts";

/** On this share of the steady parts a delta up to the ceiling leaves no room for another class. */
const CLASS_KEPT_SHARE = 0.95;
/** A delta is suggested that keeps this share of the parts which the best one in the range could keep. */
const PARTS_KEPT_SHARE = 0.9;

/** A delta is suggested in hundredths, or in the coarsest of these that the ceiling allows. */
const ROUND_UNITS = [100, 1000, 10_000];

/** What bears on delta, of the parts of fit. */
export interface DeltaFacts {
  /** Parts of fit. */
  readonly parts: number;
  /**
   * Of those on which both models give the same class at every frame, that is of those that some delta could call
   * faithful [agreeing]: the largest gap and the teacher's largest move by itself over frames and copies (Infinity
   * where not finite), and half the teacher's smallest lead of its first class over its second.
   */
  readonly gap: Float64Array;
  readonly swing: Float64Array;
  readonly halfLead: Float64Array;
}

/**
 * A student within delta of a teacher that leads by more than 2 delta gives the teacher's class: p_s of the first
 * class is at least p_t - delta, of any other at most p_t + delta. So delta says something of a part where
 * swing <= delta < half the lead. Parts that have such a delta, which the teacher itself moves too little on to
 * change its answer, are called steady here; of the others no delta says anything.
 */
export interface DeltaRange {
  /** Parts of fit on which both models agree, and those of them that are steady. */
  readonly agreeing: number;
  readonly steady: number;
  /**
   * The teacher's own swing: the smallest delta that it moves no further than on at least half of the steady parts.
   * A stricter delta asks more of the student than most parts let the teacher keep by itself: nobody is
   * endangered by it, but little can pass.
   */
  readonly floor: number;
  /**
   * Half the teacher's lead: the largest delta that is at most half its lead on at least 95% of the steady parts.
   * Beyond it "faithful" comes to say no more than "the same class", so this end is the careful one.
   */
  readonly ceiling: number;
  /**
   * The strictest delta from floor to ceiling that keeps nine in ten of the parts that the best one could keep, on
   * which U = 0 and delta is below half the lead; rounded up as far as the ceiling allows. NaN where
   * there is no such part, or the floor lies above the ceiling.
   */
  readonly suggested: number;
}

/** Shares of all parts of fit at one delta. */
export interface DeltaShares {
  /** Parts with U = 0: no score, however good, passes more. */
  readonly faithful: number;
  /** Those of them on which delta is at least half the teacher's lead, which leaves room for another class. */
  readonly classOpen: number;
  /** Agreeing parts on which the teacher itself moves further than delta. */
  readonly teacherMoves: number;
}

/** Reads off the parts of fit what bears on delta; a part counts once, by the worst of its frames. */
export function deltaFacts(evidence: Evidence): DeltaFacts {
  const fit = partsOf(evidence, "fit");
  const frames = framesByPart(evidence);
  const gap: number[] = [];
  const swing: number[] = [];
  const halfLead: number[] = [];
  for (const part of fit) {
    const rows = frames.rows.subarray(frames.start[part]!, frames.start[part + 1]!);
    const leads = Array.from(rows, (row) => leadWhereAgreed(evidence, row));
    if (!leads.every((lead) => lead >= 0)) continue;
    gap.push(Math.max(...Array.from(rows, (row) => finiteOrInfinity(evidence.largestGap[row]!))));
    swing.push(Math.max(...Array.from(rows, (row) => finiteOrInfinity(evidence.teacherSwing[row]!))));
    halfLead.push(Math.min(...leads) / 2);
  }
  return {
    parts: fit.length,
    gap: Float64Array.from(gap),
    swing: Float64Array.from(swing),
    halfLead: Float64Array.from(halfLead),
  };
}

/**
 * The range of delta. A floor above the ceiling says that any delta is moved beyond by the teacher itself on more
 * than half of the steady parts, or leaves room for another class on more than one in twenty.
 * @returns floor and ceiling in [0, 0.5]; both NaN where no part is steady
 */
export function deltaRange(facts: DeltaFacts): DeltaRange {
  const at = Array.from(facts.swing.keys()).filter((i) => facts.swing[i]! < facts.halfLead[i]!);
  const steady = at.length;
  const swing = Float64Array.from(at, (i) => facts.swing[i]!).sort();
  const halfLead = Float64Array.from(at, (i) => facts.halfLead[i]!).sort();
  const floor = swing[Math.ceil(steady / 2) - 1] ?? Number.NaN;
  const ceiling = halfLead[steady - Math.ceil(CLASS_KEPT_SHARE * steady)] ?? Number.NaN;
  return {
    agreeing: facts.swing.length,
    steady,
    floor,
    ceiling,
    suggested: suggestedDelta(facts, floor, ceiling),
  };
}

/**
 * Shares of the parts of fit at one delta.
 * @returns shares in [0, 1]; NaN where fit has no part
 */
export function deltaShares({ parts, gap, swing, halfLead }: DeltaFacts, delta: number): DeltaShares {
  const share = (holds: (at: number) => boolean): number =>
    gap.reduce((count, _, at) => count + (holds(at) ? 1 : 0), 0) / (parts === 0 ? Number.NaN : parts);
  return {
    faithful: share((at) => gap[at]! <= delta),
    classOpen: share((at) => gap[at]! <= delta && !(delta < halfLead[at]!)),
    teacherMoves: share((at) => !(swing[at]! <= delta)),
  };
}

function suggestedDelta({ gap, halfLead }: DeltaFacts, floor: number, ceiling: number): number {
  // A part is kept from its gap on, and up to half the lead.
  const kept = Array.from(gap.keys()).filter((at) => gap[at]! < halfLead[at]!);
  const from = Float64Array.from(kept, (at) => gap[at]!).sort();
  const to = Float64Array.from(kept, (at) => halfLead[at]!).sort();
  const candidates = [floor, ...from.filter((at) => at > floor && at <= ceiling)];
  const keeps = candidates.map((delta) => countUpTo(from, delta) - countUpTo(to, delta));
  const most = keeps.reduce((best, count) => Math.max(best, count), 0);
  if (!(floor <= ceiling && most > 0)) return Number.NaN;
  const strictest = candidates[keeps.findIndex((count) => count >= PARTS_KEPT_SHARE * most)]!;
  const roundedUp = ROUND_UNITS.map((unit) => Math.max(1, Math.ceil(strictest * unit - 1e-9)) / unit);
  return roundedUp.find((delta) => delta >= strictest && delta <= ceiling) ?? strictest;
}

/** How many of the sorted values are at most this. */
function countUpTo(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The teacher's lead of its first class over its second; NaN where the student gives another, or nothing is finite. */
function leadWhereAgreed({ studentLogits, teacherLogits, classes }: Evidence, row: number): number {
  const first = finiteArgmax(teacherLogits, row, classes.length);
  if (first < 0 || first !== finiteArgmax(studentLogits, row, classes.length)) return Number.NaN;
  const p = new Float64Array(classes.length);
  softmax(teacherLogits, row, classes.length, 1, p);
  let second = 0;
  for (let c = 0; c < p.length; c++) if (c !== first) second = Math.max(second, p[c]!);
  return p[first]! - second;
}

function finiteOrInfinity(value: number): number {
  return Number.isFinite(value) ? value : Number.POSITIVE_INFINITY;
}
