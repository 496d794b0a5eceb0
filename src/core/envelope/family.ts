/** The family of rules, fixed on fit-C before cal is looked at: grids, class sets, where walks start. */

import { seededRandom } from "../random.ts";
import { chooseSets } from "./class-sets.ts";
import { countPasses, sumOver } from "./counts.ts";
import { coarseGrid, fineGrid } from "./grids.ts";
import type { PartOutcomes } from "./outcomes.ts";
import { rehearse } from "./rehearsal.ts";
import type { CertifyOptions, Family } from "./types.ts";

/** What the family is fixed for. Of cal it is told the number of parts, and nothing else. */
export interface FamilyPlan extends CertifyOptions {
  readonly classes: number;
  readonly calParts: number;
  readonly seed: number;
}

/**
 * Fixes the family of rules.
 * @param selection outcomes of the parts of fit-C, on which neither score nor prototypes were fitted
 */
export function fixFamily(selection: PartOutcomes, plan: FamilyPlan): Family {
  const { classes, calParts, seed } = plan;
  const parts = selection.score.length;
  const lambdas = fineGrid(selection);
  const scale = calParts / Math.max(1, parts);
  const rehearsal = rehearse(selection, classes, lambdas, scale, plan, seededRandom(seed));
  const { sets, classStart } = chooseSets(rehearsal, plan, calParts);
  const expectedChoice = new Float64Array(lambdas.length);
  for (const { chosen } of sets) {
    for (const at of chosen) if (at >= 0) expectedChoice[at]! += 1 / (chosen.length * sets.length);
  }
  const coarse = coarseGrid(
    expectedChoice,
    sets.flatMap(({ limit }) => limit),
  );
  // Snapped to the stricter point, so that a limit never lets more pass than fit chose.
  const limits = sets.map(({ limit }) => limit.map((most) => coarse.findLastIndex((at) => at <= most)));
  const seen = countPasses(selection, classes, lambdas);
  return {
    lambdas,
    coarse,
    limits,
    start: sets.map(({ start }) => start),
    classStart,
    expectedPassRate: fineLimits({ coarse, limits }).map((limit) =>
      coarse.map((at) => sumOver(seen, "n", limit, at) / Math.max(1, parts)),
    ),
  };
}

/** [chain][class] Limits as indices into the fine grid; -1 where the class is not in the set. */
export function fineLimits({ coarse, limits }: Pick<Family, "coarse" | "limits">): number[][] {
  return limits.map((of) => of.map((at) => coarse[at] ?? -1));
}
