/** Builders of evidence, outcomes and families: small worlds in which the truth is known. */

import type { Sizes } from "../../src/core/envelope/certificate.ts";
import type { PassCounts } from "../../src/core/envelope/counts.ts";
import type { PartOutcomes } from "../../src/core/envelope/outcomes.ts";
import type { CertifyOptions, Evidence, Family, Split } from "../../src/core/envelope/types.ts";
import { normal, seededRandom } from "../../src/core/random.ts";

export interface WorldOptions {
  readonly seed?: number;
  readonly classes?: number;
  readonly parts?: number;
  readonly framesPerPart?: number;
  readonly features?: number;
  /** Numbers by which the student tells, with noise, how unsure it is. */
  readonly doubts?: number;
  /** Classes that frames are drawn from; the others never occur. */
  readonly occurring?: readonly number[];
  /** How far the teacher strays from a student that is unsure. */
  readonly teacherNoise?: number;
}

export const FULL_OPTIONS: CertifyOptions = { alpha: 0.02, alphaClass: 0.1, eta: 0.05, revision: 1 };
export const NO_SIZES: Sizes = { parts: { fit: 0, cal: 0, ref: 0 }, framesPerPartMax: 1 };

/** Evidence of a student that is right where it is sure, and of a teacher that strays where it is not. */
export function someEvidence(options: WorldOptions = {}): Evidence {
  const {
    seed = 1,
    classes = 3,
    parts = 1200,
    framesPerPart = 1,
    features = 4,
    doubts = 0,
    teacherNoise = 0.6,
  } = options;
  const occurring = options.occurring ?? Array.from({ length: classes }, (_, c) => c);
  const random = seededRandom(seed);
  const frames = parts * framesPerPart;
  const columns = {
    studentLogits: new Float32Array(frames * classes),
    teacherLogits: new Float32Array(frames * classes),
    features: new Float32Array(frames * features),
    doubt: new Float32Array(frames * doubts),
    largestGap: new Float32Array(frames),
    swing: new Float32Array(frames),
  };
  for (let row = 0; row < frames; row++) {
    const truth = occurring[Math.floor(random.next() * occurring.length)]!;
    const doubt = random.next() ** 2;
    for (let c = 0; c < classes; c++) {
      const logit = (c === truth ? 8 * (1 - doubt) : 0) + 0.3 * normal(random);
      columns.studentLogits[row * classes + c] = logit;
      columns.teacherLogits[row * classes + c] = logit + teacherNoise * normal(random);
    }
    for (let f = 0; f < features; f++) {
      columns.features[row * features + f] = (f === truth % features ? 3 : 0) + doubt * normal(random);
    }
    const p = softmaxOf(columns.studentLogits, row, classes);
    const q = softmaxOf(columns.teacherLogits, row, classes);
    columns.largestGap[row] = Math.min(
      1,
      Math.max(...p.map((v, c) => Math.abs(v - q[c]!))) * (1 + random.next()),
    );
    columns.swing[row] = 0.1 * random.next();
    for (let d = 0; d < doubts; d++)
      columns.doubt[row * doubts + d] = Math.log(columns.largestGap[row]! + 0.02) + 0.1 * normal(random);
  }
  const splitOf = (part: number): Split => (part % 20 < 8 ? "fit" : part % 20 < 18 ? "cal" : "ref");
  return {
    classes: Array.from({ length: classes }, (_, c) => `class-${c}`),
    part: Int32Array.from({ length: frames }, (_, row) => Math.floor(row / framesPerPart)),
    splitOfPart: Array.from({ length: parts }, (_, part) => splitOf(part)),
    studentLogits: columns.studentLogits,
    teacherLogits: columns.teacherLogits,
    features: columns.features,
    featureCount: features,
    doubt: doubts > 0 ? columns.doubt : undefined,
    doubtCount: doubts,
    largestGap: columns.largestGap,
    teacherSwing: columns.swing,
    studentSwing: columns.swing,
    label: new Int16Array(frames).fill(-1),
  };
}

/** The same evidence with every frame there `copies` times, under its one part. */
export function withCopies(evidence: Evidence, copies: number): Evidence {
  const frames = evidence.part.length;
  const rows = Array.from({ length: frames * copies }, (_, i) => Math.floor(i / copies));
  const column = (values: Float32Array): Float32Array => {
    const width = values.length / frames;
    return Float32Array.from({ length: values.length * copies }, (_, i) => {
      return values[rows[Math.floor(i / width)]! * width + (i % width)]!;
    });
  };
  return {
    ...evidence,
    part: Int32Array.from(rows, (row) => evidence.part[row]!),
    studentLogits: column(evidence.studentLogits),
    teacherLogits: column(evidence.teacherLogits),
    features: evidence.features && column(evidence.features),
    doubt: evidence.doubt && column(evidence.doubt),
    largestGap: column(evidence.largestGap),
    teacherSwing: column(evidence.teacherSwing),
    studentSwing: column(evidence.studentSwing),
    label: Int16Array.from(rows, (row) => evidence.label[row]!),
  };
}

/** The same evidence with the rows of one split changed in place of a copy. */
export function withRowsChanged(
  evidence: Evidence,
  split: Split,
  change: (columns: { logits: Float32Array; teacher: Float32Array; gap: Float32Array }, row: number) => void,
): Evidence {
  const columns = {
    logits: evidence.studentLogits.slice(),
    teacher: evidence.teacherLogits.slice(),
    gap: evidence.largestGap.slice(),
  };
  evidence.part.forEach((part, row) => {
    if (evidence.splitOfPart[part] === split) change(columns, row);
  });
  return {
    ...evidence,
    studentLogits: columns.logits,
    teacherLogits: columns.teacher,
    largestGap: columns.gap,
  };
}

/** Outcomes from rows [class, score, U]. */
export function someOutcomes(
  rows: readonly (readonly [c: number, score: number, u: number])[],
): PartOutcomes {
  return {
    classIndex: Int16Array.from(rows, ([c]) => c),
    score: Float64Array.from(rows, ([, score]) => score),
    unfaithful: Uint8Array.from(rows, ([, , u]) => u),
  };
}

/** A family of one class set over all classes, every lambda on the coarse grid, walked from the strictest. */
export function someFamily(
  lambdas: readonly number[],
  classes: number,
  changes: Partial<Family> = {},
): Family {
  const coarse = lambdas.map((_, i) => i);
  return {
    lambdas,
    coarse,
    limits: [new Array<number>(classes).fill(lambdas.length - 1)],
    start: [0],
    classStart: new Array<number>(classes).fill(0),
    expectedPassRate: [lambdas.map((_, i) => (i + 1) / lambdas.length)],
    ...changes,
  };
}

/** Running counts from [n, k] of each class at each lambda. */
export function someCounts(cells: readonly (readonly (readonly [n: number, k: number])[])[]): PassCounts {
  return {
    classes: cells.length,
    lambdas: cells[0]!.length,
    n: Int32Array.from(cells.flatMap((row) => row.map(([n]) => n))),
    k: Int32Array.from(cells.flatMap((row) => row.map(([, k]) => k))),
  };
}

function softmaxOf(logits: Float32Array, row: number, classes: number): number[] {
  const z = Array.from(logits.subarray(row * classes, (row + 1) * classes), Math.exp);
  const sum = z.reduce((a, b) => a + b, 0);
  return z.map((value) => value / sum);
}
