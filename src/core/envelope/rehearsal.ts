/** The rehearsal: what fit lets us expect of cal, drawn many times over. It steers the family; no promise rests on it. */

import { normal, type Random } from "../random.ts";
import { fitLogistic, logit, sigmoid } from "../statistics/logistic.ts";
import { countPasses, type PassCounts } from "./counts.ts";
import type { PartOutcomes } from "./outcomes.ts";

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

/** Where the rates to be proven are met, in which the doubt of the draws is measured. */
export interface Rates {
  readonly alpha: number;
  readonly alphaClass: number;
}

/**
 * Draws what cal may show: as many parts in proportion as on fit-C; their risk pooled over all classes by score,
 * times what the failures of each class say beside it, times the doubt in both.
 * @param lambdas the fine grid
 * @param scale parts of cal for each part of fit-C
 */
export function rehearse(
  selection: PartOutcomes,
  classes: number,
  lambdas: readonly number[],
  scale: number,
  { alpha, alphaClass }: Rates,
  random: Random,
): Rehearsal {
  const length = lambdas.length;
  const seen = countPasses(selection, classes, lambdas);
  const risk = pooledRisk(selection, lambdas);
  const n = Float64Array.from(seen.n, (count) => count * scale);
  const expected = expectedFailures(seen, risk);
  const nearStation = reachOf(seen, 2 * alpha);
  const nearClass = reachOf(seen, alphaClass);
  let failures = 0;
  for (let c = 0; c < classes; c++) failures += seen.k[c * length + nearStation] ?? 0;
  const draw = (): Uint32Array => {
    const drawn = new Uint32Array(classes * length);
    const common = gamma(failures + 1, random) / (failures + 1);
    for (let c = 0; c < classes; c++) {
      const at = c * length + nearClass;
      const own = gamma((seen.k[at] ?? 0) + PRIOR_FAILURES, random) / ((expected[at] ?? 0) + PRIOR_FAILURES);
      let sum = 0;
      for (let i = 0; i < length; i++) {
        const fresh = n[c * length + i]! - (i > 0 ? n[c * length + i - 1]! : 0);
        const rate = Math.min(1, risk[i]! * common * own);
        if (fresh > 0) sum += Math.min(Math.ceil(fresh), poisson(fresh * rate, random));
        drawn[c * length + i] = sum;
      }
    }
    return drawn;
  };
  const draws = Math.min(DRAWS_MAX, Math.floor(DRAWN_COUNTS_MAX / (classes * length + 1)));
  return {
    classes,
    lambdas: length,
    n,
    draws: Array.from({ length: Math.max(DRAWS_MIN, draws) }, draw),
  };
}

/** Risk of parts that score as much as each lambda: a logistic curve through U, so that any score will do. */
function pooledRisk(
  { classIndex, score, unfaithful }: PartOutcomes,
  lambdas: readonly number[],
): Float64Array {
  const passing = Array.from(classIndex.keys()).filter((part) => classIndex[part]! >= 0);
  const at = (value: number): number => logit(Math.min(1 - 1e-9, Math.max(1e-9, value)));
  const [level, slope] = fitLogistic({
    inputs: Float64Array.from(passing.flatMap((part) => [1, at(score[part]!)])),
    outcome: passing.map((part) => unfaithful[part]!),
    weight: passing.map(() => 1),
    ridge: [1e-3, 1e-3],
  });
  return Float64Array.from(lambdas, (lambda) => sigmoid(level! + slope! * at(lambda)));
}

/** Running sums of the pooled risk [K, L]. */
function expectedFailures(seen: PassCounts, risk: Float64Array): Float64Array {
  const sums = new Float64Array(seen.n.length);
  for (let c = 0; c < seen.classes; c++) {
    let sum = 0;
    for (let i = 0; i < seen.lambdas; i++) {
      const at = c * seen.lambdas + i;
      sum += (seen.n[at]! - (i > 0 ? seen.n[at - 1]! : 0)) * risk[i]!;
      sums[at] = sum;
    }
  }
  return sums;
}

/** The loosest lambda at which at most this rate of the parts that pass are unfaithful; where none, the loosest. */
function reachOf(seen: PassCounts, rate: number): number {
  for (let i = seen.lambdas - 1; i >= 0; i--) {
    let n = 0;
    let k = 0;
    for (let c = 0; c < seen.classes; c++) {
      n += seen.n[c * seen.lambdas + i]!;
      k += seen.k[c * seen.lambdas + i]!;
    }
    if (k <= rate * n) return i;
  }
  return Math.max(0, seen.lambdas - 1);
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
