/** Distribution-free tolerance bounds: what the largest of n independent values says of the values to come. */

/**
 * Coverage of the largest of n independent values: the share of the population that lies at or below it, which
 * holds with the confidence asked whatever the distribution.
 * @param n values, integer >= 1
 * @param confidence in (0, 1)
 * @returns (1 - confidence)^(1/n), in (0, 1): 59 values give 0.9505 and 299 give 0.9900 at 0.95
 * @throws RangeError if n is no such integer or confidence outside (0, 1)
 * @see Wilks 1941, Ann. Math. Statist. 12, 91: one-sided, 1 - coverage^n = confidence; exact for continuous
 *   distributions, on the safe side for others
 */
export function toleranceCoverage(n: number, confidence: number): number {
  if (!(Number.isSafeInteger(n) && n >= 1)) throw new RangeError(`expected a count from 1, got ${n}`);
  checkInside("confidence", confidence);
  return Math.exp(Math.log1p(-confidence) / n);
}

/**
 * The fewest independent values whose largest covers a share of the population with the confidence asked.
 * @param coverage share of the population, in (0, 1)
 * @param confidence in (0, 1)
 * @returns the smallest n with 1 - coverage^n >= confidence: 59 at 0.95 and 0.95, 299 at 0.99 and 0.95
 * @throws RangeError if coverage or confidence is outside (0, 1)
 * @see toleranceCoverage
 */
export function toleranceSize(coverage: number, confidence: number): number {
  checkInside("coverage", coverage);
  checkInside("confidence", confidence);
  // Where n is an integer exactly, as at 0.5 and 0.75, the quotient may come out an ulp above it.
  return Math.max(1, Math.ceil((Math.log1p(-confidence) / Math.log(coverage)) * (1 - 4 * Number.EPSILON)));
}

function checkInside(name: string, value: number): void {
  if (!(value > 0 && value < 1)) throw new RangeError(`${name} lies in (0, 1), got ${value}`);
}
