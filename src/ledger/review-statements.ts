/** The statements on reviews, prepared once. Each of those that run while frames flow is answered by an index. */

import { AUDIT, type ReviewRecord } from "../core/review-record.ts";
import type { Database } from "../sqlite/database.ts";
import { PART_FRAMES } from "./columns.ts";

/**
 * What the student said, kept back while an audit waits: whoever answers it must not be told. Where a known frame is
 * shown, for ever: it was said of another.
 */
const told = (column: string): string =>
  `CASE WHEN r.reason = '${AUDIT}' AND (r.resolved_at IS NULL OR EXISTS (
     SELECT 1 FROM known_reviews k WHERE k.review = r.id)) THEN NULL ELSE ${column} END`;

const COLUMNS = `
  r.id, r.revision, r.acted_revision AS actedRevision, r.station, r.source, d.frame, d.part, ${PART_FRAMES} AS frames, r.reason, r.state,
  r.overdue, r.lead, r.opened_at AS openedAtMs, r.deadline_at AS deadlineAtMs, r.priority, r.count,
  r.announced_at AS announcedAtMs, ${told("d.class_index")} AS classIndex, ${told("d.class")} AS className,
  ${told("d.confidence")} AS confidence, ${told("d.score")} AS score, ${told("d.lambda")} AS lambda,
  ${told("d.band_low")} AS bandLow, ${told("d.band_high")} AS bandHigh, d.mode, d.revision AS thresholdsRevision,
  d.decided_at AS decidedAtMs, r.claimed_by AS claimedBy, r.claimed_until AS claimedUntilMs, r.verdict,
  r.class AS verdictClass, r.reviewer, r.vouched, r.resolved_at AS resolvedAtMs,
  EXISTS (SELECT 1 FROM frames f WHERE f.decision = r.decision) AS hasFrame`;

const ofReviews = (indexed: string): string =>
  `SELECT ${COLUMNS} FROM reviews r ${indexed} CROSS JOIN decisions d ON d.id = r.decision`;

const MATCHES = `
  r.priority <= @priority
  AND (r.priority < @priority OR r.opened_at > @openedAt OR (r.opened_at = @openedAt AND r.id > @id))
  AND (@station IS NULL OR r.station = @station) AND (@source IS NULL OR r.source = @source)
  AND (@reason IS NULL OR r.reason = @reason) AND r.state IN (SELECT value FROM json_each(@states))
  ORDER BY r.priority DESC, r.opened_at, r.id LIMIT @limit`;

export function prepareReviews(db: Database) {
  return {
    find: db.prepare(`${ofReviews("")} WHERE r.id = ?`),
    listWaiting: db.prepare(
      `${ofReviews("INDEXED BY reviews_ranked")} WHERE r.resolved_at IS NULL AND ${MATCHES}`,
    ),
    // The index alone says which: no row is fetched that is not asked for.
    listClosed: db.prepare(
      `SELECT ${COLUMNS} FROM (
         SELECT r.id FROM reviews r INDEXED BY reviews_closed WHERE r.resolved_at IS NOT NULL AND ${MATCHES}
       ) found CROSS JOIN reviews r ON r.id = found.id CROSS JOIN decisions d ON d.id = r.decision
       ORDER BY r.priority DESC, r.opened_at, r.id`,
    ),
    expected: db.prepare(
      `SELECT coalesce(k.label, d.class) AS class, k.review IS NOT NULL AS isKnown
       FROM reviews r JOIN decisions d ON d.id = r.decision LEFT JOIN known_reviews k ON k.review = r.id WHERE r.id = ?`,
    ),
    decisionOf: db.prepare("SELECT decision FROM reviews WHERE id = ?").pluck(),

    event: db.prepare(`INSERT INTO review_events (
        review, revision, at, state, overdue, count, announced_at, claimed_until, person, via, vouched, verdict, class,
        transaction_id, digest
      ) VALUES (
        @review, @revision, @at, @state, @overdue, @count, @announcedAt, @claimedUntil, @person, @via, @vouched,
        @verdict, @class, @transactionId, @digest
      )`),
    update: db.prepare(`UPDATE reviews SET
        revision = @revision, acted_revision = @actedRevision, state = @state, overdue = @overdue, count = @count,
        announced_at = @announcedAt, claimed_by = @claimedBy, claimed_until = @claimedUntil, verdict = @verdict,
        class = @class, reviewer = @reviewer, vouched = @vouched, resolved_at = @resolvedAt
      WHERE id = @id AND revision = @before`),
    message: db.prepare("INSERT INTO outbox (review, station, body, revision) VALUES (?, ?, ?, ?)"),

    overdue: db.prepare(
      `${ofReviews("INDEXED BY reviews_due")} WHERE r.resolved_at IS NULL AND r.overdue = 0 AND r.deadline_at <= ?
       ORDER BY r.deadline_at LIMIT ?`,
    ),
    nextDeadline: db
      .prepare("SELECT min(deadline_at) FROM reviews WHERE resolved_at IS NULL AND overdue = 0")
      .pluck(),
    lapsed: db.prepare(
      `${ofReviews("INDEXED BY reviews_claimed")} WHERE r.claimed_until <= ? ORDER BY r.claimed_until LIMIT ?`,
    ),
    nextLapse: db.prepare("SELECT min(claimed_until) FROM reviews WHERE claimed_until IS NOT NULL").pluck(),

    topHeld: db.prepare(
      `${ofReviews("INDEXED BY reviews_held")} WHERE r.station = ? AND r.source = ? AND r.reason = ?
       AND r.state = 'held' ORDER BY r.priority DESC, r.opened_at LIMIT 1`,
    ),
    leastHeld: db.prepare(
      `${ofReviews("INDEXED BY reviews_held")} WHERE r.station = ? AND r.source = ? AND r.reason = ?
       AND r.state = 'held' ORDER BY r.priority, r.opened_at LIMIT ?`,
    ),
    leastUnresolved: db.prepare(
      `${ofReviews("")} WHERE r.station = ? AND r.resolved_at IS NULL ORDER BY r.priority, r.opened_at LIMIT ?`,
    ),

    oldest: db
      .prepare("SELECT min(opened_at) FROM reviews WHERE station = ? AND resolved_at IS NULL")
      .pluck(),
    standing: db.prepare(
      `SELECT station, source, reason, sum(announced_at IS NULL) AS held, sum(announced_at IS NOT NULL) AS announced,
         sum(overdue) AS overdue, coalesce(max(CASE WHEN announced_at IS NULL THEN priority END), 0) AS top
       FROM reviews WHERE resolved_at IS NULL GROUP BY station, source, reason`,
    ),
    leads: db.prepare(
      `SELECT l.station, l.source, l.reason, l.id AS lead, max(l.count, 1 + coalesce(m.members, 0)) AS count,
         max(l.announced_at, coalesce(m.last, 0)) AS lastAtMs
       FROM reviews l LEFT JOIN (
         SELECT lead, count(*) AS members, max(opened_at) AS last FROM reviews
         WHERE resolved_at IS NULL AND lead IS NOT NULL GROUP BY lead
       ) m ON m.lead = l.id
       WHERE l.resolved_at IS NULL AND l.announced_at IS NOT NULL ORDER BY lastAtMs`,
    ),
    announcedSince: db.prepare(
      "SELECT station, announced_at AS atMs FROM reviews WHERE announced_at > ? ORDER BY announced_at",
    ),
  };
}

export type ReviewStatements = ReturnType<typeof prepareReviews>;

interface ReviewRow extends Omit<ReviewRecord, "overdue" | "vouched" | "hasFrame"> {
  readonly overdue: number;
  readonly vouched: number | null;
  readonly hasFrame: number;
}

/** A row of these statements as the gateway knows it: SQLite has no booleans. */
export function reviewOf(found: unknown): ReviewRecord {
  const row = found as ReviewRow;
  return {
    ...row,
    overdue: row.overdue !== 0,
    vouched: row.vouched === null ? null : row.vouched !== 0,
    hasFrame: row.hasFrame !== 0,
  };
}
