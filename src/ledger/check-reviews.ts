/** Verifies the reviews as they are against how they opened and what the chain says has become of them since. */

import type { Database } from "../sqlite/database.ts";

/** The columns of a review that nothing has happened to yet. */
const AS_OPENED = `
  r.state IS NOT CASE WHEN r.alert_digest IS NULL THEN 'held' ELSE 'open' END
  OR r.announced_at IS NOT CASE WHEN r.alert_digest IS NOT NULL THEN r.opened_at END
  OR r.overdue OR r.count != 1 OR r.claimed_until IS NOT NULL OR r.verdict IS NOT NULL OR r.class IS NOT NULL`;

/** The columns that its last transition, e, has made. */
const AS_TRANSITION = `
  r.state IS NOT e.state OR r.overdue IS NOT e.overdue OR r.count IS NOT e.count
  OR r.announced_at IS NOT e.announced_at OR r.claimed_until IS NOT e.claimed_until
  OR r.verdict IS NOT e.verdict OR r.class IS NOT e.class`;

/** What is wrong with the reviews as they are, or undefined. */
export function checkReviews(db: Database): string | undefined {
  const strange = db
    .prepare(
      `SELECT r.id FROM reviews r
       LEFT JOIN review_events e ON e.review = r.id AND e.revision = r.revision
       LEFT JOIN review_events a ON a.review = r.id AND a.revision = r.acted_revision
       WHERE CASE WHEN r.revision = 1 THEN ${AS_OPENED} ELSE ${AS_TRANSITION} END
         OR r.claimed_by IS NOT CASE WHEN r.state = 'claimed' THEN a.person END
         OR r.reviewer IS NOT CASE WHEN r.state = 'resolved' THEN e.person END
         OR r.vouched IS NOT CASE WHEN r.state = 'resolved' THEN e.vouched END
         OR r.resolved_at IS NOT CASE WHEN r.state IN ('resolved', 'expired') THEN e.at END
         OR (r.revision, r.acted_revision) IS NOT (
           -- An alarm, behind the answer that raises it, is no act of its own.
           SELECT 1 + count(*), coalesce(
             min(CASE WHEN t.state = 'resolved' THEN t.revision END),
             max(CASE WHEN t.person IS NOT NULL THEN t.revision END), 0)
           FROM review_events t WHERE t.review = r.id
         ) LIMIT 1`,
    )
    .pluck()
    .get();
  if (strange !== undefined) return `review ${String(strange)} is not what its last transition made it`;
  return checkReviewIndexes(db);
}

/** Whether each index has as many reviews as it should. */
export function checkReviewIndexes(db: Database): string | undefined {
  const sums = REVIEW_INDEXES.map(([, rows]) => `coalesce(sum(${rows}), 0)`).join(", ");
  const there = db.prepare(`SELECT ${sums} FROM reviews NOT INDEXED`).raw().get() as readonly number[];
  for (const [i, [index, rows]] of REVIEW_INDEXES.entries()) {
    const known = db.prepare(`SELECT count(*) FROM reviews INDEXED BY ${index} WHERE ${rows}`).pluck().get();
    if (known !== there[i]) return `the index ${index} does not match`;
  }
  return undefined;
}

/** A review that one of them does not know would wait for ever. */
const REVIEW_INDEXES = [
  ["reviews_waiting", "resolved_at IS NULL"],
  ["reviews_ranked", "resolved_at IS NULL"],
  ["reviews_due", "resolved_at IS NULL AND overdue = 0"],
  ["reviews_claimed", "claimed_until IS NOT NULL"],
  ["reviews_held", "state = 'held'"],
] as const;
