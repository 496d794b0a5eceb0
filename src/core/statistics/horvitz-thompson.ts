/** Parts audited at random with known probabilities, and the unbiased estimate of their risk. */

/** One passed part, whether it was drawn for an audit or not. */
export interface AuditedPart {
  /** The probability with which it was to be drawn, in [piMin, 1]; it may depend on the part itself. */
  readonly pi: number;
  /** The lowest pi that the policy in force gives any part, > 0: fixed before this part was seen. */
  readonly piMin: number;
  readonly drawn: boolean;
  /** U: 0 if found faithful. Anything else, NaN too, counts as 1. Not read where the part was not drawn. */
  readonly unfaithful: number;
}

/**
 * Z = A U / pi of one passed part: its mean over the draw is U, whatever pi was.
 * @returns 0, or 1 / pi in [1, 1 / piMin]
 * @throws RangeError unless 0 < piMin <= pi <= 1: no estimate survives a policy that was not kept to
 * @see Horvitz and Thompson 1952
 */
export function weighedOutcome({ pi, piMin, drawn, unfaithful }: AuditedPart): number {
  if (!(piMin > 0 && pi >= piMin && pi <= 1)) {
    throw new RangeError(`an audit needs 0 < piMin <= pi <= 1, got pi = ${pi}, piMin = ${piMin}`);
  }
  // Faithful is what must be shown: an answer that is none counts as unfaithful.
  return !drawn || unfaithful === 0 ? 0 : 1 / pi;
}

/** Sums over the passed parts so far; plain JSON. */
export interface AuditTotals {
  readonly parts: number;
  readonly drawn: number;
  /** Sum of Z. */
  readonly total: number;
  /** Sum of A U (1 - pi) / pi^2. */
  readonly spread: number;
}

export const NO_AUDITS: AuditTotals = { parts: 0, drawn: 0, total: 0, spread: 0 };

/**
 * Adds one passed part to the totals.
 * @throws RangeError as weighedOutcome; the totals given stay as they are
 */
export function withAudited(totals: AuditTotals, part: AuditedPart): AuditTotals {
  return withAuditedRun(totals, part, 1);
}

/**
 * Adds a run of passed parts that are all alike, as those between two audits are: withAudited so many times.
 * @param count integer >= 1
 * @throws RangeError as weighedOutcome, or if the count is no such integer
 */
export function withAuditedRun(totals: AuditTotals, part: AuditedPart, count: number): AuditTotals {
  expectRun(count);
  const z = weighedOutcome(part);
  return {
    parts: totals.parts + count,
    drawn: totals.drawn + (part.drawn ? count : 0),
    total: totals.total + count * z,
    spread: totals.spread + count * z * z * (1 - part.pi),
  };
}

/** @throws RangeError unless it is a count of parts in a run, an integer >= 1 */
export function expectRun(count: number): void {
  if (!(Number.isSafeInteger(count) && count >= 1)) {
    throw new RangeError(`a run is of an integer number of parts >= 1, got ${count}`);
  }
}

export interface RiskEstimate {
  /** Mean of Z: unbiased for the share of unfaithful ones among these parts, so it may well exceed 1. */
  readonly risk: number;
  /**
   * Unbiased estimate of that mean's variance over the draw of audits alone, these parts and their U held
   * fixed, each drawn on its own. Not the variance over which parts came by; an estimate, no bound.
   */
  readonly designVariance: number;
}

/**
 * Horvitz-Thompson estimate of the rate of U = 1 among the N passed parts.
 * @returns undefined while no part has passed
 * @see Horvitz and Thompson 1952; Särndal, Swensson and Wretman 1992 (Poisson sampling)
 */
export function horvitzThompson({ parts, total, spread }: AuditTotals): RiskEstimate | undefined {
  if (!(parts > 0)) return undefined;
  return { risk: total / parts, designVariance: spread / parts / parts };
}
