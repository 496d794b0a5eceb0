/** Adds fresh parts of cal to evidence that is there: in a copy, which takes its place when it is whole. */

import { copyFileSync, renameSync, rmSync } from "node:fs";
import { repeatedRows } from "../core/envelope/repeated.ts";
import { Database } from "../sqlite/database.ts";
import { descriptionOf, type FrameRow, frameAppender } from "./evidence.ts";
import {
  type CertifiedRevision,
  REVISION_TABLES,
  type SpentFrame,
  saidOf,
  spentFrames,
  writeHistory,
} from "./evidence-revisions.ts";

export interface EvidenceAppender {
  append(rows: readonly FrameRow[]): void;
  /** Names of the fresh parts of which a frame is in the evidence already, in whichever split. */
  repeated(): readonly string[];
  finish(): void;
  /** Leaves the evidence as it was. */
  abandon(): void;
}

/**
 * @param revision that the parts are cal of
 * @param certified the last revision that was certified from this evidence
 * @param parts names, none of them in the evidence yet
 * @param frames that will be appended, numbered from 0
 */
export function openEvidenceAppender(
  file: string,
  {
    revision,
    certified,
    parts,
    frames,
  }: {
    readonly revision: number;
    readonly certified: CertifiedRevision;
    readonly parts: readonly { readonly name: string; readonly lot: string | null }[];
    readonly frames: number;
  },
): EvidenceAppender {
  const partial = `${file}.fresh`;
  rmSync(partial, { force: true });
  copyFileSync(file, partial);
  const db = new Database(partial);
  db.pragma("journal_mode = DELETE");
  db.pragma("synchronous = NORMAL");
  const one = (sql: string): number => db.prepare(sql).pluck().get() as number;
  const firstPart = one("SELECT count(*) FROM parts");
  const firstFrame = one("SELECT count(*) FROM frames");
  const description = descriptionOf(db);
  db.transaction(() => {
    db.exec(REVISION_TABLES);
    const insert = db.prepare("INSERT INTO parts VALUES (?, ?, ?, 'cal')");
    for (const [i, part] of parts.entries()) insert.run(firstPart + i, part.name, part.lot);
    writeHistory(
      db,
      { revision, certified: [certified], spent: [] },
      parts.map((_, i) => firstPart + i),
    );
    db.prepare("UPDATE description SET body = ?").run(
      JSON.stringify({ ...description, frames: description.frames + frames }),
    );
  })();
  const append = frameAppender(db);
  return {
    append: (rows) =>
      append(rows.map((row) => ({ ...row, frame: firstFrame + row.frame, part: firstPart + row.part }))),
    repeated() {
      const rowsOf = (where: string): (Omit<SpentFrame, "revision"> & { readonly name: string })[] =>
        db
          .prepare(
            `SELECT p.name, f.student_logits AS studentLogits, f.teacher_logits AS teacherLogits
             FROM frames f JOIN parts p ON p.part = f.part WHERE ${where} ORDER BY f.frame`,
          )
          .all() as ReturnType<typeof rowsOf>;
      const classes = description.classes.length;
      const fresh = rowsOf(`f.frame >= ${firstFrame}`);
      const earlier = [...rowsOf(`f.frame < ${firstFrame}`), ...spentFrames(db, 0)];
      const rows = repeatedRows(saidOf(earlier, classes), saidOf(fresh, classes), classes);
      return [...new Set(rows.map((row) => fresh[row]!.name))];
    },
    finish() {
      db.exec("VACUUM");
      db.close();
      renameSync(partial, file);
    },
    abandon() {
      db.close();
      rmSync(partial, { force: true });
    },
  };
}
