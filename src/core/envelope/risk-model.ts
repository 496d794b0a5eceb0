/** How risk rises with the score on fit-C: a guess that steers the family, and on which no promise rests. */

import { isotonicSteps, stepAt } from "../statistics/isotonic.ts";
import { fitLogistic, logit, sigmoid } from "../statistics/logistic.ts";
import type { PassCounts } from "./counts.ts";
import type { PartOutcomes } from "./outcomes.ts";
import type { CertifyOptions } from "./types.ts";

/** A straight curve and a bent one. */
const CURVE_DEGREES = [1, 2] as const;
/** Log-likelihood that a further coefficient must gain to be worth as much as none (Akaike takes 1, Schwarz more). */
const COEFFICIENT_PRICE = 2;
const STRAIGHT_RIDGE = 1e-3;
const BEND_RIDGE = 0.1;
const CLASS_RIDGE = 1;
const LEAST_SCORE = 1e-9;

/** The rates to be proven, where they are met deciding how much doubt there is. */
export type Rates = Pick<CertifyOptions, "alpha" | "alphaClass">;

/** One curve of the risk, and what was seen and expected of it where the rates to be proven are met. */
export interface RiskModel {
  /** Risk of parts of each class that score as much as each lambda [K, L], never falling in L. */
  readonly risk: Float64Array;
  /** How much the failures seen favour this curve, relative to the others. */
  readonly weight: number;
  /** Failures seen up to about twice alpha, which tell how well the level of the curve is known. */
  readonly failures: number;
  /** Failures of each class up to alphaClass [K]. */
  readonly ofClass: readonly { readonly seen: number; readonly expected: number }[];
}

/** Models of the risk; more than one, since a wrong one would misplace every limit and every walk at once. */
export function riskModels(
  selection: PartOutcomes,
  seen: PassCounts,
  lambdas: readonly number[],
  { alpha, alphaClass }: Rates,
): RiskModel[] {
  const nearStation = reachOf(seen, 2 * alpha);
  const nearClass = reachOf(seen, alphaClass);
  const classes = Array.from({ length: seen.classes }, (_, c) => c);
  const curves = CURVE_DEGREES.map((degree) => riskCurve(selection, seen.classes, lambdas, degree));
  const best = Math.max(...curves.map(({ evidence }) => evidence));
  return curves.map(({ risk, evidence }) => {
    return {
      risk,
      weight: Math.exp(evidence - best),
      failures: classes.reduce((sum, c) => sum + (seen.k[c * seen.lambdas + nearStation] ?? 0), 0),
      ofClass: classes.map((c) => ({
        seen: seen.k[c * seen.lambdas + nearClass] ?? 0,
        expected: expectedFailures(seen, risk, c, nearClass),
      })),
    };
  });
}

/**
 * A logistic polynomial of the score's logit, common to all classes, with an intercept and a slope of each class
 * that are shrunk towards it, so that a score on any scale in [0, 1] will do and a class in which it ranks badly
 * does not spoil the others; with its penalised log-likelihood.
 */
function riskCurve(
  { classIndex, score, unfaithful }: PartOutcomes,
  classes: number,
  lambdas: readonly number[],
  degree: number,
): { readonly risk: Float64Array; readonly evidence: number } {
  const place = (value: number): number => logit(Math.min(1 - LEAST_SCORE, Math.max(LEAST_SCORE, value)));
  const passing = Array.from(classIndex.keys()).filter((part) => classIndex[part]! >= 0);
  const places = passing.map((part) => place(score[part]!));
  const mean = places.reduce((sum, at) => sum + at, 0) / Math.max(1, places.length);
  const variance = places.reduce((sum, at) => sum + (at - mean) ** 2, 0) / Math.max(1, places.length);
  const scale = variance > 0 ? Math.sqrt(variance) : 1;
  const common = degree + 1;
  const columns = common + 2 * classes;
  const write = (c: number, at: number, row: Float64Array): void => {
    const x = (at - mean) / scale;
    for (let d = 0; d < common; d++) row[d] = x ** d;
    row[common + 2 * c] = 1;
    row[common + 2 * c + 1] = x;
  };
  const inputs = new Float64Array(places.length * columns);
  places.forEach((at, i) => {
    write(classIndex[passing[i]!]!, at, inputs.subarray(i * columns, (i + 1) * columns));
  });
  const fitted = fitLogistic({
    inputs,
    outcome: passing.map((part) => unfaithful[part]!),
    weight: passing.map(() => 1),
    ridge: Array.from({ length: columns }, (_, d) =>
      d < 2 ? STRAIGHT_RIDGE : d < common ? BEND_RIDGE : CLASS_RIDGE,
    ),
  });
  const risk = new Float64Array(classes * lambdas.length);
  const row = new Float64Array(columns);
  const product = (of: Float64Array): number => of.reduce((sum, value, d) => sum + value * fitted[d]!, 0);
  for (let c = 0; c < classes; c++) {
    row.fill(0);
    const bent = lambdas.map((lambda) => {
      write(c, place(lambda), row);
      return sigmoid(product(row));
    });
    const steps = isotonicSteps(
      lambdas,
      bent,
      lambdas.map(() => 1),
    );
    // More failures at a stricter lambda is what a bend may say, and never what the score means.
    risk.set(
      lambdas.map((lambda) => steps.value[stepAt(steps.from, lambda)]!),
      c * lambdas.length,
    );
  }
  const likelihood = passing.reduce((sum, part, i) => {
    const value = sigmoid(product(inputs.subarray(i * columns, (i + 1) * columns)));
    return sum + Math.log(Math.max(unfaithful[part] === 1 ? value : 1 - value, Number.MIN_VALUE));
  }, 0);
  return { risk, evidence: likelihood - COEFFICIENT_PRICE * degree };
}

function expectedFailures(seen: PassCounts, risk: Float64Array, c: number, upTo: number): number {
  let sum = 0;
  let before = 0;
  for (let i = 0; i <= upTo && i < seen.lambdas; i++) {
    const passing = seen.n[c * seen.lambdas + i]!;
    sum += (passing - before) * risk[c * seen.lambdas + i]!;
    before = passing;
  }
  return sum;
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
