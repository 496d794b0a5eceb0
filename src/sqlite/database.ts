/**
 * SQLite, by the better-sqlite3 that this Node can run: version 13 crashes on Node 20, and version 12 aborts on
 * Node 24.19 and later, when a statement is collected as garbage (WiseLibs/better-sqlite3 issue 1515).
 */

import { createRequire } from "node:module";
import { versions } from "node:process";
import type SqliteDatabase from "better-sqlite3";

const NODE_MAJOR_OF_VERSION_13 = 22;

const isRecent = Number.parseInt(versions.node, 10) >= NODE_MAJOR_OF_VERSION_13;

/** Opens databases; the interface of both versions is the same as far as it is used here. */
export const Database = createRequire(import.meta.url)(
  isRecent ? "better-sqlite3" : "better-sqlite3-12",
) as typeof SqliteDatabase;

export type Database = SqliteDatabase.Database;
