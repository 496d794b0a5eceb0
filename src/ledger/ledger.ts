/** The durable record: SQLite, one transaction a batch, on disk before anyone is told. */

import Database from "better-sqlite3";
import type { Committed, DecisionRecord, Judged, PendingAlert } from "../core/record.ts";
import { migrate } from "./migrations.ts";

export interface LedgerOptions {
  readonly path: string;
  /** How long a frame id stands for the same frame of its source. */
  readonly dedupeWindowMs: number;
}

export type Ledger = ReturnType<typeof openLedger>;

const RECORD_COLUMNS = `
  id, station, source, frame, part, decided_at AS decidedAtMs, decision, reason, would,
  class_index AS classIndex, confidence, score, lambda, band_low AS bandLow, band_high AS bandHigh,
  novelty, mode, revision, correlation`;

/**
 * Opens or makes a ledger. All calls are synchronous: when one returns, what it wrote is on disk.
 * @throws if the file cannot be opened, is no ledger, or `synchronous=FULL` does not hold
 */
export function openLedger({ path, dedupeWindowMs }: LedgerOptions) {
  const db = new Database(path);
  // better-sqlite3 is compiled so that WAL means NORMAL, which may lose the last commits at a power cut.
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  if (db.pragma("synchronous", { simple: true }) !== 2) {
    throw new Error(`${path}: synchronous=FULL does not hold; decisions would not be safe at a power cut`);
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
      ...[record.classIndex, record.confidence, record.score, record.lambda],
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

  return {
    /** Commits a batch: decisions, reviews and their alerts together, or nothing. */
    append: db.transaction((batch: readonly Judged[]): readonly Committed[] => batch.map(appendRow)),

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

    reviewsOpen: (station: string): { readonly count: number; readonly oldestAtMs: number | null } =>
      statements.reviewsOpen.get(station) as { count: number; oldestAtMs: number | null },

    close(): void {
      db.pragma("wal_checkpoint(TRUNCATE)");
      db.close();
    },
  };
}

function prepare(db: Database.Database) {
  return {
    earlier: db.prepare(
      `SELECT ${RECORD_COLUMNS} FROM decisions
       WHERE source = ? AND frame = ? AND station = ? AND identified AND decided_at >= ? ORDER BY id DESC LIMIT 1`,
    ),
    decision: db.prepare(`INSERT INTO decisions (
        station, source, frame, identified, part, received_at, decided_at, decision, reason, would,
        class_index, confidence, score, lambda, band_low, band_high, novelty, mode, revision, bundle,
        correlation, review
      ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    review: db.prepare("INSERT INTO reviews VALUES (?, ?, ?, ?, ?, 'open')"),
    alert: db.prepare("INSERT INTO outbox (review, station, body) VALUES (?, ?, ?)"),
    after: db.prepare(`SELECT ${RECORD_COLUMNS} FROM decisions WHERE id > ? ORDER BY id LIMIT ?`),
    alertsAfter: db.prepare("SELECT id, station, body FROM outbox WHERE id > ? ORDER BY id LIMIT ?"),
    alertsPending: db.prepare("SELECT count(*) FROM outbox").pluck(),
    delivered: db.prepare("DELETE FROM outbox WHERE id = ?"),
    counter: db.prepare("SELECT value FROM counters WHERE name = ?").pluck(),
    setCounter: db.prepare("UPDATE counters SET value = ? WHERE name = ?"),
    reviewsOpen: db.prepare(
      "SELECT count(*) AS count, min(opened_at) AS oldestAtMs FROM reviews WHERE station = ? AND state = 'open'",
    ),
  };
}

function recordOf(
  { frame, decision, prediction, lambda, mode, revision, decidedAtMs }: Judged,
  id: number,
): DecisionRecord {
  return {
    id,
    station: frame.station,
    source: frame.source,
    frame: frame.id,
    part: frame.part ?? null,
    decidedAtMs,
    decision: decision.kind,
    reason: decision.reason,
    would: "would" in decision ? `${decision.would.kind}:${decision.would.reason}` : null,
    classIndex: prediction === undefined || prediction.classIndex < 0 ? null : prediction.classIndex,
    confidence: finite(prediction?.confidence),
    score: finite(prediction?.score),
    lambda: finite(lambda),
    bandLow: finite(prediction?.bandLow),
    bandHigh: finite(prediction?.bandHigh),
    novelty: finite(prediction?.novelty),
    mode,
    revision,
    correlation: frame.correlation ?? null,
  };
}

/** SQLite stores no NaN; what is not finite is absent. */
function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
