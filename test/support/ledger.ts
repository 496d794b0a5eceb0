/** Real ledgers in folders of their own. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChainRow, chainReader, eventReader } from "../../src/ledger/chain.ts";
import { createChainHasher } from "../../src/ledger/chain-encoding.ts";
import { type LedgerOptions, openLedger } from "../../src/ledger/ledger.ts";
import type { Database } from "../../src/sqlite/database.ts";

export const DAY_MS = 86_400_000;

export function aLedgerFile(): string {
  return join(mkdtempSync(join(tmpdir(), "sekisho-ledger-")), "test.ledger");
}

/** A ledger that keeps all it gets, without ballast; each option says what a test is about. */
export function aRealLedger(is: Partial<LedgerOptions> = {}) {
  return openLedger({
    path: is.path ?? aLedgerFile(),
    dedupeWindowMs: DAY_MS,
    retentionMs: 90 * DAY_MS,
    bytesMax: 1 << 30,
    frameBytesKeptMax: 1 << 20,
    ballastBytes: 0,
    nowMs: () => 1000,
    ...is,
  });
}

/** Takes from a ledger without acts and audits what their steps added, and hashes its batches as they were before it. */
export function undoActs(db: Database): void {
  const rowsOf = chainReader(db);
  const eventsOf = eventReader(db);
  const hasher = createChainHasher();
  const rehash = db.prepare("UPDATE chain SET hash = ? WHERE seq = ?");
  let before: ChainRow | undefined;
  for (const row of db.prepare("SELECT * FROM chain ORDER BY seq").all() as ChainRow[]) {
    if (before === undefined) {
      before = row;
      continue;
    }
    hasher.begin(before.hash, row.seq, row.at, false);
    for (const one of rowsOf(row)) hasher.add(one, one);
    for (const event of eventsOf(before.events, row.events)) hasher.addEvent(event);
    before = { ...row, hash: hasher.end() };
    rehash.run(before.hash, before.seq);
  }
  db.exec(`DROP TABLE acts; ALTER TABLE chain DROP COLUMN acts; ALTER TABLE chain DROP COLUMN base;
    ALTER TABLE reviews DROP COLUMN frame_type;
    DROP TABLE monitors; DROP TABLE shadow_runs; DROP TABLE shadow_pairs; DROP TABLE audit_log; DROP TABLE audit_runs; DROP TABLE audits; DROP TABLE known_reviews; DROP TABLE audit_frames; DROP TABLE audit_seeds;
    ALTER TABLE chain DROP COLUMN audits; ALTER TABLE decisions DROP COLUMN passed_as;`);
}
