/** The frame rows of `evidence.sqlite` as columns, each row held to what its description says. */

import type { Evidence, Split } from "../core/envelope/types.ts";
import type { Database } from "../sqlite/database.ts";
import type { EvidenceDescription } from "./evidence-description.ts";

interface StoredFrame {
  readonly frame: number;
  readonly part: number;
  readonly label: number;
  readonly student_logits: Buffer;
  readonly teacher_logits: Buffer;
  readonly features: Buffer | null;
  readonly doubt: Buffer | null;
  readonly largest_gap: number | null;
  readonly teacher_swing: number | null;
  readonly student_swing: number | null;
}

const SPLITS: ReadonlySet<string> = new Set<Split>(["fit", "cal", "ref"]);

/** @throws Error that names the row and column that is not what it should be */
export function columnsOf(db: Database, description: EvidenceDescription): Evidence {
  const { classes, featureCount, doubtCount, frames } = description;
  const k = classes.length;
  const splitOfPart = splitsOf(db);
  const recorded = db.prepare("SELECT count(*) FROM frames").pluck().get() as number;
  if (recorded !== frames) throw new Error(`it describes ${frames} frames and holds ${recorded}`);
  const evidence = {
    classes,
    part: new Int32Array(frames),
    splitOfPart,
    studentLogits: new Float32Array(frames * k),
    teacherLogits: new Float32Array(frames * k),
    features: featureCount === 0 ? undefined : new Float32Array(frames * featureCount),
    featureCount,
    doubt: doubtCount === 0 ? undefined : new Float32Array(frames * doubtCount),
    doubtCount,
    largestGap: new Float32Array(frames),
    teacherSwing: new Float32Array(frames),
    studentSwing: new Float32Array(frames),
    label: new Int16Array(frames),
  };
  const rows = db.prepare("SELECT * FROM frames ORDER BY frame").iterate() as IterableIterator<StoredFrame>;
  let i = 0;
  for (const row of rows) {
    evidence.part[i] = index(row, "part", 0, splitOfPart.length);
    evidence.label[i] = index(row, "label", -1, k);
    evidence.studentLogits.set(floats(row, "student_logits", k), i * k);
    evidence.teacherLogits.set(floats(row, "teacher_logits", k), i * k);
    evidence.features?.set(floats(row, "features", featureCount), i * featureCount);
    evidence.doubt?.set(floats(row, "doubt", doubtCount), i * doubtCount);
    evidence.largestGap[i] = rate(row, "largest_gap");
    evidence.teacherSwing[i] = rate(row, "teacher_swing");
    evidence.studentSwing[i] = rate(row, "student_swing");
    i++;
  }
  return evidence;
}

function splitsOf(db: Database): Split[] {
  const rows = db.prepare("SELECT part, split FROM parts ORDER BY part").all() as {
    part: number;
    split: string;
  }[];
  return rows.map(({ part, split }, i) => {
    if (part !== i) throw new Error(`expected parts counted from 0 without holes, found ${part} for ${i}`);
    if (!SPLITS.has(split)) throw new Error(`part ${part}: split is "${split}", expected fit, cal or ref`);
    return split as Split;
  });
}

function index(row: StoredFrame, column: "part" | "label", least: number, end: number): number {
  const value = row[column];
  if (Number.isInteger(value) && value >= least && value < end) return value;
  throw new Error(`frame ${row.frame}: ${column} is ${value}, expected ${least} to ${end - 1}`);
}

/** A difference of soft confidences; NULL stands for NaN. A negative gap would pass for faithful. */
function rate(row: StoredFrame, column: "largest_gap" | "teacher_swing" | "student_swing"): number {
  const value = row[column];
  if (value === null) return Number.NaN;
  if (value >= 0 && value <= 1 + 1e-6) return value;
  throw new Error(`frame ${row.frame}: ${column} is ${value}, expected 0 to 1`);
}

function floats(
  row: StoredFrame,
  column: "student_logits" | "teacher_logits" | "features" | "doubt",
  count: number,
): Float32Array {
  const bytes = row[column];
  if (bytes?.length === count * 4) return new Float32Array(new Uint8Array(bytes).buffer);
  const found = bytes === null ? "none" : `${bytes.length} bytes`;
  throw new Error(`frame ${row.frame}: ${column} should hold ${count} float32 numbers, found ${found}`);
}
