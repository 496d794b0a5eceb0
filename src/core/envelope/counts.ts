/** Counts of passing and unfaithful parts, class by class, along the grid of lambdas. */

import type { PartOutcomes } from "./outcomes.ts";

/** Running counts: parts of class c with score at most lambda i, at [c * lambdas + i]. */
export interface PassCounts {
  readonly classes: number;
  readonly lambdas: number;
  /** Parts that pass [K, L]. */
  readonly n: Int32Array;
  /** Those of them with U = 1 [K, L]. */
  readonly k: Int32Array;
}

/** Counts parts at every lambda. @param lambdas rising */
export function countPasses(outcomes: PartOutcomes, classes: number, lambdas: readonly number[]): PassCounts {
  const length = lambdas.length;
  const n = new Int32Array(classes * length);
  const k = new Int32Array(classes * length);
  outcomes.classIndex.forEach((c, part) => {
    if (c < 0) return;
    const at = firstAtLeast(lambdas, outcomes.score[part]!);
    if (at === length) return;
    n[c * length + at]!++;
    k[c * length + at]! += outcomes.unfaithful[part]!;
  });
  for (let c = 0; c < classes; c++) {
    for (let i = c * length + 1; i < (c + 1) * length; i++) {
      n[i]! += n[i - 1]!;
      k[i]! += k[i - 1]!;
    }
  }
  return { classes, lambdas: length, n, k };
}

/**
 * One of the two counts over all classes at lambda i, each class at no more than its own limit.
 * @param limit index into the lambdas of each class [K]; -1 leaves it out
 */
export function sumOver(
  counts: PassCounts,
  of: "n" | "k",
  limit: readonly number[],
  lambdaIndex: number,
): number {
  let sum = 0;
  for (let c = 0; c < counts.classes; c++) {
    const at = Math.min(lambdaIndex, limit[c]!);
    if (at >= 0) sum += counts[of][c * counts.lambdas + at]!;
  }
  return sum;
}

/** The first index whose lambda is at least `score`: a part passes from there on. */
function firstAtLeast(lambdas: readonly number[], score: number): number {
  let low = 0;
  let high = lambdas.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (score <= lambdas[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}
