/** What the ledger keeps of each frame, and the alert that a review opens with. */

import type { PassedEntry } from "./audit.ts";
import type { Extent } from "./extent.ts";
import type { Frame } from "./frame.ts";
import {
  type Decision,
  FAITHFUL,
  type GuardedDecision,
  type Mode,
  type Prediction,
  REVIEW_REASONS,
} from "./judge.ts";

/** One judged frame, on its way to the ledger. */
export interface Judged {
  readonly frame: Frame;
  readonly decision: Decision;
  /** Undefined for a reject. */
  readonly prediction: Prediction | undefined;
  /** Name of the predicted class, as the bundle that judged has it. */
  readonly className: string | undefined;
  /** Threshold that applied to the predicted class; NaN where there was none. */
  readonly lambda: number;
  readonly mode: Mode;
  readonly revision: number;
  /** Digest of the bundle that judged. */
  readonly bundle: string;
  readonly decidedAtMs: number;
  /** The review that opens with this decision. */
  readonly review: OpeningReview | undefined;
  /** Undefined where the row is of no part. */
  readonly part?: PartEntry | undefined;
  /** Undefined unless it is a part that passed where parts are drawn for audits. */
  readonly passed?: PassedEntry | undefined;
}

/** What a row is to its part. */
export interface PartEntry {
  /** Frames by which the part was decided; undefined but for the row that decides it. */
  readonly frames: number | undefined;
  /** The row waits for its part's decision; that decision's row ends the waiting of all of its part. */
  readonly isOpen: boolean;
}

/** A review that opens with a decision. */
export interface OpeningReview {
  readonly id: string;
  readonly deadlineAtMs: number;
  readonly priority: number;
  /** How the frame's payload is to be read. */
  readonly contentType: string;
  /** The alert's JSON, as it will be published; undefined where the review is held. */
  readonly alert: string | undefined;
  /** The review whose alert stands for this one as well. */
  readonly lead: string | undefined;
}

/** The frame of a review, as it was taken in. */
export interface KeptFrame {
  readonly contentType: string;
  readonly payload: Uint8Array;
}

/** One decision as the ledger has it: what is published, now or after a restart. */
export interface DecisionRecord {
  readonly id: number;
  readonly station: string;
  readonly source: string;
  readonly frame: string;
  readonly part: string | null;
  readonly decidedAtMs: number;
  readonly decision: Decision["kind"];
  readonly reason: string;
  readonly would: string | null;
  readonly className: string | null;
  readonly classIndex: number | null;
  readonly confidence: number | null;
  readonly score: number | null;
  readonly lambda: number | null;
  readonly bandLow: number | null;
  readonly bandHigh: number | null;
  readonly novelty: number | null;
  readonly mode: Mode;
  readonly revision: number;
  readonly correlation: Uint8Array | null;
  /** Frames of the part, where this is the decision on one. */
  readonly frames: number | null;
}

/** The row of a frame whose part has no decision yet. */
export interface OpenPartRow {
  readonly record: DecisionRecord;
  readonly identified: boolean;
  readonly partCount: number | undefined;
  readonly bundle: string;
  readonly receivedAtMs: number;
}

/** What stands of a part that has been decided. */
export interface PartStanding {
  readonly decision: DecisionRecord;
  /** The first late frame since that made it a review. */
  readonly late: DecisionRecord | undefined;
}

/** What became of one frame at the commit. */
export interface Committed {
  readonly record: DecisionRecord;
  /** The frame had been decided before; `record` is that decision and nothing was written. */
  readonly isRedelivery: boolean;
  /** The alert that was committed with it, just as it would be read back. */
  readonly alert: PendingAlert | undefined;
  /** Of what was just judged, for the monitor; it is not on record. */
  readonly extent?: Extent | undefined;
}

/** An alert still to be delivered. */
export interface PendingAlert {
  readonly id: number;
  readonly station: string;
  readonly body: string;
}

/** What the broker has acknowledged, to be noted so that a restart does not send it again. */
export interface Left {
  /** The id up to which every decision has been published. */
  readonly publishedUpTo: number;
  /** Alerts that leave the outbox. */
  readonly alertIds: readonly number[];
}

/** The record of a judged frame, as any ledger keeps it: what is not a finite number is absent. */
export function recordOf(judged: Judged, id: number): DecisionRecord {
  const { frame, decision, prediction, lambda, mode, revision, decidedAtMs } = judged;
  return {
    id,
    station: frame.station,
    source: frame.source,
    frame: frame.id,
    part: frame.part ?? null,
    decidedAtMs,
    decision: decision.kind,
    reason: decision.reason,
    would: "would" in decision ? `${decision.would.kind}:${decision.would.reason}` : null,
    className: judged.className ?? null,
    classIndex: prediction === undefined || prediction.classIndex < 0 ? null : prediction.classIndex,
    confidence: finite(prediction?.confidence),
    score: finite(prediction?.score),
    lambda: finite(lambda),
    bandLow: finite(prediction?.bandLow),
    bandHigh: finite(prediction?.bandHigh),
    novelty: finite(prediction?.novelty),
    mode,
    revision,
    correlation: frame.correlation ?? null,
    frames: judged.part?.frames ?? null,
  };
}

/** What a recorded `would` says; undefined where it is none of ours. */
export function guardedOf(would: string | null): GuardedDecision | undefined {
  if (would === `${FAITHFUL.kind}:${FAITHFUL.reason}`) return FAITHFUL;
  const reason = REVIEW_REASONS.find((one) => would === `review:${one}`);
  return reason === undefined ? undefined : { kind: "review", reason };
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
