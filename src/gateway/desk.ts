/** The port for everyone who lets people act on reviews: MQTT, HTTP and the command line ask the same desk. */

import type { KeptFrame } from "../core/record.ts";
import type { ActOutcome, ReviewAct, Reviewer, ReviewRecord, ReviewState } from "../core/review-record.ts";

export type {
  ActError,
  ActOutcome,
  ReviewAct,
  Reviewer,
  ReviewState,
  VerdictKind,
} from "../core/review-record.ts";

/** A review as a person sees it. */
export interface ReviewRow extends ReviewRecord {
  /** What a person is told of it, in the plant's language. */
  readonly text: string;
}

export interface ReviewQuery {
  readonly station?: string;
  readonly source?: string;
  readonly reason?: string;
  /** By default those that wait for a person: held, open and claimed. */
  readonly states?: readonly ReviewState[];
  /** At least 1; at most 500 come at a time. */
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after?: string;
}

/** A published transition. */
export interface ReviewEvent {
  readonly type: "open" | "update" | "close" | "alarm";
  readonly station: string;
  readonly review: string;
  readonly reviewRevision: number;
  /** The message's JSON, as it is published on BASE/reviews/STATION. */
  readonly body: string;
}

export interface Desk {
  /** By priority, highest first, then by age, oldest first. */
  list(query: ReviewQuery): { readonly reviews: readonly ReviewRow[]; readonly next?: string };
  show(id: string): ReviewRow | undefined;
  /** Undefined where no frame was kept, or it had to make room for newer ones. */
  frameOf(id: string): KeptFrame | undefined;
  /** What became of it is on disk when this returns. Doing the same again gives the same answer. */
  act(act: ReviewAct, by: Reviewer): ActOutcome;
  /** Calls at every published transition, once it is on disk; the returned function calls it off. */
  watch(listener: (event: ReviewEvent) => void): () => void;
}
