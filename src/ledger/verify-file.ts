/** Verifies a ledger's file, also beside the gateway that writes it. */

import type { ChainHead } from "./published-head.ts";
import { openReadOnly } from "./read-only.ts";
import { type LedgerVerification, verifyWhole } from "./verify.ts";

/**
 * Verifies a ledger as it is at one moment. Until it is done, seconds for a large one, the gateway's log is not emptied.
 * @param heads ends of the chain that were published before
 * @param onBatch told how many batches of how many have been verified
 * @throws LedgerError if there is no ledger, it cannot be opened, or it is of another version
 */
export function verifyLedgerFile(
  path: string,
  heads: readonly ChainHead[] = [],
  onBatch: (batches: number, ofBatches: number) => void = () => {},
): LedgerVerification {
  const db = openReadOnly(path);
  try {
    return db.transaction((): LedgerVerification => {
      const rows = db.prepare("SELECT count(*) FROM chain").pluck().get() as number;
      return verifyWhole(db, heads, (batches) => onBatch(batches, Math.max(0, rows - 1)));
    })();
  } finally {
    db.close();
  }
}
