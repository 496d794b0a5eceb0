/** Verifies the acts against their own chain, and against where the ledger's chain says that it ends. */

import type { ActRow } from "../gateway/ports.ts";
import type { Database } from "../sqlite/database.ts";
import { beginOfActs, hashOfAct } from "./acts.ts";
import type { LastAct } from "./chain.ts";

/** The hash of an act by its number; 0 stands for none. */
export function actReader(db: Database): (seq: number) => LastAct | undefined {
  const read = db.prepare("SELECT hash FROM acts WHERE seq = ?").pluck();
  const begin = beginOfActs(db);
  return (seq) => {
    const hash = seq === 0 ? begin : (read.get(seq) as Uint8Array | undefined);
    return hash === undefined ? undefined : { seq, hash };
  };
}

/** What is wrong with the acts, or undefined. */
export function checkActs(db: Database): string | undefined {
  const rows = db
    .prepare("SELECT seq, station, kind, revision, at AS atMs, body, hash FROM acts ORDER BY seq")
    .iterate() as IterableIterator<ActRow & { readonly hash: Uint8Array }>;
  let last: LastAct = { seq: 0, hash: beginOfActs(db) };
  for (const { hash, ...act } of rows) {
    if (act.seq !== last.seq + 1) return `act ${last.seq + 1} is missing`;
    if (!hashOfAct(last.hash, act).equals(hash)) return `act ${act.seq} is not as it was written`;
    last = { seq: act.seq, hash };
  }
  const one = (sql: string): number | null => db.prepare(sql).pluck().get() as number | null;
  const ends = one("SELECT acts FROM chain ORDER BY seq DESC LIMIT 1") ?? 0;
  if (last.seq !== ends) return `there are ${last.seq} acts, the chain ends at ${ends}`;
  const count = "SELECT count(*) FROM acts";
  return one(`${count} INDEXED BY acts_by_station`) === one(`${count} NOT INDEXED`)
    ? undefined
    : "the index acts_by_station does not match";
}
