/** The evaluation: what would have passed of parts never seen, how often wrongly, and against what promise. */

import { baselineOutcomes } from "../envelope/baseline.ts";
import { explain } from "../envelope/explain.ts";
import { type PartOutcomes, partOutcomes } from "../envelope/outcomes.ts";
import type { Certificate, Evidence, FittedEnvelope } from "../envelope/types.ts";
import { binomialInterval } from "../statistics/binomial-interval.ts";
import { type Comparison, compare, levels } from "./consistency.ts";
import { type FrameFacts, frameFacts } from "./facts.ts";
import { type RuleTally, type Tally, tallyRule } from "./tally.ts";

/** Failure probability of each exact interval shown. */
const INTERVAL_ETA = 0.05;

/** Counts and rates of parts that pass; null where there is nothing to divide by. */
export interface PassSummary {
  readonly parts: number;
  readonly passed: number;
  readonly passRate: number | null;
  readonly unfaithful: number;
  readonly unfaithfulAmongPassed: number | null;
  /** Exact 95% interval of that rate. */
  readonly unfaithfulInterval: readonly [low: number, high: number];
  /** Passed parts whose true class is known. */
  readonly labelled: number;
  readonly wrong: number;
  /** Of the labelled; null where no label is known: faithful, correctness unknown. */
  readonly wrongAmongPassed: number | null;
  readonly wrongInterval: readonly [low: number, high: number];
}

export interface ClassSummary extends PassSummary {
  readonly class: string;
  /** Whether the rule lets it pass at all. `parts` are those that the student puts in it. */
  readonly passes: boolean;
  /** Against the class's bound; null where it is reviewed or nothing may be compared. */
  readonly certificate: Comparison | null;
}

/** A rule that a certificate chose, on the held-out parts. */
export interface RuleSummary extends PassSummary {
  /** Null where nothing was certified: everything is reviewed. */
  readonly lambda: number | null;
}

/** What `evaluate --json` prints; members may be added, none renamed. */
export interface EvaluationSummary extends RuleSummary {
  readonly frames: number;
  /** Over all parts, whether they pass or not. */
  readonly unfaithfulRate: number | null;
  /** Over all labelled frames, whether they pass or not; null where no label is known. */
  readonly studentWrongRate: number | null;
  readonly teacherWrongRate: number | null;
  readonly delta: number;
  readonly alpha: number;
  readonly alphaClass: number;
  /** Whether U was found over the recorded neighbourhood, or at the frame alone. */
  readonly neighbourhood: Neighbourhood;
  /** Against the station's bound; null where nothing was certified or nothing may be compared. */
  readonly certificate: Comparison | null;
  readonly baselines: { readonly maxSoftmax: RuleSummary };
  readonly classes: readonly ClassSummary[];
  /** What a reader must know besides. */
  readonly notes: readonly string[];
}

export type Neighbourhood = "recorded" | "frame-only";

export interface Evaluation {
  readonly summary: EvaluationSummary;
  /** Outcomes of all parts under each score. */
  readonly outcomes: { readonly envelope: PartOutcomes; readonly maxSoftmax: PartOutcomes };
  readonly facts: readonly FrameFacts[];
}

export interface EvaluationInput {
  /** Frames that the evidence does not hold, as both models saw them; its splits are not read. */
  readonly heldOut: Evidence;
  readonly fitted: FittedEnvelope;
  readonly certificate: Certificate;
  /** Certificate of the baseline on the same evidence, by the same shares. */
  readonly baseline: Certificate;
  /** U at the frame alone is never compared with a certificate. */
  readonly neighbourhood: Neighbourhood;
  readonly notes: readonly string[];
}

export function evaluate(input: EvaluationInput): Evaluation {
  const { heldOut, fitted, certificate, baseline, neighbourhood } = input;
  const parts = Int32Array.from(heldOut.splitOfPart.keys());
  const envelope = partOutcomes(heldOut, fitted, parts);
  const maxSoftmax = baselineOutcomes(heldOut, fitted.delta, parts);
  const tally = tallyRule(heldOut, envelope, certificate, maxSoftmax.classIndex);
  const plain = tallyRule(heldOut, maxSoftmax, baseline, maxSoftmax.classIndex);
  const facts = frameFacts(heldOut, fitted.delta, tally.passes);
  const labelled = facts.filter(({ label }) => label >= 0);
  const compared = comparisons(input, tally);
  const summary: EvaluationSummary = {
    frames: heldOut.part.length,
    unfaithfulRate: ratio(
      envelope.unfaithful.reduce((sum, u) => sum + u, 0),
      parts.length,
    ),
    ...ruleSummary(certificate, tally),
    studentWrongRate: ratio(
      labelled.filter(({ label, studentClass }) => label !== studentClass).length,
      labelled.length,
    ),
    teacherWrongRate: ratio(
      labelled.filter(({ label, teacherClass }) => label !== teacherClass).length,
      labelled.length,
    ),
    delta: fitted.delta,
    alpha: certificate.alpha,
    alphaClass: certificate.alphaClass,
    neighbourhood,
    certificate: compared.station,
    baselines: { maxSoftmax: ruleSummary(baseline, plain) },
    classes: tally.classes.map((of, c) => ({
      class: heldOut.classes[c]!,
      passes: compared.passes[c]!,
      ...passSummary(of),
      certificate: compared.classes[c]!,
    })),
    notes: input.notes,
  };
  return { summary, outcomes: { envelope, maxSoftmax }, facts };
}

/** Station and classes against the bounds that hold together by the certificate. */
function comparisons({ certificate, heldOut, neighbourhood }: EvaluationInput, tally: RuleTally) {
  const { station, classes } = explain(certificate, heldOut.classes);
  const isComparable = neighbourhood === "recorded" && certificate.chosen !== null;
  const level = levels(classes.filter(({ passes }) => passes).length);
  const against = ({ unfaithful, passed }: Tally, upperBound: number, share: number): Comparison =>
    compare(unfaithful, passed, upperBound, share);
  return {
    passes: classes.map(({ passes }) => passes),
    station: isComparable ? against(tally.station, station.upperBound, level.station) : null,
    classes: classes.map(({ passes, upperBound }, c) =>
      isComparable && passes ? against(tally.classes[c]!, upperBound, level.class) : null,
    ),
  };
}

function ruleSummary(certificate: Certificate, { station }: RuleTally): RuleSummary {
  return { lambda: certificate.chosen?.lambda ?? null, ...passSummary(station) };
}

function passSummary({ parts, passed, unfaithful, labelled, wrong }: Tally): PassSummary {
  return {
    parts,
    passed,
    passRate: ratio(passed, parts),
    unfaithful,
    unfaithfulAmongPassed: ratio(unfaithful, passed),
    unfaithfulInterval: interval(unfaithful, passed),
    labelled,
    wrong,
    wrongAmongPassed: ratio(wrong, labelled),
    wrongInterval: interval(wrong, labelled),
  };
}

function interval(k: number, n: number): readonly [number, number] {
  const { low, high } = binomialInterval(k, n, INTERVAL_ETA);
  return [low, high];
}

function ratio(k: number, n: number): number | null {
  return n > 0 ? k / n : null;
}
