/** The columns of a decision as SQL gives them back: what is published, and what the chain covers beside it. */

import { AUDIT } from "../core/review-record.ts";

/** Of the row that decides a part; looked for only where a row names one. */
export const PART_FRAMES =
  "CASE WHEN d.part IS NOT NULL THEN (SELECT frames FROM part_rows WHERE decision = d.id) END";

export const RECORD_COLUMNS = `
  d.id, d.station, d.source, d.frame, d.part, d.decided_at AS decidedAtMs, d.decision, d.reason, d.would,
  d.class AS className, d.class_index AS classIndex, d.confidence, d.score, d.lambda, d.band_low AS bandLow,
  d.band_high AS bandHigh, d.novelty, d.mode, d.revision, d.correlation,
  ${PART_FRAMES} AS frames`;

export const EVENT_COLUMNS = `
  seq, review, revision, at, state, overdue, count, announced_at AS announcedAt, claimed_until AS claimedUntil, person,
  via, vouched, verdict, class, transaction_id AS transactionId, digest`;

export const CHAINED_COLUMNS = `
  ${RECORD_COLUMNS}, d.identified, d.received_at AS receivedAtMs, d.bundle, d.review, r.decision AS reviewOf,
  r.station = d.station AND r.source = d.source
    AND r.reason = CASE d.decision WHEN 'pass' THEN '${AUDIT}' ELSE d.reason END AS isReviewAlike,
  r.opened_at AS openedAtMs, r.deadline_at AS deadlineAtMs, r.alert_digest AS alertDigest,
  r.frame_digest AS frameDigest, r.priority, r.lead, r.frame_type AS frameType,
  CASE WHEN d.part IS NOT NULL THEN (SELECT 1 FROM part_rows WHERE decision = d.id) END AS ofPart,
  CASE WHEN d.part IS NOT NULL THEN (SELECT part_count FROM part_rows WHERE decision = d.id) END AS partCount,
  d.passed_as AS passedAs`;
