/** Mean and standard deviation of a frame's numbers. */

/**
 * @param values [n], n >= 1
 * @returns the arithmetic mean; not finite where a value is not
 */
export function meanOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/**
 * @param values [n], n >= 1
 * @returns the standard deviation of these values themselves (divided by n), >= 0; NaN where one is not finite
 */
export function deviationOf(values: Float32Array): number {
  const mean = meanOf(values);
  let sum = 0;
  for (const value of values) sum += (value - mean) ** 2;
  return Math.sqrt(sum / values.length);
}
