/**
 * What rounding may add. The bounds hold of what ONNX Runtime computes in float32 in whatever order it sums,
 * not of the real numbers alone; they are themselves computed in float64, whose rounding is covered as well.
 */

import type { LinearLayer } from "./network.ts";

/** Unit roundoff of float32 and float64, to nearest. */
export const FLOAT32_UNIT = 2 ** -24;
const FLOAT64_UNIT = 2 ** -53;

/** Below this float32 loses digits, or is flushed to zero. */
const FLOAT32_LEAST = 2 ** -126;

/** Steps beside the products of one sum: a batch normalization that is folded in, scaled bias, a division. */
const EXTRA_STEPS = 8;

/** Largest float32; beyond it a value is infinite, and no bound says anything. */
export const FLOAT32_MOST = 3.4028234663852886e38;

/**
 * Tanh is a rational function in ONNX Runtime. Found within 5e-7 of the true one over [-20, 20] (the test of the
 * operators looks again); this allows several times that.
 */
export const TANH_SLACK = 2 ** -18;

/**
 * Factor of rounding errors after `steps` operations, whatever their order.
 * @param unit unit roundoff of the arithmetic
 * @returns gamma_n = n u / (1 - n u); infinite where n u >= 1
 * @see Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1
 */
export function gamma(steps: number, unit: number): number {
  const product = steps * unit;
  return product < 1 ? product / (1 - product) : Number.POSITIVE_INFINITY;
}

/**
 * How far a computed sum of `terms` products may lie from the true one, in parts of the sum of magnitudes: in the
 * model's arithmetic, and several times over in that of the bounds, which go through each sum forwards and backwards.
 */
export function relativeSlack(terms: number, unit: number): number {
  const steps = terms + EXTRA_STEPS;
  return gamma(steps, unit) + 8 * gamma(steps, FLOAT64_UNIT);
}

/** The same beside it for what is too small to have all its digits. */
export function absoluteSlack(terms: number): number {
  return (terms + EXTRA_STEPS) * FLOAT32_LEAST;
}

/** Margin for a float64 sum of `terms` numbers whose magnitudes add up to `mass`. */
export function sumSlack(terms: number, mass: number): number {
  return 2 * gamma(terms + EXTRA_STEPS, FLOAT64_UNIT) * mass;
}

/** The longer of the sums that a layer makes forwards, and that the bounds make backwards. */
export function termsOf({ from, to, groups, kernel }: LinearLayer): number {
  const places = kernel.height * kernel.width;
  return (Math.max(from.channels, to.channels) / groups) * places;
}
