/** Looks back through the decisions, newest first, a bounded number at a time: frames wait while it does. */

import type { DecisionRecord } from "../core/record.ts";
import { AUDIT } from "../core/review-record.ts";
import type { Database } from "../sqlite/database.ts";
import { RECORD_COLUMNS } from "./columns.ts";

/** Which decisions; what is undefined does not matter. */
export interface DecisionFilter {
  readonly station: string | undefined;
  readonly source: string | undefined;
  readonly decision: DecisionRecord["decision"] | undefined;
  /** Only those with a smaller id. */
  readonly before: number | undefined;
  /** At least 1. */
  readonly limit: number;
}

export interface DecisionPage {
  readonly decisions: readonly DecisionRecord[];
  /** There may be more before this id. */
  readonly next: number | undefined;
}

/** Rows that one look goes through. */
const ROWS_MAX = 2000;

/**
 * A decision that passed a part whose audit waits, or one of that part's frames: whoever answers the audit could look it
 * up here.
 */
const AUDITED = `
  EXISTS (SELECT 1 FROM reviews r WHERE r.id = d.review AND r.reason = '${AUDIT}' AND r.resolved_at IS NULL)
  OR (d.decision = 'held' AND EXISTS (
    SELECT 1 FROM part_rows p JOIN reviews r ON r.decision = p.decision
    WHERE p.station = d.station AND p.part = d.part AND p.frames IS NOT NULL
      AND r.reason = '${AUDIT}' AND r.resolved_at IS NULL))`;

export function lookBack(db: Database): (filter: DecisionFilter) => DecisionPage {
  const window = "FROM decisions WHERE id < @before ORDER BY id DESC LIMIT @rows";
  const matching = db.prepare(
    `SELECT ${RECORD_COLUMNS} FROM (SELECT * ${window}) d
     WHERE (@station IS NULL OR d.station = @station) AND (@source IS NULL OR d.source = @source)
       AND (@decision IS NULL OR d.decision = @decision) AND NOT (${AUDITED})
     ORDER BY d.id DESC LIMIT @limit`,
  );
  const extent = db.prepare(`SELECT count(*) AS rows, min(id) AS last FROM (SELECT id ${window})`);
  return ({ station, source, decision, before, limit }) => {
    const from = { before: before ?? Number.MAX_SAFE_INTEGER, rows: ROWS_MAX };
    const found = matching.all({
      ...from,
      station: station ?? null,
      source: source ?? null,
      decision: decision ?? null,
      limit: limit + 1,
    }) as DecisionRecord[];
    if (found.length > limit) {
      const decisions = found.slice(0, limit);
      return { decisions, next: decisions.at(-1)!.id };
    }
    const { rows, last } = extent.get(from) as { readonly rows: number; readonly last: number | null };
    return { decisions: found, next: rows < ROWS_MAX ? undefined : last! };
  };
}
