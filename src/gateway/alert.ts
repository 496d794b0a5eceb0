/** The review that opens with a decision, as yet unannounced. */

import type { Prediction } from "../core/judge.ts";
import type { OpeningReview } from "../core/record.ts";
import { type Language, priorityOf } from "../core/review.ts";
import { CONTENT_TYPE_OF, type InForce, type Taken } from "./station.ts";

export interface ReviewOptions {
  readonly language: Language;
  /** Frames up to this size travel inside the alert. */
  readonly frameInlineBytesMax: number;
  /** What a mistake costs in a class; 1 where it is not named. */
  readonly classCosts: Readonly<Record<string, number>>;
}

/** Whether an alert of its own announces it is decided at the commit, when it is known what else opens. */
export function draftReview(
  id: string,
  { classes, reviewDeadlineMs }: InForce,
  taken: Taken,
  prediction: Prediction,
  decidedAtMs: number,
  { classCosts }: ReviewOptions,
): OpeningReview {
  const className = classes[prediction.classIndex];
  return {
    id,
    deadlineAtMs: decidedAtMs + reviewDeadlineMs,
    priority: priorityOf(prediction.score, className === undefined ? 1 : classCosts[className]),
    contentType: CONTENT_TYPE_OF[taken.encoding],
    alert: undefined,
    lead: undefined,
  };
}
