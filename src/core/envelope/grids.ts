/** The grids of lambdas: a fine one to walk along, and a coarse part of it for tables and choices. */

import { COARSE_POINTS } from "./eta.ts";
import type { PartOutcomes } from "./outcomes.ts";

const FINE_POINTS = 200;
/** How the coarse points are shared out; what is left is spread evenly. */
const STOPPING_SHARE = 0.6;
const LIMIT_SHARE = 0.2;

/** About 200 quantiles of the score over the parts that may pass, rising; equal ones count once. */
export function fineGrid({ classIndex, score }: PartOutcomes): number[] {
  const scores = score.filter((_, part) => classIndex[part]! >= 0).sort();
  const points = Math.min(FINE_POINTS, scores.length);
  const grid = Array.from(
    { length: points },
    (_, i) => scores[Math.ceil(((i + 1) * scores.length) / points) - 1]!,
  );
  return grid.filter((value, i) => i === 0 || value > grid[i - 1]!);
}

/**
 * Coarse points, close together where choices are expected to fall.
 * @param stopping how often each fine point is expected to be chosen [length], summing to at most 1
 * @param limits fine points at which classes reach their limits, repeats and -1 allowed
 * @returns at most 32 indices into the fine grid, rising, the loosest among them
 */
export function coarseGrid(stopping: Float64Array, limits: readonly number[]): number[] {
  const { length } = stopping;
  if (length <= COARSE_POINTS) return Array.from(stopping.keys());
  const even = (1 - STOPPING_SHARE - LIMIT_SHARE) / length;
  const density = stopping.map((mass) => STOPPING_SHARE * mass + even);
  const reached = limits.filter((at) => at >= 0);
  for (const at of reached) density[at]! += LIMIT_SHARE / reached.length;
  const shares = cappedShares(density, COARSE_POINTS - 1);
  const coarse: number[] = [];
  let passed = 0;
  for (let at = 0; at < length - 1; at++) {
    const before = Math.floor(passed);
    passed += shares[at]!;
    if (Math.floor(passed + 1e-9) > before) coarse.push(at);
  }
  return [...coarse.slice(0, COARSE_POINTS - 1), length - 1];
}

/** Scales masses to add up to `total`, none to more than 1: no point can be taken twice. */
function cappedShares(masses: Float64Array, total: number): Float64Array {
  let low = 0;
  let high = total / masses.reduce((least, mass) => Math.min(least, mass), Number.POSITIVE_INFINITY);
  const sharesAt = (scale: number): Float64Array => masses.map((mass) => Math.min(1, mass * scale));
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (sharesAt(middle).reduce((sum, share) => sum + share, 0) < total) low = middle;
    else high = middle;
  }
  return sharesAt(high);
}
