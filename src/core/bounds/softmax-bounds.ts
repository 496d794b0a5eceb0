/** Bounds on soft confidence from bounds on differences of logits; tight, since classes share one sum. */

/** The softmax of ONNX Runtime's logits is taken in float64; its rounding, with room. */
const SOFTMAX_SLACK = 1e-12;

/** Between which numbers each logit stands above each other: differences[c][j] bounds z_j - z_c. */
export interface Differences {
  readonly lower: readonly Float64Array[];
  readonly upper: readonly Float64Array[];
}

/**
 * Confidence in class c is 1 / sum over j of exp(z_j - z_c), so it falls with every difference.
 * @returns bounds on p_c, in [0, 1]
 */
export function confidenceBounds({ lower, upper }: Differences, c: number): readonly [number, number] {
  return [
    Math.max(0, 1 / exponentials(upper[c]!) - SOFTMAX_SLACK),
    Math.min(1, 1 / exponentials(lower[c]!) + SOFTMAX_SLACK),
  ];
}

/** Minus log p_c: the log of the sum of exponentials of what all classes stand above c. */
export function oddsBounds({ lower, upper }: Differences, c: number): readonly [number, number] {
  return [
    Math.log(exponentials(lower[c]!)) - SOFTMAX_SLACK,
    Math.log(exponentials(upper[c]!)) + SOFTMAX_SLACK,
  ];
}

function exponentials(differences: Float64Array): number {
  return differences.reduce((sum, difference) => sum + Math.exp(difference), 0);
}

/**
 * The largest p - q of two confidences p = exp(-a), q = exp(-b) with a in [a0, a1], b in [b0, b1], b - a <= most.
 * @returns in [0, 1]; 0 where p is never larger
 */
export function largestDifference(
  [a0, a1]: readonly [number, number],
  [b0, b1]: readonly [number, number],
  most: number,
): number {
  // exp(-a) (1 - exp(-(b - a))) grows with b, and then, while it is positive, as a falls.
  const a = Math.max(a0, b0 - most);
  const b = Math.min(b1, a + most);
  if (!(a <= a1)) return 0;
  return Math.min(1, Math.max(0, Math.exp(-a) - Math.exp(-b) + SOFTMAX_SLACK));
}

/** A linear function of differences of logits. */
export interface LinearInDifferences {
  readonly slopes: Float64Array;
  readonly offset: number;
}

/** Under log of the sum of exponentials, which is convex: its tangent in the middle of the box. */
export function lineUnderOdds(lower: Float64Array, upper: Float64Array): LinearInDifferences {
  const middle = lower.map((l, j) => (l + upper[j]!) / 2);
  const largest = Math.max(...middle);
  const sum = middle.reduce((total, d) => total + Math.exp(d - largest), 0);
  const slopes = middle.map((d) => Math.exp(d - largest) / sum);
  const at = slopes.reduce((total, slope, j) => total + slope * middle[j]!, 0);
  const value = largest + Math.log(sum);
  return { slopes, offset: value - at - slackOf(middle, value) };
}

/** Over it: each exponential under its chord, and the logarithm of their sum under its tangent. */
export function lineOverOdds(lower: Float64Array, upper: Float64Array): LinearInDifferences {
  const middle = lower.map((l, j) => (l + upper[j]!) / 2);
  const chords = lower.map((l, j) => {
    const width = upper[j]! - l;
    // Chords of a very narrow box are a tangent, which lies under: the steeper end's slope lies over.
    return width > 1e-6 ? (Math.exp(upper[j]!) - Math.exp(l)) / width : Math.exp(upper[j]!);
  });
  const sum = middle.reduce((total, d, j) => total + Math.exp(lower[j]!) + chords[j]! * (d - lower[j]!), 0);
  const slopes = chords.map((chord) => chord / sum);
  const at = slopes.reduce((total, slope, j) => total + slope * middle[j]!, 0);
  const value = Math.log(sum);
  return { slopes, offset: value - at + slackOf(middle, value) };
}

function slackOf(middle: Float64Array, value: number): number {
  return SOFTMAX_SLACK * (1 + Math.abs(value) + middle.reduce((sum, d) => sum + Math.abs(d), 0));
}
