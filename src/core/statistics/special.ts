/** Special functions behind the exact bounds: log-gamma and the regularised incomplete beta, both ways. */

const HALF_LOG_TWO_PI = 0.9189385332046728;
const ITERATIONS_MAX = 200_000;
const TINY = 1e-300;

/**
 * Natural logarithm of the gamma function.
 * @param x > 0
 * @returns ln Gamma(x), to about 1e-15 of max(1, |ln Gamma(x)|)
 * @throws RangeError if x is not a positive finite number
 * @see Stirling's series with the recurrence of DLMF 5.5.1 and 5.11.1
 */
export function logGamma(x: number): number {
  if (!(x > 0 && x < Number.POSITIVE_INFINITY))
    throw new RangeError(`logGamma needs a positive number, got ${x}`);
  if (x === 1 || x === 2) return 0;
  return (x - 0.5) * Math.log(x) - x + HALF_LOG_TWO_PI + stirlingError(x);
}

/**
 * Regularised incomplete beta I_x(a, b): the probability that a Beta(a, b) variate is at most x.
 * @param a > 0
 * @param b > 0
 * @param x in [0, 1]
 * @param tail "lower" for I_x(a, b), "upper" for 1 - I_x(a, b), each without cancellation
 * @returns probability in [0, 1]; relative error about 1e-14, and what the conditioning in x adds
 * @throws RangeError outside those ranges
 * @see DiDonato and Morris 1992 (continued fraction); Loader 2000 (its prefactor, free of cancellation)
 */
export function incompleteBeta(a: number, b: number, x: number, tail: "lower" | "upper" = "lower"): number {
  checkShape(a, b);
  if (!(x >= 0 && x <= 1)) throw new RangeError(`incompleteBeta needs x in [0, 1], got ${x}`);
  return betaTail(a, b, x, 1 - x, tail);
}

/**
 * Inverse of the regularised incomplete beta in x: the quantile of a Beta(a, b) variate.
 * @param a > 0
 * @param b > 0
 * @param p probability in [0, 1] of the tail named; name the small one, so that no digits are lost in 1 - p
 * @param tail "lower": I_x(a, b) = p; "upper": 1 - I_x(a, b) = p
 * @returns x in [0, 1], relative error about 1e-14
 * @throws RangeError outside those ranges
 * @see Newton on the logarithm of the tail over logit x, in which it is concave; bisection guards each step
 */
export function incompleteBetaInverse(
  a: number,
  b: number,
  p: number,
  tail: "lower" | "upper" = "lower",
): number {
  checkShape(a, b);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`incompleteBetaInverse needs p in [0, 1], got ${p}`);
  if (p === 0) return tail === "lower" ? 0 : 1;
  if (p === 1) return tail === "lower" ? 1 : 0;
  if (p > 0.5) return incompleteBetaInverse(a, b, 1 - p, tail === "lower" ? "upper" : "lower");
  const rising = tail === "lower" ? 1 : -1;
  const target = Math.log(p);
  let low = -745;
  let high = 745;
  let logit = Math.log(a / b);
  for (let step = 0; step < 200; step++) {
    const x = 1 / (1 + Math.exp(-logit));
    const y = 1 / (1 + Math.exp(logit));
    const value = betaTail(a, b, x, y, tail);
    const excess = Math.log(value) - target;
    if (excess * rising > 0) high = logit;
    else low = logit;
    const slope = (rising * Math.exp(logBetaDensity(a, b, x, y))) / value;
    let next = logit - excess / slope;
    // Far out the tail underflows, and its slope with it: halve instead.
    if (!(next > low && next < high)) next = (low + high) / 2;
    const moved = Math.abs(next - logit);
    logit = next;
    if (moved <= 4e-16 * Math.max(1, Math.abs(logit))) break;
  }
  return 1 / (1 + Math.exp(-logit));
}

function checkShape(a: number, b: number): void {
  if (!(a > 0 && b > 0 && a + b < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`a Beta distribution needs a, b > 0 and finite, got ${a} and ${b}`);
  }
}

/** One tail at x, with y = 1 - x given apart, since 1 - x loses digits where x is near 1. */
function betaTail(a: number, b: number, x: number, y: number, tail: "lower" | "upper"): number {
  if (x <= 0) return tail === "lower" ? 0 : 1;
  if (y <= 0) return tail === "lower" ? 1 : 0;
  // The fraction converges fast on the near side of the mean; the far tail is what is left of 1.
  const nearIsLower = x <= a / (a + b);
  const near = nearIsLower ? tailByFraction(a, b, x, y) : tailByFraction(b, a, y, x);
  return nearIsLower === (tail === "lower") ? near : 1 - near;
}

/** I_x(a, b) for x up to the mean (DiDonato and Morris 1992, in the form of Boost's ibeta_fraction2). */
function tailByFraction(a: number, b: number, x: number, y: number): number {
  const slope = a * y - b * x + 1;
  let denominator = 0;
  let numerator = (a * slope) / (a + 1);
  if (numerator === 0) numerator = TINY;
  let fraction = numerator;
  for (let m = 1; m <= ITERATIONS_MAX; m++) {
    const span = a + 2 * m - 1;
    const alpha = ((((a + m - 1) / span) * (a + b + m - 1)) / span) * m * (b - m) * x * x;
    const beta = m + (m * (b - m) * x) / span + ((a + m) * (slope + m * (2 - x))) / (span + 2);
    // Modified Lentz: neither part may become 0.
    denominator = beta + alpha * denominator;
    numerator = beta + alpha / numerator;
    if (denominator === 0) denominator = TINY;
    if (numerator === 0) numerator = TINY;
    denominator = 1 / denominator;
    const change = numerator * denominator;
    fraction *= change;
    if (Math.abs(change - 1) <= 1e-16) break;
  }
  return Math.min(1, Math.exp(logBetaDensity(a, b, x, y) - Math.log(fraction)));
}

/**
 * Logarithm of the Beta(a, b) density of logit x.
 * @param a > 0
 * @param b > 0
 * @param x in (0, 1)
 * @param y 1 - x, given apart, since 1 - x loses digits where x is near 1
 * @returns ln of x^a y^b / B(a, b), without the cancellation of three large logarithms
 * @see Loader 2000: a binomial density of real counts, by saddle-point expansion
 */
export function logBetaDensity(a: number, b: number, x: number, y: number): number {
  const n = a + b;
  return (
    stirlingError(n) -
    stirlingError(a) -
    stirlingError(b) -
    deviance(a, n * x) -
    deviance(b, n * y) +
    0.5 * Math.log(((a / n) * b) / (2 * Math.PI))
  );
}

/** ln Gamma(x) less Stirling's (x - 1/2) ln x - x + ln(2 pi) / 2. */
function stirlingError(x: number): number {
  let sum = 0;
  let at = x;
  for (; at < 12; at++) sum += (at + 0.5) * Math.log1p(1 / at) - 1;
  const s = 1 / (at * at);
  const series =
    1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - s * (691 / 360_360 - s / 156)))));
  return sum + series / at;
}

/** x ln(x / m) + m - x without cancellation where x is near m (Loader's bd0). */
function deviance(x: number, m: number): number {
  const difference = x - m;
  if (!(Math.abs(difference) < 0.1 * (x + m))) return x * Math.log(x / m) - difference;
  const v = difference / (x + m);
  let sum = difference * v;
  let term = 2 * x * v;
  for (let j = 1; j < 1000; j++) {
    term *= v * v;
    const next = sum + term / (2 * j + 1);
    if (next === sum) break;
    sum = next;
  }
  return sum;
}
