/** The risk test: evidence from audits that more than alpha of what passes is unfaithful. */

import { type AuditedPart, weighedOutcome } from "./horvitz-thompson.ts";
import { nextRestartsRun, noRestarts, type Restarts } from "./restarts.ts";

/** The bets: that the risk has risen to so many times alpha. */
const RISES = [1.5, 2, 4, 8];

/** The state before the first part; evidenceOf gives its E, and anything but E < 1 / eta is the alarm. */
export function startRiskTest(): Restarts {
  return noRestarts(RISES.length);
}

/**
 * Takes one passed part, drawn or not, in the order of drawing. Factors 1 + nu (Z - alpha), where a bet on a
 * rise to rho times alpha has nu = (rho - 1) piMin, at most 0.5 / alpha: known before the part, so that the
 * factor's mean is at most 1 while the risk given the past is at most alpha, whatever pi the part itself had.
 * At pi = piMin an unfaithful part then counts rho times. Restarted at every part, so that clean parts before
 * a rise cost it about the logarithm of their number, not their number.
 * @param alpha the risk that is allowed, in (0, 1)
 * @returns the state after the part; ever reaching E >= 1 / eta has probability at most eta
 * @throws RangeError if alpha is outside (0, 1), or as weighedOutcome; the state given stays as it is
 * @see Waudby-Smith and Ramdas 2024; Ville 1939
 */
export function nextRiskTest(state: Restarts, part: AuditedPart, alpha: number): Restarts {
  return nextRiskTestRun(state, part, alpha, 1);
}

/**
 * Takes a run of passed parts that are all alike, as those between two audits are: nextRiskTest so many times.
 * @param count integer >= 1
 * @throws RangeError as nextRiskTest, or if the count is no such integer
 */
export function nextRiskTestRun(state: Restarts, part: AuditedPart, alpha: number, count: number): Restarts {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha lies in (0, 1), got ${alpha}`);
  const gain = weighedOutcome(part) - alpha;
  const factors = RISES.map((rise) => 1 + Math.min((rise - 1) * part.piMin, 0.5 / alpha) * gain);
  return nextRestartsRun(state, factors, count);
}
