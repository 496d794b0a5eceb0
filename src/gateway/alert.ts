/** The review that opens with a decision, and the alert that announces it. */

import type { Encoding } from "../core/frame.ts";
import type { Prediction, ReviewReason } from "../core/judge.ts";
import { type Judged, type OpeningReview, recordOf } from "../core/record.ts";
import { alertText, type Language, priorityOf } from "../core/review.ts";
import { decisionBody } from "./messages.ts";
import { CONTENT_TYPE_OF } from "./station.ts";

export interface ReviewOptions {
  readonly language: Language;
  /** Frames up to this size travel inside the alert. */
  readonly frameInlineBytesMax: number;
}

/** What there is to say where no frame could be judged. */
const NOTHING: Prediction = {
  classIndex: -1,
  confidence: Number.NaN,
  score: Number.NaN,
  bandLow: Number.NaN,
  bandHigh: Number.NaN,
  novelty: Number.NaN,
};

export interface Opening {
  readonly id: string;
  readonly reason: ReviewReason;
  readonly deadlineMs: number;
  /** How the payload is to be read; a part's review may have none. */
  readonly encoding: Encoding;
}

/**
 * Opens the review of a decision. The alert is written once, here: a resend is the same bytes, so that consumers can
 * drop it by its review id and revision.
 */
export function openReview(
  judged: Judged,
  { id, reason, deadlineMs, encoding }: Opening,
  options: ReviewOptions,
): OpeningReview {
  const deadlineAtMs = judged.decidedAtMs + deadlineMs;
  const { payload } = judged.frame;
  const prediction = judged.prediction ?? NOTHING;
  const alert = {
    type: "open",
    review: id,
    reviewRevision: 1,
    ...decisionBody(recordOf(judged, 0)),
    text: alertText(prediction, judged.className, reason, options.language),
    count: 1,
    priority: priorityOf(prediction.score),
    deadline: new Date(deadlineAtMs).toISOString(),
    ...(payload.length > 0 &&
      payload.length <= options.frameInlineBytesMax && {
        frameInline: {
          contentType: CONTENT_TYPE_OF[encoding],
          base64: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("base64"),
        },
      }),
  };
  return { id, deadlineAtMs, alert: JSON.stringify(alert), contentType: CONTENT_TYPE_OF[encoding] };
}
