/**
 * How far the tests of the monitors are. That one is red stands in the acts, which the chain covers, and not here: what is
 * lost or changed of this costs evidence at most, and clears nothing.
 */

import type { MonitorBook } from "../gateway/ports.ts";
import type { Database } from "../sqlite/database.ts";

/** A migration's step. */
export const MONITORS_STEP = `
  CREATE TABLE monitors (
    station TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    told INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

export function openMonitorBook(db: Database): MonitorBook {
  const find = db.prepare("SELECT state, told FROM monitors WHERE station = ?");
  const save = db.prepare(
    "INSERT INTO monitors VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state, told = excluded.told",
  );
  const lastDecision = db.prepare("SELECT decided_at FROM decisions ORDER BY id DESC LIMIT 1").pluck();
  const saveAll = db.transaction((rows: Parameters<MonitorBook["save"]>[0]) => {
    for (const { station, state, told } of rows) save.run(station, state, told);
  });
  return {
    find: (station) => find.get(station) as ReturnType<MonitorBook["find"]>,
    save: (rows) => void saveAll(rows),
    lastDecisionAtMs: () => lastDecision.get() as number | undefined,
  };
}
