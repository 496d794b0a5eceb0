/** What the ledger keeps of parts beside their rows among the decisions: which are open, and what stands of the others. */

import type { DecisionRecord, Judged, OpenPartRow, PartStanding } from "../core/record.ts";
import type { Database } from "../sqlite/database.ts";
import { RECORD_COLUMNS } from "./columns.ts";
import type { Statements } from "./statements.ts";

/** A migration's step. A row of it for each decision that is of a part; its decision's row closes those that wait. */
export const PARTS_STEP = `
  CREATE TABLE part_rows (
    decision INTEGER PRIMARY KEY REFERENCES decisions(id),
    station TEXT NOT NULL,
    part TEXT NOT NULL,
    -- By how many frames the part was decided, in the row that decides it.
    frames INTEGER,
    -- How many frames the part has, as this frame says; 0 where it says nonsense.
    part_count INTEGER,
    is_open INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX part_rows_by_part ON part_rows (station, part, decision);
  CREATE INDEX part_rows_deciding ON part_rows (station, part, decision) WHERE frames IS NOT NULL;
  CREATE INDEX part_rows_open ON part_rows (decision) WHERE is_open;
`;

export type PartRows = ReturnType<typeof openPartRows>;

export function openPartRows(db: Database, statements: Statements, dedupeWindowMs: number) {
  const insert = db.prepare("INSERT INTO part_rows VALUES (?, ?, ?, ?, ?, ?)");
  const close = db.prepare("UPDATE part_rows SET is_open = 0 WHERE station = ? AND part = ? AND is_open");
  const deciding = db.prepare(
    `SELECT ${RECORD_COLUMNS} FROM part_rows p JOIN decisions d ON d.id = p.decision
     WHERE p.station = ? AND p.part = ? AND p.frames IS NOT NULL AND d.decided_at >= ?
     ORDER BY p.decision DESC LIMIT 1`,
  );
  const late = db.prepare(
    `SELECT ${RECORD_COLUMNS} FROM part_rows p JOIN decisions d ON d.id = p.decision
     WHERE p.station = ? AND p.part = ? AND p.decision > ? AND d.decision = 'review'
     ORDER BY p.decision LIMIT 1`,
  );
  const open = db.prepare(
    `SELECT ${RECORD_COLUMNS}, d.identified, d.bundle, d.received_at AS receivedAtMs, p.part_count AS partCount
     FROM part_rows p JOIN decisions d ON d.id = p.decision WHERE p.is_open ORDER BY p.decision`,
  );

  return {
    /** Notes that a row just written is of a part, inside its transaction. */
    add(id: number, part: string, { frame, part: entry }: Judged): void {
      const frames = entry?.frames ?? null;
      if (frames !== null) close.run(frame.station, part);
      insert.run(id, frame.station, part, frames, frame.partCount ?? null, entry?.isOpen === true ? 1 : 0);
    },

    /** Whether a frame has its row already. */
    isRecorded({ frame, decidedAtMs }: Judged): boolean {
      if (!frame.identified) return false;
      const since = decidedAtMs - dedupeWindowMs;
      return statements.earlier.get(frame.source, frame.id, frame.station, since) !== undefined;
    },

    standing(station: string, part: string, atMs: number): PartStanding | undefined {
      const decision = deciding.get(station, part, atMs - dedupeWindowMs) as DecisionRecord | undefined;
      if (decision === undefined) return undefined;
      const isReviewed = decision.decision === "review" && decision.reason !== "shadow";
      const behind = isReviewed ? undefined : late.get(station, part, decision.id);
      return { decision, late: behind as DecisionRecord | undefined };
    },

    open: (): readonly OpenPartRow[] =>
      (open.all() as (DecisionRecord & Record<"identified" | "receivedAtMs", number> & OpenRowTail)[]).map(
        ({ identified, bundle, receivedAtMs, partCount, ...record }) => ({
          record,
          identified: identified === 1,
          bundle,
          receivedAtMs,
          partCount: partCount ?? undefined,
        }),
      ),
  };
}

interface OpenRowTail {
  readonly bundle: string;
  readonly partCount: number | null;
}

/** Whether a held row is known to wait, or its part has been decided: one that is neither would be forgotten. */
export function heldRowChecker(db: Database): (row: DecisionRecord) => boolean {
  const isCaredFor = db
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM part_rows INDEXED BY part_rows_open WHERE decision = ? AND is_open)
         OR EXISTS (SELECT 1 FROM part_rows WHERE station = ? AND part = ? AND frames IS NOT NULL AND decision > ?)`,
    )
    .pluck();
  return ({ id, station, part, decision }) =>
    decision !== "held" || isCaredFor.get(id, station, part, id) === 1;
}

/** What is wrong with the rows of parts, or undefined. */
export function checkParts(db: Database, rowsOfParts: number): string | undefined {
  const one = (sql: string): number | undefined => db.prepare(sql).pluck().get() as number | undefined;
  if (one("SELECT count(*) FROM part_rows NOT INDEXED") !== rowsOfParts)
    return "there are rows of parts that no decision has";
  const strange = one(
    `SELECT p.decision FROM part_rows p JOIN decisions d ON d.id = p.decision
     WHERE d.station != p.station OR d.part IS NOT p.part LIMIT 1`,
  );
  if (strange !== undefined) return `decision ${strange} is noted with another part`;
  const decided = `EXISTS (SELECT 1 FROM part_rows l WHERE l.station = p.station AND l.part = p.part
    AND l.frames IS NOT NULL AND l.decision > p.decision)`;
  const forgotten = one(
    `SELECT p.decision FROM part_rows p JOIN decisions d ON d.id = p.decision
     WHERE d.decision = 'held' AND p.is_open = (${decided}) LIMIT 1`,
  );
  if (forgotten !== undefined) return `the part of held decision ${forgotten} is neither open nor decided`;
  const waiting = one(
    `SELECT p.decision FROM part_rows p JOIN decisions d ON d.id = p.decision
     WHERE p.is_open NOT IN (0, 1) OR (p.is_open AND d.decision != 'held') LIMIT 1`,
  );
  if (waiting !== undefined) return `decision ${waiting}, which is not held, waits for its part`;
  const open = "part_rows WHERE is_open";
  return one(`SELECT count(*) FROM ${open}`) ===
    one("SELECT count(*) FROM part_rows NOT INDEXED WHERE is_open")
    ? undefined
    : "the index of open parts does not match";
}
