/** The order of the queue, and how what is read and what is told are put together. */

import type { ReviewView } from "../../../../src/http/api-schemas.ts";

/** What an update says of a review. */
export interface Update {
  readonly reviewRevision: number;
  readonly state?: string;
  readonly overdue?: boolean;
  readonly count?: number;
  readonly claimedBy?: string;
  readonly claimedUntil?: string;
}

/** As the gateway orders them. */
export function byRank(a: ReviewView, b: ReviewView): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.openedAt !== b.openedAt) return a.openedAt < b.openedAt ? -1 : 1;
  return a.review < b.review ? -1 : Number(a.review > b.review);
}

/** Both in order, each review once, as it was read last. */
export function merged(known: readonly ReviewView[], page: readonly ReviewView[]): readonly ReviewView[] {
  const fresh = new Set(page.map(({ review }) => review));
  return [...known.filter(({ review }) => !fresh.has(review)), ...page].sort(byRank);
}

/** The row as an update has it. */
export function updated(row: ReviewView, event: Update): ReviewView {
  const { claimedBy: _, claimedUntil: __, ...rest } = row;
  return {
    ...rest,
    reviewRevision: Math.max(row.reviewRevision, event.reviewRevision),
    ...(event.state !== undefined && { state: event.state as ReviewView["state"] }),
    overdue: event.overdue ?? row.overdue,
    count: event.count ?? row.count,
    ...(event.claimedBy !== undefined && {
      claimedBy: event.claimedBy,
      claimedUntil: event.claimedUntil ?? "",
    }),
  };
}
