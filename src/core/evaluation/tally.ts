/** What a rule would have done with held-out parts, counted as the certificate counts. */

import { framesByPart } from "../envelope/cut.ts";
import { classLambdas } from "../envelope/lookup.ts";
import { type PartOutcomes, passingParts } from "../envelope/outcomes.ts";
import type { Certificate, Evidence } from "../envelope/types.ts";

export interface Tally {
  readonly parts: number;
  readonly passed: number;
  /** Passed parts with U = 1. */
  readonly unfaithful: number;
  /** Passed parts whose true class is known. */
  readonly labelled: number;
  /** Those of them that passed as another class. */
  readonly wrong: number;
}

export interface RuleTally {
  /** Over all parts. */
  readonly station: Tally;
  /** [K] Over the parts that the student puts in each class. */
  readonly classes: readonly Tally[];
  /** 1 for each part that passes [parts]. */
  readonly passes: Uint8Array;
}

/**
 * Counts what the rule that a certificate chose does with parts that it has not seen.
 * @param heldOut labels, and which frames are of which part
 * @param outcomes of all parts of `heldOut`, in their order, under the score that was certified
 * @param studentClass the class that the student gives each part [parts]; -1 where its frames do not agree
 */
export function tallyRule(
  heldOut: Evidence,
  outcomes: PartOutcomes,
  certificate: Certificate,
  studentClass: Int16Array,
): RuleTally {
  const classes = heldOut.classes.length;
  const { start } = framesByPart(heldOut);
  const labels = partLabels(heldOut);
  // A part of more frames than any of cal had is not what was certified, and goes to review.
  const passes = passingParts(outcomes, chosenLambdas(certificate)).map((isPassed, part) =>
    start[part + 1]! - start[part]! <= certificate.framesPerPartMax ? isPassed : 0,
  );
  const tallyOver = (isCounted: (part: number) => boolean): Tally => {
    const tally = { parts: 0, passed: 0, unfaithful: 0, labelled: 0, wrong: 0 };
    passes.forEach((isPassed, part) => {
      if (!isCounted(part)) return;
      tally.parts++;
      if (isPassed === 0) return;
      tally.passed++;
      tally.unfaithful += outcomes.unfaithful[part]!;
      if (labels[part] === UNKNOWN) return;
      tally.labelled++;
      if (labels[part] !== outcomes.classIndex[part]) tally.wrong++;
    });
    return tally;
  };
  return {
    station: tallyOver(() => true),
    classes: Array.from({ length: classes }, (_, c) => tallyOver((part) => studentClass[part] === c)),
    passes,
  };
}

/** Lambda of each class under the rule chosen [K]; NaN where the class, or everything, is reviewed. */
export function chosenLambdas(certificate: Certificate): Float64Array {
  const { chosen, coarse, classCells } = certificate;
  if (chosen === null) return new Float64Array(classCells.length).fill(Number.NaN);
  return classLambdas(certificate, chosen.chain, coarse.indexOf(chosen.lambdaIndex));
}

const UNKNOWN = -1;
/** No class at all, so that a part passed as any class is wrong. */
const CONTRADICTORY = -2;

/** The true class of each part, where any of its frames names one. */
function partLabels({ label, part, splitOfPart }: Evidence): Int16Array {
  const labels = new Int16Array(splitOfPart.length).fill(UNKNOWN);
  label.forEach((of, row) => {
    const before = labels[part[row]!]!;
    if (of >= 0 && before !== of) labels[part[row]!] = before === UNKNOWN ? of : CONTRADICTORY;
  });
  return labels;
}
