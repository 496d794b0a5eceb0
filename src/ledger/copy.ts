/** A copy of a ledger as it is at one moment, made beside the gateway that writes it. */

import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { Database } from "../sqlite/database.ts";
import { openReadOnly } from "./read-only.ts";

const EPOCHS = 2 ** 31;

/**
 * Writes the copy to a file that is not there yet. One read transaction: the gateway commits on meanwhile, into its log,
 * which is not emptied until this is done. SQLite's online backup would begin again at each commit of another process.
 * @throws LedgerError if there is no ledger; SQLite's own error if there is no room
 */
export function copyLedger(path: string, to: string): void {
  const db = openReadOnly(path);
  try {
    db.prepare("VACUUM INTO ?").run(to);
  } finally {
    db.close();
  }
}

/**
 * Gives a copy that will be written on an epoch of its own: the original has given out ids since, which would be given out
 * once more for other decisions and reviews.
 */
export function renewEpoch(path: string): void {
  const db = new Database(path, { fileMustExist: true });
  try {
    const epoch = randomInt(EPOCHS);
    db.prepare("UPDATE counters SET value = ?, mirror = ? WHERE name = 'epoch'").run(epoch, -1 - epoch);
  } finally {
    db.close();
  }
}

/** What is left of a ledger at a place: itself, or its log and index, as long as somebody has it open. */
export function leftOfLedger(path: string): readonly string[] {
  return ["", "-wal", "-shm"].map((part) => path + part).filter((file) => existsSync(file));
}
