/** What an answered review is worth as a label: its class, or why it is none. */

import type { ResolvedReview } from "../../ledger/resolved-reviews.ts";

export const LEFT_OUT = [
  "unvouched",
  "unusable",
  "frame-gone",
  "frame-damaged",
  "unknown-class",
  "frame-unfit",
] as const;

/**
 * `unvouched`: neither broker nor token spoke for the reviewer. `unusable`: the answer was that nobody can tell.
 * `frame-gone`: its frame had to make room. `frame-damaged`: it is not the frame that was kept. `unknown-class`: the
 * bundle has no such class. `frame-unfit`: it is no frame of the bundle.
 */
export type LeftOut = (typeof LEFT_OUT)[number];

/** In words, for each so many of them. */
export const IN_WORDS: Readonly<Record<LeftOut, string>> = {
  unvouched: "answered by nobody vouched for",
  unusable: "answered as unusable",
  "frame-gone": "whose frame is not kept any more",
  "frame-damaged": "whose frame is not as it was kept",
  "unknown-class": "of a class that the bundle has not",
  "frame-unfit": "whose frame is none of the bundle's",
};

/** A review that is a label, with its frame as it came in. */
export interface Labelled {
  readonly review: ResolvedReview;
  readonly classIndex: number;
  readonly contentType: string;
  readonly payload: Uint8Array;
}

/** @param review undefined where it has gone meanwhile, and its frame with it */
export function labelOf(
  review: ResolvedReview | undefined,
  classes: readonly string[],
): Labelled | Exclude<LeftOut, "frame-unfit"> {
  if (review === undefined) return "frame-gone";
  const { verdict, verdictClass, contentType, payload } = review;
  if (!review.vouched) return "unvouched";
  if (verdict === "unusable") return "unusable";
  const classIndex = verdictClass === null ? -1 : classes.indexOf(verdictClass);
  if (classIndex < 0) return "unknown-class";
  if (contentType === null || payload === null) return "frame-gone";
  return review.isDamaged ? "frame-damaged" : { review, classIndex, contentType, payload };
}
