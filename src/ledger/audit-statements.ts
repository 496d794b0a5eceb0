/** The statements on audits, prepared once. Each of those that run while frames flow is answered by an index. */

import type { Audit, AuditQuestion } from "../core/audit.ts";
import type { Database } from "../sqlite/database.ts";

/** An audit as its row has it. */
export type AuditRow = Omit<Audit, "teacher" | "person"> & {
  readonly teacher: Standing;
  readonly person: Standing;
  readonly teacherAt: number | null;
  readonly personAt: number | null;
  readonly frames: number | null;
  readonly framesDigest: Uint8Array | null;
};
export type Standing = "waiting" | "good" | "bad" | "unanswered";

const COLUMNS = `
  id, station, source, frame, part, decision, revision, bundle, ordinal, pi, pi_min AS piMin, drawn_at AS drawnAtMs,
  deadline_at AS deadlineAtMs, teacher, teacher_at AS teacherAt, person, person_at AS personAt, frames,
  frames_digest AS framesDigest`;

const IS_OPEN = "(teacher = 'waiting' OR person = 'waiting')";
/** A row of the log that stands for passed parts. */
export interface Handed {
  readonly ordinal: number;
  readonly count: number;
  readonly pi: number;
  readonly piMin: number;
  readonly audit: string | null;
}

export function prepareAudits(db: Database) {
  const settle = (question: AuditQuestion) =>
    db.prepare(`UPDATE audits SET ${question} = ?, ${question}_at = ? WHERE decision = ?`);
  return {
    find: db.prepare(`SELECT ${COLUMNS} FROM audits WHERE id = ?`),
    waiting: db.prepare(
      `SELECT ${COLUMNS} FROM audits INDEXED BY audits_waiting
       WHERE teacher = 'waiting' AND deadline_at > ? AND decision > ? AND frames IS NOT NULL
         AND (EXISTS (SELECT 1 FROM frames f WHERE f.decision = audits.decision)
           OR EXISTS (SELECT 1 FROM audit_frames f WHERE f.decision = audits.decision))
       ORDER BY decision`,
    ),
    due: db.prepare(
      `SELECT ${COLUMNS} FROM audits INDEXED BY audits_due WHERE ${IS_OPEN} AND deadline_at <= ? LIMIT ?`,
    ),
    list: db.prepare(
      `SELECT ${COLUMNS} FROM audits
       WHERE decision < @from AND (@station IS NULL OR station = @station) ORDER BY decision DESC LIMIT @limit`,
    ),
    entries: db.prepare(
      `SELECT ordinal, count, pi, pi_min AS piMin, audit FROM audit_log
       WHERE station = @station AND revision = @revision AND ordinal >= coalesce((
         SELECT max(ordinal) FROM audit_log WHERE station = @station AND revision = @revision AND ordinal <= @from
       ), 0) AND ordinal + coalesce(count, 1) > @from
       ORDER BY ordinal LIMIT @limit`,
    ),
    standing: db.prepare(
      `SELECT coalesce(sum(teacher = 'waiting'), 0) AS teacher, coalesce(sum(person = 'waiting'), 0) AS person,
         min(deadline_at) AS nextDeadlineMs
       FROM audits INDEXED BY audits_open WHERE ${IS_OPEN} AND station = @station`,
    ),
    settle: { teacher: settle("teacher"), person: settle("person") },
    known: db.prepare(
      `SELECT k.station, l.revision FROM known_reviews k JOIN audit_log l ON l.audit = k.review AND l.kind = 'known'
       WHERE k.review = ? AND k.found IS NULL`,
    ),
    seen: db.prepare("UPDATE known_reviews SET found = ? WHERE review = ?"),
    knownAnswers: db.prepare(
      `SELECT count(*) AS answered, coalesce(sum(found), 0) AS found FROM known_reviews
       WHERE station = ? AND found IS NOT NULL`,
    ),
    keepSeed: db.prepare(
      "INSERT OR REPLACE INTO audit_seeds (commitment, station, revision, seed) VALUES (?, ?, ?, ?)",
    ),
    seeds: db.prepare("SELECT station, revision, seed, commitment FROM audit_seeds"),
    forgetSeed: db.prepare("DELETE FROM audit_seeds WHERE commitment = ?"),
  };
}
