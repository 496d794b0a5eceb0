/** Builders for tests about reviews. */

import { openedReview, type Reviewer, type ReviewRecord, shownFrame } from "../../src/core/review-record.ts";
import type { ReviewBook } from "../../src/gateway/ports.ts";
import type { ReviewGate } from "../../src/gateway/review-desk.ts";
import { type AlertOptions, openMessage } from "../../src/gateway/review-messages.ts";
import { aJudged, type JudgedSketch } from "./builders.ts";

export const AN_ALERT: AlertOptions = {
  language: "en",
  frameInlineBytesMax: 100,
  httpOrigin: "http://gateway:8477",
};

/** A gate that announces every review: what tests of the main path take for granted. */
export const EACH_ANNOUNCED: ReviewGate = {
  plan: (batch) =>
    batch.map((judged) => {
      if (judged.review === undefined) return judged;
      const shown = shownFrame(judged, judged.review);
      const frame = shown.payload.length > 0 ? shown : undefined;
      const alert = openMessage(openedReview(judged, judged.review), frame, AN_ALERT);
      return { ...judged, review: { ...judged.review, alert } };
    }),
  opened: () => {},
};

export const HANAKO: Reviewer = { name: "hanako", vouched: true, via: "mqtt" };
export const TARO: Reviewer = { name: "taro", vouched: false, via: "http" };

/** An open review, its class "good", opened at 1,000 ms with its deadline at 61,000. */
export function aReview(is: Partial<ReviewRecord> = {}, judged: JudgedSketch = {}): ReviewRecord {
  const made = aJudged({ review: is.id ?? "r-1", score: 0.5, ...judged });
  return { ...openedReview(made, made.review!), deadlineAtMs: 61_000, ...is };
}

/** Answers a review in a ledger. */
export function answer(book: ReviewBook, id: string, atMs = 2000): void {
  const before = book.find(id)!;
  const revision = before.revision + 1;
  const after: ReviewRecord = {
    ...before,
    revision,
    actedRevision: revision,
    state: "resolved",
    verdict: "confirm",
    verdictClass: before.className,
    reviewer: HANAKO.name,
    vouched: HANAKO.vouched,
    resolvedAtMs: atMs,
  };
  book.change([{ before, after, by: HANAKO, transaction: undefined, atMs, message: undefined }]);
}
