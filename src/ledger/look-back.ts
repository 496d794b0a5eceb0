/** Looks back through the decisions, newest first, a bounded number at a time: frames wait while it does. */

import type { DecisionRecord } from "../core/record.ts";
import { AUDIT } from "../core/review-record.ts";
import type { Database } from "../sqlite/database.ts";
import { RECORD_COLUMNS } from "./columns.ts";

/** Which decisions; what is undefined does not matter. */
export interface DecisionFilter {
  readonly station?: string | undefined;
  readonly source?: string | undefined;
  readonly decision?: DecisionRecord["decision"] | undefined;
  readonly reason?: string | undefined;
  readonly class?: string | undefined;
  readonly part?: string | undefined;
  /** Decided then or later, */
  readonly fromMs?: number | undefined;
  /** and before then. Where the clock was set back in between, rows are found by the order in which they were written. */
  readonly toMs?: number | undefined;
}

export interface Look extends DecisionFilter {
  /** Only those with a smaller id. */
  readonly before?: number | undefined;
  /** At least 1. */
  readonly limit: number;
  /** Rows that this look goes through; frames wait for so long. */
  readonly rowsMax: number;
}

export interface DecisionPage {
  readonly decisions: readonly DecisionRecord[];
  /** There may be more before this id. */
  readonly next: number | undefined;
}

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

const EQUAL = ["station", "source", "decision", "reason", "class", "part"] as const;

export function lookBack(db: Database): (look: Look) => DecisionPage {
  const window = "FROM decisions WHERE id < @before ORDER BY id DESC LIMIT @rows";
  const equal = EQUAL.map((name) => `(@${name} IS NULL OR d.${name} = @${name})`).join(" AND ");
  const matching = db.prepare(
    `SELECT ${RECORD_COLUMNS} FROM (SELECT * ${window}) d
     WHERE ${equal} AND d.decided_at >= @fromMs AND d.decided_at < @toMs AND NOT (${AUDITED})
     ORDER BY d.id DESC LIMIT @limit`,
  );
  const extent = db.prepare(
    `SELECT count(*) AS rows, min(id) AS last, min(decided_at) AS oldestMs FROM (SELECT id, decided_at ${window})`,
  );
  const decidedAt = db
    .prepare("SELECT decided_at FROM decisions WHERE id <= ? ORDER BY id DESC LIMIT 1")
    .pluck();
  const newest = db.prepare("SELECT max(id) FROM decisions").pluck();

  /** The id from which on all were decided at this time or later, found by halving. */
  function firstSince(ms: number): number {
    let low = 0;
    let high = ((newest.get() as number | null) ?? 0) + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const at = decidedAt.get(middle) as number | undefined;
      if (at === undefined || at < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return ({ before = Number.MAX_SAFE_INTEGER, limit, rowsMax, fromMs, toMs, ...filter }) => {
    const start = toMs === undefined ? before : Math.min(before, firstSince(toMs));
    const from = { before: start, rows: rowsMax };
    const wanted = Object.fromEntries(EQUAL.map((name) => [name, filter[name] ?? null]));
    const found = matching.all({
      ...from,
      ...wanted,
      fromMs: fromMs ?? Number.MIN_SAFE_INTEGER,
      toMs: toMs ?? Number.MAX_SAFE_INTEGER,
      limit: limit + 1,
    }) as DecisionRecord[];
    if (found.length > limit) {
      const decisions = found.slice(0, limit);
      return { decisions, next: decisions.at(-1)!.id };
    }
    const { rows, last, oldestMs } = extent.get(from) as {
      readonly rows: number;
      readonly last: number | null;
      readonly oldestMs: number | null;
    };
    const isEnd = rows < rowsMax || (fromMs !== undefined && oldestMs !== null && oldestMs < fromMs);
    return { decisions: found, next: isEnd ? undefined : last! };
  };
}
