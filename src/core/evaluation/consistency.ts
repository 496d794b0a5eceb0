/** Whether what was counted on held-out parts can be squared with what the certificate promised. */

import { binomialUpperTail } from "../statistics/binomial-interval.ts";

/** Of all comparisons of one evaluation together, how often a promise that holds is called broken. */
const LEVEL = 0.05;

/** One promise, and what was counted. */
export interface Comparison {
  /** The certificate's upper bound on the rate of unfaithful parts among those that pass. */
  readonly upperBound: number;
  /** If that bound held, so many unfaithful parts or more would be counted with at most this probability. */
  readonly p: number;
  readonly consistent: boolean;
}

/** Shares of the level, as the certificate shares its own eta: half to the station, half over the classes. */
export function levels(classes: number): { readonly station: number; readonly class: number } {
  return { station: LEVEL / 2, class: LEVEL / 2 / Math.max(1, classes) };
}

/**
 * Exact binomial test of "at most upperBound of the parts that pass are unfaithful".
 * @param k unfaithful parts among those that passed, integer
 * @param n parts that passed, integer; 0 contradicts nothing
 * @param upperBound in [0, 1]
 * @param level the probability with which a promise that holds may be called broken, in (0, 1)
 */
export function compare(k: number, n: number, upperBound: number, level: number): Comparison {
  const p = binomialUpperTail(k, n, upperBound);
  // The positive is tested, so that a NaN is not taken for consistent.
  return { upperBound, p, consistent: p > level };
}
