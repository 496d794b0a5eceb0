/** An e-process that starts anew at every step, so that it never goes blind with age, at constant cost. */

/** After this many steps about 0.59 of the start capital is left for later restarts. */
const RESERVE_SCALE = 64;
/** A capital above it is cut: cutting keeps a supermartingale one, and an overflow would end it. */
const CAPITAL_MAX = 1e300;

/** State between two steps; plain JSON, of a length that does not grow. */
export interface Restarts {
  readonly steps: number;
  /** Of each bet: the capital of all its restarts so far, each with its weight. */
  readonly capital: readonly number[];
}

/**
 * @param bets how many bets are made side by side, integer >= 1
 * @throws RangeError if it is no such integer
 */
export function noRestarts(bets: number): Restarts {
  if (!(Number.isSafeInteger(bets) && bets >= 1)) throw new RangeError(`bets is a count >= 1, got ${bets}`);
  return { steps: 0, capital: new Array<number>(bets).fill(0) };
}

/**
 * One step. At step j a restart begins with weight w_j, split over the bets by their shares, and then every restart's
 * capital is multiplied by its bet's factor. A bet's factor does not depend on when it was restarted, so all
 * restarts of a bet are one number, C <- factor (C + share w_j): none is dropped and none is thinned. Within
 * one restart the bets together are a mixture, that is one bet fitted to what came since that restart.
 * @param factors of the bets in this step, >= 0, each with mean at most 1 given the past under the null
 * @param shares of the bets in each restart's weight [bets], >= 0, fixed beforehand, summing to at most 1; equal where
 *   left out
 * @returns the state after the step
 * @throws RangeError if a factor or the state is not finite and >= 0 or the lengths differ; the state given
 *   stays as it is
 * @see Shiryaev 1963 and Roberts 1966 (the recursion); Shin, Ramdas and Rinaldo 2024 (e-detectors)
 */
export function nextRestarts(
  state: Restarts,
  factors: ArrayLike<number>,
  shares?: ArrayLike<number>,
): Restarts {
  return nextRestartsRun(state, factors, 1, shares);
}

/**
 * As many steps with the same factors: nextRestarts so often, without a state for each.
 * @param count integer >= 1
 * @throws RangeError as nextRestarts, or if the count is no such integer
 */
export function nextRestartsRun(
  { steps, capital }: Restarts,
  factors: ArrayLike<number>,
  count: number,
  shares?: ArrayLike<number>,
): Restarts {
  const bets = capital.length;
  if (factors.length !== bets) throw new RangeError(`expected ${bets} factors, got ${factors.length}`);
  if (!(Number.isSafeInteger(steps) && steps >= 0)) throw new RangeError(`steps is a count, got ${steps}`);
  if (!(Number.isSafeInteger(count) && count >= 1)) {
    throw new RangeError(`a run is of an integer number of steps >= 1, got ${count}`);
  }
  checkRun(steps, capital, factors);
  const next = [...capital];
  for (let step = steps + 1; step <= steps + count; step++) {
    const weight = weightOf(step);
    for (let i = 0; i < bets; i++) {
      const begun = weight * (shares?.[i] ?? 1 / bets);
      next[i] = Math.min(CAPITAL_MAX, factors[i]! * (next[i]! + begun));
    }
  }
  return { steps: steps + count, capital: next };
}

function checkRun(steps: number, capital: readonly number[], factors: ArrayLike<number>): void {
  for (let i = 0; i < capital.length; i++) {
    const factor = factors[i]!;
    const before = capital[i]!;
    if (!(Number.isFinite(factor) && factor >= 0 && Number.isFinite(before) && before >= 0)) {
      throw new RangeError(
        `bet ${i} after step ${steps}: expected a factor and a capital that are finite and >= 0, got ${factor} and ${before}`,
      );
    }
  }
}

/**
 * Evidence E against the null: the capital of all restarts, and what is left for those to come. It starts
 * at 1, and under the null it ever reaches 1 / eta with probability at most eta.
 * @returns E > 0, finite
 * @see Ville 1939
 */
export function evidenceOf({ steps, capital }: Restarts): number {
  let sum = reserveAfter(steps);
  for (const one of capital) sum += one;
  return sum;
}

/**
 * What is left of the start capital 1 after j restarts, 1 / (1 + ln(1 + j / 64)). It falls to 0 more slowly
 * than any power of j: a change after j clean steps costs about ln j nats, where weights 6 / (pi^2 j^2) would
 * cost 2 ln j.
 */
function reserveAfter(j: number): number {
  return 1 / (1 + Math.log1p(j / RESERVE_SCALE));
}

/** w_j = reserve(j - 1) - reserve(j), without its cancellation; all of them sum to 1. */
function weightOf(j: number): number {
  return reserveAfter(j - 1) * reserveAfter(j) * Math.log1p(1 / (RESERVE_SCALE + j - 1));
}
