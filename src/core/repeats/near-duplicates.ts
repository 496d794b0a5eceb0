/** Near-duplicates: frames that nothing but the recipe's nuisances tells apart, as if they showed one part. */

import type { FrameRows, FrameSpec } from "../frame.ts";
import { type Nuisance, writeNeighbourhood } from "../nuisance.ts";
import { seededRandom } from "../random.ts";
import { isComparable } from "./lattice.ts";
import { nearestRows } from "./nearest.ts";
import { createPairFit } from "./pair-fit.ts";
import { createSketcher } from "./sketch.ts";

export interface NearDuplicates {
  /** Frames that have a near-duplicate. */
  readonly frames: number;
  /** Row numbers of some of them, each with one of its near-duplicates. */
  readonly examples: readonly (readonly [number, number])[];
}

export interface NearDuplicateSearch {
  readonly spec: FrameSpec;
  readonly nuisances: readonly Nuisance[];
  /** Whether two frames would be near-duplicates if they were alike; those of one part are repeats by right. */
  readonly mayPair: (i: number, j: number) => boolean;
  readonly seed: number;
  /** Told of frames done, first of `count` for sketches, then of `count` for comparisons. */
  readonly progress?: (done: number) => void;
}

const EXAMPLES_MAX = 5;
/** Frames by which the search learns how far nuisances move a sketch. */
const SAMPLE_FRAMES = 64;
const BATCH_FRAMES = 32;
const NEIGHBOURS = 4;
/** Beyond the farthest move that the sample shows. */
const RADIUS_MARGIN = 1.5;
/** Equal frames may have sketches that differ by rounding. */
const RADIUS_LEAST = 0.01;

/**
 * Looks for near-duplicates: sketches that lie close together, then a fit of each such pair. Two frames are
 * near-duplicates if shift, brightness, contrast, blur and noise (for tensors: time-shift, gain, offset and
 * noise) explain all of their difference with magnitudes that two frames of one part may show. A few may be
 * missed; of those found each is such a pair.
 * @returns undefined where frames are too small: few numbers are alike by chance
 */
export async function findNearDuplicates(
  frames: FrameRows,
  search: NearDuplicateSearch,
): Promise<NearDuplicates | undefined> {
  const { spec, nuisances, mayPair, seed } = search;
  if (!isComparable(spec)) return undefined;
  const sample = await sampleOf(frames);
  const sketcher = createSketcher(spec, sample);
  const sketches = new Float32Array(frames.count * sketcher.length);
  for (let start = 0; start < frames.count; start += BATCH_FRAMES) {
    const count = Math.min(BATCH_FRAMES, frames.count - start);
    await frames.load(start, count);
    for (let i = start; i < start + count; i++) sketcher.write(frames.values(i), sketches, i);
    search.progress?.(start + count);
  }
  const moved = new Float32Array(3 * sketcher.length);
  const moves = sample.map((values, i) => {
    sketcher.write(values, moved, 0);
    sketcher.write(repeatOf(values, spec, nuisances, seed, 2 * i), moved, 1);
    sketcher.write(repeatOf(values, spec, nuisances, seed, 2 * i + 1), moved, 2);
    return Math.max(distance(moved, sketcher.length, 0, 1), distance(moved, sketcher.length, 1, 2));
  });
  const nearest = nearestRows(sketches, sketcher.length, {
    neighbours: NEIGHBOURS,
    radius: Math.max(RADIUS_LEAST, RADIUS_MARGIN * Math.max(...moves)),
    mayPair,
    random: seededRandom(seed),
  });
  return compare(frames, search, nearest);
}

/** Fits each frame's nearest until one is a near-duplicate. */
async function compare(
  frames: FrameRows,
  { spec, nuisances, progress }: NearDuplicateSearch,
  nearest: Int32Array,
): Promise<NearDuplicates> {
  const limits = limitsOf(nuisances);
  const fit = createPairFit(spec, limits.get(spec.kind === "image" ? "shift" : "time-shift") ?? 0);
  const isWithin = ({ kind, magnitude }: Nuisance): boolean => magnitude <= (limits.get(kind) ?? 0);
  const isDuplicate = new Uint8Array(frames.count);
  const examples: [number, number][] = [];
  for (let i = 0; i < frames.count; i++) {
    let own: Float32Array | undefined;
    for (let slot = i * NEIGHBOURS; slot < (i + 1) * NEIGHBOURS && isDuplicate[i] === 0; slot++) {
      const other = nearest[slot]!;
      // A pair of neighbours of each other was looked at from the other side.
      const isSeen = other < i && nearest.subarray(other * NEIGHBOURS, (other + 1) * NEIGHBOURS).includes(i);
      if (other < 0 || (isSeen && isDuplicate[other] === 0)) continue;
      own ??= await copyOf(frames, i);
      await frames.load(other, 1);
      const explanations = fit.explain(own, frames.values(other));
      if (!explanations.some((nuisances) => nuisances.every(isWithin))) continue;
      isDuplicate[i] = 1;
      isDuplicate[other] = 1;
      if (examples.length < EXAMPLES_MAX) examples.push([Math.min(i, other), Math.max(i, other)]);
    }
    progress?.(frames.count + i + 1);
  }
  return { frames: isDuplicate.reduce((sum, one) => sum + one, 0), examples };
}

/** What rounding to 8 bits, or to the digits a sensor has, alone may make. */
const ROUNDING: readonly Nuisance[] = [
  { kind: "brightness", magnitude: 1 / 255 },
  { kind: "noise", magnitude: 1 / 255 },
  { kind: "offset", magnitude: 1 / 255 },
  { kind: "tensor-noise", magnitude: 1 / 255 },
];

/**
 * How far two frames of one part may lie apart: each may suffer a nuisance to the full, to either side. Noise
 * adds up by squares: to the root of 2, and an eighth for the error of the estimate.
 */
function limitsOf(nuisances: readonly Nuisance[]): ReadonlyMap<Nuisance["kind"], number> {
  const limits = new Map(ROUNDING.map(({ kind, magnitude }) => [kind, magnitude]));
  for (const { kind, magnitude } of nuisances) {
    const isNoise = kind === "noise" || kind === "tensor-noise";
    const apart = (isNoise ? 1.125 * Math.SQRT2 : 2) * magnitude;
    limits.set(kind, Math.max(limits.get(kind) ?? 0, apart));
  }
  return limits;
}

/** A frame as it might be taken again: with all nuisances at once. */
function repeatOf(
  values: Float32Array,
  spec: FrameSpec,
  nuisances: readonly Nuisance[],
  seed: number,
  frame: number,
): Float32Array {
  let repeat = values;
  for (const nuisance of nuisances) {
    const next = new Float32Array(values.length);
    writeNeighbourhood(repeat, spec, { nuisances: [nuisance], copies: 1, seed }, frame, next);
    repeat = next;
  }
  return repeat;
}

/** Some frames, evenly spread. */
async function sampleOf(frames: FrameRows): Promise<Float32Array[]> {
  const count = Math.min(SAMPLE_FRAMES, frames.count);
  const sample: Float32Array[] = [];
  for (let i = 0; i < count; i++) sample.push(await copyOf(frames, Math.floor((i * frames.count) / count)));
  return sample;
}

async function copyOf(frames: FrameRows, i: number): Promise<Float32Array> {
  await frames.load(i, 1);
  return frames.values(i).slice();
}

function distance(table: Float32Array, width: number, row: number, other: number): number {
  let squares = 0;
  for (let d = 0; d < width; d++) squares += (table[row * width + d]! - table[other * width + d]!) ** 2;
  return Math.sqrt(squares);
}
