/** The local gap: what the nearest prototypes of a class recorded, and how far away they lie. */

import type { Prototypes } from "./types.ts";

/** A class without prototypes is as far away as anything is said to be. */
export const NOVELTY_MAX = 1e6;

const STRIDE = 4;
/** Neighbours whose distance tells how new a frame is; of more, a wide class would let strangers in between. */
const NOVELTY_NEIGHBOURS = 2;

/** What one search found; reused from search to search. */
export interface Neighbourhood {
  /** Weighted mean gap of the neighbours, shrunk towards the class. */
  localGap: number;
  /** Mean distance to the nearest two of them; NaN where the class has none. */
  distance: number;
  /** `distance` over the class's recorded median, in [0, NOVELTY_MAX]. */
  novelty: number;
}

/** A search over the prototypes of one class that allocates nothing. */
export function createNeighbours(
  prototypes: Prototypes,
  dimensions: number,
): { readonly found: Neighbourhood; search(place: Float64Array, classIndex: number): void } {
  const { neighbours, shrinkage } = prototypes;
  const width = Math.ceil(dimensions / STRIDE) * STRIDE;
  const points = padded(prototypes.points, dimensions, width);
  const gaps = Float64Array.from(prototypes.gaps);
  const classStart = Int32Array.from(prototypes.classStart);
  const classGap = Float64Array.from(prototypes.classGap);
  const medianDistance = Float64Array.from(prototypes.medianDistance);
  const from = new Float64Array(width);
  const nearest = new Float64Array(neighbours);
  const nearestGap = new Float64Array(neighbours);
  const found: Neighbourhood = { localGap: 0, distance: 0, novelty: 0 };

  function search(place: Float64Array, classIndex: number): void {
    for (let d = 0; d < dimensions; d++) from[d] = place[d]!;
    const end = classStart[classIndex + 1]!;
    let count = 0;
    let farthest = Number.POSITIVE_INFINITY;
    for (let row = classStart[classIndex]!; row < end; row++) {
      const squared = squaredDistance(row * width, farthest);
      if (!(squared < farthest)) continue;
      let slot = count < neighbours ? count++ : neighbours - 1;
      while (slot > 0 && nearest[slot - 1]! > squared) {
        nearest[slot] = nearest[slot - 1]!;
        nearestGap[slot] = nearestGap[slot - 1]!;
        slot--;
      }
      nearest[slot] = squared;
      nearestGap[slot] = gaps[row]!;
      if (count === neighbours) farthest = nearest[neighbours - 1]!;
    }
    summarise(count, classIndex);
  }

  /** Four components at a time, given up as soon as they reach the limit. */
  function squaredDistance(at: number, limit: number): number {
    let sum = 0;
    for (let d = 0; d < width && sum < limit; d += STRIDE) {
      const a = from[d]! - points[at + d]!;
      const b = from[d + 1]! - points[at + d + 1]!;
      const c = from[d + 2]! - points[at + d + 2]!;
      const e = from[d + 3]! - points[at + d + 3]!;
      sum += a * a + b * b + (c * c + e * e);
    }
    return sum;
  }

  function summarise(count: number, classIndex: number): void {
    const reach = count > 0 ? nearest[count - 1]! : 0;
    let sum = shrinkage * classGap[classIndex]!;
    let total = shrinkage;
    for (let i = 0; i < count; i++) {
      // Falls from 1 at the frame to 1/2 at the edge of the neighbourhood.
      const weight = reach > 0 ? 1 / (1 + nearest[i]! / reach) : 1;
      sum += weight * nearestGap[i]!;
      total += weight;
    }
    found.localGap = sum / total;
    found.distance = meanDistance(Math.min(count, NOVELTY_NEIGHBOURS));
    found.novelty = ratio(found.distance, medianDistance[classIndex]!);
  }

  function meanDistance(count: number): number {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += Math.sqrt(nearest[i]!);
    return sum / count;
  }

  return { found, search };
}

/** Rows of doubles, filled up with zeros, which add nothing to a distance. */
function padded(points: Float32Array, dimensions: number, width: number): Float64Array {
  const rows = points.length / dimensions;
  const wide = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    wide.set(points.subarray(row * dimensions, (row + 1) * dimensions), row * width);
  }
  return wide;
}

/** NaN, where either is unknown, gives the largest; so does an infinity. */
function ratio(distance: number, median: number): number {
  if (distance === 0) return 0;
  const value = distance / median;
  return Number.isNaN(value) ? NOVELTY_MAX : Math.min(value, NOVELTY_MAX);
}
