/** Worlds whose risks are known exactly: what a certificate says of them can be held against the truth. */

import type { PartOutcomes } from "../../src/core/envelope/outcomes.ts";
import type { Certificate } from "../../src/core/envelope/types.ts";
import type { Random } from "../../src/core/random.ts";
import { someOutcomes } from "./evidence.ts";

/** Scores are uniform in [0, 1); all that is passed up to a score u of class c has the mean risk `riskUpTo`. */
export interface World {
  readonly shares: readonly number[];
  /** Mean risk of class c among its parts with a score up to u; its share times it, times u, never falls. */
  riskUpTo(c: number, u: number): number;
  /** Risk of a part of class c at score u: the derivative of u * riskUpTo. */
  riskAt(c: number, u: number): number;
}

/** Risk of class c at score u is level * u^power. */
export function smoothWorld(classes: readonly { share: number; level: number; power: number }[]): World {
  return {
    shares: classes.map(({ share }) => share),
    riskUpTo: (c, u) => (classes[c]!.level * u ** classes[c]!.power) / (classes[c]!.power + 1),
    riskAt: (c, u) => classes[c]!.level * u ** classes[c]!.power,
  };
}

/**
 * Faithful up to a score, then riskier until the mean risk has reached a hair above the rate, where it stays: every
 * further test of the walk stands exactly on the edge, the worst that there is for it.
 */
export function edgeWorld(shares: readonly number[], rates: readonly number[], from = 0.5): World {
  const rise = 0.1;
  const edge = rates.map((rate) => rate * (1 + 1e-6));
  const upTo = (c: number, u: number): number =>
    u < from ? 0 : u < from + rise ? (edge[c]! * (from + rise) * ((u - from) / rise)) / u : edge[c]!;
  return {
    shares,
    riskUpTo: upTo,
    riskAt: (c, u) => (u < from ? 0 : u < from + rise ? (edge[c]! * (from + rise)) / rise : edge[c]!),
  };
}

function drawClass(shares: readonly number[], random: Random): number {
  let left = random.next();
  for (let c = 0; c < shares.length - 1; c++) {
    left -= shares[c]!;
    if (left < 0) return c;
  }
  return shares.length - 1;
}

export function drawParts({ shares, riskAt }: World, count: number, random: Random): PartOutcomes {
  return someOutcomes(
    Array.from({ length: count }, () => {
      const c = drawClass(shares, random);
      const score = random.next();
      return [c, score, random.next() < riskAt(c, score) ? 1 : 0] as const;
    }),
  );
}

/** True risk among all parts that pass, each class up to its own lambda; 0 where none passes. */
export function stationRisk(world: World, lambdas: readonly number[]): number {
  const passing = lambdas.map((lambda, c) => world.shares[c]! * lambda);
  const total = passing.reduce((sum, rate) => sum + rate, 0);
  const unfaithful = passing.reduce((sum, rate, c) => sum + rate * world.riskUpTo(c, lambdas[c]!), 0);
  return total > 0 ? unfaithful / total : 0;
}

/** Lambda of each class in set m at fine index i; 0 where it is not in the set. */
export function lambdasOf({ lambdas, coarse, limits }: Certificate, chain: number, i: number): number[] {
  return limits[chain]!.map((limit) => (limit < 0 ? 0 : lambdas[Math.min(i, coarse[limit]!)]!));
}
