/** A certified bound on the gap of two networks over all inputs of a box. */

import { Descent } from "./descent.ts";
import type { Intervals } from "./intervals.ts";
import type { Box, Network } from "./network.ts";
import { type Budget, minimumOf, plainIntervals, tightIntervals } from "./propagate.ts";
import { FLOAT32_UNIT } from "./rounding.ts";
import {
  confidenceBounds,
  type Differences,
  largestDifference,
  lineOverOdds,
  lineUnderOdds,
  oddsBounds,
} from "./softmax-bounds.ts";

export interface GapBoundOptions {
  /** Multiplications that may be spent on tightening hidden layers in one box; see Budget. */
  readonly multiplicationsMax: number;
  /** Unit roundoff of the models' arithmetic; float32 where ONNX Runtime runs them. */
  readonly unit?: number;
}

export interface GapBound {
  /** No gap in the box is larger; 1 says nothing. */
  readonly upper: number;
  /** What plain interval propagation says. */
  readonly upperByIntervals: number;
  /** What each network on its own says after backward relaxation, before the two are looked at together. */
  readonly upperApart: number;
  /** The class that each model gives in the whole box; null where it may change. */
  readonly teacherClass: number | null;
  readonly studentClass: number | null;
  /** Bounds on each model's confidence in each class [K]. */
  readonly teacherConfidence: readonly (readonly [low: number, high: number])[];
  readonly studentConfidence: readonly (readonly [low: number, high: number])[];
}

/**
 * Bounds the largest gap over a box, and with it which classes can come.
 * @param teacher logits of K classes; likewise the student
 * @returns a bound that holds for what float32 arithmetic gives, in whatever order it sums
 */
export function boundGap(teacher: Network, student: Network, box: Box, options: GapBoundOptions): GapBound {
  const { multiplicationsMax, unit = FLOAT32_UNIT } = options;
  const plain = [teacher, student].map((network) => plainIntervals(network, box, unit));
  const [plainTeacher, plainStudent] = plain.map(differencesOfLogits) as [Differences, Differences];
  const upperByIntervals = plain.every(({ isBounded }) => isBounded) ? apart(plainTeacher, plainStudent) : 1;
  const budget: Budget = { left: multiplicationsMax };
  const s = tightIntervals(student, box, unit, budget);
  const t = tightIntervals(teacher, box, unit, budget);
  if (!(s.isBounded && t.isBounded)) return nothing(plainTeacher.lower.length);
  const [descentT, descentS] = [new Descent(t), new Descent(s)];
  const ofTeacher = tightDifferences(t, descentT, box);
  const ofStudent = tightDifferences(s, descentS, box);
  const upperApart = Math.min(upperByIntervals, apart(ofTeacher, ofStudent));
  const upper = Math.min(upperApart, together({ box, t, s, descentT, descentS, ofTeacher, ofStudent }));
  return {
    upper,
    upperByIntervals,
    upperApart,
    teacherClass: sureClass(ofTeacher),
    studentClass: sureClass(ofStudent),
    teacherConfidence: ofTeacher.lower.map((_, c) => confidenceBounds(ofTeacher, c)),
    studentConfidence: ofStudent.lower.map((_, c) => confidenceBounds(ofStudent, c)),
  };
}

function nothing(classes: number): GapBound {
  const all = Array.from({ length: classes }, () => [0, 1] as const);
  return {
    ...{ upper: 1, upperByIntervals: 1, upperApart: 1, teacherClass: null, studentClass: null },
    ...{ teacherConfidence: all, studentConfidence: all },
  };
}

/** Of the logits' own intervals. */
function differencesOfLogits({ network, lower, upper }: Intervals): Differences {
  const [l, u] = [lower[network.output]!, upper[network.output]!];
  return {
    lower: Array.from(l, (_, c) => l.map((value, j) => (j === c ? 0 : value - u[c]!))),
    upper: Array.from(l, (_, c) => u.map((value, j) => (j === c ? 0 : value - l[c]!))),
  };
}

/** Each difference bounded on its own way down; never worse than the intervals. */
function tightDifferences(intervals: Intervals, descent: Descent, box: Box): Differences {
  const { network } = intervals;
  const found = differencesOfLogits(intervals);
  const classes = found.lower.length;
  for (let c = 0; c < classes; c++) {
    for (let j = 0; j < classes; j++) {
      if (j === c) continue;
      descent.add(network.output, j, 1);
      descent.add(network.output, c, -1);
      descent.descend();
      const least = minimumOf(box, [descent]);
      descent.clear();
      found.lower[c]![j] = Math.max(found.lower[c]![j]!, least);
      found.upper[j]![c] = Math.min(found.upper[j]![c]!, -least);
    }
  }
  return found;
}

/** The gap if nothing but each model's own bounds were known. */
function apart(teacher: Differences, student: Differences): number {
  let most = 0;
  for (let c = 0; c < teacher.lower.length; c++) {
    const [t0, t1] = confidenceBounds(teacher, c);
    const [s0, s1] = confidenceBounds(student, c);
    most = Math.max(most, t1 - s0, s1 - t0);
  }
  return Math.min(1, most);
}

interface Pair {
  readonly box: Box;
  readonly t: Intervals;
  readonly s: Intervals;
  readonly descentT: Descent;
  readonly descentS: Descent;
  readonly ofTeacher: Differences;
  readonly ofStudent: Differences;
}

/**
 * The gap with both models looking at the same input: how far their log confidences can part is one linear function
 * of that input, in which what the two have in common cancels.
 */
function together({ box, t, s, descentT, descentS, ofTeacher, ofStudent }: Pair): number {
  let most = 0;
  for (let c = 0; c < ofTeacher.lower.length; c++) {
    const oddsT = oddsBounds(ofTeacher, c);
    const oddsS = oddsBounds(ofStudent, c);
    /** At most how far minus log confidence of `high` stands above that of `low`. */
    const parting = (high: Differences, low: Differences, descents: readonly [Descent, Descent]): number => {
      const over = lineOverOdds(high.lower[c]!, high.upper[c]!);
      const under = lineUnderOdds(low.lower[c]!, low.upper[c]!);
      if (!isUsable(over) || !isUsable(under)) return Number.POSITIVE_INFINITY;
      const [ofHigh, ofLow] = descents;
      addDifferences(ofLow, ofLow === descentT ? t : s, under.slopes, c, 1);
      addDifferences(ofHigh, ofHigh === descentT ? t : s, over.slopes, c, -1);
      for (const descent of descents) descent.descend();
      const least = minimumOf(box, descents);
      for (const descent of descents) descent.clear();
      return over.offset - under.offset - least;
    };
    most = Math.max(
      most,
      largestDifference(oddsT, oddsS, parting(ofStudent, ofTeacher, [descentS, descentT])),
      largestDifference(oddsS, oddsT, parting(ofTeacher, ofStudent, [descentT, descentS])),
    );
  }
  return most;
}

function addDifferences(
  descent: Descent,
  { network }: Intervals,
  slopes: Float64Array,
  c: number,
  sign: number,
): void {
  slopes.forEach((slope, j) => {
    if (j === c) return;
    descent.add(network.output, j, sign * slope);
    descent.add(network.output, c, -sign * slope);
  });
}

function isUsable({ slopes, offset }: { readonly slopes: Float64Array; readonly offset: number }): boolean {
  return Number.isFinite(offset) && slopes.every(Number.isFinite);
}

function sureClass({ upper }: Differences): number | null {
  const sure = upper.findIndex((differences, c) => differences.every((d, j) => j === c || d < 0));
  return sure < 0 ? null : sure;
}
