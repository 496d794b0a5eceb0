/** The judge: a pure function from a prediction and the thresholds in force to a decision. */

import type { Extent } from "./extent.ts";
import type { RejectReason } from "./frame.ts";

/** What the engine says of one frame. */
export interface Prediction {
  /** argmax of the student's soft confidence; -1 where it is not a number. */
  readonly classIndex: number;
  /** The student's soft confidence in that class, in [0, 1]. */
  readonly confidence: number;
  /** The envelope's estimate of P(U = 1), in [0, 1]; lower is more faithful. */
  readonly score: number;
  /** The teacher band [low, high] at this confidence. */
  readonly bandLow: number;
  readonly bandHigh: number;
  /** Distance ratio r to the class's prototypes. */
  readonly novelty: number;
  /** Where it lies in the projection; not on record, so undefined where it comes from there. */
  readonly extent?: Extent | undefined;
}

export type MonitorState = "off" | "green" | "amber" | "red";

export type Mode = "shadow" | "guarded";

/** The thresholds in force at a station, joined with what its envelope fixes. */
export interface Rule {
  readonly mode: Mode;
  readonly revision: number;
  /** Tolerance on the gap; the student's confidence may lie this far outside the teacher band. */
  readonly delta: number;
  /** Score threshold of each class: the station's, or the class's own where stricter; NaN: always reviewed. */
  readonly lambda: Float64Array;
  /** While the monitor is amber: the strictest that the certificate supports for the class; NaN: always reviewed. */
  readonly lambdaAmber: Float64Array;
  /** Largest distance ratio of each class that is not novel. */
  readonly noveltyMax: Float64Array;
  /** Emergency stop: everything to review. */
  readonly stopped: boolean;
}

export const REVIEW_REASONS = [
  "stopped",
  "monitor-red",
  "not-finite",
  "class-uncertified",
  "outside-band",
  "novel",
  "score",
  // Of parts, and frames that come behind one:
  "rule-changed",
  "frame-rejected",
  "frame-without-id",
  "part-count-conflict",
  "too-many-frames",
  "part-incomplete",
  "classes-disagree",
  "late-frame",
] as const;

/** Why a frame or a part goes to a person, in the order in which reasons apply. */
export type ReviewReason = (typeof REVIEW_REASONS)[number];

/** What is decided on a frame's evidence alone. */
export type GuardedDecision =
  | { readonly kind: "pass"; readonly reason: "faithful" }
  | { readonly kind: "review"; readonly reason: ReviewReason };

export type Decision =
  | GuardedDecision
  | { readonly kind: "review"; readonly reason: "shadow"; readonly would: GuardedDecision }
  | { readonly kind: "reject"; readonly reason: RejectReason }
  /** A frame of a part that is still open; the part's decision is a row of its own. */
  | { readonly kind: "held"; readonly reason: "part-open"; readonly would: GuardedDecision };

export const FAITHFUL: GuardedDecision = { kind: "pass", reason: "faithful" };

/**
 * Decides on one prediction. Total: any numbers, NaN and infinities included, give a decision, and nothing
 * that is not finite passes.
 */
export function judge(prediction: Prediction, rule: Rule, monitor: MonitorState): Decision {
  return inMode(judgeGuarded(prediction, rule, monitor), rule.mode);
}

/** What a guarded decision comes to in this mode. */
export function inMode(guarded: GuardedDecision, mode: Mode): Exclude<Decision, { kind: "reject" | "held" }> {
  switch (mode) {
    case "guarded":
      return guarded;
    case "shadow":
      return { kind: "review", reason: "shadow", would: guarded };
    default:
      return unreachable(mode);
  }
}

/** The same on the evidence alone, whatever the mode. */
export function judgeGuarded(prediction: Prediction, rule: Rule, monitor: MonitorState): GuardedDecision {
  const { classIndex, confidence, score, bandLow, bandHigh, novelty } = prediction;
  if (rule.stopped) return review("stopped");
  if (monitor === "red") return review("monitor-red");
  if (![confidence, score, bandLow, bandHigh, novelty].every(Number.isFinite)) {
    return review("not-finite");
  }
  const lambda = lambdasOf(rule, monitor)[classIndex] ?? Number.NaN;
  const noveltyMax = rule.noveltyMax[classIndex] ?? Number.NaN;
  if (Number.isNaN(lambda)) return review("class-uncertified");
  if (!(confidence >= bandLow - rule.delta && confidence <= bandHigh + rule.delta))
    return review("outside-band");
  if (!(novelty <= noveltyMax)) return review("novel");
  // Test the positive, so that NaN fails safe.
  if (score <= lambda) return FAITHFUL;
  return review("score");
}

/** The score thresholds that apply, of each class. */
export function lambdasOf({ lambda, lambdaAmber }: Rule, monitor: MonitorState): Float64Array {
  return monitor === "amber" ? lambdaAmber : lambda;
}

function review(reason: ReviewReason): GuardedDecision {
  return { kind: "review", reason };
}

function unreachable(value: never): never {
  throw new Error(`no such mode: ${String(value)}`);
}
