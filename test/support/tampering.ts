/** What somebody who can write a ledger's file might do to it, by SQL, drawn at random. */

import type { Random } from "../../src/core/random.ts";
import { type ChainRow, chainReader, eventReader } from "../../src/ledger/chain.ts";
import { createChainHasher, endOfBatch } from "../../src/ledger/chain-encoding.ts";
import { actReader } from "../../src/ledger/check-acts.ts";
import { auditReader } from "../../src/ledger/check-audits.ts";
import type { Database } from "../../src/sqlite/database.ts";

interface Column {
  readonly name: string;
  readonly type: string;
  readonly pk: number;
}

type Value = number | string | Uint8Array | null;
type Row = Record<string, Value>;

/** All that tells of decisions, reviews, parts, acts and audits, and of the chain itself. */
export const TABLES = [
  ...["decisions", "reviews", "review_events", "part_rows", "acts", "audit_log", "audits", "audit_runs"],
  "known_reviews",
  ...["chain", "carried", "outbox", "frames", "counters", "set_aside"],
] as const;
export type Table = (typeof TABLES)[number];

export const below = (random: Random, bound: number): number => Math.floor(random.next() * bound);
export const pick = <T>(random: Random, all: readonly T[]): T => all[below(random, all.length)]!;

/** Whoever can write the file can take the triggers away, and needs no foreign keys. */
export function disarm(db: Database): void {
  db.pragma("foreign_keys = OFF");
  const triggers = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all();
  for (const name of triggers as string[]) db.exec(`DROP TRIGGER ${name}`);
}

export function columnsOf(db: Database, table: Table): readonly Column[] {
  return db.pragma(`table_info(${table})`) as Column[];
}

export function rowsOf(db: Database, table: Table): readonly Row[] {
  return db.prepare(`SELECT * FROM ${table}`).all() as Row[];
}

function where(columns: readonly Column[], row: Row): { readonly sql: string; readonly values: Value[] } {
  const keys = columns.some(({ pk }) => pk > 0) ? columns.filter(({ pk }) => pk > 0) : columns;
  return {
    sql: keys.map(({ name }) => `"${name}" IS ?`).join(" AND "),
    values: keys.map(({ name }) => row[name]!),
  };
}

function another(value: Value, type: string, others: readonly Value[], random: Random): Value {
  if (random.next() < 0.2) return pick(random, others);
  if (value !== null && random.next() < 0.15) return null;
  if (typeof value === "number") return pick(random, [value + 1, value - 1, 1 - value, 2 * value + 1, 0, 1]);
  if (typeof value === "string") {
    const at = below(random, value.length + 1);
    return value.slice(0, at) + pick(random, ["x", "7", "", " "]) + value.slice(at + 1);
  }
  if (value === null)
    return type === "TEXT" ? "x" : type === "BLOB" ? Uint8Array.of(1) : pick(random, [0, 1, 5]);
  const bytes = Uint8Array.from(value);
  if (bytes.length === 0) return Uint8Array.of(0);
  bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
  return bytes;
}

const isSame = (a: Value, b: Value): boolean =>
  a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.from(a).equals(b) : Object.is(a, b);

/** Changes one value; what it did, or undefined where the schema does not let it. */
export function edit(
  db: Database,
  table: Table,
  random: Random,
  mayBe: (column: string, row: Row) => boolean,
): string | undefined {
  const rows = rowsOf(db, table);
  const columns = columnsOf(db, table);
  const row = pick(random, rows);
  const { name, type } = pick(random, columns);
  if (row === undefined || !mayBe(name, row)) return undefined;
  const others = rows.map((one) => one[name]!);
  const value = another(row[name]!, type, others, random);
  if (isSame(value, row[name]!)) return undefined;
  const { sql, values } = where(columns, row);
  return tried(() => {
    db.prepare(`UPDATE ${table} SET "${name}" = ? WHERE ${sql}`).run(value, ...values);
    const now = value instanceof Uint8Array ? "other bytes" : JSON.stringify(value);
    return `${table}.${name} of ${shown(columns, row)}: ${now}`;
  });
}

/** Deletes one row. */
export function remove(
  db: Database,
  table: Table,
  random: Random,
  mayBe: (row: Row, rows: readonly Row[]) => boolean,
): string | undefined {
  const rows = rowsOf(db, table);
  const columns = columnsOf(db, table);
  const row = pick(random, rows);
  if (row === undefined || !mayBe(row, rows)) return undefined;
  const { sql, values } = where(columns, row);
  db.prepare(`DELETE FROM ${table} WHERE ${sql}`).run(...values);
  return `${table}: ${shown(columns, row)} deleted`;
}

/** Puts a copy of a row under another key. */
export function add(db: Database, table: Table, random: Random): string | undefined {
  const columns = columnsOf(db, table);
  const row = pick(random, rowsOf(db, table));
  if (row === undefined) return undefined;
  const keys = columns.filter(({ pk }) => pk > 0);
  const values = columns.map(({ name, pk }) => {
    const value = row[name]!;
    if (pk === 0 || keys.length === 0) return value;
    return typeof value === "number" ? value + 1 + below(random, 50) : `${String(value)}x`;
  });
  return tried(() => {
    db.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => "?").join(", ")})`).run(...values);
    return `${table}: a copy of ${shown(columns, row)}`;
  });
}

/** Exchanges all but the keys of two rows: what the one said, the other says. */
export function exchange(db: Database, table: Table, random: Random): string | undefined {
  const columns = columnsOf(db, table);
  const rest = columns.filter(({ pk }) => pk === 0);
  const rows = rowsOf(db, table);
  const [a, b] = [pick(random, rows), pick(random, rows)];
  if (rest.every(({ name }) => isSame(a[name]!, b[name]!))) return undefined;
  const set = rest.map(({ name }) => `"${name}" = ?`).join(", ");
  return tried(() => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const { sql, values } = where(columns, to);
      db.prepare(`UPDATE ${table} SET ${set} WHERE ${sql}`).run(
        ...rest.map(({ name }) => from[name]!),
        ...values,
      );
    }
    return `${table}: ${shown(columns, a)} and ${shown(columns, b)} exchanged`;
  });
}

function tried(change: () => string): string | undefined {
  try {
    return change();
  } catch (error) {
    const { code } = error as { readonly code?: string };
    if (code?.startsWith("SQLITE_") === true || error instanceof TypeError) return undefined;
    throw error;
  }
}

function shown(columns: readonly Column[], row: Row): string {
  const keys = columns.filter(({ pk }) => pk > 0);
  return (keys.length > 0 ? keys : columns.slice(0, 1)).map(({ name }) => String(row[name])).join("/");
}

/** Hashes the chain anew, as somebody can who knows how: it then fits whatever the rows say now. */
export function hashAnew(db: Database): void {
  const rowsOfBatch = chainReader(db);
  const eventsOf = eventReader(db);
  const actAt = actReader(db);
  const auditAt = auditReader(db);
  const hasher = createChainHasher();
  const note = db.prepare("UPDATE chain SET hash = ? WHERE seq = ?");
  let before: ChainRow | undefined;
  for (const row of db.prepare("SELECT * FROM chain ORDER BY seq").all() as ChainRow[]) {
    if (before === undefined) {
      before = row;
      continue;
    }
    hasher.begin(before.hash, row.seq, row.at, true);
    for (const one of rowsOfBatch(row)) hasher.add(one, one);
    for (const event of eventsOf(before.events, row.events)) hasher.addEvent(event);
    before = { ...row, hash: endOfBatch(hasher.end(), actAt(row.acts!)!, row.base!, auditAt(row.audits)!) };
    note.run(before.hash, row.seq);
  }
}
