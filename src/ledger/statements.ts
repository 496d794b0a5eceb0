/** The statements of the ledger's main path, prepared once. */

import type { Left } from "../core/record.ts";
import type { Database } from "../sqlite/database.ts";
import { RECORD_COLUMNS } from "./columns.ts";

export function prepareStatements(db: Database) {
  const set = db.prepare("UPDATE counters SET value = ?, mirror = ? WHERE name = ?");
  const add = db.prepare("UPDATE counters SET value = value + ?, mirror = mirror - ? WHERE name = ?");
  const delivered = db.prepare("DELETE FROM outbox WHERE id = ?");
  const setCounter = (name: string, value: number): void => void set.run(value, -1 - value, name);
  return {
    earlier: db.prepare(
      `SELECT ${RECORD_COLUMNS} FROM decisions d
       WHERE source = ? AND frame = ? AND station = ? AND identified AND decided_at >= ? ORDER BY id DESC LIMIT 1`,
    ),
    decision: db.prepare(`INSERT INTO decisions (
        station, source, frame, identified, part, received_at, decided_at, decision, reason, would,
        class, class_index, confidence, score, lambda, band_low, band_high, novelty, mode, revision, bundle,
        correlation, review, passed_as
      ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    review: db.prepare(
      `INSERT INTO reviews (
         id, station, source, reason, decision, opened_at, deadline_at, priority, lead, state, announced_at,
         alert_digest, frame_digest, frame_type
       ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    alert: db.prepare("INSERT INTO outbox (review, station, body) VALUES (?, ?, ?)"),
    after: db.prepare(`SELECT ${RECORD_COLUMNS} FROM decisions d WHERE id > ? ORDER BY id LIMIT ?`),
    alertsAfter: db.prepare("SELECT id, station, body FROM outbox WHERE id > ? ORDER BY id LIMIT ?"),
    counter: db.prepare("SELECT value FROM counters WHERE name = ?").pluck(),
    setCounter,
    addToCounter: (name: string, by: number): void => void add.run(by, by, name),
    /** Inside a transaction that also counts down the alerts; returns how many have left the outbox. */
    noteLeft({ publishedUpTo, alertIds }: Left): number {
      setCounter("published", publishedUpTo);
      let settled = 0;
      for (const id of alertIds) settled += delivered.run(id).changes;
      return settled;
    },
    setAside: db.prepare(
      `SELECT strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS at, file, reason
       FROM set_aside ORDER BY at`,
    ),
  };
}

export type Statements = ReturnType<typeof prepareStatements>;
