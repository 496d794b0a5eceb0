/** The projection: from a student's features, or its soft confidence, to the few numbers in which prototypes lie. */

import { softmax } from "../confidence.ts";
import { normal, seededRandom } from "../random.ts";
import { symmetricEigen } from "../statistics/linear.ts";
import type { WeightedRows } from "./cut.ts";
import type { Evidence, Projection } from "./types.ts";

const OUTPUTS_MAX = 16;
/** Up to this many features all eigenvectors are found exactly; beyond, the leading ones by iteration. */
const EXACT_INPUTS_MAX = 128;
const ROUNDS = 30;
const LOG_FLOOR = -12;

/**
 * Fits the projection on frames of fit-A: principal components of the features, or centred log p where the
 * student exports none.
 * @param rows frames and weights; frames with a feature that is not finite are left out
 */
export function fitProjection(evidence: Evidence, rows: WeightedRows, seed: number): Projection {
  const { features, featureCount: inputs } = evidence;
  if (features === undefined) {
    return { kind: "centred-log-p", outputs: evidence.classes.length, floor: LOG_FLOOR };
  }
  const usable = finiteRows(features, inputs, rows);
  const mean = weightedMean(features, inputs, usable);
  const outputs = Math.min(OUTPUTS_MAX, inputs);
  const components =
    inputs <= EXACT_INPUTS_MAX
      ? symmetricEigen(covariance(features, inputs, usable, mean), inputs).vectors.subarray(
          0,
          outputs * inputs,
        )
      : leadingComponents(features, inputs, usable, mean, outputs, seed);
  return {
    kind: "pca",
    inputs,
    outputs,
    mean: Float32Array.from(mean),
    components: Float32Array.from(components),
  };
}

/** Writes one frame's place to `out` [outputs]; false where a number on the way is not finite. */
export type Projector = (
  p: Float64Array,
  features: ArrayLike<number> | undefined,
  row: number,
  out: Float64Array,
) => boolean;

/** The projection as a function that allocates nothing. */
export function createProjector(projection: Projection): Projector {
  const { outputs } = projection;
  if (projection.kind === "centred-log-p") {
    const least = Math.exp(projection.floor);
    return (p, _features, _row, out) => {
      let sum = 0;
      for (let i = 0; i < outputs; i++) {
        const value = Math.log(Math.max(p[i]!, least));
        out[i] = value;
        sum += value;
      }
      const mean = sum / outputs;
      for (let i = 0; i < outputs; i++) out[i]! -= mean;
      return Number.isFinite(sum);
    };
  }
  const { inputs } = projection;
  const components = Float64Array.from(projection.components);
  const centre = Float64Array.from({ length: outputs }, (_, o) =>
    projection.mean.reduce((sum, mean, i) => sum + components[o * inputs + i]! * mean, 0),
  );
  return (_p, features, row, out) => {
    if (features === undefined) return false;
    const start = row * inputs;
    let sum = 0;
    for (let o = 0; o < outputs; o++) {
      const at = o * inputs;
      let value = -centre[o]!;
      for (let i = 0; i < inputs; i++) value += components[at + i]! * features[start + i]!;
      out[o] = value;
      sum += value;
    }
    return Number.isFinite(sum);
  };
}

/** Places of many frames at temperature T [rows, outputs]; NaN where a frame has none. */
export function projectRows(
  evidence: Evidence,
  projection: Projection,
  temperature: number,
  rows: Int32Array,
): Float64Array {
  const classes = evidence.classes.length;
  const project = createProjector(projection);
  const p = new Float64Array(classes);
  const place = new Float64Array(projection.outputs);
  const places = new Float64Array(rows.length * projection.outputs);
  rows.forEach((row, i) => {
    softmax(evidence.studentLogits, row, classes, temperature, p);
    if (!project(p, evidence.features, row, place)) place.fill(Number.NaN);
    places.set(place, i * projection.outputs);
  });
  return places;
}

function finiteRows(features: Float32Array, inputs: number, { rows, weight }: WeightedRows): WeightedRows {
  const isUsable = (row: number): boolean => {
    for (let i = 0; i < inputs; i++) if (!Number.isFinite(features[row * inputs + i])) return false;
    return true;
  };
  const kept = rows.map((row) => (isUsable(row) ? 1 : 0));
  return { rows: rows.filter((_, i) => kept[i] === 1), weight: weight.filter((_, i) => kept[i] === 1) };
}

function weightedMean(features: Float32Array, inputs: number, { rows, weight }: WeightedRows): Float64Array {
  const mean = new Float64Array(inputs);
  let total = 0;
  rows.forEach((row, at) => {
    total += weight[at]!;
    for (let i = 0; i < inputs; i++) mean[i]! += weight[at]! * features[row * inputs + i]!;
  });
  return total > 0 ? mean.map((sum) => sum / total) : mean;
}

function covariance(
  features: Float32Array,
  inputs: number,
  { rows, weight }: WeightedRows,
  mean: Float64Array,
): Float64Array {
  const sums = new Float64Array(inputs * inputs);
  const centred = new Float64Array(inputs);
  rows.forEach((row, at) => {
    for (let i = 0; i < inputs; i++) centred[i] = features[row * inputs + i]! - mean[i]!;
    for (let i = 0; i < inputs; i++) {
      const scaled = weight[at]! * centred[i]!;
      for (let j = 0; j <= i; j++) sums[i * inputs + j]! += scaled * centred[j]!;
    }
  });
  for (let i = 0; i < inputs; i++) for (let j = 0; j < i; j++) sums[j * inputs + i] = sums[i * inputs + j]!;
  return sums;
}

/** Leading principal components by orthogonal iteration, which never forms the covariance. */
function leadingComponents(
  features: Float32Array,
  inputs: number,
  { rows, weight }: WeightedRows,
  mean: Float64Array,
  outputs: number,
  seed: number,
): Float64Array {
  const random = seededRandom(seed);
  const width = Math.min(inputs, outputs + 4);
  let basis = orthonormal(
    Float64Array.from({ length: width * inputs }, () => normal(random)),
    inputs,
  );
  const centred = new Float64Array(inputs);
  for (let round = 0; round < ROUNDS; round++) {
    const image = new Float64Array(width * inputs);
    rows.forEach((row, at) => {
      for (let i = 0; i < inputs; i++) centred[i] = features[row * inputs + i]! - mean[i]!;
      for (let v = 0; v < width; v++) {
        let along = 0;
        for (let i = 0; i < inputs; i++) along += basis[v * inputs + i]! * centred[i]!;
        along *= weight[at]!;
        for (let i = 0; i < inputs; i++) image[v * inputs + i]! += along * centred[i]!;
      }
    });
    basis = orthonormal(image, inputs);
  }
  return basis.subarray(0, outputs * inputs);
}

/** Gram and Schmidt over the rows, twice for rounding; a row that vanishes stays zero. */
function orthonormal(rows: Float64Array, inputs: number): Float64Array {
  const count = rows.length / inputs;
  for (let v = 0; v < count; v++) {
    const row = rows.subarray(v * inputs, (v + 1) * inputs);
    const before = Math.hypot(...row);
    for (let pass = 0; pass < 2; pass++) {
      for (let u = 0; u < v; u++) {
        const other = rows.subarray(u * inputs, (u + 1) * inputs);
        let along = 0;
        for (let i = 0; i < inputs; i++) along += row[i]! * other[i]!;
        for (let i = 0; i < inputs; i++) row[i]! -= along * other[i]!;
      }
    }
    const length = Math.hypot(...row);
    const scale = length > 1e-10 * before ? 1 / length : 0;
    for (let i = 0; i < inputs; i++) row[i]! *= scale;
  }
  return rows;
}
