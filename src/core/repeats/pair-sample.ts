/** Two frames side by side: their numbers at the places that both show, and what a relation leaves of them. */

import type { FrameSpec } from "../frame.ts";
import type { Lattice, Shift } from "./lattice.ts";

/** b = constant + gain ((1 - blur) a + blur (mean around a)). */
export interface Relation {
  readonly constant: number;
  readonly gain: number;
  readonly blur: number;
}

/** Moments of b, a and the mean around a (0 for a tensor), over n places. */
export interface PairMoments {
  readonly n: number;
  readonly means: readonly [number, number, number];
  /** [3, 3] */
  readonly covariance: readonly number[];
}

export interface PairSample {
  /** Takes b, the shifted a, and for an image the 3x3 binomial mean around the shifted a. */
  take(a: Float32Array, b: Float32Array, shift: Shift): void;
  /**
   * Moments over the places where neither frame is at an end of the scale.
   * @param margin share of the scale at each end that belongs to it
   */
  moments(margin: number): PairMoments;
  /** Root mean square, over all places, of what b and its prediction contradict each other by. */
  unexplained(relation: Relation): number;
}

export function createPairSample(spec: FrameSpec, lattice: Lattice): PairSample {
  const most = lattice.shown({ dy: 0, dx: 0 }).places.length;
  const [a, b, mean] = [new Float64Array(most), new Float64Array(most), new Float64Array(most)];
  const { low, high } = scaleOf(spec);
  let n = 0;

  /** Judged by both frames together where both are free: a choice by one would prefer noise of one sign. */
  const isInside = (i: number, margin: number): boolean => {
    const isFree = a[i]! > low && a[i]! < high && b[i]! > low && b[i]! < high;
    if (!isFree || !Number.isFinite(margin)) return isFree;
    const middle = (a[i]! + b[i]!) / 2;
    return middle > low + margin && middle < high - margin;
  };

  return {
    take(first, second, shift) {
      const { places, from } = lattice.shown(shift);
      n = places.length;
      for (let i = 0; i < n; i++) {
        a[i] = first[from[i]!]!;
        b[i] = second[places[i]!]!;
        if (spec.kind === "image") mean[i] = binomialMean(first, from[i]!, spec.width, spec.channels);
      }
    },
    moments(marginShare) {
      const margin = marginShare * (high - low);
      let [count, sumB, sumA, sumM] = [0, 0, 0, 0];
      for (let i = 0; i < n; i++) {
        if (!isInside(i, margin)) continue;
        count++;
        sumB += b[i]!;
        sumA += a[i]!;
        sumM += mean[i]!;
      }
      const [meanB, meanA, meanM] = [sumB / count, sumA / count, sumM / count];
      let [bb, ba, bm, aa, am, mm] = [0, 0, 0, 0, 0, 0];
      for (let i = 0; i < n; i++) {
        if (!isInside(i, margin)) continue;
        const x = b[i]! - meanB;
        const y = a[i]! - meanA;
        const z = mean[i]! - meanM;
        bb += x * x;
        ba += x * y;
        bm += x * z;
        aa += y * y;
        am += y * z;
        mm += z * z;
      }
      const covariance = [bb, ba, bm, ba, aa, am, bm, am, mm].map((sum) => sum / count);
      return { n: count, means: [meanB, meanA, meanM], covariance };
    },
    unexplained({ constant, gain, blur }) {
      let squares = 0;
      for (let i = 0; i < n; i++) {
        const value = constant + gain * ((1 - blur) * a[i]! + blur * mean[i]!);
        const excess = b[i]! - Math.min(high, Math.max(low, value));
        // Where a was cut short, b may well be on the far side of the prediction.
        const isFree = excess < 0 ? a[i]! > low : a[i]! < high;
        if (isFree) squares += excess * excess;
      }
      return Math.sqrt(squares / n);
    },
  };
}

function binomialMean(values: Float32Array, at: number, width: number, channels: number): number {
  let sum = 0;
  for (let dy = -1; dy <= 1; dy++) {
    const row = at + dy * width * channels;
    const across = values[row - channels]! + 2 * values[row]! + values[row + channels]!;
    sum += (2 - Math.abs(dy)) * across;
  }
  return sum / 16;
}

/** Where a sensor's scale ends: a number there says no more than "at least" or "at most". */
function scaleOf(spec: FrameSpec): { readonly low: number; readonly high: number } {
  if (spec.kind === "image" || spec.type === "u8") return { low: 0, high: 255 };
  if (spec.type === "i16") return { low: -32768, high: 32767 };
  return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
}
