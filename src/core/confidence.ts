/** Soft confidence: softmax vectors, and what is read off them. */

/**
 * Softmax of one row of logits at a temperature, written to `out`.
 * @param logits row-major [N, K]
 * @param row which row, from 0
 * @param classes K
 * @param temperature > 0
 * @param out length K, in [0, 1], sums to 1; all NaN where a logit is not finite
 */
export function softmax(
  logits: ArrayLike<number>,
  row: number,
  classes: number,
  temperature: number,
  out: Float64Array,
): void {
  const start = row * classes;
  let largest = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) largest = Math.max(largest, logits[start + c]!);
  let sum = 0;
  for (let c = 0; c < classes; c++) {
    // A NaN makes `largest` NaN; an infinity makes a difference NaN. Either spreads to the whole row.
    const e = Math.exp((logits[start + c]! - largest) / temperature);
    out[c] = e;
    sum += e;
  }
  for (let c = 0; c < classes; c++) out[c]! /= sum;
}

/** The first index of the largest value; -1 where any value is NaN or there is none. */
export function argmax(values: ArrayLike<number>): number {
  let best = -1;
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) return -1;
    if (value > largest) {
      largest = value;
      best = i;
    }
  }
  return best;
}

/** Shannon entropy in nats of a probability vector; 0 log 0 = 0. */
export function entropy(p: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const value = p[i]!;
    if (value !== 0) sum -= value * Math.log(value);
  }
  return sum;
}

/** The gap: the largest absolute difference of two soft confidences (L-infinity), in [0, 1]; NaN spreads. */
export function gap(p: ArrayLike<number>, q: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < p.length; i++) largest = Math.max(largest, Math.abs(p[i]! - q[i]!));
  return largest;
}
