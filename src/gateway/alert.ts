/** The review that opens with a decision, and the alert that announces it. */

import type { Prediction, ReviewReason } from "../core/judge.ts";
import type { OpeningReview } from "../core/record.ts";
import { alertText, type Language, priorityOf } from "../core/review.ts";
import { decisionBody } from "./messages.ts";
import { CONTENT_TYPE_OF, type InForce, type Taken } from "./station.ts";

export interface ReviewOptions {
  readonly language: Language;
  /** Frames up to this size travel inside the alert. */
  readonly frameInlineBytesMax: number;
}

/**
 * Opens a review. The alert is written once, here: a resend is the same bytes, so that consumers can drop it
 * by its review id and revision.
 */
export function openReview(
  id: string,
  station: string,
  { classes, rule, reviewDeadlineMs }: InForce,
  taken: Pick<Taken, "frame" | "encoding">,
  reason: ReviewReason,
  prediction: Prediction,
  decidedAtMs: number,
  options: ReviewOptions,
): OpeningReview {
  const deadlineAtMs = decidedAtMs + reviewDeadlineMs;
  const { payload } = taken.frame;
  const className = classes[prediction.classIndex];
  const alert = {
    type: "open",
    review: id,
    reviewRevision: 1,
    ...decisionBody({
      frame: taken.frame.id,
      part: taken.frame.part ?? null,
      source: taken.frame.source,
      station,
      decision: "review",
      reason,
      would: null,
      classIndex: prediction.classIndex,
      className: className ?? null,
      confidence: prediction.confidence,
      score: prediction.score,
      lambda: rule.lambda[prediction.classIndex] ?? Number.NaN,
      bandLow: prediction.bandLow,
      bandHigh: prediction.bandHigh,
      mode: rule.mode,
      revision: rule.revision,
      decidedAtMs,
    }),
    text: alertText(prediction, className, reason, options.language),
    count: 1,
    priority: priorityOf(prediction.score),
    deadline: new Date(deadlineAtMs).toISOString(),
    ...(payload.length <= options.frameInlineBytesMax && {
      frameInline: {
        contentType: CONTENT_TYPE_OF[taken.encoding],
        base64: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("base64"),
      },
    }),
  };
  return { id, deadlineAtMs, alert: JSON.stringify(alert), contentType: CONTENT_TYPE_OF[taken.encoding] };
}
