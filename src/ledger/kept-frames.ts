/** The frames of reviews, kept so that a person can look at them, within a budget of bytes. */

import { hash } from "node:crypto";
import type { KeptFrame } from "../core/record.ts";
import type { Database } from "../sqlite/database.ts";
import { LedgerDamaged } from "./errors.ts";

export function openKeptFrames(db: Database, bytesMax: number) {
  const insert = db.prepare("INSERT INTO frames VALUES (?, ?, ?)");
  const oldest = db.prepare(
    "SELECT decision, length(payload) AS bytes FROM frames ORDER BY decision LIMIT 1",
  );
  const bytesOf = db.prepare("SELECT length(payload) FROM frames WHERE decision = ?").pluck();
  const remove = db.prepare("DELETE FROM frames WHERE decision = ?");
  const read = db.prepare(
    `SELECT f.content_type AS contentType, f.payload, r.frame_digest AS digest
     FROM reviews r JOIN frames f ON f.decision = r.decision WHERE r.id = ?`,
  );
  // Kept here, since summing up takes longer the more frames there are; rolled back with the transaction.
  let bytes = (db.prepare("SELECT sum(length(payload)) FROM frames").pluck().get() as number | null) ?? 0;
  let dropped = 0;
  let safe = { bytes, dropped };

  return {
    fits: (payload: Uint8Array): boolean => payload.length <= bytesMax,

    /** Keeps a frame, inside a transaction; the oldest make room for it. */
    keep(decision: number, contentType: string, payload: Uint8Array): void {
      while (bytes + payload.length > bytesMax) {
        const victim = oldest.get() as { decision: number; bytes: number } | undefined;
        if (victim === undefined) break;
        remove.run(victim.decision);
        bytes -= victim.bytes;
        dropped++;
      }
      insert.run(decision, contentType, payload);
      bytes += payload.length;
    },

    /** Counts a frame that is larger than the whole budget. */
    refused(): void {
      if (bytesMax > 0) dropped++;
    },

    /** Deletes the frame of a decision, inside a transaction. */
    remove(decision: number): void {
      bytes -= (bytesOf.get(decision) as number | undefined) ?? 0;
      remove.run(decision);
    },

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

    bytes: (): number => bytes,
    /** Frames dropped before their review was answered, since the start. */
    dropped: (): number => dropped,
  };
}

export type KeptFrames = ReturnType<typeof openKeptFrames>;
