/** Which reviews are announced by an alert of their own, and which are held: situations, and the hourly budget. */

import type { Committed, Judged, OpeningReview } from "../core/record.ts";
import { type AlertBudget, BUDGET_MEMORY_MS, createBudget, reserveOf } from "../core/review-budget.ts";
import { openedReview, type ReviewRecord, reviewReasonOf, shownFrame } from "../core/review-record.ts";
import { begin, covers, join, type Situation, type SituationTimes } from "../core/situations.ts";
import type { ReviewBook, ReviewKey } from "./ports.ts";
import { type AlertOptions, openMessage } from "./review-messages.ts";
import { keyName, type Standing } from "./review-standing.ts";

export interface AnnouncingOptions extends SituationTimes, AlertOptions {
  readonly alertsPerHour: number;
}

/** A situation that goes on, and whose it is. */
export interface KnownSituation extends ReviewKey {
  readonly name: string;
  now: Situation;
}

/** A review that has just been committed. */
export interface Opened {
  readonly review: ReviewRecord;
  /** Its alert; undefined where it is held. */
  readonly alert: string | undefined;
}

export type Announcing = ReturnType<typeof createAnnouncing>;

export function createAnnouncing(
  book: Pick<ReviewBook, "leads" | "announcedSince">,
  standing: Standing,
  nowMs: number,
  options: AnnouncingOptions,
) {
  const situations = new Map<string, KnownSituation>();
  const budgets = new Map<string, AlertBudget>();

  function budgetOf(station: string): AlertBudget {
    let budget = budgets.get(station);
    if (budget === undefined) {
      budget = createBudget(options.alertsPerHour);
      budgets.set(station, budget);
    }
    return budget;
  }

  function start(review: ReviewRecord, atMs: number): void {
    const { id, station, source, reason } = review;
    const name = keyName(review);
    const now = { ...begin(id, atMs), count: review.count, toldCount: review.count };
    situations.set(name, { name, station, source, reason, now });
    budgetOf(station).take(atMs);
  }

  // A restart neither fills the budget nor makes one flood two.
  for (const { station, atMs } of book.announcedSince(nowMs - BUDGET_MEMORY_MS)) budgetOf(station).take(atMs);
  for (const { station, source, reason, lead, count, lastAtMs } of book.leads()) {
    const now = { lead, count, lastAtMs, toldCount: count, toldAtMs: lastAtMs };
    const name = keyName({ station, source, reason });
    if (covers(now, nowMs, options)) situations.set(name, { name, station, source, reason, now });
  }

  function alertOf(judged: Judged, review: ReviewRecord, opening: OpeningReview): string {
    const shown = shownFrame(judged, opening);
    // Of a part there may be no picture any more.
    return openMessage(review, shown.payload.length > 0 ? shown : undefined, options);
  }

  return {
    /**
     * Decides for each review of a batch whether an alert announces it. Nothing is noted yet: the batch may not be
     * written, and a frame of it may have been decided before.
     */
    plan(batch: readonly Judged[]): readonly Judged[] {
      const leads = new Map<string, string>();
      const taken = new Map<string, number>();
      return batch.map((judged) => {
        const opening = judged.review;
        if (opening === undefined) return judged;
        const { station, source } = judged.frame;
        const { decidedAtMs } = judged;
        const name = keyName({ station, source, reason: reviewReasonOf(judged) });
        const known = situations.get(name)?.now;
        const lead =
          leads.get(name) ??
          (known !== undefined && covers(known, decidedAtMs, options) ? known.lead : undefined);
        if (lead !== undefined) return { ...judged, review: { ...opening, lead } };
        // Behind reviews that are held already it takes its turn, by priority.
        if (standing.heldOf(name) !== undefined) return judged;
        const ahead = taken.get(station) ?? 0;
        if (budgetOf(station).available(decidedAtMs) - ahead < 1) return judged;
        taken.set(station, ahead + 1);
        leads.set(name, opening.id);
        const announced = openedReview(judged, { ...opening, alert: "" });
        return { ...judged, review: { ...opening, alert: alertOf(judged, announced, opening) } };
      });
    },

    /** Notes what a batch has opened, once it is on disk. */
    opened(batch: readonly Judged[], committed: readonly Committed[]): readonly Opened[] {
      const opened: Opened[] = [];
      for (const [i, judged] of batch.entries()) {
        if (judged.review === undefined || committed[i]!.isRedelivery) continue;
        const review = openedReview(judged, judged.review);
        standing.opened(review);
        if (judged.review.alert !== undefined) start(review, review.openedAtMs);
        else {
          const known = situations.get(keyName(review));
          if (known !== undefined && known.now.lead === review.lead)
            known.now = join(known.now, review.openedAtMs);
        }
        opened.push({ review, alert: judged.review.alert });
      }
      return opened;
    },

    /** A held review has been announced. */
    announced: start,

    /** A review waits no more: where it was a lead, its situation has none, and is over. */
    closed(review: ReviewRecord): void {
      const name = keyName(review);
      if (situations.get(name)?.now.lead === review.id) situations.delete(name);
    },

    situations: (): Iterable<KnownSituation> => situations.values(),
    forget: (name: string): void => void situations.delete(name),

    isCovered(name: string, atMs: number): boolean {
      const known = situations.get(name);
      return known !== undefined && covers(known.now, atMs, options);
    },

    /** Whether a review that was held may be announced now, and still leave something for what happens next. */
    mayDrain: (station: string, atMs: number): boolean =>
      budgetOf(station).available(atMs) > reserveOf(options.alertsPerHour),
  };
}
