/** How far the teacher itself can be trusted: exact bounds on "teacher wrong and copied", from labelled parts. */

import { binomialUpperBound } from "../statistics/binomial.ts";
import { countPasses } from "./counts.ts";
import { partsOf } from "./cut.ts";
import { COARSE_POINTS } from "./eta.ts";
import { type LabelledParts, labelledParts } from "./labelled.ts";
import { boundsAt } from "./lookup.ts";
import { type PartOutcomes, partOutcomes } from "./outcomes.ts";
import { type Tables, tablesOf } from "./tables.ts";
import type { Cell, Certificate, Evidence, Family, FittedEnvelope } from "./types.ts";

/** Lower edges of the bins of teacher confidence; chosen before any evidence was seen, rising, the first 0. */
export const CONFIDENCE_FROM: readonly number[] = [0, 0.6, 0.9, 0.99];
/** Share of eta for the tables of what passes; the rest is for the cells of class and confidence. */
const TABLES_SHARE = 0.5;

/** One class in one bin of teacher confidence: labelled parts of cal on which both models give that class. */
export interface ReliabilityCell extends Cell {
  /** BetaInv(eta_cell; k, n - k + 1); 0 if k = 0. */
  readonly lowerBound: number;
  /** Found on fit: more than the limit of such parts were wrong there, or there was none to say otherwise. */
  readonly distrusted: boolean;
}

/**
 * Bounds on "teacher wrong and copied": at some frame of the part, teacher and student give the same class and it
 * is not the part's own. Each cell's n counts labelled parts and its k those with a copied error. All bounds hold
 * together with probability at least 1 - eta over the draw of cal, beside those of the certificate.
 */
export interface TeacherReliability extends Tables {
  /** What this revision spends, 6 etaTarget / (pi^2 r^2): a failure probability of its own. */
  readonly eta: number;
  readonly etaTarget: number;
  /** Rate of copied errors above which a cell is distrusted. */
  readonly limit: number;
  /** Labelled parts of each split. */
  readonly labelled: { readonly fit: number; readonly cal: number };
  /** Of each bound of the tables, which count parts that pass. */
  readonly tableCellEta: number;
  /** Lower edges of the bins of teacher confidence. */
  readonly confidenceFrom: readonly number[];
  /** [class][bin] Whether or not they pass. */
  readonly cells: readonly (readonly ReliabilityCell[])[];
  /** Of each of a cell's two bounds. */
  readonly cellEta: number;
}

export interface ReliabilityOptions {
  /** Failure probability of all these bounds over all revisions, in (0, 1). */
  readonly etaLabels: number;
  /** From 1, the certificate's. */
  readonly revision: number;
  /** Rate of copied errors above which fit makes a cell distrusted, in (0, 1). */
  readonly limit: number;
}

/** Labelled parts with what the judge makes of them. */
export interface JudgedParts extends LabelledParts {
  /** Class and score under which each may pass [parts]. */
  readonly passing: Pick<PartOutcomes, "classIndex" | "score">;
}

/**
 * Bounds teacher errors from the labels of the evidence; cells are distrusted on fit and counted on cal.
 * @returns undefined where no part of cal is labelled: then "faithful" says nothing of "correct"
 * @throws RangeError if etaLabels or the limit is outside (0, 1)
 */
export function teacherReliability(
  evidence: Evidence,
  fitted: FittedEnvelope,
  certificate: Certificate,
  etaLabels: number,
): TeacherReliability | undefined {
  const cal = labelledParts(evidence, partsOf(evidence, "cal"));
  if (cal.part.length === 0) return undefined;
  const fit = labelledParts(evidence, partsOf(evidence, "fit"));
  const judged = { ...cal, passing: partOutcomes(evidence, fitted, cal.part) };
  const { revision, alphaClass: limit } = certificate;
  return reliabilityOf(fit, judged, certificate, evidence.classes.length, { etaLabels, revision, limit });
}

/**
 * The bounds from labelled parts.
 * @param fit decides which cells are distrusted, and nothing else
 * @param family fixed before cal was looked at; its rules are the ones bounded
 * @param classes K
 */
export function reliabilityOf(
  fit: LabelledParts,
  cal: JudgedParts,
  family: Family,
  classes: number,
  { etaLabels, revision, limit }: ReliabilityOptions,
): TeacherReliability {
  for (const [name, rate] of Object.entries({ etaLabels, limit })) {
    if (!(rate > 0 && rate < 1)) throw new RangeError(`${name} lies in (0, 1), got ${rate}`);
  }
  const eta = (6 * etaLabels) / (Math.PI ** 2 * revision ** 2);
  const tableCellEta = (eta * TABLES_SHARE) / ((classes + family.limits.length) * COARSE_POINTS);
  const cellEta = (eta * (1 - TABLES_SHARE)) / (2 * classes * CONFIDENCE_FROM.length);
  const counts = countPasses({ ...cal.passing, unfaithful: cal.copiedError }, classes, family.lambdas);
  const onFit = countCells(fit, classes);
  const onCal = countCells(cal, classes);
  return {
    eta,
    etaTarget: etaLabels,
    limit,
    labelled: { fit: fit.part.length, cal: cal.part.length },
    ...tablesOf(family, counts, tableCellEta),
    tableCellEta,
    confidenceFrom: CONFIDENCE_FROM,
    cells: onCal.map((bins, c) =>
      bins.map(({ n, k }, bin) => {
        const seen = onFit[c]![bin]!;
        return {
          n,
          k,
          lowerBound: 1 - binomialUpperBound(n - k, n, cellEta),
          upperBound: binomialUpperBound(k, n, cellEta),
          // Test the positive: a cell that fit knows nothing of is not trusted.
          distrusted: !(seen.k / seen.n <= limit),
        };
      }),
    ),
    cellEta,
  };
}

/**
 * Bounds on copied errors among what passes under one rule of the certificate.
 * @returns the station's cell, and each class's at the lambda at which it passes; undefined where it does not
 * @throws RangeError if the certificate has no such rule
 */
export function copiedErrorsAt(
  { stationCells, classCells }: TeacherReliability,
  certificate: Certificate,
  chain: number,
  coarseIndex: number,
): { readonly station: Cell; readonly classes: readonly (Cell | undefined)[] } {
  const { classes } = boundsAt(certificate, chain, coarseIndex);
  return {
    station: stationCells[chain]![coarseIndex]!,
    classes: classes.map(({ classIndex, passes, coarseIndex: at }) =>
      passes ? classCells[classIndex]![at]! : undefined,
    ),
  };
}

/** [class][bin] Parts, and those of them with a copied error. */
function countCells(
  { classIndex, teacherConfidence, copiedError }: LabelledParts,
  classes: number,
): { n: number; k: number }[][] {
  const cells = Array.from({ length: classes }, () => CONFIDENCE_FROM.map(() => ({ n: 0, k: 0 })));
  classIndex.forEach((c, i) => {
    const bin = CONFIDENCE_FROM.findLastIndex((from) => teacherConfidence[i]! >= from);
    const cell = cells[c]?.[bin];
    if (cell === undefined) return;
    cell.n++;
    cell.k += copiedError[i]!;
  });
  return cells;
}
