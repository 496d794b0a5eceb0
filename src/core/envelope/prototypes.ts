/** Prototypes: the frames of fit-A, boiled down to at most 1,024 places and the gap recorded around each. */

import { type Random, seededRandom } from "../random.ts";
import type { Prototypes } from "./types.ts";

export const PROTOTYPES_MAX = 1024;
/** Keeps the scan of one class short, however few classes there are. */
const CLASS_PROTOTYPES_MAX = 256;
const NEIGHBOURS = 16;
const SHRINKAGE = 2;
/** Frames of one class that take part in placing its prototypes; all of them are then assigned. */
const PLACING_FRAMES_MAX = 4096;
const LLOYD_ROUNDS = 8;

/** Frames to be represented: their places, classes, gaps and weights. */
export interface PrototypeFrames {
  /** [frames, dimensions] row-major. */
  readonly places: Float64Array;
  /** The student's class of each frame; -1 leaves it out. */
  readonly classIndex: Int16Array;
  readonly largestGap: ArrayLike<number>;
  readonly weight: Float64Array;
}

/**
 * Places prototypes by k-means within each class, seeded by k-means++ (Arthur and Vassilvitskii 2007). A
 * prototype's gap is the weighted mean of the largest gaps of the frames that it stands for.
 * @param frames frames of fit-A with finite places and gaps
 * @param classes K
 * @param dimensions of a place
 */
export function fitPrototypes(
  frames: PrototypeFrames,
  classes: number,
  dimensions: number,
  seed: number,
): Prototypes {
  const random = seededRandom(seed);
  const members = Array.from({ length: classes }, (_, c) => indicesOf(frames.classIndex, c));
  const budget = shareOut(
    members.map((rows) => rows.length),
    PROTOTYPES_MAX,
  );
  const overall = weightedGap(frames, members.flat());
  const classStart = [0];
  const points: number[] = [];
  const gaps: number[] = [];
  const classGap: number[] = [];
  members.forEach((rows, c) => {
    const sampled = sample(rows, PLACING_FRAMES_MAX, random);
    const centres = placeCentres(frames, sampled, dimensions, budget[c]!, random);
    const owner = assign(frames.places, rows, dimensions, centres);
    const mean = rows.length > 0 ? weightedGap(frames, rows) : overall;
    const count = centres.length / dimensions;
    const ofCentre: number[][] = Array.from({ length: count }, () => []);
    owner.forEach((centre, i) => {
      ofCentre[centre]!.push(rows[i]!);
    });
    ofCentre.forEach((owned, centre) => {
      if (owned.length === 0) return;
      for (let d = 0; d < dimensions; d++) points.push(centres[centre * dimensions + d]!);
      gaps.push(weightedGap(frames, owned));
    });
    classGap.push(mean);
    classStart.push(gaps.length);
  });
  return {
    neighbours: NEIGHBOURS,
    classStart,
    points: Float32Array.from(points),
    gaps: Float32Array.from(gaps),
    classGap,
    shrinkage: SHRINKAGE,
    medianDistance: new Array<number>(classes).fill(Number.NaN),
  };
}

/** Equal shares, except that a class takes no more than it has and leaves the rest to the others. */
export function shareOut(wanted: readonly number[], total: number): number[] {
  const shares = wanted.map(() => 0);
  const order = wanted.map((_, c) => c).sort((a, b) => wanted[a]! - wanted[b]!);
  let left = total;
  order.forEach((c, i) => {
    shares[c] = Math.min(wanted[c]!, Math.floor(left / (order.length - i)), CLASS_PROTOTYPES_MAX);
    left -= shares[c]!;
  });
  return shares;
}

/** Weighted median; NaN where there is nothing. */
export function weightedMedian(values: readonly number[], weights: readonly number[]): number {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const half = weights.reduce((sum, weight) => sum + weight, 0) / 2;
  let passed = 0;
  for (const i of order) {
    passed += weights[i]!;
    if (passed >= half) return values[i]!;
  }
  return Number.NaN;
}

function indicesOf(classIndex: Int16Array, wanted: number): number[] {
  const rows: number[] = [];
  classIndex.forEach((c, i) => {
    if (c === wanted) rows.push(i);
  });
  return rows;
}

function sample(rows: readonly number[], countMax: number, random: Random): number[] {
  if (rows.length <= countMax) return [...rows];
  const pool = [...rows];
  for (let i = 0; i < countMax; i++) {
    const j = i + Math.floor(random.next() * (pool.length - i));
    [pool[i], pool[j]] = [pool[j]!, pool[i]!];
  }
  return pool.slice(0, countMax);
}

function weightedGap(frames: PrototypeFrames, rows: readonly number[]): number {
  let sum = 0;
  let total = 0;
  for (const i of rows) {
    sum += frames.weight[i]! * frames.largestGap[i]!;
    total += frames.weight[i]!;
  }
  // With nothing recorded, the largest gap there is.
  return total > 0 ? sum / total : 1;
}

/** Centres [at most count, dimensions] of the frames named. */
function placeCentres(
  frames: PrototypeFrames,
  rows: readonly number[],
  dimensions: number,
  count: number,
  random: Random,
): Float64Array {
  let centres = seedCentres(frames, rows, dimensions, count, random);
  for (let round = 0; round < LLOYD_ROUNDS; round++) {
    const owner = assign(frames.places, rows, dimensions, centres);
    const sums = new Float64Array(centres.length);
    const mass = new Float64Array(centres.length / dimensions);
    owner.forEach((centre, i) => {
      const row = rows[i]!;
      mass[centre]! += frames.weight[row]!;
      for (let d = 0; d < dimensions; d++) {
        sums[centre * dimensions + d]! += frames.weight[row]! * frames.places[row * dimensions + d]!;
      }
    });
    const before = centres;
    centres = sums.map((sum, i) => {
      const of = mass[Math.floor(i / dimensions)]!;
      return of > 0 ? sum / of : before[i]!;
    });
  }
  return centres;
}

/** k-means++: each next centre is drawn with the squared distance to the nearest so far. */
function seedCentres(
  frames: PrototypeFrames,
  rows: readonly number[],
  dimensions: number,
  count: number,
  random: Random,
): Float64Array {
  const chosen: number[] = [];
  const pull = Float64Array.from(rows, (row) => frames.weight[row]!);
  const nearest = new Float64Array(rows.length).fill(Number.POSITIVE_INFINITY);
  while (chosen.length < count) {
    const total = pull.reduce((sum, weight) => sum + weight, 0);
    // Only copies of what is chosen are left.
    if (!(total > 0)) break;
    let aim = random.next() * total;
    let pick = pull.findLastIndex((weight) => weight > 0);
    for (let i = 0; i < pull.length; i++) {
      aim -= pull[i]!;
      if (aim < 0) {
        pick = i;
        break;
      }
    }
    chosen.push(rows[pick]!);
    rows.forEach((row, i) => {
      const distance = squaredDistance(frames.places, row, frames.places, rows[pick]!, dimensions);
      if (distance < nearest[i]!) nearest[i] = distance;
      pull[i] = frames.weight[row]! * nearest[i]!;
    });
  }
  const centres = new Float64Array(chosen.length * dimensions);
  chosen.forEach((row, i) => {
    centres.set(frames.places.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
  });
  return centres;
}

function assign(
  places: Float64Array,
  rows: readonly number[],
  dimensions: number,
  centres: Float64Array,
): Int32Array {
  const count = centres.length / dimensions;
  return Int32Array.from(rows, (row) => {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let centre = 0; centre < count; centre++) {
      const distance = squaredDistance(places, row, centres, centre, dimensions);
      if (distance < least) {
        least = distance;
        best = centre;
      }
    }
    return best;
  });
}

function squaredDistance(a: Float64Array, i: number, b: Float64Array, j: number, dimensions: number): number {
  let sum = 0;
  for (let d = 0; d < dimensions; d++) {
    const difference = a[i * dimensions + d]! - b[j * dimensions + d]!;
    sum += difference * difference;
  }
  return sum;
}
