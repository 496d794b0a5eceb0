/** The rounds: what comes due to reviews without a person. Bounded each time, since frames wait meanwhile. */

import type { ReviewHappening } from "../core/review-lifecycle.ts";
import type { ReviewRecord } from "../core/review-record.ts";
import { type SituationTimes, tidings, told } from "../core/situations.ts";
import type { Announcing } from "./announcing.ts";
import type { Clock, Log, ReviewBook } from "./ports.ts";
import type { HeldKey, Standing } from "./review-standing.ts";

export interface RoundsOptions {
  readonly book: ReviewBook;
  readonly clock: Clock;
  readonly log: Log;
  readonly standing: Standing;
  readonly announcing: Announcing;
  /** Writes transitions, all or none, and tells of them. */
  readonly happen: (steps: readonly { before: ReviewRecord; happening: ReviewHappening }[]) => void;
  readonly options: SituationTimes & { readonly unresolvedMax: number };
}

const ROUND_MS = 250;
/** Between two rounds where there is more; batches of frames come in between. */
const NEXT_MS = 10;
/** Reviews that one round changes, of each kind. */
const STEPS_MAX = 64;
/** Reviews above the bound that expire together: one commit costs a turn of the disk. */
const EXPIRE_TOGETHER_MAX = 128;

export function createRounds(parts: RoundsOptions) {
  const { book, clock, log, standing, announcing, happen, options } = parts;
  const { unresolvedMax } = options;
  const lump = Math.min(EXPIRE_TOGETHER_MAX, Math.ceil(unresolvedMax / 10));
  let nextDeadlineMs = book.nextDeadlineMs() ?? Number.POSITIVE_INFINITY;
  let nextLapseMs = book.nextLapseMs() ?? Number.POSITIVE_INFINITY;
  let isFailing = false;
  let isClosed = false;
  const crowded = new Set<string>();

  const all = (reviews: readonly ReviewRecord[], happening: ReviewHappening): boolean => {
    happen(reviews.map((before) => ({ before, happening })));
    return reviews.length === STEPS_MAX;
  };

  function passDeadlines(nowMs: number): boolean {
    if (nowMs < nextDeadlineMs) return false;
    const hasMore = all(book.overdue(nowMs, STEPS_MAX), { kind: "overdue" });
    nextDeadlineMs = book.nextDeadlineMs() ?? Number.POSITIVE_INFINITY;
    return hasMore;
  }

  function lapseClaims(nowMs: number): boolean {
    if (nowMs < nextLapseMs) return false;
    const hasMore = all(book.lapsed(nowMs, STEPS_MAX), { kind: "lapse" });
    nextLapseMs = book.nextLapseMs() ?? Number.POSITIVE_INFINITY;
    return hasMore;
  }

  /** How far situations have grown, and which are over. */
  function tellOfSituations(nowMs: number): boolean {
    let changes = 0;
    for (const situation of announcing.situations()) {
      if (changes >= STEPS_MAX) return true;
      const { name, now } = situation;
      const tiding = tidings(now, nowMs, options);
      if (tiding === "none") continue;
      if (now.count > now.toldCount) {
        const before = book.find(now.lead);
        if (before !== undefined) happen([{ before, happening: { kind: "recount", count: now.count } }]);
        changes++;
        situation.now = told(now, nowMs);
      }
      if (tiding === "over") announcing.forget(name);
    }
    return false;
  }

  /** Announces what is held, as far as nothing else covers it and the budget allows; the most urgent first. */
  function drain(nowMs: number): boolean {
    for (let announced = 0; announced < STEPS_MAX; announced++) {
      const key = nextToDrain(nowMs);
      if (key === undefined) return false;
      const before = book.topHeld(key);
      if (before === undefined || before.priority < key.top) {
        key.top = before?.priority ?? Number.NEGATIVE_INFINITY;
        continue;
      }
      happen([{ before, happening: { kind: "announce", count: key.count } }]);
    }
    return true;
  }

  function nextToDrain(nowMs: number): HeldKey | undefined {
    let first: HeldKey | undefined;
    const mayDrain = new Map<string, boolean>();
    for (const key of standing.held()) {
      if (key.top === Number.NEGATIVE_INFINITY || (first !== undefined && key.top <= first.top)) continue;
      let may = mayDrain.get(key.station);
      if (may === undefined) {
        may = announcing.mayDrain(key.station, nowMs);
        mayDrain.set(key.station, may);
      }
      if (may && !announcing.isCovered(key.name, nowMs)) first = key;
    }
    return first;
  }

  /** Disk is bounded: where more wait than may, those go that belong to the largest heap of held ones. */
  function expire(station: string): void {
    const { open, held } = standing.of(station);
    const excess = Math.min(EXPIRE_TOGETHER_MAX, open + held - unresolvedMax);
    if (excess <= 0) return;
    let largest: HeldKey | undefined;
    for (const key of standing.held()) {
      if (key.station === station && key.count > (largest?.count ?? 0)) largest = key;
    }
    let found = largest === undefined ? [] : book.leastHeld(largest, excess);
    if (found.length === 0) found = book.leastUnresolved(station, excess);
    all(found, { kind: "expire" });
  }

  function round(): void {
    let hasMore = false;
    try {
      const nowMs = clock.nowMs();
      for (const station of crowded) {
        expire(station);
        crowded.delete(station);
      }
      for (const part of [passDeadlines, lapseClaims, tellOfSituations, drain])
        hasMore = part(nowMs) || hasMore;
      isFailing = false;
    } catch (error) {
      // What is due stays due. Said once, not at every round.
      if (!isFailing)
        log.error({ error: (error as Error).message }, "reviews cannot be kept up; tried again");
      isFailing = true;
      hasMore = false;
    }
    if (!isClosed) cancel = clock.after(hasMore ? NEXT_MS : ROUND_MS, round);
  }

  let cancel = clock.after(ROUND_MS, round);

  return {
    opened({ station, deadlineAtMs }: ReviewRecord): void {
      nextDeadlineMs = Math.min(nextDeadlineMs, deadlineAtMs);
      const { open, held } = standing.of(station);
      if (open + held < unresolvedMax + lump) {
        if (open + held > unresolvedMax) crowded.add(station);
        return;
      }
      try {
        expire(station);
      } catch {
        crowded.add(station); // The round says so, if it fails there as well.
      }
    },

    claimedUntil(atMs: number): void {
      nextLapseMs = Math.min(nextLapseMs, atMs);
    },

    close(): void {
      isClosed = true;
      cancel();
    },
  };
}
