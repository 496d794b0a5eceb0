/**
 * The log of audits: how passed parts were drawn and what became of it, in order. As the acts it hangs on a chain of its
 * own, whose end every batch of the ledger's chain covers, and retention deletes nothing of it.
 */

import { hash } from "node:crypto";
import type { Database } from "../sqlite/database.ts";
import type { Chain } from "./chain.ts";

/**
 * A migration's step. `audit_runs` is the end of the log as it grows: parts that passed and were not drawn since the last
 * entry of their station and revision. Each part's place among the passed ones stands in its decision, under the chain.
 */
export const AUDITS_STEP = `
  CREATE TABLE audit_log (
    seq INTEGER PRIMARY KEY,
    station TEXT NOT NULL,
    revision INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    ordinal INTEGER,
    count INTEGER,
    pi REAL,
    pi_min REAL,
    audit TEXT,
    decision INTEGER,
    bundle TEXT,
    deadline_at INTEGER,
    question TEXT,
    is_bad INTEGER,
    details TEXT,
    frames_digest BLOB,
    hash BLOB NOT NULL
  ) STRICT;
  CREATE INDEX audit_log_by_ordinal ON audit_log (station, revision, ordinal) WHERE ordinal IS NOT NULL;
  CREATE INDEX audit_log_by_audit ON audit_log (audit) WHERE audit IS NOT NULL;
  CREATE TRIGGER audit_log_stays_as_written BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the log of audits is written once'); END;
  CREATE TRIGGER audit_log_stays BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the log of audits is never deleted'); END;

  CREATE TABLE audit_runs (
    station TEXT NOT NULL,
    revision INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    count INTEGER NOT NULL,
    pi REAL NOT NULL,
    pi_min REAL NOT NULL,
    -- The decision of the last part that passed.
    last INTEGER NOT NULL,
    PRIMARY KEY (station, revision)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audits (
    decision INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    station TEXT NOT NULL,
    source TEXT NOT NULL,
    frame TEXT NOT NULL,
    part TEXT,
    revision INTEGER NOT NULL,
    bundle TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    pi REAL NOT NULL,
    pi_min REAL NOT NULL,
    drawn_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    -- Frames of the part that were kept; null where not all of them were.
    frames INTEGER,
    frames_digest BLOB,
    teacher TEXT NOT NULL,
    teacher_at INTEGER,
    person TEXT NOT NULL,
    person_at INTEGER
  ) STRICT;
  CREATE INDEX audits_by_station ON audits (station, decision);
  CREATE INDEX audits_by_ordinal ON audits (station, revision, ordinal);
  CREATE INDEX audits_waiting ON audits (decision) WHERE teacher = 'waiting';
  CREATE INDEX audits_due ON audits (deadline_at) WHERE teacher = 'waiting' OR person = 'waiting';
  CREATE INDEX audits_open ON audits (station, deadline_at) WHERE teacher = 'waiting' OR person = 'waiting';

  -- Frames of audited parts that have more than the one that their review shows.
  CREATE TABLE audit_frames (
    decision INTEGER NOT NULL REFERENCES decisions(id),
    place INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (decision, place)
  ) STRICT;

  -- Reviews that show a frame of which it is known what it shows; they outlive their reviews.
  CREATE TABLE known_reviews (
    review TEXT PRIMARY KEY,
    station TEXT NOT NULL,
    label TEXT NOT NULL,
    -- Whether the reviewer saw it; null where nobody has answered.
    found INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX known_reviews_by_station ON known_reviews (station, found);

  CREATE TABLE audit_seeds (
    commitment TEXT PRIMARY KEY, station TEXT NOT NULL, revision INTEGER NOT NULL, seed TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- The place of a passed part among those of its station and revision, where parts are drawn.
  ALTER TABLE decisions ADD COLUMN passed_as INTEGER;
  -- The last entry of the log in this batch, or before it where it has none.
  ALTER TABLE chain ADD COLUMN audits INTEGER NOT NULL DEFAULT 0;
`;

/** Behind which the first entry hangs. */
export const BEFORE_AUDITS: Uint8Array = new Uint8Array(32);

/**
 * `policy`: from here on parts are drawn with `pi`. `passed`: `count` parts from `ordinal` on passed and were not drawn.
 * `drawn`: one was. `answered`, `unanswered`: a question is settled. `late`: an answer that is not counted. `known`: a
 * known frame is asked about in the name of a part that was not drawn; `seen`: what a reviewer made of it, bad where it
 * was missed.
 */
export type EntryKind = "policy" | "passed" | "drawn" | "answered" | "unanswered" | "late" | "known" | "seen";

/** One entry of the log; what does not belong to its kind is null. */
export interface Entry {
  readonly station: string;
  readonly revision: number;
  readonly kind: EntryKind;
  readonly at: number;
  readonly ordinal: number | null;
  readonly count: number | null;
  readonly pi: number | null;
  readonly piMin: number | null;
  readonly audit: string | null;
  readonly decision: number | null;
  readonly bundle: string | null;
  readonly deadlineAt: number | null;
  readonly question: string | null;
  readonly isBad: number | null;
  /**
   * Of a drawn part, where it is from: JSON [source, frame, part, frames kept]. Of an answer, what came with it. Of
   * `known`, its label.
   */
  readonly details: string | null;
  readonly framesDigest: Uint8Array | null;
}

const NOTHING = {
  ...{ ordinal: null, count: null, pi: null, piMin: null, audit: null, decision: null, bundle: null },
  ...{ deadlineAt: null, question: null, isBad: null, details: null, framesDigest: null },
} as const;

/** The hash of an entry: SHA-256 of the hash before it and of its members, in their order, as a JSON array. */
export function hashOfEntry(before: Uint8Array, seq: number, entry: Entry): Buffer {
  const { station, revision, kind, at, ordinal, count, pi, piMin, audit, decision, bundle } = entry;
  const { deadlineAt, question, isBad, details, framesDigest } = entry;
  const digest = framesDigest === null ? null : Buffer.from(framesDigest).toString("hex");
  const members = JSON.stringify([
    ...[seq, station, revision, kind, at, ordinal, count, pi, piMin, audit, decision, bundle],
    ...[deadlineAt, question, isBad, details, digest],
  ]);
  return hash("sha256", Buffer.concat([before, Buffer.from(members)]), "buffer");
}

export type AuditLog = ReturnType<typeof openAuditLog>;

/** Writes entries, inside the transaction of a batch that has been begun. */
export function openAuditLog(db: Database, chain: Chain) {
  const insert = db.prepare(
    `INSERT INTO audit_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return {
    add(entry: Pick<Entry, "station" | "revision" | "kind" | "at"> & Partial<Omit<Entry, "kind">>): void {
      const whole: Entry = { ...NOTHING, ...entry };
      const { seq: last, hash: before } = chain.lastAudit();
      const own = hashOfEntry(before, last + 1, whole);
      insert.run(
        ...[last + 1, whole.station, whole.revision, whole.kind, whole.at, whole.ordinal, whole.count],
        ...[whole.pi, whole.piMin, whole.audit, whole.decision, whole.bundle, whole.deadlineAt],
        ...[whole.question, whole.isBad, whole.details, whole.framesDigest, own],
      );
      chain.addAudit(last + 1, own);
    },
  };
}
