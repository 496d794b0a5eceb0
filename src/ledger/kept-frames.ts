/** The frames of reviews and audits, kept so that they can be looked at, within a budget of bytes. */

import { hash } from "node:crypto";
import type { KeptFrame } from "../core/record.ts";
import type { Database } from "../sqlite/database.ts";
import { LedgerDamaged } from "./errors.ts";

export function openKeptFrames(db: Database, bytesMax: number) {
  const insert = db.prepare("INSERT INTO frames VALUES (?, ?, ?)");
  const insertOfPart = db.prepare("INSERT INTO audit_frames VALUES (?, ?, ?, ?)");
  const oldest = db
    .prepare(
      "SELECT min(d) FROM (SELECT min(decision) AS d FROM frames UNION ALL SELECT min(decision) FROM audit_frames)",
    )
    .pluck();
  const tables = ["frames", "audit_frames"].map((table) => ({
    bytesOf: db.prepare(`SELECT sum(length(payload)) FROM ${table} WHERE decision = ?`).pluck(),
    remove: db.prepare(`DELETE FROM ${table} WHERE decision = ?`),
    bytes: db.prepare(`SELECT sum(length(payload)) FROM ${table}`).pluck(),
  }));
  const read = db.prepare(
    `SELECT f.content_type AS contentType, f.payload, r.frame_digest AS digest
     FROM reviews r JOIN frames f ON f.decision = r.decision WHERE r.id = ?`,
  );
  const readOfPart = db.prepare(
    "SELECT content_type AS contentType, payload FROM audit_frames WHERE decision = ? ORDER BY place",
  );
  const readOwn = db.prepare("SELECT content_type AS contentType, payload FROM frames WHERE decision = ?");
  // Kept here, since summing up takes longer the more frames there are; rolled back with the transaction.
  let bytes = tables.reduce((sum, table) => sum + ((table.bytes.get() as number | null) ?? 0), 0);
  let dropped = 0;
  let safe = { bytes, dropped };

  function removeFrom(which: typeof tables, decision: number): void {
    for (const { bytesOf, remove } of which) {
      bytes -= (bytesOf.get(decision) as number | null) ?? 0;
      remove.run(decision);
    }
  }

  /** The oldest make room. */
  function makeRoom(more: number): void {
    while (bytes + more > bytesMax) {
      const victim = oldest.get() as number | null;
      if (victim === null) break;
      removeFrom(tables, victim);
      dropped++;
    }
  }

  return {
    fits: (payloadBytes: number): boolean => payloadBytes <= bytesMax,

    /** Keeps a frame, inside a transaction; the oldest make room for it. */
    keep(decision: number, contentType: string, payload: Uint8Array): void {
      makeRoom(payload.length);
      insert.run(decision, contentType, payload);
      bytes += payload.length;
    },

    /** Keeps all frames of an audited part beside the one that its review shows. */
    keepOfPart(decision: number, frames: readonly KeptFrame[]): void {
      const more = frames.reduce((sum, { payload }) => sum + payload.length, 0);
      makeRoom(more);
      for (const [place, { contentType, payload }] of frames.entries())
        insertOfPart.run(decision, place, contentType, payload);
      bytes += more;
    },

    /** Counts a frame that is larger than the whole budget. */
    refused(): void {
      if (bytesMax > 0) dropped++;
    },

    /** Deletes the frames of a decision, inside a transaction. */
    remove: (decision: number): void => removeFrom(tables, decision),

    /** Deletes the frames of a part that only its teacher needed, inside a transaction. */
    removeOfPart: (decision: number): void => removeFrom(tables.slice(1), decision),

    committed(): void {
      safe = { bytes, dropped };
    },

    rolledBack(): void {
      ({ bytes, dropped } = safe);
    },

    /** @throws LedgerDamaged if it is not the frame that was kept */
    read(review: string): KeptFrame | undefined {
      const row = read.get(review) as (KeptFrame & { readonly digest: Uint8Array | null }) | undefined;
      if (row === undefined) return undefined;
      const { contentType, payload, digest } = row;
      if (digest === null || !hash("sha256", payload, "buffer").equals(digest)) {
        throw new LedgerDamaged(`the frame kept for review ${review} is not as it was written`);
      }
      return { contentType, payload };
    },

    /** Every frame that is kept of an audited part, in the order in which they came. */
    readAll(decision: number): readonly KeptFrame[] {
      const ofPart = readOfPart.all(decision) as KeptFrame[];
      return ofPart.length > 0 ? ofPart : (readOwn.all(decision) as KeptFrame[]);
    },

    bytes: (): number => bytes,
    /** Frames dropped before their review was answered, since the start. */
    dropped: (): number => dropped,
  };
}

export type KeptFrames = ReturnType<typeof openKeptFrames>;
