/** Decisions counted by the minute, over a span of ids: what the console's charts are made of. */

import type { Database } from "../sqlite/database.ts";

export interface MinuteCount {
  readonly station: string;
  /** Minutes since the epoch. */
  readonly minute: number;
  readonly decision: "pass" | "review" | "reject";
  readonly reason: string;
  readonly class: string | null;
  readonly frames: number;
}

export interface MinuteCounts {
  /** The newest id; 0 where there is none. */
  lastId(): number;
  /**
   * Of ids above the first and up to the last; frames held for their part are counted with its decision. What was decided
   * in shadow counts as what it would have been.
   */
  between(above: number, upTo: number): readonly MinuteCount[];
}

export function openMinuteCounts(db: Database): MinuteCounts {
  const last = db.prepare("SELECT max(id) FROM decisions").pluck();
  const between = db.prepare(
    `SELECT station, decided_at / 60000 AS minute,
       CASE WHEN would IS NULL THEN decision ELSE substr(would, 1, instr(would, ':') - 1) END AS decision,
       CASE WHEN would IS NULL THEN reason ELSE substr(would, instr(would, ':') + 1) END AS reason,
       class, count(*) AS frames FROM decisions
     WHERE id > ? AND id <= ? AND decision != 'held' GROUP BY 1, 2, 3, 4, 5`,
  );
  return {
    lastId: () => (last.get() as number | null) ?? 0,
    between: (above, upTo) => between.all(above, upTo) as MinuteCount[],
  };
}
