/** The decisions of one station as a replay reads them, page by page, beside the gateway that writes them. */

import type { ReplayRow } from "../core/replay.ts";
import type { FoundOut } from "../core/replay-tally.ts";
import type { Database } from "../sqlite/database.ts";
import { RECORD_COLUMNS } from "./columns.ts";
import { openReadOnly } from "./read-only.ts";

export interface ReplayRows {
  /** The first id from which on decisions are of this time or later, as far as the clock did not step back. */
  firstSince(ms: number): number;
  /** Rows of the station behind an id, oldest first; `next` is undefined at the end. */
  page(
    station: string,
    after: number,
  ): { readonly rows: readonly ReplayRow[]; readonly next: number | undefined };
  /** Rows of the frames by which a part was decided, in the order in which they were written. */
  framesOf(deciding: ReplayRow): readonly ReplayRow[];
  /** What has been found out about the decisions of a span of ids. */
  findings(station: string, after: number, upTo: number): ReadonlyMap<number, FoundOut>;
  readonly rowsInAll: number;
  readonly lastId: number;
  close(): void;
}

/** Ids that one page goes over. */
const PAGE_IDS = 4000;

const COLUMNS = `${RECORD_COLUMNS}, d.bundle, d.identified, p.decision IS NOT NULL AS isOfPart, p.part_count AS partCount,
  d.review IS NOT NULL AS opensReview`;

interface StoredRow extends Omit<ReplayRow, "identified" | "isOfPart" | "partCount" | "opensReview"> {
  readonly identified: number;
  readonly isOfPart: number;
  readonly partCount: number | null;
  readonly opensReview: number;
}

/**
 * Opens a ledger to replay from. No call keeps a snapshot: one would keep the gateway's log from being emptied.
 * @throws LedgerError if there is none, it cannot be opened, or it is of another version
 */
export function openReplayRows(path: string): ReplayRows {
  const db = openReadOnly(path);
  const { minId, maxId } = db
    .prepare("SELECT coalesce(min(id), 1) AS minId, coalesce(max(id), 0) AS maxId FROM decisions")
    .get() as { readonly minId: number; readonly maxId: number };
  const page = db.prepare(
    `SELECT ${COLUMNS} FROM decisions d LEFT JOIN part_rows p ON p.decision = d.id
     WHERE d.id > ? AND d.id <= ? AND d.station = ? ORDER BY d.id`,
  );
  const atOrAfter = db.prepare(
    "SELECT id, decided_at AS atMs FROM decisions WHERE id >= ? ORDER BY id LIMIT 1",
  );
  // Of a part id that is used again, the frames behind its last decision; what came late is of the one before.
  const framesOf = db.prepare(
    `SELECT ${COLUMNS} FROM part_rows p JOIN decisions d ON d.id = p.decision
     WHERE p.station = @station AND p.part = @part AND p.decision < @id AND p.frames IS NULL
       AND d.reason NOT IN ('late-frame') AND coalesce(d.would, '') != 'review:late-frame'
       AND p.decision > coalesce((SELECT max(decision) FROM part_rows
         WHERE station = @station AND part = @part AND frames IS NOT NULL AND decision < @id), 0)
     ORDER BY p.decision`,
  );
  const findingsOf = openFindings(db);
  return {
    lastId: maxId,
    rowsInAll: Math.max(0, maxId - minId + 1),
    firstSince(ms) {
      let [low, high] = [minId, maxId + 1];
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const found = atOrAfter.get(middle) as { readonly id: number; readonly atMs: number } | undefined;
        if (found === undefined || found.atMs >= ms) high = middle;
        else low = found.id + 1;
      }
      return low;
    },
    page(station, after) {
      const end = after + PAGE_IDS;
      const rows = (page.all(after, Math.min(end, maxId), station) as StoredRow[]).map(rowOf);
      return { rows, next: end >= maxId ? undefined : end };
    },
    framesOf: ({ station, part, id }) => (framesOf.all({ station, part, id }) as StoredRow[]).map(rowOf),
    findings: findingsOf,
    close: () => db.close(),
  };
}

function rowOf(row: StoredRow): ReplayRow {
  return {
    ...row,
    identified: row.identified === 1,
    isOfPart: row.isOfPart === 1,
    partCount: row.partCount ?? undefined,
    opensReview: row.opensReview === 1,
  };
}

/** Vouched answers of people. What nobody vouches for says nothing. */
function openFindings(db: Database): ReplayRows["findings"] {
  const answers = db.prepare(
    `SELECT r.decision, r.verdict, r.class, d.class AS said FROM reviews r JOIN decisions d ON d.id = r.decision
     WHERE r.decision > ? AND r.decision <= ? AND r.station = ? AND r.state = 'resolved' AND r.vouched = 1
       AND r.verdict IN ('confirm', 'correct', 'label')`,
  );
  const audits = db.prepare(
    `SELECT decision, teacher FROM audits
     WHERE decision > ? AND decision <= ? AND station = ? AND teacher IN ('good', 'bad')`,
  );
  return (station, after, upTo) => {
    const found = new Map<number, FoundOut>();
    const rows = answers.all(after, upTo, station) as {
      readonly decision: number;
      readonly verdict: string;
      readonly class: string | null;
      readonly said: string | null;
    }[];
    for (const { decision, verdict, class: shown, said } of rows) {
      const right = verdict === "confirm" || (shown !== null && shown === said);
      found.set(decision, { right, unfaithful: undefined });
    }
    for (const { decision, teacher } of audits.all(after, upTo, station) as {
      readonly decision: number;
      readonly teacher: string;
    }[]) {
      found.set(decision, { right: found.get(decision)?.right, unfaithful: teacher === "bad" });
    }
    return found;
  };
}
