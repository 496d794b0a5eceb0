/** What each delta is likely to cost people: the share of parts sent to them, rehearsed on fit. Cal is not read. */

import { seededRandom } from "../random.ts";
import { chooseSets } from "./class-sets.ts";
import { cutFit, partsOf } from "./cut.ts";
import type { DeltaRange } from "./delta-range.ts";
import { fitEnvelope } from "./fit.ts";
import { fineGrid } from "./grids.ts";
import { partOutcomes } from "./outcomes.ts";
import { rehearse } from "./rehearsal.ts";
import type { CertifyOptions, Evidence } from "./types.ts";

/** A delta, and the share of all parts that a certificate at it is likely to leave for people. */
export interface Staffed {
  readonly delta: number;
  /** Mean over the rehearsal. */
  readonly reviewed: number;
}

/**
 * Fits an envelope at this delta and draws many times over what cal may show: in each draw the best class set's
 * choice passes, the rest is reviewed.
 * @returns the mean share of parts that is reviewed, in [0, 1]; an expectation that steers a choice, and no promise
 */
export function rehearsedReviewShare(
  evidence: Evidence,
  delta: number,
  seed: number,
  options: CertifyOptions,
): number {
  const fitted = fitEnvelope(evidence, { delta, seed });
  const selection = partOutcomes(evidence, fitted, cutFit(evidence, seed).c);
  const classes = evidence.classes.length;
  const calParts = partsOf(evidence, "cal").length;
  const lambdas = fineGrid(selection);
  const scale = calParts / Math.max(1, selection.score.length);
  const rehearsal = rehearse(selection, classes, lambdas, scale, options, seededRandom(seed));
  const { sets } = chooseSets(rehearsal, options, calParts);
  const best = rehearsal.draws.map((_, draw) => Math.max(...sets.map(({ passRate }) => passRate[draw]!)));
  return 1 - best.reduce((sum, rate) => sum + rate, 0) / Math.max(1, best.length);
}

/** The ends of the range, what is suggested, and deltas evenly between. */
function deltasToStaff({ floor, ceiling, suggested }: DeltaRange, between: number): number[] {
  if (!(floor <= ceiling)) return [];
  const step = (ceiling - floor) / (between + 1);
  const inside = [...Array.from({ length: between }, (_, i) => floor + (i + 1) * step), suggested]
    .map((delta) => Math.round(delta * 1000) / 1000)
    .filter((delta) => delta > floor && delta < ceiling);
  return [...new Set([floor, ...inside, ceiling])].sort((a, b) => a - b);
}

/** The strictest delta that leaves people no more than they can look at; undefined where none does. */
export function affordableDelta(staffed: readonly Staffed[], reviewShare: number): Staffed | undefined {
  return staffed.filter(({ reviewed }) => reviewed <= reviewShare).sort((a, b) => a.delta - b.delta)[0];
}

/**
 * Rehearses over the range, and then where the share that people can look at is crossed, to a thousandth or as far as
 * `halvings` go.
 * @param rehearse the share of parts reviewed at a delta
 * @returns by delta; empty where the range is
 */
export function staffRange(
  range: DeltaRange,
  reviewShare: number,
  rehearse: (delta: number) => number,
  { between, halvings }: { readonly between: number; readonly halvings: number },
): readonly Staffed[] {
  const at = (delta: number): Staffed => ({ delta, reviewed: rehearse(delta) });
  const staffed = deltasToStaff(range, between).map(at);
  for (let i = 0; i < halvings; i++) {
    const enough = affordableDelta(staffed, reviewShare);
    const below = staffed.filter(({ delta }) => enough !== undefined && delta < enough.delta);
    const last = below.at(-1);
    if (enough === undefined || last === undefined) break;
    const middle = Math.round(500 * (last.delta + enough.delta)) / 1000;
    if (!(middle > last.delta && middle < enough.delta)) break;
    staffed.splice(below.length, 0, at(middle));
  }
  return staffed;
}
