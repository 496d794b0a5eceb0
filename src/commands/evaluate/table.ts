/** What `evaluate` says to a person at a terminal. */

import type { ClassSummary, EvaluationSummary, PassSummary } from "../../core/evaluation/evaluate.ts";
import {
  baselineSentence,
  passSentence,
  percent,
  percentInterval,
  riskSentences,
  verdictSentences,
} from "../../core/evaluation/sentences.ts";

const NAME_WIDTH = 18;

export function tableOf(summary: EvaluationSummary): string {
  const plain = summary.baselines.maxSoftmax;
  return `${[
    passSentence(summary),
    ...riskSentences(summary),
    baselineSentence(plain),
    ...verdictSentences(summary),
    ...summary.notes,
    "",
    headLine("rule", "of all"),
    line("envelope", "", summary),
    line("max-softmax", "", plain),
    "",
    headLine("class", "of its own"),
    ...summary.classes.map((of) => line(of.class, of.passes ? "passes" : "reviewed", of, boundOf(of))),
  ].join("\n")}\n`;
}

function headLine(what: string, share: string): string {
  return columns(
    what,
    "",
    "passed",
    share,
    "unfaithful",
    "exact 95% interval",
    "wrong",
    what === "class" ? "   certified" : "",
  );
}

function line(name: string, verdict: string, of: PassSummary, bound = ""): string {
  return columns(
    name,
    verdict,
    String(of.passed),
    percent(of.passRate),
    of.passed === 0 ? "–" : `${of.unfaithful}  ${percent(of.unfaithfulAmongPassed)}`,
    of.passed === 0 ? "–" : percentInterval(of.unfaithfulInterval),
    of.labelled === 0 ? "–" : `${of.wrong}  ${percent(of.wrongAmongPassed)}`,
    bound,
  );
}

function boundOf({ certificate }: ClassSummary): string {
  if (certificate === null) return "";
  return `   ${percent(certificate.upperBound)}${certificate.consistent ? "" : "  NOT consistent"}`;
}

function columns(
  name: string,
  verdict: string,
  passed: string,
  share: string,
  unfaithful: string,
  interval: string,
  wrong: string,
  bound: string,
): string {
  const shown = name.length > NAME_WIDTH - 1 ? `${name.slice(0, NAME_WIDTH - 2)}…` : name;
  return [
    shown.padEnd(NAME_WIDTH),
    verdict.padEnd(9),
    passed.padStart(7),
    share.padStart(11),
    unfaithful.padStart(13),
    interval.padStart(20),
    wrong.padStart(13),
    bound,
  ]
    .join("")
    .trimEnd();
}
