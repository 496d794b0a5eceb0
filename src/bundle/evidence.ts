/** `evidence.sqlite`: what teacher and student said of the calibration frames, frame rows under part rows. */

import { renameSync } from "node:fs";
import type { Evidence, Split } from "../core/envelope/types.ts";
import { Database } from "../sqlite/database.ts";

/** What the evidence was recorded with; evidence of one description is never mixed with that of another. */
export interface EvidenceDescription {
  readonly schema: "sekisho.evidence/1";
  readonly classes: readonly string[];
  readonly studentSha256: string;
  /** Digest of teacher.onnx, or of the file of teacher outputs made elsewhere. */
  readonly teacherSha256: string;
  readonly framesSha256: string;
  readonly preprocessing: unknown;
  readonly onnxruntime: string;
  readonly featureCount: number;
  /** Recipe, number and seed of the perturbed copies; `frame-only` where there were none. */
  readonly neighbourhood: object;
  readonly splitSeed: number;
  readonly frames: number;
}

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
    largest_gap REAL,
    teacher_swing REAL,
    student_swing REAL
  ) STRICT;
  CREATE TABLE frame_names (frame INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
`;

export interface EvidenceWriter {
  /** Frames already recorded by an earlier run that was interrupted. */
  readonly recorded: number;
  append(rows: readonly FrameRow[]): void;
  /** Puts the finished file in place. */
  finish(): void;
  close(): void;
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
    })();
  } else if (db.prepare("SELECT body FROM description").pluck().get() !== body) {
    db.close();
    throw new EvidenceError(
      `${partial} holds an interrupted recording of other frames, models or settings; finish it with those, or delete it`,
    );
  }
  const insert = db.prepare("INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  return {
    recorded: db.prepare("SELECT count(*) FROM frames").pluck().get() as number,
    append: db.transaction((rows: readonly FrameRow[]) => {
      for (const row of rows) {
        insert.run(
          row.frame,
          row.part,
          row.label,
          blob(row.studentLogits),
          blob(row.teacherLogits),
          row.features === undefined ? null : blob(row.features),
          finiteOrNull(row.largestGap),
          finiteOrNull(row.teacherSwing),
          finiteOrNull(row.studentSwing),
        );
      }
    }),
    finish(): void {
      db.exec("VACUUM");
      db.close();
      renameSync(partial, file);
    },
    close: () => void db.close(),
  };
}

/** Reads all of an evidence file into columns. */
export function readEvidence(file: string): { description: EvidenceDescription; evidence: Evidence } {
  let db: Database;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true });
  } catch (error) {
    throw new EvidenceError(
      `${file}: cannot open the evidence: ${(error as Error).message}; make it with \`sekisho record\``,
    );
  }
  try {
    const description = JSON.parse(
      db.prepare("SELECT body FROM description").pluck().get() as string,
    ) as EvidenceDescription;
    return { description, evidence: columnsOf(db, description) };
  } catch (error) {
    throw new EvidenceError(
      `${file}: expected evidence as \`sekisho record\` writes it: ${(error as Error).message}`,
    );
  } finally {
    db.close();
  }
}

interface StoredFrame {
  part: number;
  label: number;
  student_logits: Buffer;
  teacher_logits: Buffer;
  features: Buffer | null;
  largest_gap: number | null;
  teacher_swing: number | null;
  student_swing: number | null;
}

function columnsOf(db: Database, { classes, featureCount }: EvidenceDescription): Evidence {
  const splitOfPart = db.prepare("SELECT split FROM parts ORDER BY part").pluck().all() as Split[];
  const frames = db.prepare("SELECT count(*) FROM frames").pluck().get() as number;
  const k = classes.length;
  const part = new Int32Array(frames);
  const studentLogits = new Float32Array(frames * k);
  const teacherLogits = new Float32Array(frames * k);
  const features = featureCount === 0 ? undefined : new Float32Array(frames * featureCount);
  const largestGap = new Float32Array(frames);
  const teacherSwing = new Float32Array(frames);
  const studentSwing = new Float32Array(frames);
  const label = new Int16Array(frames);
  const rows = db.prepare("SELECT * FROM frames ORDER BY frame").iterate() as IterableIterator<StoredFrame>;
  let i = 0;
  for (const row of rows) {
    part[i] = row.part;
    label[i] = row.label;
    studentLogits.set(floats(row.student_logits, k), i * k);
    teacherLogits.set(floats(row.teacher_logits, k), i * k);
    if (features !== undefined && row.features !== null)
      features.set(floats(row.features, featureCount), i * featureCount);
    largestGap[i] = row.largest_gap ?? Number.NaN;
    teacherSwing[i] = row.teacher_swing ?? Number.NaN;
    studentSwing[i] = row.student_swing ?? Number.NaN;
    i++;
  }
  return {
    classes,
    part,
    splitOfPart,
    studentLogits,
    teacherLogits,
    features,
    featureCount,
    largestGap,
    teacherSwing,
    studentSwing,
    label,
  };
}

function blob(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function floats(bytes: Buffer, count: number): Float32Array {
  if (bytes.length !== count * 4)
    throw new Error(`expected ${count} numbers in a row, found ${bytes.length / 4}`);
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** SQLite has no NaN: what is not finite is stored as NULL and read back as NaN. */
function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
