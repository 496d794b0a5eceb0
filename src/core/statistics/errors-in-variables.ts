/** Linear fits in which the regressors are as noisy as what they explain. */

import { symmetricEigen } from "./linear.ts";

export interface ErrorsInVariablesFit {
  /** One for each regressor; not finite where the covariance does not determine them. */
  readonly coefficients: readonly number[];
  /** v: the noise covariance is v times the one given. At least 0. */
  readonly variance: number;
  /** The second smallest root: close to v, nothing but noise tells one relation from another. */
  readonly next: number;
}

/**
 * Fits y = c1 x1 + c2 x2 + ... + constant where y and all x carry noise of known shape and unknown size.
 * Ordinary least squares would take noise in the regressors for a weaker, here a more blurred, relation.
 * @param covariance [n, n] row-major of (y, x1, x2, ...), sample covariance
 * @param noise [n, n] row-major: covariance of their noise up to a common factor, positive definite
 * @param n 1 + number of regressors
 * @throws RangeError if lengths do not fit, an entry is not finite, or noise is not positive definite
 * @see Deming 1943; Golub and Van Loan 1980 (total least squares): the smallest root v of
 *   det(covariance - v noise) = 0 and its vector
 */
export function errorsInVariables(
  covariance: ArrayLike<number>,
  noise: ArrayLike<number>,
  n: number,
): ErrorsInVariablesFit {
  const whitener = inverseRoot(noise, n);
  const whitened = product(product(whitener, covariance, n), whitener, n);
  // Rounding leaves a trace of asymmetry.
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) whitened[j * n + i] = whitened[i * n + j]!;
  const { values, vectors } = symmetricEigen(whitened, n);
  const smallest = vectors.subarray((n - 1) * n, n * n);
  const vector = Array.from({ length: n }, (_, i) => dot(whitener, i, smallest));
  return {
    coefficients: vector.slice(1).map((component) => -component / vector[0]!),
    variance: Math.max(0, values[n - 1]!),
    next: Math.max(0, values[n - 2]!),
  };
}

/** The symmetric inverse square root of a positive definite matrix. */
function inverseRoot(matrix: ArrayLike<number>, n: number): Float64Array {
  const { values, vectors } = symmetricEigen(matrix, n);
  if (!(values[n - 1]! > 0)) throw new RangeError("the noise covariance is not positive definite");
  const root = new Float64Array(n * n);
  for (let e = 0; e < n; e++) {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        root[i * n + j]! += (vectors[e * n + i]! * vectors[e * n + j]!) / Math.sqrt(values[e]!);
      }
    }
  }
  return root;
}

function product(a: ArrayLike<number>, b: ArrayLike<number>, n: number): Float64Array {
  const result = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) result[i * n + j]! += a[i * n + k]! * b[k * n + j]!;
    }
  }
  return result;
}

function dot(matrix: Float64Array, row: number, vector: Float64Array): number {
  return vector.reduce((sum, value, i) => sum + matrix[row * vector.length + i]! * value, 0);
}
