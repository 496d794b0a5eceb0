/** The drift test: evidence, without labels, that scores have become larger than those of **ref**. */

import { binomialUpperBound } from "./binomial.ts";
import { nextRestarts, noRestarts, type Restarts } from "./restarts.ts";

/** Rates at which **ref** exceeded the thresholds, falling: the thresholds rise. */
const RATES = [0.7, 0.5, 0.3, 0.15, 0.05, 0.01];
/**
 * The bets: that the odds of exceeding have become so many times those of **ref**, at the thresholds that
 * at most `rate` of it exceeded. A shift of half a standard deviation doubles the odds; parts of a foreign
 * kind show at the top thresholds only.
 */
const BETS = [
  { odds: 1.5, rate: 1 },
  { odds: 2, rate: 1 },
  { odds: 4, rate: 1 },
  { odds: 8, rate: 0.05 },
  { odds: 8, rate: 0.01 },
];
/** Most that one part can cost a bet: half its capital, that is nu <= 0.5 / u. */
const LOSS_MAX = 0.5;
/** With fewer, the bound on how often the median is exceeded allows for twice the odds: little would show. */
export const REF_PARTS_MIN = 100;

/** What is kept of the scores of **ref** in one stream; plain JSON. */
export interface ReferenceLadder {
  /** n, scores in all. */
  readonly parts: number;
  /** Order statistics, rising and finite: at most `above` of the scores are larger than `score`. */
  readonly steps: readonly { readonly above: number; readonly score: number }[];
}

/** What is fixed on **ref** for one stream of scores, K thresholds. */
interface ExceedanceStream {
  /** Order statistics of **ref** [K], rising, finite. */
  readonly thresholds: Float64Array;
  /** Upper bounds on the probability that a part like those of **ref** exceeds each [K], all at once. */
  readonly bounds: Float64Array;
  /** Factor of each bet by how many thresholds are exceeded [K + 1, bets], row-major. */
  readonly factors: Float64Array;
}

export interface ExceedanceTest {
  readonly streams: readonly ExceedanceStream[];
  /** Of the evidence, what each stream's bets begin with [streams * bets]; they sum to 1. */
  readonly shares: Float64Array;
  /** Evidence that is the alarm, 1 / etaMon. */
  readonly alarmAt: number;
}

/** How often the alarm may be false, ever: at most etaRef + etaMon. */
export interface ExceedanceOptions {
  /** Probability, over the draw of **ref**, that any exceedance rate is above its bound; in (0, 1). */
  readonly etaRef: number;
  /** Probability that the evidence ever reaches 1 / etaMon where all bounds hold; in (0, 1). */
  readonly etaMon: number;
}

/**
 * The order statistics of a reference that serve as thresholds.
 * @param ref scores of the **ref** parts, larger is worse, in any order, at least 100. What is not finite counts as
 *   larger than all numbers, here as in what is observed
 * @param what names the stream where it is refused
 * @throws RangeError if there are fewer, or too few finite ones for any threshold
 */
export function ladderOf(ref: ArrayLike<number>, what = "reference"): ReferenceLadder {
  const n = ref.length;
  if (!(n >= REF_PARTS_MIN)) {
    throw new RangeError(`${what}: expected at least ${REF_PARTS_MIN} parts, got ${n}: record more`);
  }
  const sorted = Float64Array.from(ref, worstIfNotFinite).sort();
  const steps = RATES.map((rate) => {
    const above = Math.floor(n * rate);
    return { above, score: sorted[n - 1 - above]! };
  });
  // Nothing is larger than what counts as largest.
  const finite = steps.filter(({ score }) => score < Number.POSITIVE_INFINITY);
  if (finite.length === 0) {
    throw new RangeError(`${what}: too few of its ${n} scores are finite: record it again`);
  }
  return { parts: n, steps: finite };
}

/**
 * Fixes the test on the reference. The rate at which a new score exceeds the order statistic that k of n
 * lie beyond is at most BetaInv(1 - eta; k + 1, n - k), the binomial bound at k of n, for ties too. Exact.
 * @param groups references, one a stream, in groups (s and r; coordinates) that share etaRef and the evidence equally,
 *   whatever the number of their streams: many streams of one kind do not drown few of another. Within a group all
 *   thresholds of all streams share equally
 * @throws RangeError if there is no stream or an empty one, a rate is none, or an eta is outside (0, 1)
 * @see Clopper and Pearson 1934; David and Nagaraja 2003 (order statistics of a uniform are Beta)
 */
export function fixExceedanceTest(
  groups: readonly (readonly ReferenceLadder[])[],
  { etaRef, etaMon }: ExceedanceOptions,
): ExceedanceTest {
  for (const eta of [etaRef, etaMon]) {
    if (!(eta > 0 && eta < 1)) throw new RangeError(`etaRef and etaMon lie in (0, 1), got ${eta}`);
  }
  if (groups.length === 0 || groups.some((refs) => refs.length === 0))
    throw new RangeError("the drift test needs a stream of reference scores, got none");
  const shareOf = (refs: readonly ReferenceLadder[]): number => 1 / (groups.length * refs.length);
  return {
    streams: groups.flatMap((refs) =>
      refs.map((ref) => fixStream(ref, (etaRef * shareOf(refs)) / RATES.length)),
    ),
    shares: Float64Array.from(
      groups.flatMap((refs) =>
        new Array<number>(refs.length * BETS.length).fill(shareOf(refs) / BETS.length),
      ),
    ),
    alarmAt: 1 / etaMon,
  };
}

function fixStream({ parts, steps }: ReferenceLadder, eta: number): ExceedanceStream {
  if (steps.length === 0) throw new RangeError("a stream of reference scores needs a threshold, got none");
  const ladder = steps.map(({ above, score }) => ({
    rate: above / parts,
    threshold: score,
    bound: binomialUpperBound(above, parts, eta),
  }));
  const bounds = Float64Array.from(ladder, ({ bound }) => bound);
  const factors = new Float64Array((bounds.length + 1) * BETS.length);
  BETS.forEach(({ odds, rate }, bet) => {
    const nus = betsOnOdds(bounds, ladder.filter((step) => step.rate > rate).length, odds);
    let factor = 1 - nus.reduce((sum, nu, k) => sum + nu * bounds[k]!, 0);
    for (let exceeded = 0; exceeded <= bounds.length; exceeded++) {
      factors[exceeded * BETS.length + bet] = factor;
      factor += nus[exceeded] ?? 0;
    }
  });
  return { thresholds: Float64Array.from(ladder, ({ threshold }) => threshold), bounds, factors };
}

/**
 * Bets nu >= 0 on thresholds with bounds u, for factors 1 + sum of nu (b - u): the likelihood ratio of "the odds
 * of exceeding are `odds` times u's" to u, by which thresholds are exceeded, made smaller in proportion where a
 * part could cost more than LOSS_MAX. Such a factor is a weighted average over the thresholds of factors
 * 1 + nu' (b - u) with nu' <= LOSS_MAX / u.
 * @param u [K], falling strictly
 * @param from the first threshold that is bet on
 * @returns nu [K], 0 before `from`
 */
function betsOnOdds(u: Float64Array, from: number, odds: number): number[] {
  const rate = (k: number): number => (k < from ? 1 : (u[k] ?? 0));
  const raised = (k: number): number => (odds * rate(k)) / (1 - rate(k) + odds * rate(k));
  const ratio = (k: number): number => (raised(k - 1) - raised(k)) / (rate(k - 1) - rate(k));
  const nus = Array.from(u, (_, k) => (k < from ? 0 : Math.max(0, ratio(k + 1) - ratio(k))));
  const loss = nus.reduce((sum, nu, k) => sum + nu * u[k]!, 0);
  return loss > LOSS_MAX ? nus.map((nu) => (nu * LOSS_MAX) / loss) : nus;
}

/** The state before the first part. */
export function startExceedanceTest({ streams }: ExceedanceTest): Restarts {
  return noRestarts(streams.length * BETS.length);
}

/**
 * Takes the scores of one part. The streams' evidence is averaged by their shares, since a part's scores depend on each other.
 * @param scores one a stream, in the order of the references; what is not finite exceeds every threshold
 * @returns the state after the part; evidenceOf gives E, and anything but E < alarmAt is the alarm
 * @throws RangeError if the scores or the state do not fit the test; the state given stays as it is
 * @see Ville 1939; Shafer et al. 2011; Waudby-Smith and Ramdas 2024
 */
export function nextExceedanceTest(
  { streams, shares }: ExceedanceTest,
  state: Restarts,
  scores: ArrayLike<number>,
): Restarts {
  if (scores.length !== streams.length) {
    throw new RangeError(`expected ${streams.length} scores of a part, got ${scores.length}`);
  }
  const bets = BETS.length;
  const factors = new Array<number>(streams.length * bets);
  for (let s = 0; s < streams.length; s++) {
    const { thresholds, factors: table } = streams[s]!;
    const score = worstIfNotFinite(scores[s]!);
    let exceeded = 0;
    while (exceeded < thresholds.length && score > thresholds[exceeded]!) exceeded++;
    for (let bet = 0; bet < bets; bet++) factors[s * bets + bet] = table[exceeded * bets + bet]!;
  }
  return nextRestarts(state, factors, shares);
}

function worstIfNotFinite(score: number): number {
  return Number.isFinite(score) ? score : Number.POSITIVE_INFINITY;
}
