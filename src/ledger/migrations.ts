/** The ledger's tables, as numbered steps; a step that has run anywhere is never changed. */

import type { Database } from "../sqlite/database.ts";

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    station TEXT NOT NULL,
    source TEXT NOT NULL,
    frame TEXT NOT NULL,
    identified INTEGER NOT NULL,
    part TEXT,
    received_at INTEGER NOT NULL,
    decided_at INTEGER NOT NULL,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    would TEXT,
    class TEXT,
    class_index INTEGER,
    confidence REAL,
    score REAL,
    lambda REAL,
    band_low REAL,
    band_high REAL,
    novelty REAL,
    mode TEXT NOT NULL,
    revision INTEGER NOT NULL,
    bundle TEXT NOT NULL,
    correlation BLOB,
    review TEXT
  ) STRICT;
  CREATE INDEX decisions_by_frame ON decisions (source, frame, station) WHERE identified;

  CREATE TABLE reviews (
    id TEXT PRIMARY KEY,
    station TEXT NOT NULL,
    decision INTEGER NOT NULL REFERENCES decisions(id),
    opened_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    state TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX reviews_open ON reviews (station, opened_at) WHERE state = 'open';

  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    review TEXT NOT NULL REFERENCES reviews(id),
    station TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;

  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  -- The epoch tells the ids made with this file from those made with another.
  INSERT INTO counters VALUES ('published', 0), ('session', 0), ('epoch', abs(random() % 2147483648));
  `,
];

/**
 * Brings a ledger to this version.
 * @throws if it was written by a newer version
 */
export function migrate(db: Database, file: string): void {
  const version = db.pragma("user_version", { simple: true }) as number;
  if (version > MIGRATIONS.length) {
    throw new Error(
      `${file}: this ledger is of version ${version}, this Sekisho knows versions up to ${MIGRATIONS.length}; run the newer one`,
    );
  }
  for (const [i, step] of MIGRATIONS.entries()) {
    if (i < version) continue;
    db.transaction(() => {
      db.exec(step);
      db.pragma(`user_version = ${i + 1}`);
    })();
  }
}
