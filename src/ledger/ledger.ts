/** The durable record: SQLite, one transaction a batch, on disk before anyone is told. */

import {
  type Committed,
  type DecisionRecord,
  type Judged,
  type PendingAlert,
  recordOf,
} from "../core/record.ts";
import { Database } from "../sqlite/database.ts";
import { migrate } from "./migrations.ts";

export interface LedgerOptions {
  readonly path: string;
  /** How long a frame id stands for the same frame of its source. */
  readonly dedupeWindowMs: number;
}

/** A ledger that cannot be used, with what to do about it. */
export class LedgerError extends Error {
  override readonly name = "LedgerError";
}

export type Ledger = ReturnType<typeof openLedger>;

const RECORD_COLUMNS = `
  id, station, source, frame, part, decided_at AS decidedAtMs, decision, reason, would,
  class AS className, class_index AS classIndex, confidence, score, lambda, band_low AS bandLow, band_high AS bandHigh,
  novelty, mode, revision, correlation`;

/**
 * Opens or makes a ledger. All calls are synchronous: when one returns, what it wrote is on disk.
 * @throws if the file cannot be opened, is no ledger, or `synchronous=FULL` does not hold
 */
export function openLedger({ path, dedupeWindowMs }: LedgerOptions) {
  const db = openDatabase(path);
  // better-sqlite3 is compiled so that WAL means NORMAL, which may lose the last commits at a power cut.
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  if (db.pragma("synchronous", { simple: true }) !== 2) {
    throw new LedgerError(
      `${path}: synchronous=FULL does not hold; decisions would not be safe at a power cut`,
    );
  }
  db.pragma("foreign_keys = ON");
  db.pragma("journal_size_limit = 67108864");
  migrate(db, path);

  const statements = prepare(db);
  const appendRow = (judged: Judged): Committed => {
    const { frame } = judged;
    if (frame.identified) {
      const since = judged.decidedAtMs - dedupeWindowMs;
      const earlier = statements.earlier.get(frame.source, frame.id, frame.station, since) as
        | DecisionRecord
        | undefined;
      if (earlier !== undefined) return { record: earlier, isRedelivery: true };
    }
    const record = recordOf(judged, 0);
    const { lastInsertRowid } = statements.decision.run(
      ...[record.station, record.source, record.frame, frame.identified ? 1 : 0, record.part],
      ...[frame.receivedAtMs, record.decidedAtMs, record.decision, record.reason, record.would],
      ...[record.className, record.classIndex, record.confidence, record.score, record.lambda],
      ...[record.bandLow, record.bandHigh, record.novelty, record.mode, record.revision],
      ...[judged.bundle, record.correlation, judged.review?.id ?? null],
    );
    const id = Number(lastInsertRowid);
    if (judged.review !== undefined) {
      const { id: review, deadlineAtMs, alert } = judged.review;
      statements.review.run(review, frame.station, id, judged.decidedAtMs, deadlineAtMs);
      statements.alert.run(review, frame.station, alert);
    }
    return { record: { ...record, id }, isRedelivery: false };
  };

  const appendBatch = db.transaction((batch: readonly Judged[]): readonly Committed[] =>
    batch.map(appendRow),
  );
  // Counted once and kept, since counting rows takes longer the more reviews are open.
  const open = new Map(statements.openByStation.all() as [string, number][]);

  return {
    /** Commits a batch: decisions, reviews and their alerts together, or nothing. */
    append(batch: readonly Judged[]): readonly Committed[] {
      const committed = appendBatch(batch);
      for (const [i, { review, frame }] of batch.entries()) {
        const opened = review !== undefined && !committed[i]!.isRedelivery;
        if (opened) open.set(frame.station, (open.get(frame.station) ?? 0) + 1);
      }
      return committed;
    },

    /** Decisions behind the cursor, oldest first. */
    decisionsAfter: (id: number, limit: number): readonly DecisionRecord[] =>
      statements.after.all(id, limit) as DecisionRecord[],

    /** Alerts not yet delivered, oldest first, from those with a larger id. */
    alertsAfter: (id: number, limit: number): readonly PendingAlert[] =>
      statements.alertsAfter.all(id, limit) as PendingAlert[],

    alertsPending: (): number => statements.alertsPending.get() as number,

    /** The id up to which every decision has been published. */
    publishedUpTo: (): number => statements.counter.get("published") as number,

    /** Notes what has left: the publish cursor, and alerts that the broker has acknowledged. */
    settle: db.transaction((publishedUpTo: number, alertIds: readonly number[]): void => {
      statements.setCounter.run(publishedUpTo, "published");
      for (const id of alertIds) statements.delivered.run(id);
    }),

    /** Counts one more run of the gateway and returns its number. */
    nextSession: db.transaction((): number => {
      const session = (statements.counter.get("session") as number) + 1;
      statements.setCounter.run(session, "session");
      return session;
    }),

    /** Drawn when the file was made: ids that begin with it are never made with another file. */
    epoch: (): number => statements.counter.get("epoch") as number,

    reviewsOpen: (station: string): { readonly count: number; readonly oldestAtMs: number | null } => ({
      count: open.get(station) ?? 0,
      oldestAtMs: statements.oldestOpen.get(station) as number | null,
    }),

    close(): void {
      try {
        db.pragma("wal_checkpoint(TRUNCATE)");
      } finally {
        db.close();
      }
    },
  };
}

function openDatabase(path: string): Database {
  try {
    const db = new Database(path);
    db.pragma("schema_version");
    return db;
  } catch (error) {
    throw new LedgerError(
      `${path}: cannot open the ledger: ${(error as Error).message}; set ledger.path to another place`,
    );
  }
}

function prepare(db: Database) {
  return {
    earlier: db.prepare(
      `SELECT ${RECORD_COLUMNS} FROM decisions
       WHERE source = ? AND frame = ? AND station = ? AND identified AND decided_at >= ? ORDER BY id DESC LIMIT 1`,
    ),
    decision: db.prepare(`INSERT INTO decisions (
        station, source, frame, identified, part, received_at, decided_at, decision, reason, would,
        class, class_index, confidence, score, lambda, band_low, band_high, novelty, mode, revision, bundle,
        correlation, review
      ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    review: db.prepare("INSERT INTO reviews VALUES (?, ?, ?, ?, ?, 'open')"),
    alert: db.prepare("INSERT INTO outbox (review, station, body) VALUES (?, ?, ?)"),
    after: db.prepare(`SELECT ${RECORD_COLUMNS} FROM decisions WHERE id > ? ORDER BY id LIMIT ?`),
    alertsAfter: db.prepare("SELECT id, station, body FROM outbox WHERE id > ? ORDER BY id LIMIT ?"),
    alertsPending: db.prepare("SELECT count(*) FROM outbox").pluck(),
    delivered: db.prepare("DELETE FROM outbox WHERE id = ?"),
    counter: db.prepare("SELECT value FROM counters WHERE name = ?").pluck(),
    setCounter: db.prepare("UPDATE counters SET value = ? WHERE name = ?"),
    openByStation: db
      .prepare("SELECT station, count(*) FROM reviews WHERE state = 'open' GROUP BY station")
      .raw(),
    oldestOpen: db.prepare("SELECT min(opened_at) FROM reviews WHERE station = ? AND state = 'open'").pluck(),
  };
}
