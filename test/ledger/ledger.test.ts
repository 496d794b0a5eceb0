import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openLedger } from "../../src/ledger/ledger.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aJudged } from "../support/builders.ts";

const DAY_MS = 86_400_000;

function aLedgerFile(): string {
  return join(mkdtempSync(join(tmpdir(), "sekisho-ledger-")), "test.ledger");
}

function aLedger(path = aLedgerFile()) {
  return openLedger({ path, dedupeWindowMs: DAY_MS });
}

describe("the ledger", () => {
  test("keeps a batch and gives it back in the order of its ids", () => {
    const ledger = aLedger();
    ledger.append([aJudged({ id: "a" }), aJudged({ id: "b" })]);
    ledger.append([aJudged({ id: "c" })]);
    expect(ledger.decisionsAfter(0, 10).map((record) => [record.id, record.frame])).toEqual([
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ]);
    expect(ledger.decisionsAfter(1, 1).map((record) => record.frame)).toEqual(["b"]);
  });

  test("gives a redelivered frame its recorded decision and writes nothing", () => {
    const ledger = aLedger();
    ledger.append([aJudged({ id: "a", score: 0.1 })]);
    const [again] = ledger.append([aJudged({ id: "a", score: 0.9 })]);
    expect(again).toMatchObject({ isRedelivery: true, record: { id: 1, score: 0.1 } });
    expect(ledger.decisionsAfter(0, 10)).toHaveLength(1);
  });

  test("sees a frame twice in one batch, and opens its review once", () => {
    const ledger = aLedger();
    const twice = [aJudged({ id: "a", review: "r-1" }), aJudged({ id: "a", review: "r-2" })];
    expect(ledger.append(twice).map((one) => one.isRedelivery)).toEqual([false, true]);
    expect(ledger.reviewsOpen("press").count).toBe(1);
  });

  test("tells frames of another source, another station, or before the window apart", () => {
    const ledger = aLedger();
    ledger.append([aJudged({ id: "a", decidedAtMs: 0 })]);
    const others = [
      aJudged({ id: "a", source: "cam-2", decidedAtMs: 1 }),
      aJudged({ id: "a", station: "lathe", decidedAtMs: 1 }),
      aJudged({ id: "a", decidedAtMs: DAY_MS + 1 }),
    ];
    expect(ledger.append(others).map((one) => one.isRedelivery)).toEqual([false, false, false]);
  });

  test("never takes frames without an id for each other", () => {
    const ledger = aLedger();
    ledger.append([aJudged({ id: "made", identified: false })]);
    expect(ledger.append([aJudged({ id: "made", identified: false })])[0]?.isRedelivery).toBe(false);
  });

  test("holds an alert until it is settled, across a restart", () => {
    const path = aLedgerFile();
    const ledger = aLedger(path);
    ledger.append([aJudged({ id: "a", review: "r-1" }), aJudged({ id: "b", review: "r-2" })]);
    const [first] = ledger.alertsAfter(0, 10);
    ledger.settle(2, [first!.id]);
    ledger.close();
    const reopened = aLedger(path);
    expect(reopened.alertsAfter(0, 10).map((alert) => JSON.parse(alert.body).review)).toEqual(["r-2"]);
    expect(reopened.publishedUpTo()).toBe(2);
  });

  test("never gives an alert the number of one that has left", () => {
    const ledger = aLedger();
    ledger.append([aJudged({ id: "a", review: "r-1" })]);
    ledger.settle(1, [1]);
    ledger.append([aJudged({ id: "b", review: "r-2" })]);
    expect(ledger.alertsAfter(1, 10)).toHaveLength(1);
  });

  test("writes a batch whole or not at all", () => {
    const ledger = aLedger();
    const clash = [aJudged({ id: "a", review: "r-1" }), aJudged({ id: "b", review: "r-1" })];
    expect(() => ledger.append(clash)).toThrow(/UNIQUE/);
    expect(ledger.decisionsAfter(0, 10)).toEqual([]);
    expect(ledger.alertsPending()).toBe(0);
  });

  test("keeps what is not a number as absent, and correlation data to the byte", () => {
    const ledger = aLedger();
    ledger.append([aJudged({ id: "a", score: Number.NaN, correlation: Uint8Array.of(0, 255, 1) })]);
    const [record] = ledger.decisionsAfter(0, 1);
    expect(record).toMatchObject({ score: null, confidence: 0.9 });
    expect([...record!.correlation!]).toEqual([0, 255, 1]);
  });

  test("counts the sessions of the gateway", () => {
    const path = aLedgerFile();
    const first = aLedger(path);
    expect(first.nextSession()).toBe(1);
    first.close();
    expect(aLedger(path).nextSession()).toBe(2);
  });

  test("refuses a ledger of a newer version, and a file that is none", () => {
    const path = aLedgerFile();
    aLedger(path).close();
    const db = new Database(path);
    db.pragma("user_version = 99");
    db.close();
    expect(() => aLedger(path)).toThrow(/version 99.*run the newer one/);
    const other = aLedgerFile();
    writeFileSync(other, "this is no database, it only has the name of one".repeat(100));
    expect(() => aLedger(other)).toThrow(/not a database/);
  });
});
