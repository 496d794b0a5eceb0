/** How many parts to record: the fewest with which anything can be proven, and an estimate for what is missing. */

import { failuresAllowed, partsNeeded } from "../statistics/binomial.ts";
import { etaShares } from "./eta.ts";
import type { Cell, CertifyOptions } from "./types.ts";

/** Beyond this many parts nobody records, and an estimate means nothing. */
const PARTS_MAX = 10_000_000;

export interface FewestParts {
  /** Parts of cal that pass, none of them unfaithful, with which its walk proves alpha. */
  readonly station: number;
  /** The same for alphaClass in one class. */
  readonly class: number;
}

/**
 * The fewest parts of cal with which anything can be proven: with a single class set, whose shares of eta are the
 * largest, and without an unfaithful part. With fewer there is no rule that could hold, whatever the evidence says.
 * @param classes K
 * @throws RangeError if an option is outside its range
 */
export function fewestParts(
  { alpha, alphaClass, eta, revision }: CertifyOptions,
  classes: number,
): FewestParts {
  const { walk, classWalk } = etaShares(eta, revision, classes, 1);
  return { station: partsNeeded(0, alpha, walk[0]!), class: partsNeeded(0, alphaClass, classWalk) };
}

/**
 * Parts that a new recording would want in all, so that one of these cells would prove the rate if parts pass and
 * fail there as they did: an estimate, for planning; no promise rests on it. A cell's rate of failures is taken for
 * (k + 1/2) / (n + 1), the posterior mean under Jeffreys' prior, since 0 of 17 is no rate of 0.
 * @param cells counted on cal, from strict to loose
 * @param rate to prove, in (0, 1)
 * @param eta of the cell's bound, in (0, 1)
 * @param partsRecorded parts of all splits of the evidence that the cells are counted on
 * @returns the fewest over the cells; Infinity where nothing has passed, or too much of it failed for any number to
 *   prove the rate
 */
export function partsToRecord(
  cells: readonly Cell[],
  rate: number,
  eta: number,
  partsRecorded: number,
): number {
  return cells.reduce((fewest, { n, k }) => {
    if (n === 0) return fewest;
    const passing = passingToProve((k + 0.5) / (n + 1), rate, eta);
    return Math.min(fewest, Math.ceil((passing / n) * partsRecorded));
  }, Number.POSITIVE_INFINITY);
}

/** The fewest passing parts that prove the rate where this share of them fails; Infinity where none do. */
function passingToProve(failing: number, rate: number, eta: number): number {
  const suffices = (n: number): boolean => Math.ceil(failing * n) <= failuresAllowed(n, rate, eta);
  if (!(failing < rate)) return Number.POSITIVE_INFINITY;
  let tooFew = 0;
  let enough = 1;
  while (!suffices(enough)) {
    if (enough > PARTS_MAX) return Number.POSITIVE_INFINITY;
    tooFew = enough;
    enough *= 2;
  }
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (suffices(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}
