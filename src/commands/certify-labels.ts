/** What `certify --json` says of labels: where the teacher was wrong and copied, and what that makes of "wrong". */

import type { Explanation } from "../core/envelope/explain.ts";
import { copiedErrorsAt, type TeacherReliability } from "../core/envelope/teacher-reliability.ts";
import type { Cell, Certificate } from "../core/envelope/types.ts";

/** A bound on "teacher wrong and copied", and what it makes of "wrong" with the bound on "unfaithful". */
export interface CopiedErrors {
  readonly n: number;
  readonly k: number;
  readonly upperBound: number;
  readonly wrongUpperBound: number;
}

interface ConfidenceBin {
  readonly n: number;
  readonly k: number;
  readonly lowerBound: number;
  readonly upperBound: number;
  /** Found on fit. */
  readonly distrusted: boolean;
  /** Found on fit, and on cal proven to be above the limit. */
  readonly confirmed: boolean;
}

export interface LabelsSummary {
  readonly eta: number;
  /** Failure probability of these bounds and the certificate together. */
  readonly jointEta: number;
  /** Rate of copied errors above which teacher and class are distrusted. */
  readonly limit: number;
  readonly labelled: TeacherReliability["labelled"];
  /** Null where nothing passes. */
  readonly station: CopiedErrors | null;
  /** Classes that pass. */
  readonly classes: readonly (CopiedErrors & { readonly class: string })[];
  /** Lower edges of the bins of teacher confidence. */
  readonly confidenceFrom: readonly number[];
  /** All classes, in bins of teacher confidence. */
  readonly reliability: readonly { readonly class: string; readonly bins: readonly ConfidenceBin[] }[];
}

export function labelsOf(
  certificate: Certificate,
  explained: Explanation,
  reliability: TeacherReliability,
): LabelsSummary {
  const { chosen, coarse, etaTarget } = certificate;
  const { limit, labelled, confidenceFrom, cells } = reliability;
  const copied =
    chosen && copiedErrorsAt(reliability, certificate, chosen.chain, coarse.indexOf(chosen.lambdaIndex));
  return {
    eta: reliability.etaTarget,
    jointEta: Math.min(1, etaTarget + reliability.etaTarget),
    limit,
    labelled,
    station: copied && withWrong(copied.station, explained.station.upperBound),
    classes: explained.classes.flatMap((row, c) => {
      const cell = copied?.classes[c];
      return cell === undefined ? [] : [{ class: row.class, ...withWrong(cell, row.upperBound) }];
    }),
    confidenceFrom,
    reliability: explained.classes.map((row, c) => ({
      class: row.class,
      bins: cells[c]!.map((bin) => ({ ...bin, confirmed: bin.distrusted && bin.lowerBound > limit })),
    })),
  };
}

/** P(wrong | passed) <= P(unfaithful | passed) + P(teacher wrong and copied | passed). */
function withWrong({ n, k, upperBound }: Cell, unfaithful: number): CopiedErrors {
  return { n, k, upperBound, wrongUpperBound: Math.min(1, upperBound + unfaithful) };
}
