/** The risk-coverage curve of a score: how much could pass, and how unfaithful that would have been. */

import type { PartOutcomes } from "../envelope/outcomes.ts";

const POINTS_MAX = 240;
/** With fewer parts than this a rate says nothing, and the curve would begin in noise. */
const PARTS_LEAST = 20;

export interface RiskPoint {
  /** Share of all parts whose score is at most some lambda, in (0, 1]. */
  readonly coverage: number;
  /** Share of those that are unfaithful, in [0, 1]. */
  readonly risk: number;
}

/** The curve over all lambdas, classes alike, strict to loose; parts that no lambda lets pass stay out of it. */
export function riskCoverage({ classIndex, score, unfaithful }: PartOutcomes): RiskPoint[] {
  const order = Array.from(score.keys())
    .filter((part) => classIndex[part]! >= 0)
    .sort((a, b) => score[a]! - score[b]!);
  const points: RiskPoint[] = [];
  const stride = Math.max(1, Math.ceil(order.length / POINTS_MAX));
  let failures = 0;
  order.forEach((part, i) => {
    failures += unfaithful[part]!;
    const n = i + 1;
    // No lambda parts equal scores.
    const isCut = n === order.length || score[order[n]!]! > score[part]!;
    const isKept = n === order.length || n % stride === 0;
    if (isCut && isKept && n >= PARTS_LEAST) points.push({ coverage: n / score.length, risk: failures / n });
  });
  return points;
}
