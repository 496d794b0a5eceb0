/** From faithful to right: what audits of faithfulness and labelled evidence together say of wrong passes. */

import type { AuditReport } from "./audit-estimates.ts";
import { boundsAt, type ClassBound } from "./envelope/lookup.ts";
import type { TeacherReliability } from "./envelope/teacher-reliability.ts";
import type { Certificate } from "./envelope/types.ts";

/** A bound on P(wrong | passed), or why there is none. */
export type WrongBound =
  | {
      readonly known: true;
      readonly upperBound: number;
      /** Bound on passed parts that are unfaithful, from audits. */
      readonly unfaithful: number;
      /** Bound on passed parts where the teacher is wrong and copied, from labelled evidence. */
      readonly copied: number;
      /** Failure probability of both bounds together. */
      readonly eta: number;
    }
  | { readonly known: false; readonly words: "faithful, correctness unknown" };

/**
 * A passed part that is wrong is unfaithful, or both models give the same wrong class: so
 * P(wrong | passed) <= UCB(unfaithful) + UCB(teacher wrong and copied).
 * @param audited the teacher's question, by now
 * @param reliability of the envelope in force; undefined where its evidence had no labels
 * @param passing the classes that pass, each with its place in the tables
 */
export function wrongBound(
  audited: AuditReport,
  reliability: TeacherReliability | undefined,
  certificate: Certificate,
  passing: readonly ClassBound[],
): WrongBound {
  if (reliability === undefined || passing.length === 0) {
    return { known: false, words: "faithful, correctness unknown" };
  }
  const unfaithful = audited.upperBound;
  const copied = copiedBound(reliability, certificate, passing);
  return {
    known: true,
    upperBound: Math.min(1, unfaithful + copied),
    unfaithful,
    copied,
    eta: Math.min(1, audited.eta + reliability.eta),
  };
}

/**
 * Bound on "teacher wrong and copied" among what passes. All cells of the tables hold together, so the least of
 * those that count just these parts holds; and a station's rate is a mean of its classes'.
 */
function copiedBound(
  { stationCells, classCells }: TeacherReliability,
  certificate: Certificate,
  passing: readonly ClassBound[],
): number {
  let least = Math.max(
    ...passing.map(({ classIndex, coarseIndex }) => classCells[classIndex]?.[coarseIndex]?.upperBound ?? 1),
  );
  const asked = placesOf(passing);
  for (const [chain, cells] of stationCells.entries()) {
    for (const [coarseIndex, { upperBound }] of cells.entries()) {
      if (!(upperBound < least)) continue;
      const passes = boundsAt(certificate, chain, coarseIndex).classes.filter((one) => one.passes);
      if (placesOf(passes) === asked) least = upperBound;
    }
  }
  return least;
}

/** Which class passes up to which point of the coarse grid. */
function placesOf(passing: readonly ClassBound[]): string {
  return passing.map(({ classIndex, coarseIndex }) => `${classIndex}:${coarseIndex}`).join(" ");
}
