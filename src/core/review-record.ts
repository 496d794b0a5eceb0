/** A review as it is kept, who may act on it, and how an act is answered. */

import type { Mode } from "./judge.ts";
import { type Judged, type KeptFrame, type OpeningReview, recordOf } from "./record.ts";

export const REVIEW_STATES = ["held", "open", "claimed", "resolved", "expired"] as const;

/**
 * `held`: not announced by an alert of its own; it stands behind another's, or over the hourly budget. `open`:
 * announced. `claimed`: somebody is at it. `resolved`: answered. `expired`: more waited than may; nobody answered.
 */
export type ReviewState = (typeof REVIEW_STATES)[number];

export const VERDICT_KINDS = ["confirm", "correct", "label", "unusable"] as const;

/**
 * `confirm`: the student's class is right. `correct`: it is another. `label`: the class, by one who was not shown the
 * student's. `unusable`: nobody can tell from this frame.
 */
export type VerdictKind = (typeof VERDICT_KINDS)[number];

/** The reason of a review that audits a part which passed. */
export const AUDIT = "audit";

/**
 * A review with what its decision says of the frame. What is not a finite number is null; and while an audit waits, so
 * is all that the student said of it, wherever the record comes from.
 */
export interface ReviewRecord {
  readonly id: string;
  /** Counts up with every transition. */
  readonly revision: number;
  /** The revision that the last act of a person made; 0 where there was none. An answer must have seen it. */
  readonly actedRevision: number;
  readonly station: string;
  readonly source: string;
  readonly frame: string;
  readonly part: string | null;
  /** Frames of the part, where it is the review of one. */
  readonly frames: number | null;
  readonly reason: string;
  readonly state: ReviewState;
  /** Its deadline has passed unanswered; it may still be answered. */
  readonly overdue: boolean;
  /** The review whose alert announces it as well. */
  readonly lead: string | null;
  readonly openedAtMs: number;
  readonly deadlineAtMs: number;
  /** Estimated chance that the prediction is unfaithful, times what the class costs; of an audit, any. Higher is first. */
  readonly priority: number;
  /** Reviews that its alert stands for, itself included, as last published. */
  readonly count: number;
  /** When its own alert was written; null where there is none. */
  readonly announcedAtMs: number | null;
  readonly classIndex: number | null;
  readonly className: string | null;
  readonly confidence: number | null;
  readonly score: number | null;
  readonly lambda: number | null;
  readonly bandLow: number | null;
  readonly bandHigh: number | null;
  readonly mode: Mode;
  /** Of the thresholds that it was decided by. */
  readonly thresholdsRevision: number;
  readonly decidedAtMs: number;
  readonly claimedBy: string | null;
  readonly claimedUntilMs: number | null;
  readonly verdict: VerdictKind | null;
  readonly verdictClass: string | null;
  readonly reviewer: string | null;
  /** Whether a broker or a token has vouched for the reviewer. */
  readonly vouched: boolean | null;
  /** When it was answered, or expired. */
  readonly resolvedAtMs: number | null;
  /** Whether its frame is still kept. */
  readonly hasFrame: boolean;
}

export interface Reviewer {
  readonly name: string;
  readonly vouched: boolean;
  readonly via: "mqtt" | "http" | "cli";
}

/** What a person does, to a review as of the revision that they saw. */
export type ReviewAct =
  | { readonly kind: "claim" | "release"; readonly review: string; readonly reviewRevision: number }
  | {
      readonly kind: "resolve";
      readonly review: string;
      readonly reviewRevision: number;
      readonly verdict: VerdictKind;
      readonly class?: string;
      readonly transaction?: string;
    };

export type ActError =
  | "unknown-review"
  | "stale-revision"
  | "closed"
  | "claimed-by-other"
  | "unknown-class"
  | "class-missing"
  | "class-not-expected"
  | "verdict-not-expected"
  | "not-allowed"
  /** Nothing was written; the same act may be tried again. */
  | "unavailable";

export type ActOutcome =
  | {
      readonly ok: true;
      readonly review: string;
      readonly reviewRevision: number;
      readonly state: ReviewState;
    }
  | {
      readonly ok: false;
      readonly error: ActError;
      readonly message: string;
      readonly review: string;
      /** As it is; null where there is no such review. */
      readonly reviewRevision: number | null;
      readonly state: ReviewState | null;
    };

/** Why the review of a judged frame opens. */
export function reviewReasonOf({ decision }: Pick<Judged, "decision">): string {
  return decision.kind === "pass" ? AUDIT : decision.reason;
}

/** The frame that the review of a judged frame shows. */
export function shownFrame({ frame, passed }: Judged, { contentType }: OpeningReview): KeptFrame {
  return passed?.known ?? { contentType, payload: frame.payload };
}

const UNTOLD = {
  ...{ classIndex: null, className: null, confidence: null, score: null, lambda: null },
  ...{ bandLow: null, bandHigh: null },
} as const;

/** The review of a judged frame as it opens: announced where it has an alert, else held. */
export function openedReview(judged: Judged, opening: OpeningReview): ReviewRecord {
  const reason = reviewReasonOf(judged);
  const { revision, ...record } = recordOf(judged, 0);
  const decision = reason === AUDIT ? { ...record, ...UNTOLD } : record;
  const isAnnounced = opening.alert !== undefined;
  return {
    id: opening.id,
    revision: 1,
    actedRevision: 0,
    station: decision.station,
    source: decision.source,
    frame: decision.frame,
    part: decision.part,
    frames: decision.frames,
    reason,
    state: isAnnounced ? "open" : "held",
    overdue: false,
    lead: opening.lead ?? null,
    openedAtMs: decision.decidedAtMs,
    deadlineAtMs: opening.deadlineAtMs,
    priority: opening.priority,
    count: 1,
    announcedAtMs: isAnnounced ? decision.decidedAtMs : null,
    classIndex: decision.classIndex,
    className: decision.className,
    confidence: decision.confidence,
    score: decision.score,
    lambda: decision.lambda,
    bandLow: decision.bandLow,
    bandHigh: decision.bandHigh,
    mode: decision.mode,
    thresholdsRevision: revision,
    decidedAtMs: decision.decidedAtMs,
    claimedBy: null,
    claimedUntilMs: null,
    verdict: null,
    verdictClass: null,
    reviewer: null,
    vouched: null,
    resolvedAtMs: null,
    hasFrame: true,
  };
}
