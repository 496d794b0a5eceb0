/** What the gateway tells of reviews as it happens. */

import type { ReviewView } from "../../src/http/api-schemas.ts";

/** An alert as it is published on sekisho/GATEWAY/reviews/STATION, but for the frame: a review that has just opened. */
export type OpenEvent = Omit<ReviewView, "openedAt" | "state" | "hasFrame"> & {
  readonly type: "open";
  readonly decision: "review";
  readonly frameLink?: string;
};

/** What becomes of a review, as published there; only what the console reads of it. */
export interface ChangeEvent {
  readonly type: "update" | "close" | "alarm";
  readonly review: string;
  readonly reviewRevision: number;
  readonly station: string;
  readonly source: string;
  readonly frame: string;
  readonly part?: string;
  readonly state?: string;
  readonly overdue?: boolean;
  readonly count?: number;
  readonly priority?: number;
  readonly claimedBy?: string;
  readonly claimedUntil?: string;
  readonly verdict?: string;
  readonly class?: string | null;
  readonly reviewer?: string;
  readonly passedAs?: string;
  readonly text: string;
}

export type ReviewEvent = OpenEvent | ChangeEvent;
