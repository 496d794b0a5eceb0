/** Magnitudes of the nuisances, from frames that show the same parts again: an upper bound of what a line does. */

import type { FrameRows, FrameSpec } from "../frame.ts";
import { MAGNITUDES_MAX, type Nuisance } from "../nuisance.ts";
import { deviationOf } from "../statistics/moments.ts";
import { toleranceCoverage, toleranceSize } from "../statistics/tolerance.ts";
import { isComparable } from "./lattice.ts";
import { createPairFit, type PairFit } from "./pair-fit.ts";

/** What the magnitudes are worth. */
export interface RepeatsEvidence {
  /** Parts with at least two frames: one independent value each. */
  readonly parts: number;
  readonly frames: number;
  /** Of each kind, the share of parts whose frames differ by no more than the magnitude, at this confidence. */
  readonly coverage: number;
  readonly confidence: number;
}

export type Magnitudes =
  | { readonly ok: true; readonly nuisances: readonly Nuisance[]; readonly evidence: RepeatsEvidence }
  | { readonly ok: false; readonly problem: string };

const REPEATS_CONFIDENCE = 0.95;
const COVERAGE_LEAST = 0.95;
/** Two frames whose difference from each other is half of what there is to see in one show two parts. */
const UNEXPLAINED_MOST = 0.5;
/** In parts of the full scale: so little may be noise where there is nothing to see, so much nowhere. */
const NOISE_LEAST = 0.04;
const NOISE_MOST = 0.1;

/**
 * Estimates a magnitude for each kind of nuisance: what explains the difference of two frames of one part, the
 * largest over all pairs of a part, and of those the largest over all parts.
 * @param frames of parts that were each recorded several times, as they come along the line
 * @param partOf part of each frame, indices from 0 [frames]
 * @returns kinds that were never seen are left out; or why there is no estimate
 * @see toleranceCoverage (Wilks 1941): the largest of n independent values bounds a share of the next ones, with
 *   nothing assumed of their distribution. It holds for each kind on its own
 */
export async function magnitudesOf(
  frames: FrameRows,
  partOf: Int32Array,
  spec: FrameSpec,
  progress: (parts: number, total: number) => void,
): Promise<Magnitudes> {
  if (!isComparable(spec)) return { ok: false, problem: "frames this small cannot be compared" };
  const repeated = framesOfParts(partOf).filter((rows) => rows.length > 1);
  const needed = toleranceSize(COVERAGE_LEAST, REPEATS_CONFIDENCE);
  if (repeated.length < needed) {
    return {
      ok: false,
      problem:
        `${repeated.length} parts have two frames or more, and it takes ${needed}: the largest of ${needed} bounds ` +
        `${100 * COVERAGE_LEAST}% of all parts with ${100 * REPEATS_CONFIDENCE}% confidence; record ${needed - repeated.length} more`,
    };
  }
  const fit = createPairFit(spec, Number.POSITIVE_INFINITY);
  const largest = new Map<Nuisance["kind"], number>();
  for (const [done, rows] of repeated.entries()) {
    const problem = await widen(largest, frames, rows, fit);
    if (problem !== undefined) return { ok: false, problem };
    progress(done + 1, repeated.length);
  }
  return {
    ok: true,
    nuisances: [...largest]
      .filter(([, magnitude]) => magnitude > 0)
      .map(([kind, magnitude]) => ({ kind, magnitude: rounded(magnitude) })),
    evidence: {
      parts: repeated.length,
      frames: repeated.reduce((sum, rows) => sum + rows.length, 0),
      coverage: toleranceCoverage(repeated.length, REPEATS_CONFIDENCE),
      confidence: REPEATS_CONFIDENCE,
    },
  };
}

/** Raises the magnitudes to what the pairs of one part need; returns why that cannot be. */
async function widen(
  largest: Map<Nuisance["kind"], number>,
  frames: FrameRows,
  rows: readonly number[],
  fit: PairFit,
): Promise<string | undefined> {
  const nameOf = (i: number): string => frames.names?.[rows[i]!] ?? String(rows[i]);
  const values: Float32Array[] = [];
  for (const row of rows) {
    await frames.load(row, 1);
    values.push(frames.values(row).slice());
  }
  for (let i = 1; i < rows.length; i++) {
    for (let j = 0; j < i; j++) {
      const nuisances = fit.explain(values[j]!, values[i]!).at(-1)!;
      const problem = problemOf(nuisances, fit.steps, deviationOf(values[j]!));
      if (problem !== undefined) return `frames ${nameOf(j)} and ${nameOf(i)} of one part ${problem}`;
      for (const { kind, magnitude } of nuisances) {
        largest.set(kind, Math.max(largest.get(kind) ?? 0, magnitude));
      }
    }
  }
  return undefined;
}

/** Why two frames are no measure of what a line does to one part; the deviation is that of one of them. */
function problemOf(nuisances: readonly Nuisance[], steps: number, deviation: number): string | undefined {
  const most: Readonly<Record<Nuisance["kind"], number>> = {
    ...MAGNITUDES_MAX,
    noise: Math.min(NOISE_MOST, Math.max(NOISE_LEAST, (UNEXPLAINED_MOST * deviation) / 255)),
    "tensor-noise": UNEXPLAINED_MOST,
  };
  const strange = nuisances.find(({ kind, magnitude }) => !(magnitude <= most[kind]));
  if (strange !== undefined) {
    return (
      `differ by ${strange.kind} ${rounded(strange.magnitude)}, too much for one part seen twice: check that they show the same part ` +
      "in the same place, or set the magnitudes by hand with --nuisances"
    );
  }
  // At the edge of what is looked for the best shift may lie beyond.
  const shifted = nuisances.find(({ kind }) => kind === "shift" || kind === "time-shift");
  if (shifted === undefined || shifted.magnitude < steps) return undefined;
  return `are shifted by ${steps} or more, the most that is looked for: hold the part in place, or align the frames`;
}

/** Upwards to three digits, so that what is recorded still bounds what was seen. */
function rounded(magnitude: number): number {
  if (!(magnitude > 0) || Number.isInteger(magnitude)) return magnitude;
  const unit = 10 ** (Math.floor(Math.log10(magnitude)) - 2);
  return Number((Math.ceil(magnitude / unit) * unit).toPrecision(3));
}

/** Rows of each part. */
function framesOfParts(partOf: Int32Array): number[][] {
  const rows: number[][] = [];
  for (const [row, part] of partOf.entries()) {
    rows[part] ??= [];
    rows[part].push(row);
  }
  return rows;
}
