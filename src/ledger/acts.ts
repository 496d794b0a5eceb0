/**
 * The acts in the ledger: what changed how stations judge, and what was refused. Retention deletes none of them, so they
 * hang on a chain of their own, whose end every batch of the ledger's chain covers.
 */

import { hash } from "node:crypto";
import type { ActBook, ActKind, ActRow } from "../gateway/ports.ts";
import type { Database } from "../sqlite/database.ts";
import type { Chain } from "./chain.ts";
import { wellFormed } from "./well-formed.ts";

/**
 * A migration's step. Batches written before it have no `acts` and no `base`; by this their encoding is known. `base` is
 * where the chain began when the batch was written: who cuts it shorter leaves one that says otherwise.
 */
export const ACTS_STEP = `
  CREATE TABLE acts (
    seq INTEGER PRIMARY KEY,
    station TEXT NOT NULL,
    kind TEXT NOT NULL,
    revision INTEGER,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL
  ) STRICT;
  CREATE INDEX acts_by_station ON acts (station, kind, seq);
  CREATE TRIGGER acts_stay_as_written BEFORE UPDATE ON acts
    BEGIN SELECT RAISE(ABORT, 'an act is written once'); END;
  CREATE TRIGGER acts_stay BEFORE DELETE ON acts
    BEGIN SELECT RAISE(ABORT, 'an act is never deleted'); END;

  ALTER TABLE chain ADD COLUMN acts INTEGER;
  ALTER TABLE chain ADD COLUMN base INTEGER;
  -- The content type of the frame that was kept, which the chain covers when the frame has left.
  ALTER TABLE reviews ADD COLUMN frame_type TEXT;
`;

const BEFORE_ACTS: Uint8Array = new Uint8Array(32);

/**
 * Behind which the first act hangs: nothing, or the SHA-256 of what the ledger says of those that were set aside before
 * it was begun, in JSON. So every batch covers that too.
 */
export function beginOfActs(db: Database): Uint8Array {
  const setAside = db.prepare("SELECT at, file, reason FROM set_aside ORDER BY rowid").raw().all();
  return setAside.length === 0 ? BEFORE_ACTS : hash("sha256", JSON.stringify(setAside), "buffer");
}

const COLUMNS = "seq, station, kind, revision, at AS atMs, body";
const ABSENT = 0xff;

/**
 * The hash of an act: SHA-256 of the hash of the act before it, its seq, time and revision (float64, all bits set where
 * absent), the lengths of station, kind and body (uint32, in bytes), and these texts in UTF-8; little-endian.
 */
export function hashOfAct(before: Uint8Array, { seq, atMs, revision, station, kind, body }: ActRow): Buffer {
  const texts = [station, kind, body].map((text) => Buffer.from(text, "utf8"));
  const fixed = Buffer.alloc(8 * 3 + 4 * texts.length, ABSENT);
  fixed.writeDoubleLE(seq, 0);
  fixed.writeDoubleLE(atMs, 8);
  if (revision !== null) fixed.writeDoubleLE(revision, 16);
  texts.forEach(({ length }, i) => void fixed.writeUInt32LE(length, 24 + 4 * i));
  return hash("sha256", Buffer.concat([before, fixed, ...texts]), "buffer");
}

/** The book, but for what it does on a full disk. */
export function openActs(db: Database, chain: Chain): ActBook {
  const insert = db.prepare("INSERT INTO acts VALUES (?, ?, ?, ?, ?, ?, ?)");
  const write = db.transaction((acts: readonly Omit<ActRow, "seq">[]) => {
    const { last } = chain.head();
    const atMs = acts.at(-1)!.atMs;
    chain.begin(atMs);
    const rows = acts.map((act) => {
      const { seq: lastSeq, hash: before } = chain.lastAct();
      const { kind, revision } = act;
      const row = {
        seq: lastSeq + 1,
        station: wellFormed(act.station),
        kind,
        revision,
        atMs: act.atMs,
        body: wellFormed(act.body),
      };
      const ownHash = hashOfAct(before, row);
      insert.run(row.seq, row.station, kind, revision, row.atMs, row.body, ownHash);
      chain.addAct(row.seq, ownHash);
      return row;
    });
    return { rows, end: chain.end(last + 1, last, atMs) };
  });

  return {
    append(acts) {
      if (acts.length === 0) return [];
      const { rows, end } = write(acts);
      chain.committed(end);
      return rows;
    },

    ...actsReader(db),
  };
}

/** The acts, to be read. */
export function actsReader(db: Database): Pick<ActBook, "latest" | "list"> {
  const latest = db.prepare(
    `SELECT ${COLUMNS} FROM acts WHERE station = ? AND kind = ? ORDER BY seq DESC LIMIT 1`,
  );
  const list = db.prepare(
    `SELECT ${COLUMNS} FROM acts
     WHERE seq < @before AND (@station IS NULL OR station = @station)
       AND (@kinds IS NULL OR kind IN (SELECT value FROM json_each(@kinds)))
     ORDER BY seq DESC LIMIT @limit`,
  );
  return {
    latest: (station: string, kind: ActKind) => latest.get(station, kind) as ActRow | undefined,

    list: ({ station, kinds, limit, before }) =>
      list.all({
        station: station ?? null,
        kinds: kinds === undefined ? null : JSON.stringify(kinds),
        limit,
        before: before ?? Number.MAX_SAFE_INTEGER,
      }) as ActRow[],
  };
}
