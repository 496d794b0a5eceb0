/**
 * The hash chain: each committed batch has a row with the SHA-256 of all that it wrote and of the row before it, in the
 * same transaction. It shows what SQLite's own checks do not: that the rows are those that were written.
 */

import type { DecisionRecord } from "../core/record.ts";
import type { Database } from "../sqlite/database.ts";
import { beginOfActs } from "./acts.ts";
import { BEFORE_AUDITS } from "./audit-log.ts";
import { type ChainedColumns, createChainHasher, type EventColumns, endOfBatch } from "./chain-encoding.ts";
import { CHAINED_COLUMNS, EVENT_COLUMNS } from "./columns.ts";
import { LedgerDamaged } from "./errors.ts";

/** One row of the chain: the batch of decisions `first` to `last`, or, where there are none, a carried one. */
export interface ChainRow {
  readonly seq: number;
  readonly first: number;
  readonly last: number;
  readonly at: number;
  readonly hash: Uint8Array;
  /** The last transition of a review in this batch, or before it where it has none. */
  readonly events: number;
  /** The last act in this batch, or before it where it has none; null in batches from before there were acts. */
  readonly acts: number | null;
  /** Where the chain began when this batch was written; null where `acts` is. */
  readonly base: number | null;
  /** The last entry of the log of audits in this batch, or before it where it has none; 0 where there is none. */
  readonly audits: number;
}

/** The end of the acts' own chain, or of the log of audits'. */
export interface LastAct {
  readonly seq: number;
  readonly hash: Uint8Array;
}

/** A row of the chain with the act and the entry of the log of audits that it ends at. */
export interface ChainEnd extends ChainRow {
  readonly lastAct: LastAct;
  readonly lastAudit: LastAct;
}

/** A transition of a review, with its number. */
export interface EventRow extends EventColumns {
  readonly seq: number;
}

/** A decision with all that the chain covers. */
export interface ChainedRow extends DecisionRecord, ChainedColumns {
  /** The decision that the review says it is of. */
  readonly reviewOf: number | null;
  /** Whether the review repeats the decision's station, source and reason; null where there is none. */
  readonly isReviewAlike: number | null;
}

const ROWS_PER_READ = 256;

export type Chain = ReturnType<typeof openChain>;

/** The end of the chain, at which batches are added. @throws LedgerDamaged if it has no rows */
export function openChain(db: Database) {
  const insert = db.prepare(
    "INSERT INTO chain (seq, first, last, at, hash, events, acts, base, audits) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const hasher = createChainHasher();
  const found = db.prepare("SELECT * FROM chain ORDER BY seq DESC LIMIT 1").get() as ChainRow | undefined;
  if (found === undefined) throw new LedgerDamaged("the ledger's chain has no rows");
  let head: ChainEnd = { ...found, lastAct: lastActOf(db, found), lastAudit: lastAuditOf(db, found) };
  let base = db.prepare("SELECT min(seq) FROM chain").pluck().get() as number;
  let lastEvent = 0;
  let lastAct = head.lastAct;
  let lastAudit = head.lastAudit;
  let cutAt = base;

  return {
    head: (): ChainRow => head,

    /** The end of the acts' own chain, those of the batch that was begun included. */
    lastAct: (): LastAct => lastAct,

    /** The same of the log of audits. */
    lastAudit: (): LastAct => lastAudit,

    /** Begins a batch inside a transaction. */
    begin(atMs: number): void {
      lastAct = head.lastAct;
      lastAudit = head.lastAudit;
      cutAt = base;
      hasher.begin(head.hash, head.seq + 1, atMs, true);
    },

    add: hasher.add,

    /** Adds a transition, behind all decisions of its batch. */
    addEvent(event: EventRow): void {
      hasher.addEvent(event);
      lastEvent = event.seq;
    },

    /** Adds an act, in the order of their numbers. */
    addAct(seq: number, hash: Uint8Array): void {
      lastAct = { seq, hash };
    },

    /** Adds an entry of the log of audits, in the order of their numbers. */
    addAudit(seq: number, hash: Uint8Array): void {
      lastAudit = { seq, hash };
    },

    /** Notes that all rows before this one are deleted in the transaction of the batch. */
    cut(seq: number): void {
      cutAt = seq;
    },

    /**
     * Writes the row of a batch of new decisions, or of one without (carried ones, transitions, acts, a cut); none if
     * it is empty.
     * @returns the end of the chain, once the transaction has been committed
     * @throws LedgerDamaged if the new ids do not follow those of the chain: another writer, or a lost table
     */
    end(firstId: number, lastId: number, atMs: number): ChainEnd {
      const hasRows = hasher.rows() > 0 || hasher.events() > 0;
      const isLogged = lastAct.seq > head.lastAct.seq || lastAudit.seq > head.lastAudit.seq;
      if (!hasRows && !isLogged && cutAt === base) return head;
      if (firstId !== head.last + 1) {
        throw new LedgerDamaged(
          `the ledger's next decision is ${firstId}, its chain ends at ${head.last}: another program writes it, or it is damaged; restart`,
        );
      }
      const events = hasher.events() === 0 ? head.events : lastEvent;
      const hash = endOfBatch(hasher.end(), lastAct, cutAt, lastAudit);
      const row = { seq: head.seq + 1, first: firstId, last: lastId, at: atMs, hash, events };
      insert.run(row.seq, row.first, row.last, row.at, hash, events, lastAct.seq, cutAt, lastAudit.seq);
      return { ...row, acts: lastAct.seq, base: cutAt, audits: lastAudit.seq, lastAct, lastAudit };
    },

    /** To be called with what `end` returned when the transaction has been committed. */
    committed(end: ChainEnd): void {
      head = end;
      base = end.base ?? base;
    },
  };
}

/** @throws LedgerDamaged if the act at which the chain ends is not there */
function lastActOf(db: Database, { acts }: ChainRow): LastAct {
  const seq = acts ?? 0;
  if (seq === 0) return { seq, hash: beginOfActs(db) };
  const hash = db.prepare("SELECT hash FROM acts WHERE seq = ?").pluck().get(seq) as Uint8Array | undefined;
  if (hash === undefined)
    throw new LedgerDamaged(`act ${seq}, at which the ledger's chain ends, is not there`);
  return { seq, hash };
}

/** @throws LedgerDamaged if the entry of the log of audits at which the chain ends is not there */
function lastAuditOf(db: Database, { audits: seq }: ChainRow): LastAct {
  // While older ledgers are put on a chain there is no such log yet.
  if ((seq ?? 0) === 0) return { seq: 0, hash: BEFORE_AUDITS };
  const hash = db.prepare("SELECT hash FROM audit_log WHERE seq = ?").pluck().get(seq) as
    | Uint8Array
    | undefined;
  if (hash === undefined)
    throw new LedgerDamaged(
      `entry ${seq} of the log of audits, at which the ledger's chain ends, is not there`,
    );
  return { seq, hash };
}

/** Reads the rows of a batch, a bounded number at a time. */
export function chainReader(db: Database) {
  const ofBatch = db.prepare(
    `SELECT ${CHAINED_COLUMNS} FROM decisions d LEFT JOIN reviews r ON r.id = d.review
     WHERE d.id > ? AND d.id <= ? ORDER BY d.id LIMIT ${ROWS_PER_READ}`,
  );
  const ofCarried = db.prepare(
    `SELECT ${CHAINED_COLUMNS} FROM carried c JOIN decisions d ON d.id = c.decision LEFT JOIN reviews r ON r.id = d.review
     WHERE c.seq = ? AND c.decision > ? ORDER BY c.decision LIMIT ${ROWS_PER_READ}`,
  );
  return function* rowsOf({ seq, first, last }: ChainRow): Generator<ChainedRow> {
    const isCarried = first > last;
    for (let after = isCarried ? 0 : first - 1; ; ) {
      const rows = (isCarried ? ofCarried.all(seq, after) : ofBatch.all(after, last)) as ChainedRow[];
      yield* rows;
      if (rows.length < ROWS_PER_READ) return;
      after = rows.at(-1)!.id;
    }
  };
}

/** Reads the transitions of a batch: those behind one number, up to another. */
export function eventReader(db: Database) {
  const between = db.prepare(
    `SELECT ${EVENT_COLUMNS} FROM review_events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ${ROWS_PER_READ}`,
  );
  return function* eventsOf(after: number, last: number): Generator<EventRow> {
    for (let from = after; from < last; ) {
      const rows = between.all(from, last) as EventRow[];
      yield* rows;
      if (rows.length < ROWS_PER_READ) return;
      from = rows.at(-1)!.seq;
    }
  };
}

/** Puts the decisions of a ledger that had no chain yet on one, inside the caller's transaction. */
export function chainExisting(db: Database): void {
  const chain = openChain(db);
  const rowsOf = chainReader(db);
  let rows: ChainedRow[] = [];
  const end = (): void => {
    if (rows.length === 0) return;
    // Ids of decisions follow each other: only whole transactions have ever been written.
    const atMs = rows.at(-1)!.decidedAtMs;
    chain.begin(atMs);
    for (const row of rows) chain.add(row, row);
    chain.committed(chain.end(rows[0]!.id, rows.at(-1)!.id, atMs));
    rows = [];
  };
  for (const row of rowsOf({ ...chain.head(), first: 1, last: Number.MAX_SAFE_INTEGER })) {
    rows.push(row);
    if (rows.length === ROWS_PER_READ) end();
  }
  end();
}
