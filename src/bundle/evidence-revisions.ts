/**
 * Which revision each part of cal is of. Cal may be counted once: each revision of a certificate has parts of its own, and
 * those of earlier ones stay on record, so that they are known again.
 */

import type { SaidOfFrames } from "../core/envelope/repeated.ts";
import type { Evidence } from "../core/envelope/types.ts";
import type { Database } from "../sqlite/database.ts";

/** Evidence of an earlier version has none of these: all of its cal is of revision 1, and nothing is spent. */
export const REVISION_TABLES = `
  CREATE TABLE IF NOT EXISTS cal_revisions (part INTEGER PRIMARY KEY REFERENCES parts(part), revision INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS certified (revision INTEGER PRIMARY KEY, eta REAL NOT NULL) STRICT;
  -- Frames of cal that a certificate was made from, in evidence that this has replaced.
  CREATE TABLE IF NOT EXISTS spent (revision INTEGER NOT NULL, student_logits BLOB NOT NULL, teacher_logits BLOB NOT NULL) STRICT;
`;

/** A revision that has been certified, and the eta over all revisions that it was certified with. */
export interface CertifiedRevision {
  readonly revision: number;
  readonly eta: number;
}

export interface EvidenceRevisions {
  /** Of the newest parts of cal. */
  readonly newest: number;
  /** Earlier ones, rising; the newest stands in the envelope that was made from it. */
  readonly certified: readonly CertifiedRevision[];
}

export interface SpentFrame {
  readonly revision: number;
  readonly studentLogits: Uint8Array;
  readonly teacherLogits: Uint8Array;
}

/** What evidence that takes the place of other evidence has to know of it. */
export interface EvidenceHistory {
  /** Of the parts of cal that are recorded now. */
  readonly revision: number;
  readonly certified: readonly CertifiedRevision[];
  readonly spent: readonly SpentFrame[];
}

export const NO_HISTORY: EvidenceHistory = { revision: 1, certified: [], spent: [] };

function hasTables(db: Database): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'cal_revisions'").get() !== undefined;
}

export function revisionsOf(db: Database): EvidenceRevisions {
  if (!hasTables(db)) return { newest: 1, certified: [] };
  const newest = db.prepare("SELECT coalesce(max(revision), 1) FROM cal_revisions").pluck().get() as number;
  const certified = db.prepare("SELECT revision, eta FROM certified ORDER BY revision").all();
  return { newest, certified: certified as CertifiedRevision[] };
}

/** Revision of each part of cal that is not of the first. */
function revisionByPart(db: Database): ReadonlyMap<number, number> {
  if (!hasTables(db)) return new Map();
  const rows = db.prepare("SELECT part, revision FROM cal_revisions").raw().all() as [number, number][];
  return new Map(rows);
}

/** The evidence as a revision sees it: fit and ref, and of cal only its own parts. */
export function ofRevision(evidence: Evidence, db: Database, revision: number): Evidence {
  const revisions = revisionByPart(db);
  const isKept = evidence.splitOfPart.map(
    (split, part) => split !== "cal" || (revisions.get(part) ?? 1) === revision,
  );
  if (!isKept.includes(false)) return evidence;
  const index = new Int32Array(isKept.length).fill(-1);
  let parts = 0;
  for (const [part, kept] of isKept.entries()) if (kept) index[part] = parts++;
  const rows = Int32Array.from(evidence.part.keys()).filter((row) => isKept[evidence.part[row]!]!);
  const floats = (column: Float32Array, width: number): Float32Array => {
    const kept = new Float32Array(rows.length * width);
    rows.forEach((row, i) => {
      kept.set(column.subarray(row * width, (row + 1) * width), i * width);
    });
    return kept;
  };
  const { classes, features, featureCount, doubt, doubtCount } = evidence;
  return {
    ...{ classes, featureCount, doubtCount },
    part: rows.map((row) => index[evidence.part[row]!]!),
    splitOfPart: evidence.splitOfPart.filter((_, part) => isKept[part]),
    studentLogits: floats(evidence.studentLogits, classes.length),
    teacherLogits: floats(evidence.teacherLogits, classes.length),
    features: features && floats(features, featureCount),
    doubt: doubt && floats(doubt, doubtCount),
    largestGap: floats(evidence.largestGap, 1),
    teacherSwing: floats(evidence.teacherSwing, 1),
    studentSwing: floats(evidence.studentSwing, 1),
    label: Int16Array.from(rows, (row) => evidence.label[row]!),
  };
}

/** Notes the revision of parts of cal, and what was before, in tables that are there. */
export function writeHistory(
  db: Database,
  { revision, certified, spent }: EvidenceHistory,
  calParts: readonly number[],
): void {
  const part = db.prepare("INSERT INTO cal_revisions VALUES (?, ?)");
  const done = db.prepare("INSERT INTO certified VALUES (?, ?) ON CONFLICT DO NOTHING");
  const frame = db.prepare("INSERT INTO spent VALUES (?, ?, ?)");
  if (revision > 1) for (const one of calParts) part.run(one, revision);
  for (const one of certified) done.run(one.revision, one.eta);
  for (const one of spent) frame.run(one.revision, one.studentLogits, one.teacherLogits);
}

/** Frames of cal that certificates up to a revision were made from. */
export function spentFrames(db: Database, upTo: number): SpentFrame[] {
  const known = hasTables(db);
  const revision = known ? "coalesce(r.revision, 1)" : "1";
  const join = known ? "LEFT JOIN cal_revisions r ON r.part = f.part" : "";
  const own = db
    .prepare(
      `SELECT ${revision} AS revision, f.student_logits AS studentLogits, f.teacher_logits AS teacherLogits
       FROM frames f JOIN parts p ON p.part = f.part ${join} WHERE p.split = 'cal' AND ${revision} <= ?`,
    )
    .all(upTo) as SpentFrame[];
  const before = known
    ? (db
        .prepare(
          "SELECT revision, student_logits AS studentLogits, teacher_logits AS teacherLogits FROM spent",
        )
        .all() as SpentFrame[])
    : [];
  return [...before, ...own];
}

/** Of models with as many classes; others say nothing that could be compared. */
export function saidOf(frames: readonly Omit<SpentFrame, "revision">[], classes: number): SaidOfFrames {
  const alike = frames.filter(
    ({ studentLogits, teacherLogits }) =>
      studentLogits.length === 4 * classes && teacherLogits.length === 4 * classes,
  );
  const columns = (column: "studentLogits" | "teacherLogits"): Float32Array => {
    const all = new Float32Array(alike.length * classes);
    alike.forEach((frame, i) => {
      all.set(new Float32Array(new Uint8Array(frame[column]).buffer), i * classes);
    });
    return all;
  };
  return { student: columns("studentLogits"), teacher: columns("teacherLogits") };
}
