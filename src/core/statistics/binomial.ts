/** Exact binomial tails, the bound that inverts them, and the sample sizes that follow. */

import { incompleteBeta, incompleteBetaInverse } from "./special.ts";

/**
 * Exact (Clopper-Pearson) upper bound on a binomial rate.
 * @param k failures seen, integer, 0 <= k <= n
 * @param n trials, integer; 0 gives 1
 * @param eta one-sided failure probability, in (0, 1)
 * @returns the rate r in (0, 1] at which P(Bin(n, r) <= k) = eta; 1 if k = n
 * @throws RangeError if k or n is no such integer, or eta outside (0, 1)
 * @see Clopper and Pearson 1934; BetaInv(1 - eta; k + 1, n - k)
 */
export function binomialUpperBound(k: number, n: number, eta: number): number {
  checkCounts(k, n);
  checkInside("eta", eta);
  if (k === n) return 1;
  if (k === 0) return -Math.expm1(Math.log(eta) / n);
  return incompleteBetaInverse(k + 1, n - k, eta, "upper");
}

/**
 * Lower tail of the binomial distribution: the exact p-value of "the rate is at least p" after k failures.
 * @param k failures, integer, 0 <= k <= n
 * @param n trials, integer
 * @param p rate, in [0, 1]
 * @returns P(Bin(n, p) <= k), in [0, 1]
 * @throws RangeError if k or n is no such integer, or p outside [0, 1]
 * @see Abramowitz and Stegun 26.5.24: 1 - I_p(k + 1, n - k)
 */
export function binomialLowerTail(k: number, n: number, p: number): number {
  checkCounts(k, n);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a rate lies in [0, 1], got ${p}`);
  if (k === n) return 1;
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  return incompleteBeta(k + 1, n - k, p, "upper");
}

/**
 * Sample size for a bound: the fewest trials at which k failures still prove the rate.
 * @param k failures, integer >= 0
 * @param rate the rate to prove, in (0, 1)
 * @param eta one-sided failure probability, in (0, 1)
 * @returns the smallest n with binomialUpperBound(k, n, eta) <= rate
 * @throws RangeError if k is no such integer, or rate or eta outside (0, 1)
 * @see the same bound read the other way: P(Bin(n, rate) <= k) <= eta, which falls with n
 */
export function partsNeeded(k: number, rate: number, eta: number): number {
  checkCounts(k, k);
  checkInside("rate", rate);
  checkInside("eta", eta);
  let tooFew = k;
  let enough = Math.max(1, 2 * k);
  while (binomialLowerTail(k, enough, rate) > eta) {
    tooFew = enough;
    enough *= 2;
  }
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (binomialLowerTail(k, middle, rate) <= eta) enough = middle;
    else tooFew = middle;
  }
  return enough;
}

/**
 * The critical value of the exact test: how many failures among n still prove the rate.
 * @param n trials, integer >= 0
 * @param rate the rate to prove, in (0, 1)
 * @param eta one-sided failure probability, in (0, 1)
 * @returns the largest k with P(Bin(n, rate) <= k) <= eta; -1 where not even 0 is
 * @throws RangeError if n is no such integer, or rate or eta outside (0, 1)
 */
export function failuresAllowed(n: number, rate: number, eta: number): number {
  checkCounts(0, n);
  checkInside("rate", rate);
  checkInside("eta", eta);
  const isAllowed = (k: number): boolean => k < 0 || (k < n && binomialLowerTail(k, n, rate) <= eta);
  // A normal guess, then strides that double: a few tails in place of a search over all of 0..n.
  const spread = Math.sqrt(2 * Math.log(1 / eta) * n * rate * (1 - rate));
  const guess = Math.max(-1, Math.min(n, Math.floor(n * rate - spread)));
  let allowed = guess;
  let refused = guess + 1;
  for (let stride = 1; !isAllowed(allowed); stride *= 2) {
    refused = allowed;
    allowed = Math.max(-1, allowed - stride);
  }
  for (let stride = 1; isAllowed(refused); stride *= 2) {
    allowed = refused;
    refused = Math.min(n, refused + stride);
  }
  while (refused - allowed > 1) {
    const middle = Math.floor((allowed + refused) / 2);
    if (isAllowed(middle)) allowed = middle;
    else refused = middle;
  }
  return allowed;
}

function checkCounts(k: number, n: number): void {
  if (!(Number.isSafeInteger(k) && Number.isSafeInteger(n) && k >= 0 && k <= n)) {
    throw new RangeError(`counts are integers with 0 <= k <= n, got k = ${k}, n = ${n}`);
  }
}

function checkInside(name: string, value: number): void {
  if (!(value > 0 && value < 1)) throw new RangeError(`${name} lies in (0, 1), got ${value}`);
}
