/** The answered reviews of a ledger, read beside the gateway that writes it. */

import { hash } from "node:crypto";
import type { VerdictKind } from "../core/review-record.ts";
import { openReadOnly } from "./read-only.ts";

/** An answered review of a frame that the line has sent: what the student said, what the person said, and the frame as far as it is still kept. */
export interface ResolvedReview {
  readonly id: string;
  readonly station: string;
  readonly source: string;
  readonly frame: string;
  readonly part: string | null;
  readonly reason: string;
  readonly className: string | null;
  readonly confidence: number | null;
  /** Digest of the bundle that judged. */
  readonly bundle: string;
  readonly verdict: VerdictKind;
  /** Of `confirm`, the student's own. */
  readonly verdictClass: string | null;
  readonly vouched: boolean;
  readonly resolvedAtMs: number;
  readonly contentType: string | null;
  readonly payload: Uint8Array | null;
  /** Whether the frame is there, and is not the one that was kept. */
  readonly isDamaged: boolean;
}

export interface ResolvedReviews {
  /** Ids, by the time of the answer. */
  list(filter: { readonly station: string | undefined; readonly sinceMs: number }): readonly string[];
  /** How many of each station, by its name. */
  stations(): readonly { readonly station: string; readonly reviews: number }[];
  /** Whether any frame of these reviews came in such a content type. */
  hasContentType(station: string, contentType: string): boolean;
  /** Undefined where retention has deleted it meanwhile. */
  read(id: string): ResolvedReview | undefined;
  close(): void;
}

/** Answered, and not of a known frame, which shows another than the line has sent. */
const OF_THE_LINE = "state = 'resolved' AND id NOT IN (SELECT review FROM known_reviews)";

/**
 * Opens a ledger to read from it alone. No call keeps a snapshot: one would keep the gateway's log from being emptied.
 * @throws LedgerError if there is none, it cannot be opened, or it is of another version
 */
export function openResolvedReviews(path: string): ResolvedReviews {
  const db = openReadOnly(path);
  const list = db
    .prepare(
      `SELECT id FROM reviews WHERE ${OF_THE_LINE} AND resolved_at >= @sinceMs
       AND (@station IS NULL OR station = @station) ORDER BY resolved_at, id`,
    )
    .pluck();
  const stations = db.prepare(
    `SELECT station, count(*) AS reviews FROM reviews WHERE ${OF_THE_LINE} GROUP BY station ORDER BY station`,
  );
  const contentType = db
    .prepare(
      `SELECT 1 FROM frames f JOIN reviews r ON r.decision = f.decision
       WHERE r.state = 'resolved' AND r.station = ? AND f.content_type = ? LIMIT 1`,
    )
    .pluck();
  const read = db.prepare(
    `SELECT r.id, r.station, r.source, d.frame, d.part, r.reason, d.class AS className, d.confidence, d.bundle,
       r.verdict, r.class AS verdictClass, r.vouched, r.resolved_at AS resolvedAtMs, r.frame_digest AS digest,
       f.content_type AS contentType, f.payload
     FROM reviews r JOIN decisions d ON d.id = r.decision LEFT JOIN frames f ON f.decision = r.decision
     WHERE r.id = ? AND r.state = 'resolved'`,
  );
  return {
    list: ({ station = null, sinceMs }) => list.all({ station, sinceMs }) as string[],
    stations: () => stations.all() as { station: string; reviews: number }[],
    hasContentType: (station, type) => contentType.get(station, type) === 1,
    read(id) {
      const row = read.get(id) as
        | (Omit<ResolvedReview, "vouched" | "isDamaged"> & { vouched: number | null; digest: Buffer | null })
        | undefined;
      if (row === undefined) return undefined;
      const { digest, vouched, ...review } = row;
      const { payload } = review;
      const isDamaged =
        payload !== null && !(digest !== null && hash("sha256", payload, "buffer").equals(digest));
      return { ...review, vouched: vouched === 1, isDamaged };
    },
    close: () => db.close(),
  };
}
