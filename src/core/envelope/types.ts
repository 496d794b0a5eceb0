/** What evidence, envelope and certificate hold: the types that fitting, files and run time share. */

/** What a student says of N frames, in columns: K classes, F features, D numbers of doubt. */
export interface StudentColumns {
  /** [N, K] row-major. */
  readonly logits: ArrayLike<number>;
  /** [N, F] row-major as the student exports them, or undefined. */
  readonly features: ArrayLike<number> | undefined;
  /** [N, D] row-major as the student exports them, or undefined. */
  readonly doubt: ArrayLike<number> | undefined;
}

export type Split = "fit" | "cal" | "ref";

/**
 * Evidence in columns. A row is one frame; rows of one part share its index and therefore its split.
 * K classes, F features, N frames.
 */
export interface Evidence {
  readonly classes: readonly string[];
  /** Part of each frame [N], indices from 0 without holes. */
  readonly part: Int32Array;
  /** Split of each part. */
  readonly splitOfPart: readonly Split[];
  /** [N, K] row-major. */
  readonly studentLogits: Float32Array;
  readonly teacherLogits: Float32Array;
  /** [N, F] row-major as the student exports them, or undefined. */
  readonly features: Float32Array | undefined;
  readonly featureCount: number;
  /**
   * [N, D] row-major: numbers by which the student itself tells how unsure it is, on any scale on which they can
   * be added up, or undefined.
   */
  readonly doubt: Float32Array | undefined;
  readonly doubtCount: number;
  /** Largest gap over the epsilon neighbourhood, both models at the same copy [N], at temperature 1. */
  readonly largestGap: Float32Array;
  /** The teacher's and the student's own largest L-infinity move over the neighbourhood [N]. */
  readonly teacherSwing: Float32Array;
  readonly studentSwing: Float32Array;
  /** True class of each frame [N]; -1 where unknown. */
  readonly label: Int16Array;
}

/** How features become the 16 numbers in which prototypes lie. */
export type Projection =
  | {
      /** z = components (features - mean). */
      readonly kind: "pca";
      readonly inputs: number;
      readonly outputs: number;
      readonly mean: Float32Array;
      /** [outputs, inputs] row-major. */
      readonly components: Float32Array;
    }
  | {
      /** z = clip(log p, at least floor) minus its mean; as long as there are classes. */
      readonly kind: "centred-log-p";
      readonly outputs: number;
      readonly floor: number;
    };

/** Recorded frames of fit-A that stand for the rest: where they lie, and how far teacher and student parted. */
export interface Prototypes {
  /** k: how many neighbours are asked (fewer in a class that has fewer). */
  readonly neighbours: number;
  /** Prototypes of class c are rows classStart[c] .. classStart[c + 1] - 1; length K + 1. */
  readonly classStart: readonly number[];
  /** [rows, dimensions] row-major. */
  readonly points: Float32Array;
  readonly gaps: Float32Array;
  /** Mean gap of each class, towards which the local mean is shrunk [K]. */
  readonly classGap: readonly number[];
  /** Weight of the class mean, in neighbours. */
  readonly shrinkage: number;
  /** Recorded median of the mean distance to the nearest two prototypes of each class [K]; NaN is written as null. */
  readonly medianDistance: readonly number[];
}

/** Logistic model of U: s = 1 / (1 + exp(-(intercept + classIntercept[c] + weights . (x - mean) / scale))). */
export interface ScoreModel {
  readonly inputs: readonly string[];
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  readonly weights: readonly number[];
  readonly intercept: number;
  readonly classIntercept: readonly number[];
}

/** The teacher band of one class: a step function m of the student's confidence, and its half-width q. */
export interface TeacherBand {
  /** Student confidence from which each step holds, rising; the first is 0. */
  readonly from: readonly number[];
  /** Teacher confidence in the same class on that step, never falling. */
  readonly teacher: readonly number[];
  readonly halfWidth: number;
}

/** One counted cell: parts that pass under a rule, and those of them with U = 1. */
export interface Cell {
  readonly n: number;
  readonly k: number;
  /** BetaInv(1 - eta_cell; k + 1, n - k); 1 if n = 0 or k = n. */
  readonly upperBound: number;
}

/** What is to be proven, and the failure probability of all of it together. */
export interface CertifyOptions {
  /** Rate of unfaithful parts among those that pass, in (0, 1). */
  readonly alpha: number;
  /** The same within each class that passes, in (0, 1). */
  readonly alphaClass: number;
  /** Failure probability over all revisions, in (0, 1). */
  readonly eta: number;
  /** From 1; each revision spends less of eta, and needs parts of cal that no other has seen. */
  readonly revision: number;
}

/**
 * The family of rules, fixed on fit before cal is looked at. Rules are pairs (m, j): class set m of the chain,
 * lambda j. Under a rule a part passes as class c if c is in the set and its score is at most lambda j, and at
 * most the lambda of the class's limit in that set.
 */
export interface Family {
  /** The fine grid, strict to loose. */
  readonly lambdas: readonly number[];
  /** Indices into `lambdas`, rising: tables, choices and thresholds lie on these. */
  readonly coarse: readonly number[];
  /**
   * [chain][class] The class sets S_0, S_1, ...: the loosest coarse point, an index into `coarse`, at which class
   * c passes in S_m; -1 where c is not in S_m. S_0 is the set that fit expects to serve best.
   */
  readonly limits: readonly (readonly number[])[];
  /** Index into `lambdas` at which the walk over S_m starts. */
  readonly start: readonly number[];
  /** Index into `lambdas` at which the walk of each class starts [K]. */
  readonly classStart: readonly number[];
  /** [chain][coarse] Pass rate over all parts that fit predicts. */
  readonly expectedPassRate: readonly (readonly number[])[];
}

/** How far the walk over one class set, or over one class, came. */
export interface Walk {
  /** Index into lambdas of the loosest accepted lambda; -1 if none. */
  readonly certifiedTo: number;
  /** Its share of eta. */
  readonly eta: number;
  /** Where it stopped: n, k and p of the first test that failed, or of the last if none did. */
  readonly last: {
    readonly lambdaIndex: number;
    readonly n: number;
    readonly k: number;
    readonly p: number;
  } | null;
}

/** One rule of the family, as chosen. */
export interface ChosenRule {
  readonly chain: number;
  /** Index into `lambdas`; it lies on the coarse grid. */
  readonly lambdaIndex: number;
  readonly lambda: number;
  /** Pass rate that fit predicts, over all parts. */
  readonly expectedPassRate: number;
}

/** The certificate of one envelope revision: the family, and what was counted on cal. */
export interface Certificate extends Family {
  readonly revision: number;
  /** eta_r, the failure probability this revision spends. */
  readonly eta: number;
  readonly etaTarget: number;
  readonly alpha: number;
  readonly alphaClass: number;
  /** [chain] */
  readonly walk: readonly Walk[];
  /** [chain][coarse] */
  /** [class] */
  readonly classWalk: readonly Walk[];
  readonly stationCells: readonly (readonly Cell[])[];
  readonly stationCellEta: number;
  /** [class][coarse], each class at that lambda whatever its limit */
  readonly classCells: readonly (readonly Cell[])[];
  readonly classCellEta: number;
  /** The rule chosen, or null: everything is reviewed. */
  readonly chosen: ChosenRule | null;
  readonly parts: { readonly fit: number; readonly cal: number; readonly ref: number };
  /** Most frames that one part of cal had; a part with more is not what was certified. */
  readonly framesPerPartMax: number;
}

/** What is fitted on the evidence, before and apart from its certificate. */
export interface FittedEnvelope {
  readonly classes: readonly string[];
  readonly temperature: number;
  readonly delta: number;
  /** Decided the cut of fit in three, which the certificate's family needs again. */
  readonly seed: number;
  readonly projection: Projection;
  readonly prototypes: Prototypes;
  readonly score: ScoreModel;
  readonly bands: readonly TeacherBand[];
  /** Largest distance ratio of each class that is not novel; NaN where the class has no evidence. */
  readonly noveltyMax: readonly number[];
}
