/** The ledger's tables, as numbered steps; a step that has run anywhere is never changed. */

import { hash } from "node:crypto";
import type { Database } from "../sqlite/database.ts";
import { ACTS_STEP } from "./acts.ts";
import { AUDITS_STEP } from "./audit-log.ts";
import { chainExisting } from "./chain.ts";
import { LedgerError } from "./errors.ts";
import { MONITORS_STEP } from "./monitors.ts";
import { PARTS_STEP } from "./parts.ts";
import { SHADOW_STEP } from "./shadow.ts";

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
  // The chain's first row stands for all before it: at the beginning nothing, after retention what has been deleted.
  // Of an alert and a frame, which leave the ledger before their decision does, the digest stays.
  `
  CREATE TABLE chain (
    seq INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    at INTEGER NOT NULL,
    hash BLOB NOT NULL
  ) STRICT;
  INSERT INTO chain VALUES (0, 1, 0, 0, zeroblob(32));

  -- Decisions that outlived the batch they were committed in, and the batch that has them now.
  CREATE TABLE carried (decision INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
  CREATE INDEX carried_by_seq ON carried (seq);

  ALTER TABLE reviews ADD COLUMN alert_digest BLOB;
  ALTER TABLE reviews ADD COLUMN frame_digest BLOB;
  CREATE INDEX reviews_by_decision ON reviews (decision);
  CREATE INDEX outbox_by_review ON outbox (review);

  CREATE TABLE frames (
    decision INTEGER PRIMARY KEY REFERENCES decisions(id),
    content_type TEXT NOT NULL,
    payload BLOB NOT NULL
  ) STRICT;

  -- A counter is in no chain: its mirror shows a damaged one.
  ALTER TABLE counters ADD COLUMN mirror INTEGER NOT NULL DEFAULT 0;
  INSERT INTO counters (name, value) SELECT 'alerts', count(*) FROM outbox;
  UPDATE counters SET mirror = -1 - value;

  -- Files that were here before and could not be trusted.
  CREATE TABLE set_aside (at INTEGER NOT NULL, file TEXT NOT NULL, reason TEXT NOT NULL) STRICT;

  PRAGMA application_id = 1397445448;
  `,
  // A review as it is now; how it came to be so is in its events, which the chain covers.
  `
  ALTER TABLE reviews ADD COLUMN source TEXT NOT NULL DEFAULT '';
  ALTER TABLE reviews ADD COLUMN reason TEXT NOT NULL DEFAULT '';
  ALTER TABLE reviews ADD COLUMN priority REAL NOT NULL DEFAULT 1;
  ALTER TABLE reviews ADD COLUMN lead TEXT;
  ALTER TABLE reviews ADD COLUMN announced_at INTEGER;
  ALTER TABLE reviews ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE reviews ADD COLUMN acted_revision INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE reviews ADD COLUMN overdue INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE reviews ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE reviews ADD COLUMN claimed_by TEXT;
  ALTER TABLE reviews ADD COLUMN claimed_until INTEGER;
  ALTER TABLE reviews ADD COLUMN verdict TEXT;
  ALTER TABLE reviews ADD COLUMN class TEXT;
  ALTER TABLE reviews ADD COLUMN reviewer TEXT;
  ALTER TABLE reviews ADD COLUMN vouched INTEGER;
  ALTER TABLE reviews ADD COLUMN resolved_at INTEGER;
  UPDATE reviews SET announced_at = opened_at, (source, reason, priority) =
    (SELECT d.source, d.reason, coalesce(d.score, 1) FROM decisions d WHERE d.id = reviews.decision);

  DROP INDEX reviews_open;
  CREATE INDEX reviews_waiting ON reviews (station, opened_at) WHERE resolved_at IS NULL;
  CREATE INDEX reviews_ranked ON reviews (priority DESC, opened_at, id) WHERE resolved_at IS NULL;
  CREATE INDEX reviews_due ON reviews (deadline_at) WHERE resolved_at IS NULL AND overdue = 0;
  CREATE INDEX reviews_claimed ON reviews (claimed_until) WHERE claimed_until IS NOT NULL;
  CREATE INDEX reviews_held ON reviews (station, source, reason, priority, opened_at) WHERE state = 'held';
  CREATE INDEX reviews_announced ON reviews (announced_at) WHERE announced_at IS NOT NULL;

  CREATE TABLE review_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    review TEXT NOT NULL,
    revision INTEGER NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    overdue INTEGER NOT NULL,
    count INTEGER NOT NULL,
    announced_at INTEGER,
    claimed_until INTEGER,
    person TEXT,
    via TEXT,
    vouched INTEGER,
    verdict TEXT,
    class TEXT,
    transaction_id TEXT,
    digest BLOB
  ) STRICT;
  CREATE INDEX review_events_by_review ON review_events (review, revision);
  -- Which transition a message tells of; 1 is the opening.
  ALTER TABLE outbox ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
  -- The last event of the batch, or of those before it.
  ALTER TABLE chain ADD COLUMN events INTEGER NOT NULL DEFAULT 0;
  `,
  PARTS_STEP,
  // Looking back over what is closed, which there may be much of, must not hold up frames.
  `
  CREATE INDEX reviews_closed
    ON reviews (priority DESC, opened_at, id, state, station, source, reason, resolved_at)
    WHERE resolved_at IS NOT NULL;
  `,
  ACTS_STEP,
  AUDITS_STEP,
  SHADOW_STEP,
  MONITORS_STEP,
];

/** "SKSH": by which a file is known as a ledger even where its tables can no longer be read. */
export const APPLICATION_ID = 0x534b5348;
/** What `user_version` says of a ledger of this version. */
export const LEDGER_VERSION = MIGRATIONS.length;
const VERSION_WITH_CHAIN = 2;

/**
 * Brings a ledger to this version, whole or not at all.
 * @throws if it was written by a newer version
 */
export function migrate(db: Database, file: string): void {
  const version = db.pragma("user_version", { simple: true }) as number;
  if (version > LEDGER_VERSION) {
    throw new LedgerError(
      `${file}: this ledger is of version ${version}, this Sekisho knows versions up to ${LEDGER_VERSION}; run the newer one`,
    );
  }
  if (version === LEDGER_VERSION) return;
  db.transaction(() => {
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    if (version < VERSION_WITH_CHAIN) {
      digestAlerts(db);
      chainExisting(db);
    }
    db.pragma(`user_version = ${LEDGER_VERSION}`);
  })();
}

/** The first version announced every review, and kept no digest of an alert. Of one that has left, nobody knows it. */
function digestAlerts(db: Database): void {
  db.exec("UPDATE reviews SET alert_digest = zeroblob(32)");
  const note = db.prepare("UPDATE reviews SET alert_digest = ? WHERE id = ?");
  const alerts = db.prepare("SELECT review, body FROM outbox").all() as { review: string; body: string }[];
  for (const { review, body } of alerts) note.run(hash("sha256", body, "buffer"), review);
}
