/** Real ledgers in folders of their own. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LedgerOptions, openLedger } from "../../src/ledger/ledger.ts";

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
