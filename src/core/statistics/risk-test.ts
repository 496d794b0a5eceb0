/** The risk test: evidence from audits that more than alpha of what passes is unfaithful. */

import { type AuditedPart, expectRun, weighedOutcome } from "./horvitz-thompson.ts";
import { nextRestarts, nextRestartsRun, noRestarts, type Restarts } from "./restarts.ts";

/** The bets: that the risk has risen to so many times alpha. */
const RISES = [1.5, 2, 4, 8];
/** Most that one window can cost a bet. */
const LOSS_MAX = 0.5;

/** What is tested, and of what the test makes one step. */
export interface RiskPromise {
  /** The risk that is allowed, in (0, 1). */
  readonly alpha: number;
  /** Passed parts in a row that are one step, integer >= 1: neighbours in time depend on each other. */
  readonly windowParts: number;
}

/** State between two parts; plain JSON, of a length that does not grow. */
export interface RiskTest extends Restarts {
  /** The window that is not full yet: its parts so far, the sum of their Z, and the policy that it began under. */
  readonly open: { readonly parts: number; readonly total: number; readonly piMin: number };
}

const NO_PARTS: RiskTest["open"] = { parts: 0, total: 0, piMin: 1 };

/** The state before the first part; evidenceOf gives its E, and anything but E < 1 / eta is the alarm. */
export function startRiskTest(): RiskTest {
  return { ...noRestarts(RISES.length), open: NO_PARTS };
}

/**
 * Takes one passed part, drawn or not, in the order of drawing. Each window of parts is a step with factors
 * 1 + nu (mean Z - alpha), where a bet on a rise to rho times alpha has nu = (rho - 1) piMin windowParts, at most
 * 0.5 / alpha: known before the window, so that the factor's mean is at most 1 while the mean risk of a window given
 * the ones before it is at most alpha, whatever pi its parts had and however they depend on each other. An unfaithful
 * part at pi = piMin then counts rho times, and several in one window add up where in windows of one they would
 * multiply. Restarted at every window, so that clean parts before a rise cost it about the logarithm of their number.
 * @returns the state after the part; ever reaching E >= 1 / eta has probability at most eta
 * @throws RangeError if alpha is outside (0, 1), windowParts is no integer >= 1, or as weighedOutcome; the state given
 *   stays as it is
 * @see Waudby-Smith and Ramdas 2024; Ville 1939
 */
export function nextRiskTest(state: RiskTest, part: AuditedPart, promise: RiskPromise): RiskTest {
  return nextRiskTestRun(state, part, promise, 1);
}

/**
 * Takes a run of passed parts that are all alike, as those between two audits are: nextRiskTest so many times, at the
 * cost of a step for each window.
 * @param count integer >= 1
 * @throws RangeError as nextRiskTest, or if the count is no such integer
 */
export function nextRiskTestRun(
  state: RiskTest,
  part: AuditedPart,
  { alpha, windowParts }: RiskPromise,
  count: number,
): RiskTest {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha lies in (0, 1), got ${alpha}`);
  if (!(Number.isSafeInteger(windowParts) && windowParts >= 1))
    throw new RangeError(`a window has an integer number of parts >= 1, got ${windowParts}`);
  expectRun(count);
  const z = weighedOutcome(part);
  const { piMin } = part;
  const before = state.open.parts === 0 ? { ...NO_PARTS, piMin } : state.open;
  const taken = Math.min(count, windowParts - before.parts);
  const open = { ...before, parts: before.parts + taken, total: before.total + taken * z };
  if (open.parts < windowParts) return { ...state, open };
  const factorsOf = (mean: number, least: number): number[] =>
    RISES.map((rise) => 1 + Math.min((rise - 1) * least * windowParts, LOSS_MAX / alpha) * (mean - alpha));
  let restarts = nextRestarts(state, factorsOf(open.total / windowParts, open.piMin));
  const whole = Math.floor((count - taken) / windowParts);
  if (whole > 0) restarts = nextRestartsRun(restarts, factorsOf(z, piMin), whole);
  const left = count - taken - whole * windowParts;
  return { ...restarts, open: left === 0 ? NO_PARTS : { parts: left, total: left * z, piMin } };
}
