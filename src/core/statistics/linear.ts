/** Small dense linear algebra: eigenvectors of symmetric matrices, and positive definite systems. */

const SWEEPS_MAX = 60;

/** Eigenvalues, falling, and their unit eigenvectors: row i of `vectors` [n, n] belongs to `values[i]`. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * Eigen-decomposition of a symmetric matrix by cyclic Jacobi rotations.
 * @param matrix [n, n] row-major, symmetric; only read
 * @param n its side, integer >= 0
 * @returns values [n] falling, vectors [n, n] in rows, each with its largest component positive
 * @throws RangeError if the length is not n * n or an entry is not finite
 * @see Golub and Van Loan, Matrix Computations, 8.5; Rutishauser 1966
 */
export function symmetricEigen(matrix: ArrayLike<number>, n: number): Eigen {
  checkSquare(matrix, n);
  const a = Float64Array.from(matrix);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  let scale = 0;
  for (let i = 0; i < n * n; i++) scale += a[i]! * a[i]!;
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += a[p * n + q]! * a[p * n + q]!;
    if (off <= 1e-32 * scale) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, vectors, n, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j]! - a[i * n + i]!);
  const sorted = new Float64Array(n * n);
  order.forEach((from, to) => {
    const row = vectors.subarray(from * n, from * n + n);
    let largest = 0;
    for (const v of row) if (Math.abs(v) > Math.abs(largest)) largest = v;
    for (let i = 0; i < n; i++) sorted[to * n + i] = largest < 0 ? -row[i]! : row[i]!;
  });
  return { values: Float64Array.from(order, (i) => a[i * n + i]!), vectors: sorted };
}

/** One rotation in the plane of p and q that makes a[p, q] zero. */
function rotate(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!;
  if (apq === 0) return;
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let i = 0; i < n; i++) {
    const aip = a[i * n + p]!;
    const aiq = a[i * n + q]!;
    a[i * n + p] = c * aip - s * aiq;
    a[i * n + q] = s * aip + c * aiq;
  }
  for (let i = 0; i < n; i++) {
    const api = a[p * n + i]!;
    const aqi = a[q * n + i]!;
    a[p * n + i] = c * api - s * aqi;
    a[q * n + i] = s * api + c * aqi;
    const vp = vectors[p * n + i]!;
    const vq = vectors[q * n + i]!;
    vectors[p * n + i] = c * vp - s * vq;
    vectors[q * n + i] = s * vp + c * vq;
  }
  // Rounding leaves a trace where the rotation means zero.
  a[p * n + q] = 0;
  a[q * n + p] = 0;
}

/**
 * Solves a symmetric positive definite system by Cholesky's decomposition.
 * @param matrix [n, n] row-major, symmetric; only read
 * @param right right-hand side [n]; only read
 * @returns x [n] with matrix x = right
 * @throws RangeError if lengths do not fit, an entry is not finite, or the matrix is not positive definite
 * @see Golub and Van Loan, Matrix Computations, 4.2
 */
export function choleskySolve(matrix: ArrayLike<number>, right: ArrayLike<number>): Float64Array {
  const n = right.length;
  checkSquare(matrix, n);
  const lower = Float64Array.from(matrix);
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = lower[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      if (i > j) lower[i * n + j] = sum / lower[j * n + j]!;
      else if (sum > 0) lower[j * n + j] = Math.sqrt(sum);
      else throw new RangeError(`the matrix is not positive definite at row ${j}`);
    }
  }
  const x = Float64Array.from(right);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= lower[i * n + k]! * x[k]!;
    x[i]! /= lower[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= lower[k * n + i]! * x[k]!;
    x[i]! /= lower[i * n + i]!;
  }
  return x;
}

function checkSquare(matrix: ArrayLike<number>, n: number): void {
  if (!(Number.isSafeInteger(n) && n >= 0 && matrix.length === n * n)) {
    throw new RangeError(`expected ${n} x ${n} entries, got ${matrix.length}`);
  }
  for (let i = 0; i < matrix.length; i++) {
    if (!Number.isFinite(matrix[i])) throw new RangeError(`entry ${i} of the matrix is ${matrix[i]}`);
  }
}
