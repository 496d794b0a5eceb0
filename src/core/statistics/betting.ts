/** The betting confidence sequence: an upper bound on the audited risk, at every look, for unequal pi too. */

import { type AuditedPart, expectRun, weighedOutcome } from "./horvitz-thompson.ts";

const BETS = 16;
/**
 * The shares of the largest bet that are staked side by side, with equal capital: midpoints of an arcsine
 * law, as in Cover and Ordentlich's universal portfolio, dense at 1 (nothing unfaithful seen so far) and at 0
 * (millions of parts). Which of them pays is only known afterwards; together they lose at most ln 16 to it.
 */
const SHARES = Array.from({ length: BETS }, (_, i) => Math.cos((Math.PI * (i + 0.5)) / (2 * BETS)) ** 2);
/** Steps of Z per octave where it is rounded up: by at most 2.2%. */
const STEPS_PER_OCTAVE = 32;
const FLOORS_MAX = 64;
/** Nats by which the bound is widened, far more than the logarithms' own rounding. */
const ROUNDING = 1e-9;

/** How many passed parts had this Z under this piMin. */
interface Level {
  readonly piMin: number;
  readonly z: number;
  readonly count: number;
}

/**
 * All of the past that the bound needs, since no bet depends on the order of parts. Plain JSON; its length
 * does not grow with the parts, only with the policy's distinct piMin and, in steps of 2.2%, pi.
 */
export type AuditTally = readonly Level[];

export const EMPTY_TALLY: AuditTally = [];

/**
 * Adds one passed part, drawn or not. Z is exact where pi = piMin and otherwise rounded up, by at most 2.2%,
 * so that the tally stays short: that can only raise the bound.
 * @throws RangeError as weighedOutcome, or beyond 64 distinct piMin; the tally given stays as it is
 */
export function withTallied(tally: AuditTally, part: AuditedPart): AuditTally {
  return withTalliedRun(tally, part, 1);
}

/**
 * Adds a run of passed parts that are all alike, as those between two audits are: withTallied so many times.
 * @param count integer >= 1
 * @throws RangeError as withTallied, or if the count is no such integer
 */
export function withTalliedRun(tally: AuditTally, part: AuditedPart, count: number): AuditTally {
  expectRun(count);
  const { piMin } = part;
  const z = roundedUp(weighedOutcome(part), 1 / piMin);
  const at = tally.findIndex((level) => level.piMin === piMin && level.z === z);
  if (at >= 0) return tally.with(at, { piMin, z, count: tally[at]!.count + count });
  const floors = new Set(tally.map((level) => level.piMin)).add(piMin);
  if (floors.size > FLOORS_MAX) {
    throw new RangeError(
      `a policy of audits has at most ${FLOORS_MAX} distinct piMin, got one more: ${piMin}`,
    );
  }
  return [...tally, { piMin, z, count }];
}

function roundedUp(z: number, zMax: number): number {
  if (z === 0 || z >= zMax) return z;
  const step = Math.ceil(STEPS_PER_OCTAVE * Math.log2(z));
  const up = 2 ** (step / STEPS_PER_OCTAVE);
  return Math.min(zMax, up >= z ? up : 2 ** ((step + 1) / STEPS_PER_OCTAVE));
}

/**
 * Capital, from 1, of one gambler who bets that the risk is below m: the product over the parts of
 * 1 + nu (m - Z) with nu = share / (1 / piMin - m), the part of the largest allowed bet that is staked.
 * Known before the part, so the capital is a supermartingale if the risk given the past is at least m. It
 * never falls with m: a bet won is worth more, and one lost costs no more.
 * @param m risk in [0, 1), below 1 / piMin
 * @param share in [0, 1)
 * @returns ln of the capital
 * @see Waudby-Smith and Ramdas 2024
 */
export function logBettingCapital(tally: AuditTally, m: number, share: number): number {
  let sum = 0;
  for (const { piMin, z, count } of tally) {
    sum += count * Math.log1p((share * (m - z)) / (1 / piMin - m));
  }
  return sum;
}

/**
 * Upper confidence sequence for the risk E[Z] of the passed parts: with probability at least 1 - eta it is
 * above the risk at every look. The largest m at which the mean capital of 16 gamblers, each with a constant
 * share, is below 1 / eta. That capital never falls with m, so the m not rejected are an interval from 0 and
 * bisection finds its end; the upper side of the last step is returned, hence rounded up. Exact in m; the
 * rounding of Z in the tally is conservative. Past looks are not held against the present one: while the risk
 * is one and the same the least bound so far holds as well, and where it has risen this one follows.
 * @param eta failure probability over all looks, in (0, 1)
 * @returns bound in (0, 1]; 1 without parts, and where every part was drawn and unfaithful
 * @throws RangeError if eta is outside (0, 1)
 * @see Ville 1939; Waudby-Smith and Ramdas 2024 (hedged and diversified bets); Cover and Ordentlich 1996
 */
export function bettingUpperBound(tally: AuditTally, eta: number): number {
  if (!(eta > 0 && eta < 1)) throw new RangeError(`eta lies in (0, 1), got ${eta}`);
  const limit = Math.log(1 / eta) + ROUNDING;
  let kept = 0;
  let rejected = 1;
  while (rejected - kept > 1e-12 * rejected) {
    const m = (kept + rejected) / 2;
    if (m === kept || m === rejected) break;
    if (logMeanCapital(tally, m) >= limit) rejected = m;
    else kept = m;
  }
  return rejected;
}

function logMeanCapital(tally: AuditTally, m: number): number {
  const logs = SHARES.map((share) => logBettingCapital(tally, m, share));
  const largest = Math.max(...logs);
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - largest);
  return largest + Math.log(sum / BETS);
}
