/** The end of the chain as it was published: what followed it may be there, what led to it must be. */

import type { Database } from "../sqlite/database.ts";
import type { ChainRow } from "./chain.ts";

export interface ChainHead {
  readonly seq: number;
  /** Of the batch, in hex. */
  readonly sha256: string;
}

/** Reads `SHA256@SEQ`; undefined if it is none. */
export function parseHead(text: string): ChainHead | undefined {
  const found = /^([0-9a-f]{64})@(\d{1,15})$/.exec(text.trim());
  return found === null ? undefined : { sha256: found[1]!, seq: Number(found[2]) };
}

export function headText({ seq, sha256 }: ChainHead): string {
  return `${sha256}@${seq}`;
}

/** Why a head that was published cannot be one of this chain, or be compared with it; undefined where it is of it. */
export function headProblem(db: Database, head: ChainHead): string | undefined {
  const row = db.prepare("SELECT * FROM chain WHERE seq = ?").get(head.seq) as ChainRow | undefined;
  if (row !== undefined) {
    return Buffer.from(row.hash).toString("hex") === head.sha256
      ? undefined
      : `batch ${head.seq} is another one than was published; the ledger was written anew, or this is another ledger`;
  }
  const { begins, ends } = db.prepare("SELECT min(seq) AS begins, max(seq) AS ends FROM chain").get() as {
    readonly begins: number;
    readonly ends: number;
  };
  return head.seq > ends
    ? `the chain ends at batch ${ends}, a head was published at batch ${head.seq}: what was between is gone`
    : `the chain begins at batch ${begins}, the head is of batch ${head.seq}: retention has deleted what it could be compared with; give one that was published later`;
}
