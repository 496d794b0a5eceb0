/** The local gap: what the nearest prototypes of a class recorded, and how far away they lie. */

import type { Prototypes } from "./types.ts";

/** A class without prototypes is as far away as anything is said to be. */
export const NOVELTY_MAX = 1e6;

/** Components that are summed between two looks at the limit: more would be wasted, fewer mispredicted. */
const STRIDE = 8;
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

/**
 * A search over the prototypes of one class that allocates nothing. They lie in the order of their first component,
 * the one that varies most, and are looked at outwards from the frame's own: the nearest come early, and no other can
 * be near once the first component alone is too far off.
 */
export function createNeighbours(
  prototypes: Prototypes,
  dimensions: number,
): { readonly found: Neighbourhood; search(place: Float64Array, classIndex: number): void } {
  const { neighbours, shrinkage } = prototypes;
  const width = Math.ceil(dimensions / STRIDE) * STRIDE;
  const classStart = Int32Array.from(prototypes.classStart);
  const order = inOrder(prototypes.points, dimensions, classStart);
  const points = padded(prototypes.points, dimensions, width, order);
  const gaps = Float64Array.from(order, (row) => prototypes.gaps[row]!);
  const classGap = Float64Array.from(prototypes.classGap);
  const medianDistance = Float64Array.from(prototypes.medianDistance);
  const from = new Float64Array(width);
  const nearest = new Float64Array(neighbours);
  const nearestGap = new Float64Array(neighbours);
  const found: Neighbourhood = { localGap: 0, distance: 0, novelty: 0 };

  function search(place: Float64Array, classIndex: number): void {
    for (let d = 0; d < dimensions; d++) from[d] = place[d]!;
    const start = classStart[classIndex]!;
    const end = classStart[classIndex + 1]!;
    let right = firstFrom(start, end);
    let left = right - 1;
    let count = 0;
    let farthest = Number.POSITIVE_INFINITY;
    let toLeft = left >= start ? from[0]! - points[left * width]! : Number.POSITIVE_INFINITY;
    let toRight = right < end ? points[right * width]! - from[0]! : Number.POSITIVE_INFINITY;
    for (;;) {
      let row: number;
      if (toLeft < toRight) {
        if (!(toLeft * toLeft < farthest)) break;
        row = left--;
        toLeft = left >= start ? from[0]! - points[left * width]! : Number.POSITIVE_INFINITY;
      } else {
        if (!(toRight * toRight < farthest)) break;
        row = right++;
        toRight = right < end ? points[right * width]! - from[0]! : Number.POSITIVE_INFINITY;
      }
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

  /** The first of these rows whose first component is not below the frame's. */
  function firstFrom(start: number, end: number): number {
    let low = start;
    let high = end;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle * width]! < from[0]!) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Given up as soon as it reaches the limit. */
  function squaredDistance(at: number, limit: number): number {
    let sum = 0;
    for (let d = 0; d < width && sum < limit; d += STRIDE) {
      const i = at + d;
      const a = from[d]! - points[i]!;
      const b = from[d + 1]! - points[i + 1]!;
      const c = from[d + 2]! - points[i + 2]!;
      const e = from[d + 3]! - points[i + 3]!;
      sum += a * a + b * b + (c * c + e * e);
      const f = from[d + 4]! - points[i + 4]!;
      const g = from[d + 5]! - points[i + 5]!;
      const h = from[d + 6]! - points[i + 6]!;
      const j = from[d + 7]! - points[i + 7]!;
      sum += f * f + g * g + (h * h + j * j);
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

/** The rows of each class in the order of their first component. */
function inOrder(points: Float32Array, dimensions: number, classStart: Int32Array): Int32Array {
  const order = Int32Array.from({ length: points.length / dimensions }, (_, row) => row);
  for (let c = 0; c + 1 < classStart.length; c++) {
    order
      .subarray(classStart[c]!, classStart[c + 1]!)
      .sort((a, b) => points[a * dimensions]! - points[b * dimensions]! || a - b);
  }
  return order;
}

/** Rows of doubles in this order, filled up with zeros, which add nothing to a distance. */
function padded(points: Float32Array, dimensions: number, width: number, order: Int32Array): Float64Array {
  const wide = new Float64Array(order.length * width);
  order.forEach((row, at) => {
    wide.set(points.subarray(row * dimensions, (row + 1) * dimensions), at * width);
  });
  return wide;
}

/** NaN, where either is unknown, gives the largest; so does an infinity. */
function ratio(distance: number, median: number): number {
  if (distance === 0) return 0;
  const value = distance / median;
  return Number.isNaN(value) ? NOVELTY_MAX : Math.min(value, NOVELTY_MAX);
}
