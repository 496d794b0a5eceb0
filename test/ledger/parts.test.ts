/** Parts in the ledger's file: across restarts, retention, the chain, and damage. */

import { describe, expect, test } from "vitest";
import { Database } from "../../src/sqlite/database.ts";
import { aFrame, aJudged } from "../support/builders.ts";
import { aLedgerFile, aRealLedger, DAY_MS, undoActs } from "../support/ledger.ts";

const decisionOn = (part: string, frames = 1) => aJudged({ id: "z", identified: false, part, frames });

/** Changes the file behind the ledger's back. */
function tamper(path: string, sql: string): void {
  const db = new Database(path);
  db.pragma("foreign_keys = OFF");
  db.exec(sql);
  db.close();
}

describe("parts in a ledger", () => {
  test("are open again after a restart", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    ledger.append([aJudged({ id: "a", part: "p", partCount: 2 }), aJudged({ id: "b", part: "q" })]);
    ledger.append([decisionOn("q")]);
    const before = ledger.openPartRows();
    ledger.close();
    const again = aRealLedger({ path });
    expect(again.setAsideNow).toBeUndefined();
    expect(again.openPartRows()).toEqual(before);
    expect(before.map(({ record }) => record.frame)).toEqual(["a"]);
    expect(again.partStanding("press", "q", 1000)).toMatchObject({ decision: { frames: 1 } });
  });

  test("do not change what a ledger of before says, whose rows may name parts", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    const alone = { ...aJudged({ id: "a", review: "r-1" }), frame: aFrame({ id: "a", part: "p" }) };
    ledger.append([alone, aJudged({ id: "b" })]);
    const before = ledger.decisionsAfter(0, 10);
    ledger.close();
    const db = new Database(path);
    undoActs(db);
    db.close();
    tamper(path, "DROP TABLE part_rows; DROP INDEX reviews_closed; PRAGMA user_version = 3");
    const migrated = aRealLedger({ path });
    expect(migrated.setAsideNow).toBeUndefined();
    expect(migrated.decisionsAfter(0, 10)).toEqual(before);
    expect(migrated.partStanding("press", "p", 1000)).toBeUndefined();
    migrated.append([aJudged({ id: "c", part: "p" })]);
    expect(migrated.verifyChain()).toBeUndefined();
  });

  test("are found by an index, however long the ledger", () => {
    const path = aLedgerFile();
    aRealLedger({ path }).close();
    const db = new Database(path);
    const plan = (sql: string): string => JSON.stringify(db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
    expect(plan("SELECT 1 FROM part_rows p JOIN decisions d ON d.id = p.decision WHERE p.is_open")).toMatch(
      /SCAN p USING INDEX part_rows_open.*SEARCH d USING INTEGER PRIMARY KEY/,
    );
    expect(
      plan("SELECT 1 FROM part_rows p WHERE p.station = 'a' AND p.part = 'b' AND p.frames IS NOT NULL"),
    ).toMatch(/SEARCH p USING .*INDEX part_rows_deciding/);
    expect(plan("UPDATE part_rows SET is_open = 0 WHERE station = 'a' AND part = 'b' AND is_open")).toMatch(
      /SEARCH part_rows USING INDEX part_rows_by_part/,
    );
    db.close();
  });

  test("keep their frames past retention while they are open, and verify", () => {
    let nowMs = 1000;
    const options = { path: aLedgerFile(), nowMs: () => nowMs, retentionMs: DAY_MS };
    const ledger = aRealLedger(options);
    ledger.append([aJudged({ id: "a", part: "p" }), aJudged({ id: "b", part: "q" }), aJudged({ id: "c" })]);
    ledger.append([decisionOn("q")]);
    ledger.append([aJudged({ id: "last", decidedAtMs: 3 * DAY_MS })]);
    ledger.settle(5, []);
    nowMs = 3 * DAY_MS;
    while (ledger.maintain());
    expect(ledger.decisionsAfter(0, 10).map(({ frame }) => frame)).toEqual(["a", "last"]);
    expect(ledger.openPartRows().map(({ record }) => record.frame)).toEqual(["a"]);
    expect(ledger.verifyChain()).toBeUndefined();
    ledger.append([{ ...decisionOn("p"), decidedAtMs: nowMs }]);
    ledger.append([aJudged({ id: "end", decidedAtMs: 5 * DAY_MS })]);
    ledger.settle(7, []);
    nowMs = 6 * DAY_MS;
    while (ledger.maintain());
    expect(ledger.decisionsAfter(0, 10).map(({ frame }) => frame)).not.toContain("a");
    expect(ledger.verifyChain()).toBeUndefined();
  });

  test("are looked at when the ledger is opened: one forgotten would never be decided", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    ledger.append([aJudged({ id: "a", part: "p" })]);
    ledger.close();
    tamper(path, "UPDATE part_rows SET is_open = 0");
    expect(aRealLedger({ path }).setAsideNow?.reason).toMatch(/held decision 1 is neither open nor decided/);
  });

  test.each([
    [
      "the count that a frame declares",
      "UPDATE part_rows SET part_count = 1 WHERE decision = 1",
      /hash does not/,
    ],
    ["the frames of a decision", "UPDATE part_rows SET frames = 9 WHERE frames = 1", /hash does not/],
    ["a row that is gone", "DELETE FROM part_rows WHERE decision = 1", /neither open nor/],
    [
      "a part closed without a decision",
      "UPDATE part_rows SET is_open = 0 WHERE decision = 1",
      /neither open nor/,
    ],
    [
      "a decided part that is open",
      "UPDATE part_rows SET is_open = 1 WHERE decision = 2",
      /neither open nor/,
    ],
    ["another part's name", "UPDATE part_rows SET part = 'x' WHERE decision = 1", /another part/],
    [
      "a row of no decision",
      "INSERT INTO part_rows VALUES (99, 'press', 'p', NULL, NULL, 0)",
      /no decision has/,
    ],
    [
      "a row of a frame of no part",
      "INSERT INTO part_rows SELECT id, station, 'p', NULL, NULL, 0 FROM decisions WHERE frame = 'c'",
      /no decision has/,
    ],
  ])("are verified: %s", (_, sql, found) => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    ledger.append([aJudged({ id: "a", part: "p", partCount: 2 }), aJudged({ id: "b", part: "q" })]);
    ledger.append([decisionOn("q"), aJudged({ id: "c" })]);
    expect(ledger.verifyChain()).toBeUndefined();
    tamper(path, sql);
    expect(ledger.verifyChain()?.found).toMatch(found);
  });
});
