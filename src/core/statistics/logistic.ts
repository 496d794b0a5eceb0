/** Ridge logistic regression. */

import { choleskySolve } from "./linear.ts";

const STEPS_MAX = 60;

/** Rows of a logistic regression: N observations of D inputs. */
export interface LogisticProblem {
  /** [N, D] row-major; a constant column of ones is an intercept. */
  readonly inputs: Float64Array;
  /** What was seen [N], in [0, 1]. */
  readonly outcome: ArrayLike<number>;
  /** Weights of the rows [N], >= 0. */
  readonly weight: ArrayLike<number>;
  /** Ridge of each input [D], > 0: the penalty is half of ridge * coefficient squared. */
  readonly ridge: ArrayLike<number>;
}

/**
 * Ridge logistic regression by Newton's method with halved steps. The ridge makes the loss strictly convex,
 * so that separable and single-class observations have finite coefficients too.
 * @returns coefficients [D] of logit P(outcome = 1), finite
 * @throws RangeError if shapes do not fit, a number is not finite or out of its range
 * @see McCullagh and Nelder 1989, 4.4; le Cessie and van Houwelingen 1992
 */
export function fitLogistic(problem: LogisticProblem): Float64Array {
  checkProblem(problem);
  const columns = problem.ridge.length;
  let coefficients = new Float64Array(columns);
  let loss = lossOf(problem, coefficients);
  for (let step = 0; step < STEPS_MAX; step++) {
    const direction = newtonDirection(problem, coefficients);
    let share = 1;
    let next = moved(coefficients, direction, share);
    let nextLoss = lossOf(problem, next);
    while (!(nextLoss <= loss) && share > 1e-10) {
      share /= 2;
      next = moved(coefficients, direction, share);
      nextLoss = lossOf(problem, next);
    }
    if (!(nextLoss <= loss)) break;
    const gained = loss - nextLoss;
    coefficients = next;
    loss = nextLoss;
    if (gained <= 1e-12 * Math.max(1, loss)) break;
  }
  return coefficients;
}

/** 1 / (1 + exp(-x)), without overflow. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** ln(p / (1 - p)). */
export function logit(p: number): number {
  return Math.log(p) - Math.log1p(-p);
}

function moved(from: Float64Array, direction: Float64Array, share: number): Float64Array<ArrayBuffer> {
  return Float64Array.from(from, (value, d) => value + share * direction[d]!);
}

function linearAt(inputs: Float64Array, row: number, coefficients: Float64Array): number {
  const columns = coefficients.length;
  let sum = 0;
  for (let d = 0; d < columns; d++) sum += inputs[row * columns + d]! * coefficients[d]!;
  return sum;
}

/** Penalised negative log-likelihood. */
function lossOf({ inputs, outcome, weight, ridge }: LogisticProblem, coefficients: Float64Array): number {
  let loss = 0;
  for (let i = 0; i < outcome.length; i++) {
    const eta = linearAt(inputs, i, coefficients);
    const logOnePlus = eta > 0 ? eta + Math.log1p(Math.exp(-eta)) : Math.log1p(Math.exp(eta));
    loss += weight[i]! * (logOnePlus - outcome[i]! * eta);
  }
  for (let d = 0; d < coefficients.length; d++) loss += 0.5 * ridge[d]! * coefficients[d]! ** 2;
  return loss;
}

/** Hessian^-1 times the falling gradient; the ridge on its diagonal keeps it positive definite. */
function newtonDirection(
  { inputs, outcome, weight, ridge }: LogisticProblem,
  at: Float64Array,
): Float64Array {
  const columns = at.length;
  const hessian = new Float64Array(columns * columns);
  const gradient = new Float64Array(columns);
  for (let i = 0; i < outcome.length; i++) {
    const p = sigmoid(linearAt(inputs, i, at));
    const residual = weight[i]! * (outcome[i]! - p);
    const curvature = weight[i]! * p * (1 - p);
    for (let d = 0; d < columns; d++) {
      const value = inputs[i * columns + d]!;
      if (value === 0) continue;
      gradient[d]! += residual * value;
      const scaled = curvature * value;
      for (let e = 0; e <= d; e++) hessian[d * columns + e]! += scaled * inputs[i * columns + e]!;
    }
  }
  for (let d = 0; d < columns; d++) {
    gradient[d]! -= ridge[d]! * at[d]!;
    hessian[d * columns + d]! += ridge[d]!;
    for (let e = 0; e < d; e++) hessian[e * columns + d] = hessian[d * columns + e]!;
  }
  return scaledSolve(hessian, gradient);
}

/** Solves with the diagonal scaled to one and a trace added, so that rounding leaves it positive definite. */
function scaledSolve(hessian: Float64Array, gradient: Float64Array): Float64Array {
  const n = gradient.length;
  const scale = Float64Array.from(gradient, (_, d) => 1 / Math.sqrt(hessian[d * n + d]!));
  const unit = Float64Array.from(hessian, (value, i) => value * scale[Math.floor(i / n)]! * scale[i % n]!);
  for (let d = 0; d < n; d++) unit[d * n + d]! += 1e-10;
  const right = Float64Array.from(gradient, (value, d) => value * scale[d]!);
  return choleskySolve(unit, right).map((value, d) => value * scale[d]!);
}

function checkProblem({ inputs, outcome, weight, ridge }: LogisticProblem): void {
  const rows = outcome.length;
  if (inputs.length !== rows * ridge.length || weight.length !== rows) {
    throw new RangeError(
      `expected ${rows} x ${ridge.length} inputs and ${rows} weights, got ${inputs.length} and ${weight.length}`,
    );
  }
  for (let d = 0; d < ridge.length; d++) {
    if (!(Number.isFinite(ridge[d]) && ridge[d]! > 0))
      throw new RangeError(`ridge ${d} must be > 0, got ${ridge[d]}`);
  }
  for (let i = 0; i < rows; i++) {
    if (!(outcome[i]! >= 0 && outcome[i]! <= 1)) throw new RangeError(`outcome ${i} is ${outcome[i]}`);
    if (!(Number.isFinite(weight[i]) && weight[i]! >= 0)) throw new RangeError(`weight ${i} is ${weight[i]}`);
  }
  for (let i = 0; i < inputs.length; i++) {
    if (!Number.isFinite(inputs[i])) throw new RangeError(`input ${i} is ${inputs[i]}`);
  }
}
