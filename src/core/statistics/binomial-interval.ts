/** Exact intervals of a binomial rate, and the test of a bound against what was counted afterwards. */

import { binomialLowerTail, binomialUpperBound } from "./binomial.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Exact (Clopper-Pearson) two-sided interval of a binomial rate.
 * @param k failures seen, integer, 0 <= k <= n
 * @param n trials, integer; 0 gives [0, 1]
 * @param eta failure probability of both sides together, half of it on each, in (0, 1)
 * @returns rates in [0, 1], with low <= k / n <= high
 * @throws RangeError if k or n is no such integer, or eta outside (0, 1)
 * @see Clopper and Pearson 1934; the lower bound on failures is the upper bound on successes, turned round
 */
export function binomialInterval(k: number, n: number, eta: number): Interval {
  return {
    low: 1 - binomialUpperBound(n - k, n, eta / 2),
    high: binomialUpperBound(k, n, eta / 2),
  };
}

/**
 * Upper tail of the binomial distribution: the exact p-value of "the rate is at most p" after k failures.
 * @param k failures, integer, 0 <= k <= n
 * @param n trials, integer
 * @param p rate, in [0, 1]
 * @returns P(Bin(n, p) >= k), in [0, 1]; 1 for k = 0
 * @throws RangeError if k or n is no such integer, or p outside [0, 1]
 * @see the lower tail of the successes: P(Bin(n, 1 - p) <= n - k)
 */
export function binomialUpperTail(k: number, n: number, p: number): number {
  return binomialLowerTail(n - k, n, 1 - p);
}
