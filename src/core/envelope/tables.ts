/** The tables: the exact bound of every class and every class set at every point of the coarse grid. */

import { binomialUpperBound } from "../statistics/binomial.ts";
import { type PassCounts, sumOver } from "./counts.ts";
import { fineLimits } from "./family.ts";
import type { Cell, Family } from "./types.ts";

export interface Tables {
  /** [chain][coarse] Each class up to its limit in the set. */
  readonly stationCells: readonly (readonly Cell[])[];
  /** [class][coarse] Each class at that lambda, whatever its limit. */
  readonly classCells: readonly (readonly Cell[])[];
}

/**
 * Upper bounds of all cells.
 * @param counts parts that pass at each lambda of the family, and what was counted against them
 * @param cellEta failure probability of each bound, in (0, 1)
 */
export function tablesOf(family: Family, counts: PassCounts, cellEta: number): Tables {
  const cell = (n: number, k: number): Cell => ({ n, k, upperBound: binomialUpperBound(k, n, cellEta) });
  return {
    stationCells: fineLimits(family).map((set) =>
      family.coarse.map((at) => cell(sumOver(counts, "n", set, at), sumOver(counts, "k", set, at))),
    ),
    classCells: Array.from({ length: counts.classes }, (_, c) =>
      family.coarse.map((at) => cell(counts.n[c * counts.lambdas + at]!, counts.k[c * counts.lambdas + at]!)),
    ),
  };
}
