/** Opens a ledger beside the gateway that writes it. */

import { existsSync } from "node:fs";
import { Database } from "../sqlite/database.ts";
import { LedgerError } from "./errors.ts";
import { APPLICATION_ID, LEDGER_VERSION } from "./migrations.ts";

/** @throws LedgerError if there is none, it cannot be opened, or it is of another version */
export function openReadOnly(path: string): Database {
  if (!existsSync(path)) {
    throw new LedgerError(`${path}: there is no ledger; name the gateway's own with --ledger or --config`);
  }
  let db: Database | undefined;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true });
    const isLedger = db.pragma("application_id", { simple: true }) === APPLICATION_ID;
    const version = db.pragma("user_version", { simple: true });
    if (isLedger && version === LEDGER_VERSION) return db;
    throw new LedgerError(
      isLedger
        ? `${path}: this ledger is of version ${version}, this Sekisho reads version ${LEDGER_VERSION}; use the version that the gateway runs`
        : `${path}: is a SQLite database, but no ledger`,
    );
  } catch (error) {
    db?.close();
    if (error instanceof LedgerError) throw error;
    throw new LedgerError(
      `${path}: cannot read the ledger: ${(error as Error).message}; read it as the user that the gateway runs as`,
    );
  }
}
