/** Verifies the audits: their log against its own chain, and what they are now against the log. */

import type { Database } from "../sqlite/database.ts";
import { BEFORE_AUDITS, type Entry, hashOfEntry } from "./audit-log.ts";
import type { LastAct } from "./chain.ts";
import type { Run } from "./drawing.ts";

/** The hash of an entry of the log by its number; 0 stands for none. */
export function auditReader(db: Database): (seq: number) => LastAct | undefined {
  const read = db.prepare("SELECT hash FROM audit_log WHERE seq = ?").pluck();
  return (seq) => {
    const hash = seq === 0 ? BEFORE_AUDITS : (read.get(seq) as Uint8Array | undefined);
    return hash === undefined ? undefined : { seq, hash };
  };
}

const ENTRY_COLUMNS = `
  seq, station, revision, kind, at, ordinal, count, pi, pi_min AS piMin, audit, decision, bundle,
  deadline_at AS deadlineAt, question, is_bad AS isBad, details, frames_digest AS framesDigest, hash`;

/** Entries that are looked through at a start: the whole log may have grown for years. */
const TAIL_ENTRIES = 10_000;

/** How many passed parts of a station's revision the log has. */
type Counted = Map<string, number>;

/** What is wrong with the end of the log of audits, or undefined. */
export function checkAuditTail(db: Database): string | undefined {
  const ends = db.prepare("SELECT max(seq) FROM audit_log").pluck().get() as number | null;
  const begin = auditReader(db)(Math.max(0, (ends ?? 0) - TAIL_ENTRIES));
  return begin === undefined ? "entries of the log of audits are missing" : walkLog(db, begin, new Map());
}

/** What is wrong with the audits, or undefined. */
export function checkAudits(db: Database): string | undefined {
  const counted: Counted = new Map();
  const found = walkLog(db, { seq: 0, hash: BEFORE_AUDITS }, counted);
  return found ?? checkRuns(db, counted) ?? checkStanding(db);
}

/** Walks the log from an entry that is taken for granted. */
function walkLog(db: Database, begin: LastAct, counted: Counted): string | undefined {
  const rows = db
    .prepare(`SELECT ${ENTRY_COLUMNS} FROM audit_log WHERE seq > ? ORDER BY seq`)
    .iterate(begin.seq) as IterableIterator<Entry & { readonly seq: number; readonly hash: Uint8Array }>;
  let last = begin;
  for (const { seq, hash, ...entry } of rows) {
    if (seq !== last.seq + 1) return `entry ${last.seq + 1} of the log of audits is missing`;
    if (!hashOfEntry(last.hash, seq, entry).equals(hash))
      return `entry ${seq} of the log of audits is not as it was written`;
    last = { seq, hash };
    const { ordinal, count, station, revision } = entry;
    if (ordinal === null) continue;
    const key = `${revision} ${station}`;
    if (ordinal !== (counted.get(key) ?? (begin.seq === 0 ? 0 : ordinal)))
      return `entry ${seq} of the log of audits does not follow: parts that passed are not counted`;
    counted.set(key, ordinal + (count ?? 1));
  }
  const ends = db.prepare("SELECT audits FROM chain ORDER BY seq DESC LIMIT 1").pluck().get() as number;
  return last.seq === ends
    ? undefined
    : `the log of audits has ${last.seq} entries, the chain ends at ${ends}`;
}

/** Whether each run begins where the log ends, and ends with the last part that passed, where that is still there. */
function checkRuns(db: Database, counted: Counted): string | undefined {
  const runs = db
    .prepare("SELECT station, revision, ordinal, count, pi, pi_min AS piMin, last FROM audit_runs")
    .all() as Run[];
  const placeOf = db.prepare("SELECT passed_as FROM decisions WHERE id = ?").pluck();
  const places = db
    .prepare(
      `SELECT station, revision, max(passed_as) AS last FROM decisions WHERE passed_as IS NOT NULL
       GROUP BY station, revision`,
    )
    .all() as { readonly station: string; readonly revision: number; readonly last: number }[];
  const deletedUpTo = db.prepare("SELECT last FROM chain ORDER BY seq LIMIT 1").pluck().get() as number;
  const policyOf = db.prepare(
    `SELECT pi, pi_min AS piMin FROM audit_log WHERE station = ? AND revision = ? AND pi IS NOT NULL
     ORDER BY seq DESC LIMIT 1`,
  );
  for (const { station, revision, ordinal, count, pi, piMin, last } of runs) {
    const policy = policyOf.get(station, revision) as Pick<Run, "pi" | "piMin"> | undefined;
    if (policy?.pi !== pi || policy.piMin !== piMin)
      return `the run of ${station} has a probability of ${pi}, its log says ${policy?.pi ?? "none"}`;
    const at = counted.get(`${revision} ${station}`) ?? 0;
    if (ordinal !== at) return `the run of ${station} begins at ${ordinal}, its log ends at ${at}`;
    const all = ordinal + count;
    const largest = places.find((one) => one.station === station && one.revision === revision)?.last ?? -1;
    const found = placeOf.get(last) as number | null | undefined;
    // Gone with what retention has deleted, but never while a part of the same place is there.
    const isGone = found === undefined && last <= deletedUpTo && largest < all - 1;
    const place = isGone ? all - 1 : (found ?? -1);
    if (place !== all - 1 || largest >= all)
      return `${all} passed parts of ${station} are counted, the last is number ${Math.max(place, largest)}`;
  }
  const uncounted = places.find(
    (one) => !runs.some(({ station, revision }) => station === one.station && revision === one.revision),
  );
  return uncounted && `no part of ${uncounted.station} that passed is counted`;
}

/** Whether the audits are what the log made them. */
function checkStanding(db: Database): string | undefined {
  const settled = (question: "teacher" | "person"): string => `coalesce((
    SELECT CASE WHEN s.kind = 'unanswered' THEN 'unanswered' WHEN s.is_bad THEN 'bad' ELSE 'good' END
    FROM audit_log s WHERE s.audit = a.id AND s.question = '${question}' AND s.kind IN ('answered', 'unanswered')
  ), 'waiting')`;
  const settledAt = (question: "teacher" | "person"): string => `(
    SELECT s.at FROM audit_log s
    WHERE s.audit = a.id AND s.question = '${question}' AND s.kind IN ('answered', 'unanswered'))`;
  const one = (sql: string): string | number | undefined =>
    db.prepare(sql).pluck().get() as string | number | undefined;
  const strange = one(
    `SELECT a.id FROM audits a LEFT JOIN audit_log l ON l.audit = a.id AND l.kind = 'drawn'
     WHERE l.decision IS NOT a.decision OR l.station IS NOT a.station OR l.revision IS NOT a.revision
       OR l.bundle IS NOT a.bundle OR l.ordinal IS NOT a.ordinal OR l.pi IS NOT a.pi OR l.pi_min IS NOT a.pi_min
       OR l.deadline_at IS NOT a.deadline_at OR l.frames_digest IS NOT a.frames_digest OR l.at IS NOT a.drawn_at
       OR l.details IS NOT json_array(a.source, a.frame, a.part, a.frames)
       OR a.teacher IS NOT ${settled("teacher")} OR a.person IS NOT ${settled("person")}
       OR a.teacher_at IS NOT ${settledAt("teacher")} OR a.person_at IS NOT ${settledAt("person")} LIMIT 1`,
  );
  if (strange !== undefined) return `audit ${strange} is not what the log of audits made it`;
  const drawn = one("SELECT count(*) FROM audit_log WHERE kind = 'drawn'");
  if (one("SELECT count(*) FROM audits NOT INDEXED") !== drawn) return "there are audits that were not drawn";
  const known = one(
    `SELECT coalesce(k.review, l.audit) FROM known_reviews k FULL JOIN (SELECT * FROM audit_log WHERE kind = 'known') l
     ON l.audit = k.review LEFT JOIN audit_log s ON s.audit = k.review AND s.kind = 'seen'
     WHERE l.station IS NOT k.station OR l.details IS NOT k.label OR k.found IS NOT 1 - s.is_bad LIMIT 1`,
  );
  if (known !== undefined) return `the known frame of review ${known} is not what the log of audits made it`;
  const waits = "FROM audits WHERE teacher = 'waiting' OR person = 'waiting'";
  return one(`SELECT count(*) ${waits}`) ===
    one(`SELECT count(*) ${waits.replace("audits", "audits NOT INDEXED")}`)
    ? undefined
    : "the index of audits that wait does not match";
}
