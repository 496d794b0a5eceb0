/** The files of a ledger: how they are recognised, and how they are set aside. */

import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readSync, renameSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ballastPath } from "./ballast.ts";

const MAGIC = "SQLite format 3\0";
const TABLE = "CREATE TABLE decisions";
const READ_BYTES = 1024 * 1024;

/**
 * Whether a file that SQLite does not take for a database was a ledger: it begins as one or has its schema in it, it
 * is all zeros, as power cuts leave files, or a ledger's ballast is beside it.
 */
export function hasLedgerMarks(path: string): boolean {
  if (existsSync(ballastPath(path))) return true;
  const file = openSync(path, "r");
  try {
    let isZero = true;
    const chunk = Buffer.alloc(READ_BYTES);
    for (let at = 0; ; at += READ_BYTES - TABLE.length) {
      const length = readSync(file, chunk, 0, READ_BYTES, at);
      const read = chunk.subarray(0, length);
      if (read.includes(TABLE) || (at === 0 && read.toString("latin1", 0, MAGIC.length) === MAGIC))
        return true;
      isZero &&= read.every((byte) => byte === 0);
      if (length < READ_BYTES) return isZero;
    }
  } finally {
    closeSync(file);
  }
}

/** What was set aside of a ledger before. */
export function asideOf(path: string): string[] {
  const begins = `${basename(path)}.damaged-`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(begins))
    .map((name) => join(dirname(path), name));
}

/**
 * Renames a ledger, its write-ahead log and its shared index; nothing is deleted.
 * @returns the new name
 */
export function renameAside(path: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  let aside = `${path}.damaged-${stamp}`;
  for (let n = 2; ["", "-wal", "-shm"].some((part) => existsSync(aside + part)); n++) {
    aside = `${path}.damaged-${stamp}-${n}`;
  }
  // The file first: a log that is left alone is noticed at the next start, a file without its log is not.
  for (const part of ["", "-wal", "-shm"]) {
    if (existsSync(path + part)) renameSync(path + part, aside + part);
  }
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
  return aside;
}
