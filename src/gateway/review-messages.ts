/** What is published of a review: `open`, `update` and `close`, each with the text that a person reads. */

import type { KeptFrame } from "../core/record.ts";
import { alertText, type Language } from "../core/review.ts";
import type { ReviewRecord } from "../core/review-record.ts";
import { alarmText, closeText, updateText } from "../core/review-words.ts";
import { decisionBody } from "./messages.ts";

export interface AlertOptions {
  readonly language: Language;
  /** Frames up to this size travel inside the alert. */
  readonly frameInlineBytesMax: number;
  /** Where people reach the HTTP API: scheme, host and port. */
  readonly httpOrigin: string;
}

/**
 * An alert. It is written once: a resend is the same bytes, so that consumers can drop it by its review id and revision.
 * The link stands in it also where the frame does: a broker may be too small for the frame.
 * @param frame undefined where there is none to be looked at
 */
export function openMessage(
  review: ReviewRecord,
  frame: KeptFrame | undefined,
  { language, frameInlineBytesMax, httpOrigin }: AlertOptions,
): string {
  const decision = { decision: "review", would: null, revision: review.thresholdsRevision } as const;
  return JSON.stringify({
    type: "open",
    review: review.id,
    reviewRevision: review.revision,
    ...decisionBody({ ...review, ...decision }, timeText(review.decidedAtMs)),
    text: alertText(review, language),
    count: review.count,
    priority: review.priority,
    deadline: timeText(review.deadlineAtMs),
    overdue: review.overdue,
    ...(frame !== undefined && { frameLink: `${httpOrigin}/api/reviews/${review.id}/frame` }),
    ...(frame !== undefined &&
      frame.payload.length <= frameInlineBytesMax && {
        frameInline: { contentType: frame.contentType, base64: base64(frame.payload) },
      }),
  });
}

export function updateMessage(review: ReviewRecord, atMs: number, language: Language): string {
  return JSON.stringify({
    ...headOf("update", review),
    overdue: review.overdue,
    count: review.count,
    priority: review.priority,
    deadline: timeText(review.deadlineAtMs),
    ...(review.claimedBy !== null && {
      claimedBy: review.claimedBy,
      claimedUntil: timeText(review.claimedUntilMs!),
    }),
    text: updateText(review, language),
    at: timeText(atMs),
  });
}

export function closeMessage(review: ReviewRecord, atMs: number, language: Language): string {
  const { verdict, verdictClass, reviewer, vouched } = review;
  return JSON.stringify({
    ...headOf("close", review),
    ...(verdict !== null && {
      verdict,
      ...(verdictClass !== null && { class: verdictClass }),
      reviewer,
      vouched,
    }),
    text: closeText(review, language),
    at: timeText(atMs),
  });
}

/** @param own the class that the part passed as */
export function alarmMessage(
  review: ReviewRecord,
  own: string | null,
  atMs: number,
  language: Language,
): string {
  return JSON.stringify({
    ...headOf("alarm", review),
    passedAs: own,
    class: review.verdictClass,
    reviewer: review.reviewer,
    decidedAt: timeText(review.decidedAtMs),
    text: alarmText(review, own, language),
    at: timeText(atMs),
  });
}

function headOf(type: "update" | "close" | "alarm", review: ReviewRecord) {
  return {
    type,
    review: review.id,
    reviewRevision: review.revision,
    station: review.station,
    source: review.source,
    frame: review.frame,
    ...(review.part !== null && { part: review.part }),
    reason: review.reason,
    state: review.state,
  };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
