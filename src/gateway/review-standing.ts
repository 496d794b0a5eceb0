/** How many reviews wait, by station and by key: counted here, since counting rows takes longer the more there are. */

import { isUnresolved } from "../core/review-lifecycle.ts";
import type { ReviewRecord } from "../core/review-record.ts";
import type { ReviewBook, ReviewKey } from "./ports.ts";

export interface StationStanding {
  /** Announced, and not answered. */
  readonly open: number;
  readonly held: number;
  /** Of both. */
  readonly overdue: number;
}

/** Held reviews of one key. */
export interface HeldKey extends ReviewKey {
  readonly name: string;
  count: number;
  /** No held review of it has a higher priority; it may be that none has this one any more. */
  top: number;
}

const NOTHING: StationStanding = { open: 0, held: 0, overdue: 0 };

export function keyName({ station, source, reason }: ReviewKey): string {
  return `${station} ${source} ${reason}`;
}

export type Standing = ReturnType<typeof createStanding>;

export function createStanding(book: Pick<ReviewBook, "standing">) {
  const stations = new Map<string, { open: number; held: number; overdue: number }>();
  const held = new Map<string, HeldKey>();

  function add(key: ReviewKey, by: StationStanding, top: number): void {
    let station = stations.get(key.station);
    if (station === undefined) {
      station = { open: 0, held: 0, overdue: 0 };
      stations.set(key.station, station);
    }
    station.open += by.open;
    station.held += by.held;
    station.overdue += by.overdue;
    if (by.held === 0) return;
    const name = keyName(key);
    const known = held.get(name);
    if (known === undefined) {
      const { station, source, reason } = key;
      held.set(name, { name, station, source, reason, count: by.held, top });
    } else {
      known.count += by.held;
      if (by.held > 0) known.top = Math.max(known.top, top);
      if (known.count === 0) held.delete(name);
    }
  }

  function count(review: ReviewRecord, sign: 1 | -1): void {
    if (!isUnresolved(review)) return;
    const by = {
      open: review.announcedAtMs === null ? 0 : sign,
      held: review.announcedAtMs === null ? sign : 0,
      overdue: review.overdue ? sign : 0,
    };
    add(review, by, review.priority);
  }

  for (const one of book.standing()) {
    add(one, { open: one.announced, held: one.held, overdue: one.overdue }, one.top);
  }

  return {
    of: (station: string): StationStanding => stations.get(station) ?? NOTHING,
    heldOf: (name: string): HeldKey | undefined => held.get(name),
    held: (): Iterable<HeldKey> => held.values(),
    opened: (review: ReviewRecord): void => count(review, 1),
    moved(before: ReviewRecord, after: ReviewRecord): void {
      count(before, -1);
      count(after, 1);
    },
  };
}
