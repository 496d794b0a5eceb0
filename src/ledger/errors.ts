/** What can be wrong with a ledger, told apart by what must be done about it. */

/** A ledger that cannot be used, with what to do about it. */
export class LedgerError extends Error {
  override readonly name: string = "LedgerError";
}

/** What the file holds is not what was written: it must be set aside, and not be trusted. */
export class LedgerDamaged extends LedgerError {
  override readonly name = "LedgerDamaged";
}

/** There is no room to write; it may return by itself. */
export class LedgerFull extends LedgerError {
  override readonly name = "LedgerFull";
}

/** SQLite's own code of an error, or "" where it is none of SQLite's. */
export function sqliteCode(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" && code.startsWith("SQLITE_") ? code : "";
}

/** Whether SQLite says that the disk, or its own bound on pages, is full. */
export function isFull(error: unknown): boolean {
  const code = sqliteCode(error);
  // The shared index of the log is grown apart from the file, and tells a full disk by a code of its own.
  return code === "SQLITE_FULL" || code === "SQLITE_IOERR_SHMSIZE";
}

/** Whether SQLite says that the file cannot be what was written. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return (
    error instanceof LedgerDamaged ||
    code.startsWith("SQLITE_CORRUPT") ||
    code.startsWith("SQLITE_IOERR_CORRUPTFS") ||
    code.startsWith("SQLITE_IOERR_READ") ||
    code.startsWith("SQLITE_IOERR_SHORT_READ") ||
    // A schema that is not ours any more: a table or a column of it is gone, or what it holds has another type.
    ["SQLITE_NOTADB", "SQLITE_FORMAT", "SQLITE_ERROR", "SQLITE_MISMATCH", "SQLITE_TOOBIG"].includes(code) ||
    code.startsWith("SQLITE_CONSTRAINT")
  );
}
