/** The rehearsal: what fit lets us expect of cal, drawn many times over. It steers the family; no promise rests on it. */

import { normal, type Random } from "../random.ts";
import { countPasses } from "./counts.ts";
import type { PartOutcomes } from "./outcomes.ts";
import { type Rates, type RiskModel, riskModels } from "./risk-model.ts";

const DRAWS_MAX = 200;
const DRAWS_MIN = 40;
/** Bounds the memory of a rehearsal with very many classes. */
const DRAWN_COUNTS_MAX = 4_000_000;
/** Failures that the risk pooled over classes is worth beside those counted in a class. */
const PRIOR_FAILURES = 2;

/** Expected and drawn counts on cal, of class c at lambda i at [c * lambdas + i], running from strict to loose. */
export interface Rehearsal {
  readonly classes: number;
  readonly lambdas: number;
  /** Parts expected to pass [K, L]. */
  readonly n: Float64Array;
  /** For each draw, how many of them are unfaithful [draws][K, L]. */
  readonly draws: readonly Uint32Array[];
}

/**
 * Draws what cal may show: as many parts in proportion as on fit-C; their risk by a curve that the
 * classes share in part, times what the failures of each class say beside it, times the doubt in both. Each curve has its
 * weight's share of the draws.
 * @param lambdas the fine grid
 * @param scale parts of cal for each part of fit-C
 */
export function rehearse(
  selection: PartOutcomes,
  classes: number,
  lambdas: readonly number[],
  scale: number,
  rates: Rates,
  random: Random,
): Rehearsal {
  const seen = countPasses(selection, classes, lambdas);
  const models = riskModels(selection, seen, lambdas, rates);
  const n = Float64Array.from(seen.n, (count) => count * scale);
  const affordable = Math.floor(DRAWN_COUNTS_MAX / Math.max(1, n.length));
  const count = Math.max(DRAWS_MIN, Math.min(DRAWS_MAX, affordable));
  const draws = Array.from({ length: count }, (_, i) =>
    drawFailures(n, modelAt(models, (i + 0.5) / count), random),
  );
  return { classes, lambdas: lambdas.length, n, draws };
}

/** The model whose share of the weights holds this place in [0, 1). */
function modelAt(models: readonly RiskModel[], place: number): RiskModel {
  let left = place * models.reduce((sum, { weight }) => sum + weight, 0);
  for (const model of models) {
    left -= model.weight;
    if (left < 0) return model;
  }
  return models.at(-1)!;
}

/** Running counts of failures [K, L] in one draw of cal. */
function drawFailures(n: Float64Array, { risk, failures, ofClass }: RiskModel, random: Random): Uint32Array {
  const length = n.length / ofClass.length;
  const drawn = new Uint32Array(n.length);
  const common = gamma(failures + 1, random) / (failures + 1);
  ofClass.forEach(({ seen, expected }, c) => {
    const factor = (common * gamma(seen + PRIOR_FAILURES, random)) / (expected + PRIOR_FAILURES);
    let sum = 0;
    let before = 0;
    for (let i = 0; i < length; i++) {
      const at = c * length + i;
      const fresh = n[at]! - before;
      before = n[at]!;
      if (fresh > 0)
        sum += Math.min(Math.ceil(fresh), poisson(fresh * Math.min(1, risk[at]! * factor), random));
      drawn[at] = sum;
    }
  });
  return drawn;
}

/** Poisson variate by counting exponential gaps (Knuth); by a rounded normal where the mean is large. */
function poisson(mean: number, random: Random): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = random.next(); product > least; product *= random.next()) count++;
  return count;
}

/** Gamma variate of shape >= 1 and scale 1 (Marsaglia and Tsang 2000). */
function gamma(shape: number, random: Random): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
