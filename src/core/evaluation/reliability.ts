/** Reliability: how often, or how much, things are so, at each confidence with which they were said to be. */

const BINS = 10;

/** One tenth of the scale of confidence that holds any frame. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean confidence of its frames. */
  readonly confidence: number;
  /** Mean of what was found of them. */
  readonly found: number;
}

/**
 * Bins of equal width over [0, 1]; those without a frame are left out.
 * @param pairs confidence and what was found, each in [0, 1]; pairs that are not finite are left out
 */
export function reliabilityBins(
  pairs: Iterable<readonly [confidence: number, found: number]>,
): ReliabilityBin[] {
  const sums = Array.from({ length: BINS }, () => ({ count: 0, confidence: 0, found: 0 }));
  for (const [confidence, found] of pairs) {
    if (!(Number.isFinite(confidence) && Number.isFinite(found))) continue;
    const bin = sums[Math.min(BINS - 1, Math.max(0, Math.floor(confidence * BINS)))]!;
    bin.count++;
    bin.confidence += confidence;
    bin.found += found;
  }
  return sums.flatMap(({ count, confidence, found }, i) =>
    count === 0
      ? []
      : [
          {
            from: i / BINS,
            to: (i + 1) / BINS,
            count,
            confidence: confidence / count,
            found: found / count,
          },
        ],
  );
}

/**
 * Mean distance between confidence and what was found, bin by bin, each bin weighing its frames.
 * @returns in [0, 1]; NaN without a frame
 * @see Naeini et al. 2015, expected calibration error
 */
export function calibrationError(bins: readonly ReliabilityBin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  return (
    bins.reduce((sum, { count, confidence, found }) => sum + count * Math.abs(confidence - found), 0) / total
  );
}
