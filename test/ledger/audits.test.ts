/** Audits in the ledger's file: under the chain, over restarts and retention, within the budget of frames. */

import { describe, expect, test } from "vitest";
import { AUDIT_COINS } from "../../src/commands/audit-coins.ts";
import type { Judged } from "../../src/core/record.ts";
import type { Ledger, LedgerOptions } from "../../src/ledger/ledger.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aFrame, aJudged, type JudgedSketch } from "../support/builders.ts";
import { aLedgerFile, aRealLedger, DAY_MS } from "../support/ledger.ts";
import { answer as answerReview } from "../support/reviews.ts";

const passed = (id: string, is: JudgedSketch = {}): Judged => aJudged({ id, pi: 0.25, ...is });
const drawn = (id: string, is: JudgedSketch = {}, bytes = 10): Judged => ({
  ...aJudged({ id, pi: 0.25, review: `a-${id}`, ...is }),
  frame: aFrame({ id, part: is.part, payload: new Uint8Array(bytes).fill(7) }),
});

function aBook(is: Partial<LedgerOptions> = {}) {
  const path = is.path ?? aLedgerFile();
  const ledger = aRealLedger({ ...is, path });
  return { path, ledger, db: new Database(path) };
}

/** Ten batches of passed parts of two revisions; a few drawn, answered, expired. */
function aWrittenBook() {
  const book = aBook();
  for (let n = 0; n < 10; n++) {
    const revision = n < 5 ? 1 : 2;
    book.ledger.append([
      passed(`p${n}`, { revision }),
      drawn(`d${n}`, { revision }),
      passed(`q${n}`, { revision }),
    ]);
  }
  book.ledger.audits.answer("a-d1", "teacher", true, 2000, "gap 0.3");
  book.ledger.audits.answer("a-d1", "person", false, 3000, "good");
  book.ledger.audits.answer("a-d2", "teacher", false, 4000, "gap 0.01");
  book.ledger.audits.answer("a-d2", "teacher", true, 4000, "another");
  expect(book.ledger.verifyChain()).toBeUndefined();
  return book;
}

const settledOf = (ledger: Ledger, revision = 1) =>
  ledger.audits.settledAfter("press", revision, "teacher", 0, 100);

describe("the chain of audits", () => {
  const UNLOCK = "DROP TRIGGER audit_log_stays; DROP TRIGGER audit_log_stays_as_written;";

  test.each([
    ["a changed probability", "UPDATE audit_log SET pi = 0.5 WHERE kind = 'drawn' AND seq < 4"],
    ["a part taken out of a run", "UPDATE audit_log SET count = count - 1 WHERE seq = 2 AND kind = 'passed'"],
    ["an answer turned round", "UPDATE audit_log SET is_bad = 0 WHERE is_bad = 1 AND kind = 'answered'"],
    ["a deleted answer", "DELETE FROM audit_log WHERE kind = 'answered' AND is_bad = 1"],
    ["the last entry deleted", "DELETE FROM audit_log WHERE seq = (SELECT max(seq) FROM audit_log)"],
    [
      "a moved deadline",
      "UPDATE audit_log SET deadline_at = deadline_at + 1 WHERE kind = 'drawn' AND seq < 4",
    ],
    [
      "two entries exchanged",
      "UPDATE audit_log SET seq = -1 WHERE seq = 2; UPDATE audit_log SET seq = 2 WHERE seq = 4; UPDATE audit_log SET seq = 4 WHERE seq = -1",
    ],
  ])("shows %s in the log", (_, sql) => {
    const { ledger, db, path } = aWrittenBook();
    db.exec(UNLOCK + sql);
    expect(ledger.verifyChain()).toBeDefined();
    // And a start does not take it for whole.
    ledger.close();
    expect(aRealLedger({ path }).setAsideNow).toBeDefined();
  });

  test.each([
    ["an answer beside the log", "UPDATE audits SET teacher = 'good' WHERE id = 'a-d1'"],
    ["an answer that the log has not", "UPDATE audits SET person = 'good' WHERE id = 'a-d5'"],
    ["an audit that is gone", "DELETE FROM audits WHERE id = 'a-d4'"],
    ["an audit of another decision", "UPDATE audits SET decision = 1 WHERE id = 'a-d4'"],
    ["a count of passed parts set back", "UPDATE audit_runs SET count = 0 WHERE revision = 2"],
    ["a count that is gone", "DELETE FROM audit_runs WHERE revision = 2"],
    ["a passed part taken out of the count", "UPDATE decisions SET passed_as = NULL WHERE id = 7"],
    ["a passed part that stands for another", "UPDATE decisions SET passed_as = 0 WHERE id = 7"],
    ["a decision under audit made another", "UPDATE decisions SET class = 'bad' WHERE id = 5"],
  ])("shows %s", (_, sql) => {
    const { ledger, db } = aWrittenBook();
    db.pragma("foreign_keys = OFF");
    db.exec(sql);
    expect(ledger.verifyChain()).toBeDefined();
  });

  test("cannot be written over or deleted by mistake", () => {
    const { db } = aWrittenBook();
    expect(() => db.exec("DELETE FROM audit_log WHERE seq = 1")).toThrow(/never deleted/);
    expect(() => db.exec("UPDATE audit_log SET pi = 1 WHERE seq = 1")).toThrow(/written once/);
  });

  test("goes on over a restart, its counts too", () => {
    const { ledger, path } = aWrittenBook();
    const before = [settledOf(ledger), settledOf(ledger, 2), ledger.audits.list({ limit: 99 })];
    ledger.close();
    const again = aRealLedger({ path });
    expect([settledOf(again), settledOf(again, 2), again.audits.list({ limit: 99 })]).toEqual(before);
    again.append([passed("next", { revision: 2 }), drawn("last", { revision: 2 })]);
    expect(again.audits.find("a-last")!.ordinal).toBe(16);
    expect(again.verifyChain()).toBeUndefined();
  });

  test("leaves ledgers without audits as they were: no entry, no count, the same head", () => {
    const heads = [0, 1].map((n) => {
      const { ledger, db } = aBook();
      ledger.append([aJudged({ id: "1" }), aJudged({ id: "2", review: "r-2" })]);
      if (n === 1) ledger.audits.expire(9e12);
      expect(db.prepare("SELECT count(*) FROM audit_log").pluck().get()).toBe(0);
      expect(db.prepare("SELECT count(*) FROM audit_runs").pluck().get()).toBe(0);
      return ledger.chainHead();
    });
    expect(heads[0]).toEqual(heads[1]);
  });
});

describe("retention", () => {
  test("keeps the decision and the frame of an audit that waits, and the count of all that passed", () => {
    const now = { ms: 0 };
    const { ledger } = aBook({ retentionMs: 2 * DAY_MS, nowMs: () => now.ms });
    const at = { decidedAtMs: 0, auditDeadlineAtMs: 50 * DAY_MS };
    ledger.append([passed("1", at), drawn("2", at), passed("3", at), drawn("4", at), passed("5", at)]);
    for (const id of ["a-2", "a-4"]) answerReview(ledger.reviews, id, 1000);
    ledger.audits.answer("a-4", "teacher", false, 2000, "");
    ledger.audits.answer("a-4", "person", false, 2000, "");
    for (let n = 0; n < 3; n++) ledger.append([aJudged({ id: `later-${n}`, decidedAtMs: 10 * DAY_MS })]);
    now.ms = 30 * DAY_MS;
    ledger.settle(
      8,
      ledger.alertsAfter(0, 99).map(({ id }) => id),
    );
    while (ledger.maintain());
    expect(ledger.decisionsAfter(0, 99).map(({ frame }) => frame)).toEqual(["2", "later-2"]);
    expect(ledger.audits.waitingForTeacher(now.ms, 9).map(({ id, frames }) => [id, frames.length])).toEqual([
      ["a-2", 1],
    ]);
    expect(ledger.audits.find("a-4")).toMatchObject({ frame: "4", teacher: { kind: "answered" } });
    expect(ledger.verifyChain()).toBeUndefined();
    ledger.audits.answer("a-2", "teacher", true, now.ms, "");
    expect(settledOf(ledger).cursor).toBe(5);
    ledger.audits.expire(51 * DAY_MS);
    now.ms = 60 * DAY_MS;
    ledger.append([aJudged({ id: "last", decidedAtMs: now.ms })]);
    while (ledger.maintain());
    expect(ledger.audits.waitingForTeacher(now.ms, 9)).toEqual([]);
    expect(ledger.decisionsAfter(0, 99).map(({ frame }) => frame)).not.toContain("2");
    expect(settledOf(ledger).cursor).toBe(5);
    expect(ledger.verifyChain()).toBeUndefined();
  });
});

describe("the frames of audits", () => {
  const ofPart = (count: number, bytes: number) =>
    Array.from({ length: count }, (_, i) => ({
      contentType: "image/png",
      payload: new Uint8Array(bytes).fill(i),
    }));

  test("that do not fit, or had to make room, leave the teacher's question unanswered", () => {
    const { ledger } = aBook({ frameBytesKeptMax: 1000 });
    ledger.append([drawn("large", {}, 2000), drawn("old", {}, 600)]);
    expect(ledger.audits.waitingForTeacher(2000, 9).map(({ id }) => id)).toEqual(["a-old"]);
    ledger.append([drawn("new", {}, 700)]);
    expect(ledger.audits.waitingForTeacher(2000, 9).map(({ id }) => id)).toEqual(["a-new"]);
    ledger.append([drawn("part", { part: "p", frames: 3, auditFrames: ofPart(3, 300) }, 10)]);
    expect(ledger.audits.waitingForTeacher(2000, 9).map(({ id, frames }) => [id, frames.length])).toEqual([
      ["a-part", 3],
    ]);
    expect(ledger.usage().frameBytesKept).toBe(910);
    expect(ledger.audits.expire(61_000)).toHaveLength(4);
    expect(settledOf(ledger).parts).toMatchObject(
      Array.from({ length: 4 }, () => ({ isBad: true, isAnswered: false })),
    );
    // The one that the review shows stays with it.
    expect(ledger.usage().frameBytesKept).toBe(10);
  });

  test("of thousands that had to make room do not stand before those that are there", () => {
    const { ledger } = aBook({ frameBytesKeptMax: 1000 });
    for (let n = 0; n < 30; n++)
      ledger.append(Array.from({ length: 100 }, (_, i) => drawn(`${n}-${i}`, {}, 200)));
    expect(ledger.audits.waitingForTeacher(2000, 9).map(({ id }) => id)).toEqual(
      [95, 96, 97, 98, 99].map((i) => `a-29-${i}`),
    );
  });

  test("are counted the same after a restart", () => {
    const { ledger, path } = aBook();
    ledger.append([drawn("part", { part: "p", frames: 2, auditFrames: ofPart(2, 50) }, 20)]);
    expect(ledger.usage().frameBytesKept).toBe(120);
    ledger.close();
    const again = aRealLedger({ path });
    expect(again.setAsideNow).toBeUndefined();
    expect(again.usage().frameBytesKept).toBe(120);
  });

  test("that are not as they were written answer nothing", () => {
    const { ledger, db } = aBook();
    ledger.append([drawn("1"), drawn("part", { part: "p", frames: 2, auditFrames: ofPart(2, 50) })]);
    db.exec("UPDATE audit_frames SET payload = zeroblob(50)");
    db.exec("UPDATE frames SET payload = zeroblob(10) WHERE decision = 1");
    expect(ledger.audits.waitingForTeacher(2000, 9)).toEqual([]);
  });
});

test("a draw is checked from the file alone: by the seed, the row of the part's first frame, and pi", () => {
  const { ledger, db } = aBook();
  const { seed } = AUDIT_COINS.newSeed();
  const subjects = Array.from({ length: 400 }, (_, n) => ({
    station: "press",
    source: "cam-1",
    id: `フレーム ${n}`,
  }));
  const judged = subjects.map((subject, n): Judged => {
    const first = { ...subject, part: undefined, receivedAtMs: n };
    const isDrawn = AUDIT_COINS.coinOf(seed, first).value < 0.25;
    const one = isDrawn ? drawn(subject.id) : passed(subject.id);
    return { ...one, frame: { ...one.frame, receivedAtMs: n } };
  });
  ledger.append(judged);
  const rows = db
    .prepare(
      `SELECT d.station, d.source, d.frame, d.part, d.received_at AS receivedAtMs, a.id AS audit FROM decisions d
       LEFT JOIN audits a ON a.decision = d.id WHERE d.passed_as IS NOT NULL`,
    )
    .all() as {
    station: string;
    source: string;
    frame: string;
    receivedAtMs: number;
    audit: string | null;
  }[];
  expect(rows).toHaveLength(400);
  for (const { frame: id, audit, ...row } of rows) {
    const { value } = AUDIT_COINS.coinOf(seed, { ...row, id, part: undefined });
    expect(audit !== null).toBe(value < 0.25);
  }
});
