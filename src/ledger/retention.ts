/**
 * Retention: the oldest batches are deleted in small steps. The chain then begins at the last of them, which a batch at
 * its end says. What may not go yet, a review or an audit that waits, an alert not yet acknowledged or a frame of an open part, is
 * carried in that batch, a review with its transitions.
 */

import type { Database } from "../sqlite/database.ts";
import {
  type Chain,
  type ChainEnd,
  type ChainedRow,
  type ChainRow,
  chainReader,
  type EventRow,
  eventReader,
} from "./chain.ts";
import type { KeptFrames } from "./kept-frames.ts";

export interface RetentionOptions {
  readonly retentionMs: number;
  /** Above it, batches go as soon as they are older than the dedupe window. */
  readonly bytesMax: number;
  /** What is younger never goes: a frame that came again would be decided a second time. */
  readonly dedupeWindowMs: number;
}

const CARRIED_EVENT_COLUMNS = `
  review, revision, at, state, overdue, count, announced_at, claimed_until, person, via, vouched, verdict, class,
  transaction_id, digest`;

/**
 * Each cut adds a batch that says so. It waits until so many can go at once, or the oldest is so long past its time: a
 * gateway that judges one frame a second would otherwise write as many of these as of its own.
 */
const CUT = { batchesMin: 64, waitMaxMs: 3_600_000 };

/** What may not go yet of the batches that a step deletes. */
interface Carried {
  readonly held: ChainedRow[];
  readonly events: EventRow[];
}

export function openRetention(db: Database, chain: Chain, frames: KeptFrames, options: RetentionOptions) {
  const rowsOf = chainReader(db);
  const eventsOf = eventReader(db);
  const anchor = db.prepare("SELECT min(seq) FROM chain").pluck();
  const batchAt = db.prepare("SELECT * FROM chain WHERE seq = ?");
  const published = db.prepare("SELECT value FROM counters WHERE name = 'published'").pluck();
  const isHeld = db
    .prepare(
      `SELECT 1 FROM reviews r WHERE r.id = ? AND
         (r.resolved_at IS NULL OR EXISTS (SELECT 1 FROM outbox o WHERE o.review = r.id)
          OR EXISTS (SELECT 1 FROM audits a WHERE a.id = r.id AND (a.teacher = 'waiting' OR a.person = 'waiting')))`,
    )
    .pluck();
  // Where a part is open, its frames stay: its decision needs them.
  const isOfOpenPart = db.prepare("SELECT 1 FROM part_rows WHERE decision = ? AND is_open").pluck();
  const isThere = db.prepare("SELECT 1 FROM reviews WHERE id = ?").pluck();
  const carry = db.prepare("INSERT OR REPLACE INTO carried VALUES (?, ?)");
  const forget = ["reviews", "carried"].map((table) => db.prepare(`DELETE FROM ${table} WHERE decision = ?`));
  const forgetPart = db.prepare("DELETE FROM part_rows WHERE decision = ?");
  const deleteEvent = db.prepare("DELETE FROM review_events WHERE seq = ?");
  const carryEvent = db.prepare(
    `INSERT INTO review_events SELECT NULL, ${CARRIED_EVENT_COLUMNS} FROM review_events WHERE seq = ?`,
  );
  const deleteDecision = db.prepare("DELETE FROM decisions WHERE id = ?");
  const deleteChain = db.prepare("DELETE FROM chain WHERE seq < ?");

  const usedBytes = (): number => {
    const pragma = (name: string): number => db.pragma(name, { simple: true }) as number;
    return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
  };

  /** Deletes the rows of a batch; those that are held are added to what is carried. */
  function drop(before: ChainRow, batch: ChainRow, carried: Carried): number {
    // Empty batches count too: a step must end.
    let rows = 1;
    for (const row of [...rowsOf(batch)]) {
      rows++;
      const isNeeded =
        (row.review !== null && isHeld.get(row.review) === 1) ||
        (row.ofPart !== null && isOfOpenPart.get(row.id) === 1);
      if (isNeeded) {
        carried.held.push(row);
        continue;
      }
      if (row.review !== null) frames.remove(row.id);
      if (row.ofPart !== null) forgetPart.run(row.id);
      for (const statement of forget) statement.run(row.id);
      deleteDecision.run(row.id);
    }
    for (const event of [...eventsOf(before.events, batch.events)]) {
      rows++;
      // A review that stays, carried for whatever cause, keeps what it came to be by.
      if (isThere.get(event.review) === 1) {
        carried.events.push({ ...event, seq: Number(carryEvent.run(event.seq).lastInsertRowid) });
      }
      deleteEvent.run(event.seq);
    }
    deleteChain.run(batch.seq);
    return rows;
  }

  /** Writes the batch that says where the chain begins now, with what is carried. */
  function endCut(base: number, { held, events }: Carried, nowMs: number): ChainEnd {
    const { last, seq } = chain.head();
    chain.begin(nowMs);
    chain.cut(base);
    for (const row of held.sort((a, b) => a.id - b.id)) {
      chain.add(row, row);
      carry.run(row.id, seq + 1);
    }
    for (const event of events) chain.addEvent(event);
    return chain.end(last + 1, last, nowMs);
  }

  function isWorthCutting(dueAtMs: number): boolean {
    const begin = anchor.get() as number;
    const atOf = (seq: number): number =>
      (batchAt.get(seq) as ChainRow | undefined)?.at ?? Number.POSITIVE_INFINITY;
    return atOf(begin + 1) < dueAtMs - CUT.waitMaxMs || atOf(begin + CUT.batchesMin) < dueAtMs;
  }

  const cut = db.transaction((dueAtMs: number, rowsPerStep: number, nowMs: number) => {
    const carried: Carried = { held: [], events: [] };
    let before = batchAt.get(anchor.get()) as ChainRow;
    const begin = before.seq;
    let hasMore = true;
    for (let rows = 0; rows < rowsPerStep; ) {
      const batch = batchAt.get(before.seq + 1) as ChainRow | undefined;
      // The end of the chain stays: the next batch hangs on it.
      const isDue =
        batch !== undefined &&
        batch.seq !== chain.head().seq &&
        batch.at < dueAtMs &&
        batch.last <= (published.get() as number);
      if (!isDue) {
        hasMore = false;
        break;
      }
      rows += drop(before, batch, carried);
      before = batch;
    }
    return { hasMore, end: before.seq === begin ? undefined : endCut(before.seq, carried, nowMs) };
  });

  return {
    usedBytes,

    /**
     * Deletes what is due, whole batches until so many rows are gone.
     * @returns whether there may be more
     */
    step(nowMs: number, rowsPerStep: number): boolean {
      const isOver = usedBytes() > options.bytesMax;
      const retentionMs = Math.max(options.retentionMs, options.dedupeWindowMs);
      const dueAtMs = nowMs - (isOver ? options.dedupeWindowMs : retentionMs);
      if (!isOver && !isWorthCutting(dueAtMs)) return false;
      try {
        const { hasMore, end } = cut(dueAtMs, rowsPerStep, nowMs);
        if (end !== undefined) chain.committed(end);
        frames.committed();
        return hasMore;
      } catch (error) {
        frames.rolledBack();
        throw error;
      }
    },
  };
}
