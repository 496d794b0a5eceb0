/** What a certificate says of a rule: the bounds that the guard, the thresholds and the reports read. */

import { partsNeeded } from "../statistics/binomial.ts";
import type { Cell, Certificate, Family } from "./types.ts";

/** A station bound, and what proves it: the walk at the alpha it walked with, or the table. */
export interface StationBound {
  /** Whether the bound is at most the certificate's alpha. */
  readonly certified: boolean;
  readonly n: number;
  readonly k: number;
  readonly upperBound: number;
  readonly method: "walk" | "table" | "classes";
}

/** A class cell with the lower of the bounds that walk and table prove of it. */
export interface ClassCell extends Cell {
  readonly method: "walk" | "table";
}

/** One class under a rule. */
export interface ClassBound {
  readonly classIndex: number;
  /** Whether the rule lets it pass at all. */
  readonly passes: boolean;
  /** Index into the coarse grid at which its cell lies; -1 where no lambda lets it pass. */
  readonly coarseIndex: number;
  readonly cell: ClassCell;
}

/** Everything that is proven of one rule. */
export interface RuleBounds {
  readonly chain: number;
  readonly coarseIndex: number;
  readonly lambda: number;
  readonly station: StationBound;
  /** [K] */
  readonly classes: readonly ClassBound[];
  /** The station's bound is at most alpha, and that of each class that passes at most alphaClass. */
  readonly holds: boolean;
}

const NOTHING_COUNTED: ClassCell = { n: 0, k: 0, upperBound: 1, method: "table" };

/** Classes of set m of the chain, rising. */
export function classesIn(family: Family, chain: number): number[] {
  const limits = family.limits[chain] ?? [];
  return limits.map((_, c) => c).filter((c) => limits[c]! >= 0);
}

/**
 * The loosest point of the coarse grid that is no looser than the lambda asked for.
 * @returns index into `coarse`; -1 where even the strictest point is looser, or lambda is not a number
 */
export function snapLambda(family: Family, lambda: number): number {
  return family.coarse.findLastIndex((at) => family.lambdas[at]! <= lambda);
}

/**
 * What is proven of rule (m, j).
 * @param chain m, index of the class set
 * @param coarseIndex j, index into the coarse grid
 * @param own stricter lambdas of single classes: class index to index into the coarse grid (-1: never passes).
 *   The station's bound is then what those of the classes imply, since its own cell counted other parts.
 * @throws RangeError if the family has no such rule
 */
export function boundsAt(
  certificate: Certificate,
  chain: number,
  coarseIndex: number,
  own: ReadonlyMap<number, number> = new Map(),
): RuleBounds {
  const at = certificate.coarse[coarseIndex];
  const stationCell = certificate.stationCells[chain]?.[coarseIndex];
  if (at === undefined || stationCell === undefined) {
    throw new RangeError(`the certificate has no rule (${chain}, ${coarseIndex})`);
  }
  const limits = certificate.limits[chain]!;
  const cellIndexOf = (c: number): number => Math.min(coarseIndex, limits[c]!);
  const classes = certificate.classCells.map((_, classIndex): ClassBound => {
    const cellIndex = Math.min(cellIndexOf(classIndex), own.get(classIndex) ?? coarseIndex);
    // A class that is reviewed is shown at the lambda it would pass at.
    const cell = classCellAt(certificate, classIndex, cellIndex < 0 ? coarseIndex : cellIndex);
    return { classIndex, passes: cellIndex >= 0, coarseIndex: cellIndex, cell };
  });
  const passing = classes.filter(({ passes }) => passes);
  const isNarrowed = classes.some(({ classIndex, coarseIndex: at }) => at < cellIndexOf(classIndex));
  const station = isNarrowed
    ? impliedBound(certificate, passing)
    : stationBound(certificate, chain, at, stationCell);
  return {
    chain,
    coarseIndex,
    lambda: certificate.lambdas[at]!,
    station,
    classes,
    holds: station.certified && passing.every(({ cell }) => cell.upperBound <= certificate.alphaClass),
  };
}

/**
 * Lambda of each class under rule (m, j), as the judge reads them.
 * @returns [K]; NaN where the class is always reviewed
 * @throws RangeError if the family has no such rule
 */
export function classLambdas(
  certificate: Certificate,
  chain: number,
  coarseIndex: number,
  own: ReadonlyMap<number, number> = new Map(),
): Float64Array {
  return Float64Array.from(boundsAt(certificate, chain, coarseIndex, own).classes, (bound) =>
    bound.passes ? certificate.lambdas[certificate.coarse[bound.coarseIndex]!]! : Number.NaN,
  );
}

/**
 * What is proven of one class at one lambda.
 * @param coarseIndex into the coarse grid; where the certificate has no such cell, nothing is proven
 */
export function classCellAt(certificate: Certificate, classIndex: number, coarseIndex: number): ClassCell {
  const cell = certificate.classCells[classIndex]?.[coarseIndex];
  if (cell === undefined) return NOTHING_COUNTED;
  const at = certificate.coarse[coarseIndex]!;
  const { certifiedTo } = certificate.classWalk[classIndex]!;
  const walked = certificate.classStart[classIndex]! <= at && at <= certifiedTo;
  // As for the station: the walk proves alphaClass, no more; the table may prove less than that.
  return walked && certificate.alphaClass < cell.upperBound
    ? { ...cell, upperBound: certificate.alphaClass, method: "walk" }
    : { ...cell, method: "table" };
}

/** More clean parts, all faithful, with which a cell would prove the rate; 0 where it does. */
export function cleanPartsNeeded(cell: Cell, rate: number, eta: number): number {
  return Math.max(0, partsNeeded(cell.k, rate, eta) - cell.n);
}

/** More clean parts in this cell with which the walk of its class would pass there; 0 where the class is proven. */
export function classPartsNeeded(certificate: Certificate, classIndex: number, cell: ClassCell): number {
  if (cell.upperBound <= certificate.alphaClass) return 0;
  const { eta } = certificate.classWalk[classIndex]!;
  return Math.max(1, cleanPartsNeeded(cell, certificate.alphaClass, eta));
}

function stationBound(
  certificate: Certificate,
  chain: number,
  lambdaIndex: number,
  cell: Cell,
): StationBound {
  const { certifiedTo } = certificate.walk[chain]!;
  const walked = certificate.start[chain]! <= lambdaIndex && lambdaIndex <= certifiedTo;
  // The walk proves alpha, no more; the table may prove less than that.
  const method = walked && certificate.alpha < cell.upperBound ? "walk" : "table";
  const upperBound = method === "walk" ? certificate.alpha : cell.upperBound;
  return { certified: upperBound <= certificate.alpha, n: cell.n, k: cell.k, upperBound, method };
}

/** The station's risk is a mean of its classes' risks, so the worst of their bounds holds for it. */
export function impliedBound(certificate: Certificate, passing: readonly ClassBound[]): StationBound {
  let n = 0;
  let k = 0;
  let upperBound = passing.length > 0 ? 0 : 1;
  for (const { cell } of passing) {
    n += cell.n;
    k += cell.k;
    upperBound = Math.max(upperBound, cell.upperBound);
  }
  return { certified: upperBound <= certificate.alpha, n, k, upperBound, method: "classes" };
}
