/** The desk: people's acts on reviews, and the opening of new ones, each on disk before anyone is told. */

import { findingOf } from "../core/audit.ts";
import type { Committed, Judged, PendingAlert } from "../core/record.ts";
import {
  actOn,
  alarmed,
  happenTo,
  isUnresolved,
  type ReviewHappening,
  type Transition,
} from "../core/review-lifecycle.ts";
import {
  type ActError,
  type ActOutcome,
  AUDIT,
  type ReviewAct,
  type Reviewer,
  type ReviewRecord,
} from "../core/review-record.ts";
import { reviewText } from "../core/review-words.ts";
import { type AnnouncingOptions, createAnnouncing } from "./announcing.ts";
import type { Desk, ReviewEvent, ReviewQuery, ReviewRow } from "./desk.ts";
import type { Clock, Log, ReviewBook, ReviewChange, ReviewMetrics } from "./ports.ts";
import { alarmMessage, closeMessage, openMessage, updateMessage } from "./review-messages.ts";
import { createRounds } from "./review-rounds.ts";
import { createStanding, type StationStanding } from "./review-standing.ts";

export interface DeskOptions extends AnnouncingOptions {
  readonly claimMs: number;
  /** Reviews that may wait at a station. */
  readonly unresolvedMax: number;
}

export interface DeskParts {
  readonly book: ReviewBook;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ReviewMetrics;
  /** Classes of a station's bundle; none where there is no such station. */
  readonly classesOf: (station: string) => readonly string[];
  /** Brings what was just committed to the broker. */
  readonly deliver: (messages: readonly PendingAlert[]) => void;
  readonly options: DeskOptions;
}

/** What the main path asks of it. */
export interface ReviewGate {
  /** Decides which reviews of a batch are announced; to be called just before each try to commit it. */
  plan(batch: readonly Judged[]): readonly Judged[];
  /** The batch, as planned, is on disk. */
  opened(batch: readonly Judged[], committed: readonly Committed[]): void;
}

export interface ReviewDesk extends Desk, ReviewGate {
  /** How many wait, and since when. */
  standing(station: string): StationStanding & { readonly oldestAtMs: number | null };
  /** Ends its rounds. */
  close(): void;
}

/** One transition that is to be written. */
export interface Step {
  readonly before: ReviewRecord;
  readonly happening: ReviewHappening;
}

const LIST_MAX = 500;
const WAITING = ["held", "open", "claimed"] as const;

export function createDesk(parts: DeskParts): ReviewDesk {
  const { book, clock, log, metrics, classesOf, deliver, options } = parts;
  const { language } = options;
  const standing = createStanding(book);
  const announcing = createAnnouncing(book, standing, clock.nowMs(), options);
  const listeners = new Set<(event: ReviewEvent) => void>();

  function tell(event: ReviewEvent): void {
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        log.error({ error: (error as Error).stack }, "a listener to reviews failed");
      }
    }
  }

  function messageOf(before: ReviewRecord, after: ReviewRecord, atMs: number): string {
    if (!isUnresolved(after)) return closeMessage(after, atMs, language);
    if (before.announcedAtMs !== null || after.announcedAtMs === null)
      return updateMessage(after, atMs, language);
    return openMessage(after, book.frameOf(after.id), options);
  }

  /** @throws what the ledger throws, and then nothing has happened */
  function write(changes: readonly ReviewChange[]): void {
    if (changes.length === 0) return;
    const messages = book.change(changes);
    for (const { before, after, message, atMs } of changes) {
      standing.moved(before, after);
      if (!isUnresolved(after)) announcing.closed(after);
      else if (before.announcedAtMs === null && after.announcedAtMs !== null)
        announcing.announced(after, atMs);
      count(before, after);
      if (message !== undefined && listeners.size > 0) tell(eventOf(before, after, message));
    }
    deliver(messages);
  }

  function count(before: ReviewRecord, after: ReviewRecord): void {
    if (after.state === "expired") metrics.reviewExpired(after.station);
    if (after.state === "resolved" && isUnresolved(before)) metrics.verdict(after.station, after.verdict!);
    if (after.overdue && !before.overdue) metrics.reviewOverdue(after.station);
  }

  function changeOf(
    before: ReviewRecord,
    { review: after, isPublished }: Extract<Transition, { ok: true }>,
    atMs: number,
    by?: Reviewer,
    transaction?: string,
  ): ReviewChange {
    const message = isPublished ? messageOf(before, after, atMs) : undefined;
    return { before, after, by, transaction, atMs, message };
  }

  /**
   * The transitions of an answer. What it says of a part that passed goes with it; where it says that the part is
   * wrong, an alarm follows in the same commit.
   */
  function answered(change: ReviewChange): readonly ReviewChange[] {
    const { after, atMs } = change;
    if (after.reason !== AUDIT || after.state !== "resolved") return [change];
    const expected = book.expectedOf(after.id);
    const finding = findingOf(after, expected.class);
    if (finding !== "wrong" || expected.isKnown) return [{ ...change, finding }];
    const alarm = alarmed(after);
    const message = alarmMessage(alarm, expected.class, atMs, language);
    return [
      { ...change, finding },
      { ...change, before: after, after: alarm, message },
    ];
  }

  function happen(steps: readonly Step[]): void {
    const atMs = clock.nowMs();
    write(
      steps.flatMap(({ before, happening }) => {
        const transition = happenTo(before, happening, atMs);
        return transition === undefined ? [] : [changeOf(before, transition, atMs)];
      }),
    );
  }

  const rounds = createRounds({ book, clock, log, standing, announcing, happen, options });

  function act(act: ReviewAct, by: Reviewer): ActOutcome {
    const before = book.find(act.review);
    if (before === undefined)
      return refusal("unknown-review", `there is no review ${act.review}`, act.review);
    const nowMs = clock.nowMs();
    const transition = actOn(before, act, by, {
      nowMs,
      claimMs: options.claimMs,
      classes: classesOf(before.station),
    });
    if (!transition.ok) return refusal(transition.error, transition.message, act.review, before);
    const { review } = transition;
    if (review !== before) {
      const transaction = act.kind === "resolve" ? act.transaction : undefined;
      const changes = answered(changeOf(before, transition, nowMs, by, transaction));
      write(changes);
      if (review.state === "claimed") rounds.claimedUntil(review.claimedUntilMs!);
      return {
        ok: true,
        review: review.id,
        reviewRevision: changes.at(-1)!.after.revision,
        state: review.state,
      };
    }
    return { ok: true, review: review.id, reviewRevision: review.revision, state: review.state };
  }

  const rowOf = (review: ReviewRecord): ReviewRow => ({ ...review, text: reviewText(review, language) });

  return {
    plan: announcing.plan,

    opened(batch, committed) {
      for (const { review, alert } of announcing.opened(batch, committed)) {
        rounds.opened(review);
        if (alert !== undefined && listeners.size > 0) tell(eventOf(undefined, review, alert));
      }
    },

    list({ station, source, reason, states, limit, after }: ReviewQuery) {
      const most = Math.min(LIST_MAX, Math.max(1, limit));
      const found = book.list({
        ...{ station, source, reason },
        states: states ?? WAITING,
        limit: most + 1,
        after: after === undefined ? undefined : readCursor(after),
      });
      const page = found.slice(0, most);
      const last = page.at(-1);
      const reviews = page.map(rowOf);
      return found.length > most && last !== undefined ? { reviews, next: cursorOf(last) } : { reviews };
    },

    show(id) {
      const review = book.find(id);
      return review && rowOf(review);
    },

    frameOf: (id) => book.frameOf(id),

    act(asked, by) {
      try {
        return act(asked, by);
      } catch (error) {
        const { message } = error as Error;
        log.error({ review: asked.review, error: message }, "an act on a review could not be written");
        return refusal(
          "unavailable",
          "the ledger cannot be written now; nothing was done, try again",
          asked.review,
        );
      }
    },

    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    standing: (station) => ({ ...standing.of(station), oldestAtMs: book.oldestAtMs(station) }),
    close: rounds.close,
  };
}

function eventOf(before: ReviewRecord | undefined, after: ReviewRecord, body: string): ReviewEvent {
  const isAnnounced = (before?.announcedAtMs ?? null) === null && after.announcedAtMs !== null;
  const isAlarm = before !== undefined && !isUnresolved(before);
  const type = isAlarm ? "alarm" : !isUnresolved(after) ? "close" : isAnnounced ? "open" : "update";
  return { type, station: after.station, review: after.id, reviewRevision: after.revision, body };
}

function refusal(error: ActError, message: string, review: string, found?: ReviewRecord): ActOutcome {
  return {
    ok: false,
    error,
    message,
    review,
    reviewRevision: found?.revision ?? null,
    state: found?.state ?? null,
  };
}

function cursorOf({ priority, openedAtMs, id }: ReviewRecord): string {
  return Buffer.from(JSON.stringify([priority, openedAtMs, id])).toString("base64url");
}

/** Undefined for one that was not made here: the list then begins at its beginning. */
function readCursor(text: string): Pick<ReviewRecord, "priority" | "openedAtMs" | "id"> | undefined {
  try {
    const [priority, openedAtMs, id] = JSON.parse(Buffer.from(text, "base64url").toString()) as unknown[];
    if (typeof priority !== "number" || typeof openedAtMs !== "number" || typeof id !== "string")
      return undefined;
    return { priority, openedAtMs, id };
  } catch {
    return undefined;
  }
}
