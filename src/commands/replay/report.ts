/** What `sekisho replay` says: in one JSON document, or in a table for people. */

import type { Support } from "../../core/guard.ts";
import {
  type Counts,
  type Known,
  type KnownKind,
  type Workload,
  workloadOf,
} from "../../core/replay-tally.ts";
import type { Thresholds } from "../../thresholds/file.ts";
import { boundPercent, grouped, layOut, paragraph, percent } from "../prose.ts";
import type { Agreement, LeftOut, Walked } from "./walk.ts";

interface Rates extends Counts {
  readonly rateNow: number | null;
  readonly rateWould: number | null;
}

export interface ReplayReport {
  readonly station: string;
  readonly inForce: Said;
  readonly proposal: Said;
  /** Whether the proposal is what is in force itself. */
  readonly isInForce: boolean;
  readonly from: string | null;
  readonly to: string | null;
  /** Frames and parts decided; `now` and `would` count those that go to a person. */
  readonly decided: Rates;
  /** Of them, decided in shadow: they went to nobody, and what counts is what would have been. */
  readonly inShadow: number;
  readonly moved: Walked["moved"];
  readonly classes: readonly (Rates & { readonly class: string })[];
  readonly reasons: readonly { readonly reason: string; readonly now: number; readonly would: number }[];
  readonly reviewsPerHour: { readonly budget: number; readonly now: Workload; readonly would: Workload };
  readonly known: Readonly<Record<KnownKind, Known>>;
  readonly certificate: SupportSummary;
  readonly leftOut: LeftOut;
  readonly agreement: Agreement;
}

interface Said {
  readonly revision: number;
  readonly mode: Thresholds["mode"];
  readonly lambda: number | null;
  readonly classes: readonly string[];
  readonly classLambdas: Readonly<Record<string, number>>;
}

interface SupportSummary {
  readonly supported: boolean;
  readonly reasons: readonly string[];
  readonly stationBound: number | null;
  readonly classBounds: Readonly<Record<string, number>>;
}

export interface ReportParts {
  readonly station: string;
  readonly inForce: Thresholds;
  readonly proposal: Thresholds;
  readonly support: Support;
  readonly classNames: readonly string[];
  readonly budget: number;
  readonly walked: Walked;
}

export function reportOf({
  station,
  inForce,
  proposal,
  support,
  classNames,
  budget,
  walked,
}: ReportParts): ReplayReport {
  const { all, moved, known, classes, reasons, firstMs, lastMs, leftOut, agreement, inShadow } = walked;
  const timeOf = (ms: number): string | null => (Number.isFinite(ms) ? new Date(ms).toISOString() : null);
  const largestFirst = <T extends { readonly now: number; readonly would: number }>(a: T, b: T): number =>
    b.now + b.would - (a.now + a.would);
  return {
    station,
    inForce: saidOf(inForce),
    proposal: saidOf(proposal),
    isInForce: proposal === inForce,
    from: timeOf(firstMs),
    to: timeOf(lastMs),
    decided: ratesOf(all),
    inShadow,
    moved,
    classes: [...classes].map(([name, counts]) => ({ class: name, ...ratesOf(counts) })).sort(largestFirst),
    reasons: [...reasons].map(([reason, counts]) => ({ reason, ...counts })).sort(largestFirst),
    reviewsPerHour: {
      budget,
      now: workloadOf(walked, "now", budget),
      would: workloadOf(walked, "would", budget),
    },
    known,
    certificate: summaryOf(support, classNames),
    leftOut,
    agreement,
  };
}

function saidOf({ revision, mode, lambda, classes, classLambdas }: Thresholds): Said {
  return { revision, mode, lambda, classes, classLambdas };
}

function ratesOf(counts: Counts): Rates {
  const rate = (count: number): number | null => (counts.decided === 0 ? null : count / counts.decided);
  return { ...counts, rateNow: rate(counts.now), rateWould: rate(counts.would) };
}

const NO_SUCH_RULE = "no rule of its family lets all of these classes pass together up to these lambdas";

function summaryOf(support: Support, classNames: readonly string[]): SupportSummary {
  if (!support.supported) {
    // Each class may pass so far under some rule, and all of them together under none.
    const reasons = support.reasons.length > 0 ? support.reasons : [NO_SUCH_RULE];
    return { supported: false, reasons, stationBound: null, classBounds: {} };
  }
  return {
    supported: true,
    reasons: [],
    stationBound: support.station?.upperBound ?? null,
    classBounds: Object.fromEntries(
      support.classes.map(({ classIndex, cell }) => [classNames[classIndex]!, cell.upperBound]),
    ),
  };
}

/** The same for people. */
export function replayText(report: ReplayReport, columns: number): string {
  const blocks =
    report.decided.decided === 0
      ? [emptyText(report)]
      : [
          ...[headText(report), ratesTable(report, columns), reasonsTable(report, columns)],
          ...[workloadTable(report, columns), knownText(report, columns)],
        ];
  return `${[...blocks, certificateText(report, columns), notesText(report, columns)]
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

function emptyText({ station }: ReplayReport): string[] {
  return [`Station ${station}: nothing on record in this time that could be decided again.`];
}

function headText({ station, inForce, proposal, isInForce, from, to, decided }: ReplayReport): string[] {
  const lambda = (said: Said): string => (said.lambda === null ? "nothing passes" : `lambda ${said.lambda}`);
  return [
    `Station ${station}, ${grouped(decided.decided)} frames and parts decided from ${from} to ${to}.`,
    `In force:  revision ${inForce.revision}, ${inForce.mode}, ${lambda(inForce)}, ${inForce.classes.length} classes`,
    isInForce
      ? "Replayed:  the same, against what is on record"
      : `Proposed:  ${proposal.mode}, ${lambda(proposal)}, ${proposal.classes.length} classes`,
  ];
}

function ratesTable({ decided, classes }: ReplayReport, columns: number): string[] {
  const row = (name: string, { decided: count, now, would, rateNow, rateWould }: Rates): string[] => [
    ...[name, grouped(count), grouped(now), percent(rateNow ?? 0), grouped(would), percent(rateWould ?? 0)],
  ];
  return layOut(
    [
      ["class", "decided", "to a person now", "rate", "then", "rate then"],
      row("all", decided),
      ...classes.map((one) => row(one.class, one)),
    ],
    columns,
  );
}

function reasonsTable({ reasons, moved }: ReplayReport, columns: number): string[] {
  const rows = reasons.map(({ reason, now, would }) => [reason, grouped(now), grouped(would)]);
  return [
    ...(rows.length === 0 ? [] : layOut([["reason", "now", "then"], ...rows], columns)),
    `${grouped(moved.passToReview)} that passed would go to a person, ${grouped(moved.reviewToPass)} that went to a person would pass.`,
  ];
}

function workloadTable({ reviewsPerHour: { budget, now, would } }: ReplayReport, columns: number): string[] {
  const row = (name: string, { perHour, largestHour, hoursOverBudget }: Workload): string[] => [
    ...[name, perHour.toFixed(1), grouped(largestHour), grouped(hoursOverBudget)],
  ];
  const heads = ["reviews an hour", "mean", "largest hour", `hours over ${grouped(budget)}`];
  return layOut([heads, row("now", now), row("then", would)], columns);
}

const KNOWN_IN_WORDS: Readonly<Record<KnownKind, string>> = {
  wrong: "student wrong, says a person",
  right: "student right, says a person",
  unfaithful: "unfaithful, says the teacher",
};

function knownText({ known }: ReplayReport, columns: number): string[] {
  const kinds = (Object.keys(KNOWN_IN_WORDS) as KnownKind[]).filter((kind) => known[kind].found > 0);
  if (kinds.length === 0)
    return ["Nothing is known of these decisions yet: no review is answered, no audit has a finding."];
  const rows = kinds.map((kind) => {
    const { found, passedNow, wouldPass, caught, missed } = known[kind];
    return [KNOWN_IN_WORDS[kind], ...[found, passedNow, wouldPass, caught, missed].map(grouped)];
  });
  return layOut(
    [["what is known", "found", "passed now", "would pass", "newly reviewed", "newly passed"], ...rows],
    columns,
  );
}

function certificateText({ certificate, proposal }: ReplayReport, columns: number): string[] {
  if (!certificate.supported) {
    return certificate.reasons.flatMap((reason) =>
      paragraph(`The certificate does not support it: ${reason}.`, columns),
    );
  }
  if (certificate.stationBound === null) return ["The certificate supports it: nothing passes."];
  const worst = Object.entries(certificate.classBounds).sort(([, a], [, b]) => b - a)[0];
  return paragraph(
    `The certificate supports it: at most ${boundPercent(certificate.stationBound)} of what passes is unfaithful, over ${proposal.classes.length} classes` +
      `${worst === undefined ? "" : `; the worst class is ${worst[0]} with at most ${boundPercent(worst[1])}`}.`,
    columns,
  );
}

function notesText({ leftOut, inShadow, isInForce, agreement }: ReplayReport, columns: number): string[] {
  const { rejects, otherBundle, incomplete } = leftOut;
  const left = [
    ...(rejects > 0 ? [`${grouped(rejects)} rejected frames, which no thresholds change`] : []),
    ...(otherBundle > 0 ? [`${grouped(otherBundle)} rows judged by another bundle`] : []),
    ...(incomplete > 0 ? [`${grouped(incomplete)} parts whose frames are not all on record`] : []),
  ];
  const notes = [
    ...(left.length > 0 ? [`Left out: ${left.join("; ")}.`] : []),
    ...(inShadow > 0
      ? [`${grouped(inShadow)} were decided in shadow and went to nobody: "now" is what would have gone.`]
      : []),
    ...(isInForce
      ? [
          agreement.differing === 0
            ? `Replayed, the ${grouped(agreement.rows)} rows of this revision come out as they are on record.`
            : `${grouped(agreement.differing)} of ${grouped(agreement.rows)} rows of this revision come out otherwise than on record, such as decisions ${agreement.examples.join(", ")}.`,
        ]
      : []),
  ];
  return notes.flatMap((note) => paragraph(note, columns));
}
