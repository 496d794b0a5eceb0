/** Split-conformal quantiles: which recorded residual covers the next one at the rate asked. */

/**
 * Rank of the recorded residual, counted from 1 at the smallest, that covers an exchangeable next one.
 * @param n residuals recorded, integer >= 0
 * @param miscoverage the rate at which the next may lie outside, in (0, 1)
 * @returns ceil((n + 1)(1 - miscoverage)); Infinity where that exceeds n, as too few are recorded
 * @throws RangeError if n is no such integer or miscoverage outside (0, 1)
 * @see Papadopoulos et al. 2002; Lei et al. 2018
 */
export function conformalRank(n: number, miscoverage: number): number {
  if (!(Number.isSafeInteger(n) && n >= 0)) throw new RangeError(`n is a count, got ${n}`);
  if (!(miscoverage > 0 && miscoverage < 1))
    throw new RangeError(`miscoverage lies in (0, 1), got ${miscoverage}`);
  // (n + 1)(1 - m) in binary can lie a few ulps above the integer that the decimal m means.
  const rank = Math.max(1, Math.ceil((n + 1) * (1 - miscoverage) * (1 - 4 * Number.EPSILON)));
  return rank > n ? Number.POSITIVE_INFINITY : rank;
}

/**
 * The half-width that covers an exchangeable next residual with probability at least 1 - miscoverage.
 * @param residuals [n], >= 0, in any order; a NaN counts as the largest
 * @param miscoverage in (0, 1)
 * @returns the residual of that rank; Infinity where too few are recorded
 * @throws RangeError if miscoverage is outside (0, 1)
 * @see conformalRank
 */
export function conformalQuantile(residuals: ArrayLike<number>, miscoverage: number): number {
  const rank = conformalRank(residuals.length, miscoverage);
  if (rank === Number.POSITIVE_INFINITY) return rank;
  // Typed arrays sort NaN to the end.
  const value = Float64Array.from(residuals).sort()[rank - 1]!;
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}
