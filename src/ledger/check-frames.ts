/** Verifies the frames that are kept for people and teachers to look at. */

import { hash } from "node:crypto";
import type { Database } from "../sqlite/database.ts";
import { digestOf } from "./drawing.ts";
import { isDamage } from "./errors.ts";

interface Kept {
  readonly decision: number;
  readonly contentType: string;
  readonly payload: Uint8Array;
  readonly digest: Uint8Array | null;
  readonly frameType: string | null;
}

/**
 * What is wrong with the kept frames, or undefined. The oldest make room for others, and none of the chain's rows says
 * when; so that only frames missing among younger ones are known to have been taken away.
 */
export function checkFrames(db: Database): string | undefined {
  try {
    return checkFramesOfReviews(db) ?? checkFramesOfParts(db);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return `the frames kept for reviews cannot be read: ${(error as Error).message}`;
  }
}

function checkFramesOfReviews(db: Database): string | undefined {
  const frames = db
    .prepare(
      `SELECT f.decision, f.content_type AS contentType, f.payload, r.frame_digest AS digest, r.frame_type AS frameType
       FROM frames f LEFT JOIN reviews r ON r.decision = f.decision ORDER BY f.decision`,
    )
    .iterate() as IterableIterator<Kept>;
  for (const { decision, contentType, payload, digest, frameType } of frames) {
    const isAsKept =
      digest !== null &&
      hash("sha256", payload, "buffer").equals(digest) &&
      // Reviews from before there were acts do not say it.
      (frameType === null || frameType === contentType);
    if (!isAsKept) return `the frame kept for decision ${decision} is not as it was written`;
  }
  const missing = db
    .prepare(
      `SELECT r.id FROM reviews r WHERE r.frame_digest IS NOT NULL AND r.state != 'expired'
       AND r.decision > (SELECT min(d) FROM (
         SELECT min(decision) AS d FROM frames UNION ALL SELECT min(decision) FROM audit_frames
       ))
       AND NOT EXISTS (SELECT 1 FROM frames f WHERE f.decision = r.decision) LIMIT 1`,
    )
    .pluck()
    .get();
  return missing === undefined ? undefined : `the frame kept for review ${String(missing)} is missing`;
}

/** Of an audited part all frames are kept, or none. */
function checkFramesOfParts(db: Database): string | undefined {
  const payloads = db.prepare("SELECT payload FROM audit_frames WHERE decision = ? ORDER BY place").pluck();
  const parts = db
    .prepare(
      `SELECT f.decision, a.frames_digest AS digest FROM (SELECT DISTINCT decision FROM audit_frames) f
       LEFT JOIN audits a ON a.decision = f.decision`,
    )
    .all() as { readonly decision: number; readonly digest: Uint8Array | null }[];
  const strange = parts.find(
    ({ decision, digest }) =>
      digest === null || !digestOf(payloads.all(decision) as Uint8Array[]).equals(digest),
  );
  return (
    strange && `the frames kept for the audit of decision ${strange.decision} are not as they were written`
  );
}
