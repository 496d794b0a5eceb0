/** Isotonic regression: the closest step function that never falls. */

/** A step function: `value[i]` holds from `from[i]` up to the next step. */
export interface Steps {
  /** Rising strictly. */
  readonly from: Float64Array;
  /** Rising strictly: neighbours of equal value are one step. */
  readonly value: Float64Array;
}

/**
 * Weighted least-squares fit of a non-decreasing step function, by pooling adjacent violators.
 * @param x places [N], in any order; equal places share one step
 * @param y values [N]
 * @param weight weights [N], > 0
 * @returns at most N steps, the first from the smallest x; none for N = 0
 * @throws RangeError if lengths differ, a number is not finite, or a weight is not positive
 * @see Ayer et al. 1955; Barlow et al. 1972
 */
export function isotonicSteps(x: ArrayLike<number>, y: ArrayLike<number>, weight: ArrayLike<number>): Steps {
  const count = x.length;
  if (y.length !== count || weight.length !== count) {
    throw new RangeError(`x, y and weight must be equally long, got ${count}, ${y.length}, ${weight.length}`);
  }
  for (let i = 0; i < count; i++) {
    const usable =
      Number.isFinite(x[i]) && Number.isFinite(y[i]) && Number.isFinite(weight[i]) && weight[i]! > 0;
    if (!usable) throw new RangeError(`point ${i} is not usable: x ${x[i]}, y ${y[i]}, weight ${weight[i]}`);
  }
  const order = Array.from({ length: count }, (_, i) => i).sort((i, j) => x[i]! - x[j]!);
  const from = new Float64Array(count);
  const value = new Float64Array(count);
  const mass = new Float64Array(count);
  let steps = 0;
  let at = 0;
  while (at < count) {
    const place = x[order[at]!]!;
    let total = 0;
    let sum = 0;
    for (; at < count && x[order[at]!]! === place; at++) {
      total += weight[order[at]!]!;
      sum += weight[order[at]!]! * y[order[at]!]!;
    }
    from[steps] = place;
    value[steps] = sum / total;
    mass[steps] = total;
    steps++;
    // A step not above the one before it joins it, which may put that one in turn not above its own.
    while (steps > 1 && value[steps - 1]! <= value[steps - 2]!) {
      const joint = mass[steps - 1]! + mass[steps - 2]!;
      const share = mass[steps - 1]! / joint;
      value[steps - 2]! += share * (value[steps - 1]! - value[steps - 2]!);
      mass[steps - 2] = joint;
      steps--;
    }
  }
  return { from: from.slice(0, steps), value: value.slice(0, steps) };
}

/** The step at x: the last i with from[i] <= x, and 0 below the first. */
export function stepAt(from: ArrayLike<number>, x: number): number {
  let low = 0;
  let high = from.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (from[middle]! <= x) low = middle;
    else high = middle;
  }
  return low;
}
