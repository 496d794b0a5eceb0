/** `evidence.sqlite`: what teacher and student said of the calibration frames, frame rows under part rows. */

import { renameSync, rmSync } from "node:fs";
import { repeatedRows } from "../core/envelope/repeated.ts";
import type { Evidence, Split } from "../core/envelope/types.ts";
import { readDocument } from "../schema/document.ts";
import { Database } from "../sqlite/database.ts";
import { columnsOf } from "./evidence-columns.ts";
import { type EvidenceDescription, EvidenceDescriptionSchema } from "./evidence-description.ts";
import {
  type EvidenceHistory,
  type EvidenceRevisions,
  NO_HISTORY,
  ofRevision,
  REVISION_TABLES,
  revisionsOf,
  type SpentFrame,
  saidOf,
  spentFrames,
  writeHistory,
} from "./evidence-revisions.ts";

export interface PartRow {
  readonly name: string;
  readonly lot: string | null;
  readonly split: Split;
}

export interface FrameRow {
  /** Row number in the frames file. */
  readonly frame: number;
  readonly part: number;
  readonly label: number;
  readonly studentLogits: Float32Array;
  readonly teacherLogits: Float32Array;
  readonly features: Float32Array | undefined;
  readonly doubt: Float32Array | undefined;
  readonly largestGap: number;
  readonly teacherSwing: number;
  readonly studentSwing: number;
}

/** Evidence that cannot be used, with what to do about it. */
export class EvidenceError extends Error {
  override readonly name = "EvidenceError";
}

const TABLES = `
  CREATE TABLE description (body TEXT NOT NULL) STRICT;
  CREATE TABLE parts (part INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, lot TEXT, split TEXT NOT NULL) STRICT;
  CREATE TABLE frames (
    frame INTEGER PRIMARY KEY,
    part INTEGER NOT NULL REFERENCES parts(part),
    label INTEGER NOT NULL,
    student_logits BLOB NOT NULL,
    teacher_logits BLOB NOT NULL,
    features BLOB,
    doubt BLOB,
    largest_gap REAL,
    teacher_swing REAL,
    student_swing REAL
  ) STRICT;
  CREATE TABLE frame_names (frame INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
  ${REVISION_TABLES}
`;

export interface EvidenceWriter {
  /** Frames already recorded by an earlier run that was interrupted. */
  readonly recorded: number;
  append(rows: readonly FrameRow[]): void;
  /** Names of parts of cal that were counted before. */
  repeated(): readonly string[];
  /** Puts the finished file in place. */
  finish(): void;
  close(): void;
  /** Closes, and leaves nothing of what was recorded. */
  abandon(): void;
}

/**
 * Opens evidence for writing beside its final place, and goes on where an interrupted run of the same
 * description stopped.
 * @param names the plant's own id of each frame, where it has one; kept for who looks a frame up
 */
export function openEvidenceWriter(
  file: string,
  description: EvidenceDescription,
  parts: readonly PartRow[],
  names: readonly string[] = [],
  history: EvidenceHistory = NO_HISTORY,
): EvidenceWriter {
  const partial = `${file}.partial`;
  const db = new Database(partial);
  // A run that was ended before its first commit left a file without tables.
  const isNew = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
  db.pragma("journal_mode = DELETE");
  db.pragma("synchronous = NORMAL");
  const body = JSON.stringify(description);
  if (isNew) {
    db.transaction(() => {
      db.exec(TABLES);
      db.prepare("INSERT INTO description VALUES (?)").run(body);
      const insert = db.prepare("INSERT INTO parts VALUES (?, ?, ?, ?)");
      for (const [i, part] of parts.entries()) insert.run(i, part.name, part.lot, part.split);
      const insertName = db.prepare("INSERT INTO frame_names VALUES (?, ?)");
      for (const [i, name] of names.entries()) insertName.run(i, name);
      const cal = [...parts.keys()].filter((part) => parts[part]!.split === "cal");
      writeHistory(db, history, cal);
    })();
  } else if (db.prepare("SELECT body FROM description").pluck().get() !== body) {
    db.close();
    throw new EvidenceError(
      `${partial} holds an interrupted recording of other frames, models or settings; finish it with those, or delete it`,
    );
  }
  return {
    recorded: db.prepare("SELECT count(*) FROM frames").pluck().get() as number,
    append: frameAppender(db),
    repeated: () => repeatedParts(db, description.classes.length, history),
    abandon(): void {
      db.close();
      rmSync(partial);
    },
    finish(): void {
      db.exec("VACUUM");
      db.close();
      renameSync(partial, file);
    },
    close: () => void db.close(),
  };
}

/** Writes rows of frames, all or none. */
export function frameAppender(db: Database): (rows: readonly FrameRow[]) => void {
  const insert = db.prepare("INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  return db.transaction((rows: readonly FrameRow[]) => {
    for (const row of rows) {
      insert.run(
        row.frame,
        row.part,
        row.label,
        blob(row.studentLogits),
        blob(row.teacherLogits),
        row.features === undefined ? null : blob(row.features),
        row.doubt === undefined ? null : blob(row.doubt),
        finiteOrNull(row.largestGap),
        finiteOrNull(row.teacherSwing),
        finiteOrNull(row.studentSwing),
      );
    }
  });
}

/** Names of the parts of cal just recorded that a certificate has counted before, in evidence that this replaces. */
function repeatedParts(db: Database, classes: number, { spent }: EvidenceHistory): readonly string[] {
  if (spent.length === 0) return [];
  const fresh = db
    .prepare(
      `SELECT p.name, f.student_logits AS studentLogits, f.teacher_logits AS teacherLogits
       FROM frames f JOIN parts p ON p.part = f.part WHERE p.split = 'cal' ORDER BY f.frame`,
    )
    .all() as (Omit<SpentFrame, "revision"> & { readonly name: string })[];
  const rows = repeatedRows(saidOf(spent, classes), saidOf(fresh, classes), classes);
  return [...new Set(rows.map((row) => fresh[row]!.name))];
}

/** What an evidence file holds. */
export interface RecordedEvidence {
  readonly description: EvidenceDescription;
  /** Fit and ref, and of cal the parts of the newest revision. */
  readonly evidence: Evidence;
  /** Of all parts, those of earlier revisions among them. */
  readonly partNames: readonly string[];
  readonly revisions: EvidenceRevisions;
}

/** Reads an evidence file into columns. */
export function readEvidence(file: string): RecordedEvidence {
  let db: Database;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true });
  } catch (error) {
    throw new EvidenceError(
      `${file}: cannot open the evidence: ${(error as Error).message}; make it with \`sekisho record\``,
    );
  }
  try {
    const description = descriptionOf(db);
    const partNames = db.prepare("SELECT name FROM parts ORDER BY part").pluck().all() as string[];
    const revisions = revisionsOf(db);
    const evidence = ofRevision(columnsOf(db, description), db, revisions.newest);
    return { description, evidence, partNames, revisions };
  } catch (error) {
    throw new EvidenceError(
      `${file}: expected evidence as \`sekisho record\` writes it: ${(error as Error).message}; put the recorded file back, or record again`,
    );
  } finally {
    db.close();
  }
}

/**
 * Of an evidence file that is about to be replaced: its revisions, and the frames that were counted.
 * @throws EvidenceError where it cannot be read: what it has counted must not be forgotten
 */
export function readHistory(file: string): {
  readonly revisions: EvidenceRevisions;
  readonly spentUpTo: (revision: number) => readonly SpentFrame[];
} {
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true });
    try {
      const revisions = revisionsOf(db);
      const all = spentFrames(db, Number.MAX_SAFE_INTEGER);
      return { revisions, spentUpTo: (last) => all.filter(({ revision }) => revision <= last) };
    } finally {
      db.close();
    }
  } catch (error) {
    throw new EvidenceError(
      `${file}: cannot read the evidence that is to be replaced: ${(error as Error).message}; use a new folder`,
    );
  }
}

export function descriptionOf(db: Database): EvidenceDescription {
  const body = db.prepare("SELECT body FROM description").pluck().get();
  const read = readDocument(String(body), "description", EvidenceDescriptionSchema);
  if (read.ok) return read.value;
  throw new Error(read.problems.map(({ message }) => `its description: ${message}`).join("; "));
}

function blob(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

/** SQLite has no NaN: what is not finite is stored as NULL and read back as NaN. */
function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
