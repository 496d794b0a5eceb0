/** The review that opens with a decision, as yet unannounced. */

import type { Encoding } from "../core/frame.ts";
import type { Judged, OpeningReview } from "../core/record.ts";
import { priorityOf } from "../core/review.ts";
import { CONTENT_TYPE_OF } from "./station.ts";

export interface ReviewOptions {
  /** What a mistake costs in a class; 1 where it is not named. */
  readonly classCosts: Readonly<Record<string, number>>;
}

/**
 * Whether an alert of its own announces it is decided at the commit, when it is known what else opens.
 * @param encoding how the payload is to be read
 */
export function draftReview(
  id: string,
  { prediction, className, decidedAtMs }: Judged,
  encoding: Encoding,
  deadlineMs: number,
  { classCosts }: ReviewOptions,
): OpeningReview {
  return {
    id,
    deadlineAtMs: decidedAtMs + deadlineMs,
    priority: priorityOf(
      prediction?.score ?? Number.NaN,
      className === undefined ? 1 : classCosts[className],
    ),
    contentType: CONTENT_TYPE_OF[encoding],
    alert: undefined,
    lead: undefined,
  };
}
