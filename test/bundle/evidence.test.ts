/** Evidence that was damaged is refused by the row and column that is not what it should be. */

import { copyFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EvidenceError, readEvidence } from "../../src/bundle/evidence.ts";
import { Database } from "../../src/sqlite/database.ts";
import { MODELS } from "../support/apparel.ts";

const WHOLE = join(MODELS, "apparel", "evidence.sqlite");

function damaged(statement: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "sekisho-evidence-")), "evidence.sqlite");
  copyFileSync(WHOLE, file);
  const db = new Database(file);
  db.pragma("foreign_keys = OFF");
  db.exec(statement);
  db.close();
  return file;
}

function problemOf(file: string): string {
  try {
    readEvidence(file);
  } catch (error) {
    expect(error).toBeInstanceOf(EvidenceError);
    return (error as Error).message;
  }
  throw new Error(`${file} was taken`);
}

describe("evidence", () => {
  test("that is whole is read as its description says", () => {
    const { description, evidence } = readEvidence(WHOLE);
    expect(evidence.part).toHaveLength(description.frames);
    expect(evidence.features).toHaveLength(description.frames * description.featureCount);
    expect(new Set(evidence.splitOfPart)).toEqual(new Set(["fit", "cal", "ref"]));
  });

  test("keeps what was not finite as NaN, which no tolerance takes", () => {
    const { evidence } = readEvidence(damaged("UPDATE frames SET largest_gap = NULL WHERE frame = 3"));
    expect(evidence.largestGap[3]).toBeNaN();
  });

  test.each([
    [
      "UPDATE frames SET features = NULL WHERE frame = 7",
      /frame 7: features should hold 96 float32 .* found none/,
    ],
    ["UPDATE frames SET student_logits = x'00' WHERE frame = 7", /frame 7: student_logits .* found 1 bytes/],
    ["UPDATE frames SET teacher_logits = x'0000803f' WHERE frame = 7", /frame 7: teacher_logits .* 4 bytes/],
    ["UPDATE frames SET largest_gap = -1 WHERE frame = 7", /frame 7: largest_gap is -1, expected 0 to 1/],
    ["UPDATE frames SET teacher_swing = 9e999 WHERE frame = 7", /frame 7: teacher_swing is Infinity/],
    ["UPDATE frames SET label = 10 WHERE frame = 7", /frame 7: label is 10, expected -1 to 9/],
    ["UPDATE frames SET part = 99999 WHERE frame = 7", /frame 7: part is 99999, expected 0 to 21999/],
    ["UPDATE parts SET split = 'train' WHERE part = 7", /part 7: split is "train", expected fit, cal or ref/],
    ["DELETE FROM parts WHERE part = 7", /parts counted from 0 without holes, found 8 for 7/],
    ["DELETE FROM frames WHERE frame = 7", /it describes 22000 frames and holds 21999/],
    ["DELETE FROM description", /its description: /],
    ['UPDATE description SET body = \'{"schema": "sekisho.evidence/9"}\'', /expected "sekisho.evidence\/1"/],
    ["DROP TABLE frames", /no such table: frames/],
  ])("is refused after %s", (statement, reason) => {
    const file = damaged(statement);
    const message = problemOf(file);
    expect(message).toMatch(reason);
    expect(message.startsWith(`${file}: `)).toBe(true);
    expect(message).toMatch(/put the recorded file back, or record again$/);
  });

  test("is refused where it is no database, or not there", () => {
    const file = join(mkdtempSync(join(tmpdir(), "sekisho-evidence-")), "evidence.sqlite");
    expect(problemOf(file)).toMatch(/cannot open the evidence/);
    writeFileSync(
      file,
      "no database, but text that is long enough to be taken for a header of one ".repeat(9),
    );
    expect(problemOf(file)).toMatch(/not a database/);
  });
});
