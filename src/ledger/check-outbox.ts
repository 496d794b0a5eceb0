/** Verifies what is still to leave the ledger, and the counters that say how much has left. */

import { hash } from "node:crypto";
import type { Database } from "../sqlite/database.ts";

const ALERTS_PER_READ = 64;

/** What is wrong with the alerts that are still to be delivered, or undefined. */
export function checkOutbox(db: Database): string | undefined {
  const read = db.prepare(
    `SELECT o.id, o.body, o.station, r.station AS reviewStation,
       CASE o.revision WHEN 1 THEN r.alert_digest ELSE coalesce(e.digest, x'') END AS digest
     FROM outbox o LEFT JOIN reviews r ON r.id = o.review
     LEFT JOIN review_events e ON e.review = o.review AND e.revision = o.revision WHERE o.id > ? ORDER BY o.id LIMIT ${ALERTS_PER_READ}`,
  );
  let alerts = 0;
  for (let after = 0; ; ) {
    const rows = read.all(after) as {
      readonly id: number;
      readonly body: string;
      readonly station: string;
      readonly reviewStation: string | null;
      readonly digest: Uint8Array | null;
    }[];
    for (const { id, body, station, reviewStation, digest } of rows) {
      if (station !== reviewStation) return `alert ${id} is of no review`;
      if (typeof body !== "string") return `alert ${id} is no text`;
      if (digest !== null && !hash("sha256", body, "buffer").equals(digest)) {
        return `alert ${id} is not as it was written`;
      }
    }
    alerts += rows.length;
    if (rows.length < ALERTS_PER_READ) break;
    after = rows.at(-1)!.id;
  }
  const early = db
    .prepare(
      "SELECT l.id FROM outbox e JOIN outbox l ON l.review = e.review AND l.id > e.id AND l.revision <= e.revision LIMIT 1",
    )
    .pluck()
    .get();
  if (early !== undefined) return `alert ${String(early)} would leave after what came of its review later`;
  const expected = db.prepare("SELECT value FROM counters WHERE name = 'alerts'").pluck().get();
  return alerts === expected ? undefined : `${alerts} alerts wait, ${String(expected)} should`;
}

const COUNTERS = ["published", "session", "epoch", "alerts"];

/** What is wrong with the counters, or undefined. */
export function checkCounters(db: Database): string | undefined {
  const counters = new Map(
    (
      db.prepare("SELECT name, value, mirror FROM counters").raw().all() as [string, number, number][]
    ).flatMap(([name, value, mirror]) => (mirror === -1 - value ? [[name, value] as const] : [])),
  );
  const missing = COUNTERS.filter((name) => !counters.has(name));
  if (missing.length > 0) return `the counter ${missing[0]} is damaged`;
  const count = db.prepare("SELECT count(*) FROM counters").pluck().get();
  if (count !== COUNTERS.length) return `there are ${String(count)} counters, expected ${COUNTERS.length}`;
  const head = db.prepare("SELECT last FROM chain ORDER BY seq DESC LIMIT 1").pluck().get() as number;
  const largest = db.prepare("SELECT max(id) FROM decisions").pluck().get() as number | null;
  const given = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'decisions'").pluck().get();
  if ((largest ?? 0) > head) return `decision ${largest} is in no batch`;
  if (((given as number | undefined) ?? 0) !== head) return "the count of decisions does not match the chain";
  if (counters.get("published")! > head) return "more is marked as published than was decided";
  return undefined;
}
