/** The beta-binomial confidence sequence: an interval for a rate that holds at every look together. */

import { logBetaDensity } from "./special.ts";

/** Beyond it the rate, or what it lacks of 1, is no longer a positive double. */
const LOGIT_MAX = 700;
/** Nats by which a bound is widened, far more than the density's own rounding. */
const ROUNDING = 1e-9;

/** Rates between which the true one lies. */
export interface RateInterval {
  readonly lower: number;
  readonly upper: number;
}

/** A Beta(a, b) mixture: where the interval is to be narrow. It bears on width, never on validity. */
export interface BetaMixture {
  readonly a: number;
  readonly b: number;
}

/** Narrow for rates of a few percent and less. */
const LOW_RATES: BetaMixture = { a: 0.5, b: 50 };

/**
 * Confidence sequence for the rate of independent failures of equal probability: with probability at least
 * 1 - eta the intervals of all n = 0, 1, 2, ... hold it together, both ends, so that one may look after every
 * trial and stop at will. The rates not rejected are those at which the mixture's likelihood ratio
 * B(a + k, b + n - k) / (B(a, b) p^k (1 - p)^(n - k)), a martingale at the true p, stays below 1 / eta; it is
 * convex in p, so they are an interval. Exact for the mixture; each end is rounded outward.
 * @param k failures so far, integer, 0 <= k <= n
 * @param n trials so far, integer; 0 gives [0, 1]
 * @param eta failure probability over all looks, in (0, 1)
 * @param mixture a, b > 0
 * @returns lower <= k / n <= upper; lower 0 if k = 0, upper 1 if k = n
 * @throws RangeError if k or n is no such integer, eta outside (0, 1), or a or b not positive and finite
 * @see Ville 1939; Robbins 1970 (mixtures); Howard, Ramdas, McAuliffe and Sekhon 2021
 */
export function betaBinomialSequence(k: number, n: number, eta: number, mixture = LOW_RATES): RateInterval {
  if (!(Number.isSafeInteger(k) && Number.isSafeInteger(n) && k >= 0 && k <= n)) {
    throw new RangeError(`counts are integers with 0 <= k <= n, got k = ${k}, n = ${n}`);
  }
  if (!(eta > 0 && eta < 1)) throw new RangeError(`eta lies in (0, 1), got ${eta}`);
  const { a, b } = mixture;
  if (!(a > 0 && b > 0 && a + b < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`a Beta mixture needs a, b > 0 and finite, got ${a} and ${b}`);
  }
  const limit = Math.log(1 / eta) + ROUNDING;
  // The marginal likelihood over the likelihood is the prior's density over the posterior's.
  const isRejected = (logit: number): boolean => {
    const x = 1 / (1 + Math.exp(-logit));
    const y = 1 / (1 + Math.exp(logit));
    return logBetaDensity(a, b, x, y) - logBetaDensity(a + k, b + n - k, x, y) >= limit;
  };
  const middle = k === 0 ? -LOGIT_MAX : k === n ? LOGIT_MAX : Math.log(k / (n - k));
  return {
    lower: k === 0 ? 0 : 1 / (1 + Math.exp(-outermost(middle, -LOGIT_MAX, isRejected))),
    upper: k === n ? 1 : 1 / (1 + Math.exp(-outermost(middle, LOGIT_MAX, isRejected))),
  };
}

/** The end nearest to `kept` that is rejected, by bisection towards `far`; `far` if nothing is. */
function outermost(kept: number, far: number, isRejected: (logit: number) => boolean): number {
  let inside = kept;
  let outside = far;
  while (Math.abs(outside - inside) > 1e-13 * Math.max(1, Math.abs(outside))) {
    const middle = (inside + outside) / 2;
    if (isRejected(middle)) outside = middle;
    else inside = middle;
  }
  return outside;
}
