/** Opens a ledger's file if it is what was written, and sets it aside if it is not. */

import { existsSync, statSync } from "node:fs";
import { Database } from "../sqlite/database.ts";
import { ballastPath } from "./ballast.ts";
import { checkActs } from "./check-acts.ts";
import { checkAuditTail } from "./check-audits.ts";
import { checkCounters, checkOutbox } from "./check-outbox.ts";
import { checkReviewIndexes } from "./check-reviews.ts";
import { isDamage, isFull, LedgerDamaged, LedgerError, sqliteCode } from "./errors.ts";
import { asideOf, hasLedgerMarks, renameAside } from "./files.ts";
import { APPLICATION_ID, migrate } from "./migrations.ts";
import { checkBase, walkChain } from "./verify.ts";

/** A damaged file, under its new name. */
export interface SetAside {
  readonly at: string;
  readonly file: string;
  readonly reason: string;
}

/** Batches at the chain's end that are verified at each start, beside all that has not been published. */
const TAIL_BATCHES = 1024;
const WAL_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Opens the file, or makes it where there is none. A damaged one is renamed, its write-ahead log with it, and a new one
 * is begun that says so.
 * @param withRoom does work again that met a full disk, if room can be made
 * @throws LedgerError if it cannot be opened for another reason; SQLite's own error if the disk is full
 */
export function openChecked(
  path: string,
  nowMs: number,
  withRoom: <T>(work: () => T) => T = (work) => work(),
): { readonly db: Database; readonly setAside: SetAside | undefined } {
  const missing = whatIsMissing(path);
  const opened = missing === undefined ? withRoom(() => tryOpen(path)) : new LedgerDamaged(missing);
  if (opened instanceof Database) return { db: opened, setAside: undefined };

  const note = { at: new Date(nowMs).toISOString(), file: renameAside(path, nowMs), reason: opened.message };
  const begun = withRoom(() => tryOpen(path, note));
  if (!(begun instanceof Database)) throw begun;
  return { db: begun, setAside: note };
}

/** A ledger that has been here and is gone must not be taken for the first start. */
function whatIsMissing(path: string): string | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const left = [`${path}-wal`, ballastPath(path), ...asideOf(path)].filter((one) => existsSync(one));
  return size > 0 || left.length === 0
    ? undefined
    : `the file is ${existsSync(path) ? "empty" : "missing"}, though ${left.join(" and ")} is there`;
}

/**
 * The database, checked; or what is damaged about it.
 * @param note what a new ledger begins with, in the same transaction as its tables
 */
function tryOpen(path: string, note?: SetAside): Database | LedgerDamaged {
  const db = connect(path);
  try {
    refuseForeign(db, path, note === undefined);
    if (db.pragma("quick_check(1)", { simple: true }) !== "ok") {
      throw new LedgerDamaged("SQLite's quick_check finds it damaged");
    }
    configure(db, path);
    db.transaction(() => {
      migrate(db, path);
      if (note === undefined) return;
      const { at, file, reason } = note;
      db.prepare("INSERT INTO set_aside VALUES (?, ?, ?)").run(Date.parse(at), file, reason);
    })();
    const fault = checkTail(db);
    if (fault !== undefined) throw new LedgerDamaged(fault);
    return db;
  } catch (error) {
    db.close();
    if (isFull(error) || !isDamage(error)) throw asLedgerError(error, path);
    if (sqliteCode(error) === "SQLITE_NOTADB" && !hasLedgerMarks(path)) throw asLedgerError(error, path);
    return error instanceof LedgerDamaged ? error : new LedgerDamaged((error as Error).message);
  }
}

function asLedgerError(error: unknown, path: string): unknown {
  if (error instanceof LedgerError || isFull(error)) return error;
  return new LedgerError(
    `${path}: cannot open the ledger: ${(error as Error).message}; set ledger.path to another place, or move the file away`,
  );
}

function connect(path: string): Database {
  try {
    return new Database(path);
  } catch (error) {
    throw asLedgerError(error, path);
  }
}

/**
 * Another program's database must be neither written to nor renamed; and one that has lost all its tables, as where
 * its write-ahead log was deleted, must not be taken for new.
 */
function refuseForeign(db: Database, path: string, mayHaveBeenHere: boolean): void {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  if (tables.length === 0 && mayHaveBeenHere && existsSync(ballastPath(path))) {
    throw new LedgerDamaged(`it has no tables, though ${ballastPath(path)} is there`);
  }
  const isOurs =
    tables.length === 0 ||
    tables.includes("decisions") ||
    db.pragma("application_id", { simple: true }) === APPLICATION_ID;
  if (!isOurs) {
    throw new LedgerError(`${path}: is a SQLite database, but no ledger; set ledger.path to another place`);
  }
}

/** @throws if what is asked for does not hold */
function configure(db: Database, path: string): void {
  // better-sqlite3 is compiled so that WAL means NORMAL, which may lose the last commits at a power cut.
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.pragma("foreign_keys = ON");
  db.pragma(`journal_size_limit = ${WAL_BYTES_MAX}`);
  const holds = (name: string, value: unknown): void => {
    const found = db.pragma(name, { simple: true });
    if (found === value) return;
    throw new LedgerError(
      `${path}: ${name} is ${String(found)}, not ${String(value)}; decisions would not be safe at a power cut: put the ledger on a local disk`,
    );
  };
  holds("journal_mode", "wal");
  holds("synchronous", 2);
  holds("foreign_keys", 1);
}

/** What does not match at the end of the chain and in what is still to leave; undefined if all does. */
function checkTail(db: Database): string | undefined {
  const counters = checkCounters(db);
  if (counters !== undefined) return counters;
  const from = db
    .prepare(
      `SELECT min((SELECT max(seq) FROM chain) - ${TAIL_BATCHES},
         (SELECT seq FROM chain WHERE last <= (SELECT value FROM counters WHERE name = 'published') ORDER BY seq DESC LIMIT 1))`,
    )
    .pluck()
    .get() as number | null;
  const walk = walkChain(db, from ?? 0);
  for (;;) {
    const step = walk.next();
    if (!step.done) continue;
    if (step.value === undefined) break;
    return `batch ${step.value.seq ?? "?"} of its chain: ${step.value.found}`;
  }
  return checkBase(db) ?? checkActs(db) ?? checkAuditTail(db) ?? checkReviewIndexes(db) ?? checkOutbox(db);
}
