/** What an evaluation says in words: the same sentences on the terminal and in the report. */

import type { Comparison } from "./consistency.ts";
import type { EvaluationSummary, PassSummary, RuleSummary } from "./evaluate.ts";

/** A rate in per cent, to two digits behind the point; what there is none of is a dash. */
export function percent(rate: number | null): string {
  return rate === null || Number.isNaN(rate) ? "–" : `${(100 * rate).toFixed(2)}%`;
}

/** An exact interval in per cent. */
export function percentInterval([low, high]: readonly [number, number]): string {
  return `${(100 * low).toFixed(2)} to ${(100 * high).toFixed(2)}%`;
}

/** What would have passed. */
export function passSentence(summary: EvaluationSummary): string {
  const { parts, passed, passRate } = summary;
  if (summary.lambda === null)
    return `Nothing is certified: all of ${countOf(parts, "part")} would have gone to a person.`;
  return `Of ${countOf(parts, "part")} that the evidence does not hold, ${passed} would have passed (${percent(passRate)}).`;
}

/** How often that was unfaithful, and wrong. */
export function riskSentences(summary: PassSummary): readonly string[] {
  const { passed, unfaithful, unfaithfulAmongPassed, unfaithfulInterval } = summary;
  if (passed === 0) return [];
  const { labelled, wrong, wrongAmongPassed, wrongInterval } = summary;
  const among = labelled === passed ? "of them" : `of the ${labelled} with a known class`;
  return [
    `${unfaithful} of them ${wereOf(unfaithful)} unfaithful (${percent(unfaithfulAmongPassed)}; exact 95% interval ${percentInterval(unfaithfulInterval)}).`,
    labelled === 0
      ? "Faithful, correctness unknown: no label says what the parts are."
      : `${wrong} ${among} passed as another class than their own (${percent(wrongAmongPassed)}; exact 95% interval ${percentInterval(wrongInterval)}).`,
  ];
}

/** What plain confidence would have done. */
export function baselineSentence({ lambda, passRate, unfaithfulAmongPassed }: RuleSummary): string {
  if (lambda === null)
    return "Plain max-softmax, certified in the same way on the same evidence, certifies nothing: everything would have gone to a person.";
  return `Plain max-softmax, certified in the same way on the same evidence, would have passed ${percent(passRate)}, ${percent(unfaithfulAmongPassed)} of it unfaithful.`;
}

/** Whether the promise held: one sentence for the station, and one for each class that broke it. */
export function verdictSentences(summary: EvaluationSummary): readonly string[] {
  const { certificate, neighbourhood, unfaithful, passed } = summary;
  if (neighbourhood === "frame-only") {
    return [
      "frame-only: U was found at each frame alone, without its neighbourhood; this result is compared with no certificate.",
    ];
  }
  if (certificate === null) return [];
  if (passed === 0) return ["Nothing passed, so there is nothing to hold against the certificate."];
  const broken = summary.classes.filter((of) => of.certificate !== null && !of.certificate.consistent);
  const isWhole = certificate.consistent && broken.length === 0;
  return [
    `${certificate.consistent ? "Consistent" : "NOT consistent"} with the certificate: ${counted(unfaithful, passed, certificate)}`,
    ...broken.map(
      (of) =>
        `NOT consistent with the certificate of ${of.class}: ${counted(of.unfaithful, of.passed, of.certificate!)}`,
    ),
    ...(isWhole
      ? []
      : [
          "Either these parts are not like the recorded ones, or the certificate is one of the few that fail. Do not rely on it: find out what changed, record fresh frames and certify again.",
        ]),
  ];
}

function counted(k: number, n: number, { upperBound, p }: Comparison): string {
  const chance = p < 0.0001 ? "less than 0.0001" : p.toFixed(p < 0.01 ? 4 : 2);
  return `${k} unfaithful of ${n} that passed; if the rate were at its bound of ${percent(upperBound)}, as many or more would come with probability ${chance}.`;
}

export function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function wereOf(count: number): string {
  return count === 1 ? "was" : "were";
}
