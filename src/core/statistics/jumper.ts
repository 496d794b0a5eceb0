/** The Simple Jumper: a conformal test martingale against exchangeable scores, from their p-values. */

/** The experts bet on small p-values, on none, and on large ones. */
const EXPERTS = [-1, 0, 1];

/** State between two p-values; plain JSON. */
export interface Jumper {
  /** ln of the capital, which starts at 1: it neither overflows nor underflows. */
  readonly logCapital: number;
  /** How the capital is split over the experts [3], summing to 1. */
  readonly shares: readonly number[];
}

export const STARTED_JUMPER: Jumper = { logCapital: 0, shares: EXPERTS.map(() => 1 / EXPERTS.length) };

/**
 * Smoothed conformal p-value of a score, larger being stranger: uniform if it and the n others are exchangeable.
 * @param larger how many of the n are larger, integer >= 0
 * @param equal how many are equal to it, integer >= 0, larger + equal <= n
 * @param n how many others there are, integer >= 0
 * @param v uniform in [0, 1], drawn anew for each score
 * @returns (larger + v (1 + equal)) / (n + 1), in [0, 1]
 * @throws RangeError if the counts are no such integers or v is outside [0, 1]
 * @see Vovk, Gammerman and Shafer 2005
 */
export function smoothedP(larger: number, equal: number, n: number, v: number): number {
  const areCounts = [larger, equal, n].every((count) => Number.isSafeInteger(count) && count >= 0);
  if (!(areCounts && larger + equal <= n)) {
    throw new RangeError(`counts need larger + equal <= n, got ${larger}, ${equal} and ${n}`);
  }
  if (!(v >= 0 && v <= 1)) throw new RangeError(`v lies in [0, 1], got ${v}`);
  return (larger + v * (1 + equal)) / (n + 1);
}

/**
 * One p-value: a share J of the capital is dealt out equally over the experts, then expert e wins by
 * 1 + e (p - 1/2). A martingale if p-values are independent and uniform, as those of scores ranked among all
 * *earlier* ones are where they are exchangeable. Ranked among a fixed reference they are not independent,
 * since they share it: the capital then is a picture for people, no test.
 * @param p in [0, 1]; NaN counts as 0, the strangest
 * @param jumping J, in [0, 1]
 * @throws RangeError if p or J is outside [0, 1]
 * @see Vovk, Petej, Nouretdinov, Ahlberg, Carlsson and Gammerman 2021 (Retrain or not retrain)
 */
export function nextJumper({ logCapital, shares }: Jumper, p: number, jumping = 0.01): Jumper {
  const strange = Number.isNaN(p) ? 0 : p;
  if (!(strange >= 0 && strange <= 1)) throw new RangeError(`a p-value lies in [0, 1], got ${p}`);
  if (!(jumping >= 0 && jumping <= 1)) throw new RangeError(`J lies in [0, 1], got ${jumping}`);
  const won = EXPERTS.map(
    (expert, i) => ((1 - jumping) * shares[i]! + jumping / EXPERTS.length) * (1 + expert * (strange - 0.5)),
  );
  const total = won.reduce((sum, one) => sum + one, 0);
  return { logCapital: logCapital + Math.log(total), shares: won.map((one) => one / total) };
}
