/** The walks of single classes, rehearsed: where each starts, and what each would prove of its class. */

import { failuresAllowed } from "../statistics/binomial.ts";
import type { EtaShares } from "./eta.ts";
import type { Rehearsal } from "./rehearsal.ts";

/** Standard deviations between expected and allowed failures at which a first test is as good as passed. */
const SAFE_MARGIN = 3;

/** How the classes fared in the rehearsal. */
export interface RehearsedClasses {
  /** Index into the fine grid at which the walk of each class starts [K]. */
  readonly start: readonly number[];
  /** For each draw, whether class c at lambda i would be proven [draws][K, L]. */
  readonly proven: readonly Uint8Array[];
}

/** Fixes where the walk of each class starts, and tells what walk and table would prove in each draw. */
export function rehearseClasses(
  rehearsal: Rehearsal,
  alphaClass: number,
  shares: EtaShares,
): RehearsedClasses {
  const { classes, lambdas, n, draws } = rehearsal;
  const allowedBy = (eta: number): Int32Array =>
    Int32Array.from(n, (count) => failuresAllowed(Math.floor(count), alphaClass, eta));
  const walking = allowedBy(shares.classWalk);
  const tabled = allowedBy(shares.cell);
  const start = Array.from({ length: classes }, (_, c) => {
    const row = (counts: Uint32Array): Uint32Array => counts.subarray(c * lambdas, (c + 1) * lambdas);
    return walkStart(draws.map(row), walking.subarray(c * lambdas, (c + 1) * lambdas));
  });
  const proven = draws.map((k) => {
    const holds = Uint8Array.from(k, (failures, at) => (failures <= tabled[at]! ? 1 : 0));
    start.forEach((first, c) => {
      const end = (c + 1) * lambdas;
      for (let at = c * lambdas + first; at < end && k[at]! <= walking[at]!; at++) holds[at] = 1;
    });
    return holds;
  });
  return { start, proven };
}

/**
 * Where a walk starts: the strictest lambda whose first test is as good as sure to pass, also where the rehearsal
 * is somewhat wrong; where there is none, the one with the widest margin. One failure among few parts would end a
 * walk that starts stricter.
 * @param failures of each draw at each lambda [draws][L]
 * @param allowed failures with which the test at each lambda passes; -1 where none does [L]
 */
export function walkStart(failures: readonly ArrayLike<number>[], allowed: ArrayLike<number>): number {
  let start = 0;
  let widest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < allowed.length && widest < SAFE_MARGIN; i++) {
    if (allowed[i]! < 0) continue;
    const mean = failures.reduce((sum, counts) => sum + counts[i]!, 0) / failures.length;
    const variance = failures.reduce((sum, counts) => sum + (counts[i]! - mean) ** 2, 0) / failures.length;
    // Half a failure each way, since counts are whole and a variance of 0 is no certainty.
    const margin = (allowed[i]! + 0.5 - mean) / (Math.sqrt(variance) + 0.5);
    if (margin > widest) {
      widest = margin;
      start = i;
    }
  }
  return start;
}
