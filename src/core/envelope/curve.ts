/** The risk-coverage curve of a certificate: the rules at each point of its grid, and what the guard says of each. */

import { type Proposal, type Shortfall, supportOf } from "../guard.ts";
import { boundsAt, type RuleBounds, type StationBound } from "./lookup.ts";
import type { Cell, Certificate } from "./types.ts";

/** What is to be promised by whichever rule. */
export type Promised = Pick<Proposal, "alpha" | "alphaClass" | "eta">;

export interface CurveClass extends Cell {
  readonly classIndex: number;
  /** Up to which its parts pass; no looser than the rule's. */
  readonly lambda: number;
}

export interface CurvePoint {
  readonly lambda: number;
  /** The rule as thresholds name it. */
  readonly proposal: Proposal;
  readonly station: StationBound;
  /** Those that pass. */
  readonly classes: readonly CurveClass[];
  /** Share of parts that pass, as fit predicts. */
  readonly expectedPassRate: number;
  /** Whether the guard would take it. */
  readonly allowed: boolean;
  readonly why: readonly string[];
  readonly shortfalls: readonly Shortfall[];
}

/**
 * Of the rules at one point of the grid the one that passes most of those that the guard takes; where it takes none, the
 * one that wants the fewest clean parts. Undefined where there are no rules.
 */
export function bestOf(rules: readonly CurvePoint[]): CurvePoint | undefined {
  const allowed = rules.filter((rule) => rule.allowed);
  return allowed.length > 0
    ? allowed.reduce((best, one) => (one.expectedPassRate > best.expectedPassRate ? one : best))
    : rules.toSorted((a, b) => missingIn(a) - missingIn(b))[0];
}

/**
 * One rule of the family, and what the guard says of it.
 * @param chain index of the class set
 * @param coarseIndex into the coarse grid
 * @throws RangeError if the certificate has no such rule
 */
export function curveRule(
  certificate: Certificate,
  chain: number,
  coarseIndex: number,
  promised: Promised,
  classNames: readonly string[],
): CurvePoint {
  const bounds = boundsAt(certificate, chain, coarseIndex);
  const proposal: Proposal = { ...promised, ...ruleAt(certificate, bounds) };
  const support = supportOf(proposal, certificate, classNames);
  return {
    lambda: bounds.lambda,
    proposal,
    // What the guard goes by may be lower than the rule's own bound: other rules speak for the same classes.
    station: (support.supported && support.station) || bounds.station,
    classes: bounds.classes
      .filter(({ passes }) => passes)
      .map(({ classIndex, coarseIndex: at, cell: { n, k, upperBound } }) => ({
        ...{ classIndex, n, k, upperBound },
        lambda: certificate.lambdas[certificate.coarse[at]!]!,
      })),
    expectedPassRate: certificate.expectedPassRate[chain]?.[coarseIndex] ?? 0,
    allowed: support.supported,
    why: support.supported ? [] : support.reasons,
    shortfalls: support.supported ? [] : support.shortfalls,
  };
}

function ruleAt(certificate: Certificate, { lambda, coarseIndex, classes }: RuleBounds) {
  const passing = classes.filter(({ passes }) => passes);
  const stricter = passing.filter(({ coarseIndex: own }) => own < coarseIndex);
  return {
    lambda: passing.length > 0 ? lambda : null,
    classes: passing.map(({ classIndex }) => classIndex),
    classLambdas: new Map(
      stricter.map(({ classIndex, coarseIndex: own }) => [
        classIndex,
        certificate.lambdas[certificate.coarse[own]!]!,
      ]),
    ),
  };
}

function missingIn({ shortfalls }: CurvePoint): number {
  if (shortfalls.length === 0) return Number.POSITIVE_INFINITY;
  return shortfalls.reduce((sum, { cleanPartsNeeded }) => sum + cleanPartsNeeded, 0);
}
