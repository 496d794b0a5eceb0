/** The SQLite ledger beyond its port: restarts, versions, kept frames, what it refuses. */

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Database } from "../../src/sqlite/database.ts";
import { aFrame, aJudged } from "../support/builders.ts";
import { aLedgerFile, aRealLedger, undoActs } from "../support/ledger.ts";
import { answer } from "../support/reviews.ts";

const ADDED_TO_REVIEWS = [
  ...[
    "source",
    "reason",
    "priority",
    "lead",
    "announced_at",
    "revision",
    "acted_revision",
    "overdue",
    "count",
  ],
  ...["claimed_by", "claimed_until", "verdict", "class", "reviewer", "vouched", "resolved_at"],
];

const LATER_STEPS_UNDONE = `
  DROP TABLE part_rows;
  DROP INDEX reviews_closed;
  ${["waiting", "ranked", "due", "claimed", "held", "announced"].map((one) => `DROP INDEX reviews_${one};`).join("")}
  ${ADDED_TO_REVIEWS.map((column) => `ALTER TABLE reviews DROP COLUMN ${column};`).join("")}
  DROP TABLE review_events; ALTER TABLE outbox DROP COLUMN revision; ALTER TABLE chain DROP COLUMN events;`;

describe("the ledger", () => {
  test("holds alerts and the publish cursor across a restart, and counts sessions", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    expect(ledger.nextSession()).toBe(1);
    ledger.append([aJudged({ id: "a", review: "r-1" }), aJudged({ id: "b", review: "r-2" })]);
    ledger.settle(2, [ledger.alertsAfter(0, 10)[0]!.id]);
    ledger.close();
    const reopened = aRealLedger({ path });
    expect(reopened.alertsAfter(0, 10).map((alert) => JSON.parse(alert.body).review)).toEqual(["r-2"]);
    expect(reopened.alertsPending()).toBe(1);
    expect(reopened.publishedUpTo()).toBe(2);
    expect(reopened.nextSession()).toBe(2);
    expect(reopened.setAside()).toEqual([]);
  });

  test("counts the reviews that wait, once each", () => {
    const ledger = aRealLedger();
    ledger.append([aJudged({ id: "a", review: "r-1" }), aJudged({ id: "a", review: "r-2" })]);
    const key = { station: "press", source: "cam-1", reason: "score" };
    expect(ledger.reviews.standing()).toEqual([{ ...key, held: 0, announced: 1, overdue: 0, top: 0 }]);
    expect(ledger.reviews.oldestAtMs("press")).toBe(1000);
  });

  test("empties the write-ahead log at a quiet moment, and not while batches come", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    ledger.append([aJudged()]);
    ledger.maintain();
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
    ledger.maintain();
    expect(statSync(`${path}-wal`).size).toBe(0);
  });

  test.each([
    { ballastBytes: 1 << 20, walBytesMax: 5 << 20 },
    { ballastBytes: 1 << 24, walBytesMax: 9 << 20 },
  ])("the write-ahead log is bounded, by less than a ballast of $ballastBytes could empty", (is) => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path, ballastBytes: is.ballastBytes, frameBytesKeptMax: 1 << 26 });
    let largest = 0;
    for (let n = 0; n < 300; n++) {
      const id = `f${n}`;
      const frame = aFrame({ id, payload: new Uint8Array(100_000) });
      ledger.append([{ ...aJudged({ id, review: `r${n}` }), frame }]);
      largest = Math.max(largest, statSync(`${path}-wal`).size);
    }
    expect(largest).toBeLessThan(is.walBytesMax);
    expect(largest).toBeGreaterThan(is.walBytesMax - (2 << 20));
  });

  test("refuses a ledger of a newer version, a file that is none and another program's database, untouched", () => {
    const newer = aLedgerFile();
    aRealLedger({ path: newer }).close();
    const db = new Database(newer);
    db.pragma("user_version = 99");
    db.close();
    expect(() => aRealLedger({ path: newer })).toThrow(/version 99.*run the newer one/);

    const text = aLedgerFile();
    const content = "this is no database, it only has the name of one".repeat(100);
    writeFileSync(text, content);
    expect(() => aRealLedger({ path: text })).toThrow(/not a database/);
    expect(readFileSync(text, "utf8")).toBe(content);

    const foreign = aLedgerFile();
    const other = new Database(foreign);
    other.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY)");
    other.close();
    const before = readFileSync(foreign);
    expect(() => aRealLedger({ path: foreign })).toThrow(/no ledger/);
    expect(readFileSync(foreign).equals(before)).toBe(true);
  });

  test("puts the decisions of the first version on a chain", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    for (let i = 0; i < 300; i++)
      ledger.append([aJudged({ id: `f${i}`, ...(i % 9 === 0 && { review: `r${i}` }) })]);
    ledger.close();
    const db = new Database(path);
    // As version 1 left it: what later steps add is taken away.
    undoActs(db);
    db.exec(LATER_STEPS_UNDONE);
    db.exec(`
      CREATE INDEX reviews_open ON reviews (station, opened_at) WHERE state = 'open';
      DROP TABLE chain; DROP TABLE carried; DROP TABLE frames; DROP TABLE set_aside;
      DROP INDEX reviews_by_decision; DROP INDEX outbox_by_review;
      ALTER TABLE reviews DROP COLUMN alert_digest; ALTER TABLE reviews DROP COLUMN frame_digest;
      DELETE FROM counters WHERE name = 'alerts'; ALTER TABLE counters DROP COLUMN mirror;
      PRAGMA user_version = 1; PRAGMA application_id = 0;`);
    db.close();
    const migrated = aRealLedger({ path });
    expect(migrated.setAsideNow).toBeUndefined();
    expect(migrated.chainHead().seq).toBe(2);
    expect(migrated.verifyChain()).toBeUndefined();
    expect(migrated.alertsPending()).toBe(34);
    migrated.append([aJudged({ id: "next" })]);
    expect(migrated.verifyChain()).toBeUndefined();
    expect(migrated.reviews.find("r9")).toMatchObject({ state: "open", source: "cam-1", reason: "score" });
  });

  test("takes the reviews of the second version for announced ones, under the chain that it has", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    for (let i = 0; i < 9; i++) ledger.append([aJudged({ id: `f${i}`, review: `r${i}` })]);
    ledger.close();
    const db = new Database(path);
    undoActs(db);
    const head = db.prepare("SELECT seq, lower(hex(hash)) AS sha256 FROM chain ORDER BY seq DESC").get();
    db.exec(LATER_STEPS_UNDONE);
    db.exec(`
      CREATE INDEX reviews_open ON reviews (station, opened_at) WHERE state = 'open';
      PRAGMA user_version = 2;`);
    db.close();
    const migrated = aRealLedger({ path });
    expect(migrated.setAsideNow).toBeUndefined();
    expect(migrated.chainHead()).toEqual(head);
    expect(migrated.verifyChain()).toBeUndefined();
    expect(migrated.reviews.find("r4")).toMatchObject({ state: "open", announcedAtMs: 1000, priority: 0.1 });
    answer(migrated.reviews, "r4");
    expect(migrated.verifyChain()).toBeUndefined();
  });
});

describe("kept frames", () => {
  const reviewed = (review: string, bytes: number) => ({
    ...aJudged({ id: review, review }),
    frame: aFrame({ id: review, payload: new Uint8Array(bytes).fill(review.length) }),
  });

  test("a review's frame is given back to the byte, also after a restart", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    ledger.append([reviewed("r-1", 5)]);
    ledger.close();
    const frame = aRealLedger({ path }).reviews.frameOf("r-1");
    expect(frame?.contentType).toBe("image/png");
    expect([...frame!.payload]).toEqual([3, 3, 3, 3, 3]);
  });

  test("the oldest make room within the budget, and are counted", () => {
    const ledger = aRealLedger({ frameBytesKeptMax: 100 });
    ledger.append([reviewed("r-1", 40), reviewed("r-2", 40)]);
    ledger.append([reviewed("r-3", 40), reviewed("r-4", 101)]);
    expect(["r-1", "r-2", "r-3", "r-4"].map((id) => ledger.reviews.frameOf(id) !== undefined)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(ledger.usage()).toMatchObject({ frameBytesKept: 80, framesDropped: 2 });
    expect(ledger.verifyChain()).toBeUndefined();
  });

  test("a batch that fails keeps and drops none", () => {
    const ledger = aRealLedger({ frameBytesKeptMax: 100 });
    ledger.append([reviewed("r-1", 60)]);
    const clash = [reviewed("r-2", 60), { ...aJudged({ id: "x", review: "r-2" }) }];
    expect(() => ledger.append(clash)).toThrow(/UNIQUE/);
    expect(ledger.usage()).toMatchObject({ frameBytesKept: 60, framesDropped: 0 });
    expect(ledger.reviews.frameOf("r-1")).toBeDefined();
  });

  test("a damaged frame is not shown", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    ledger.append([reviewed("r-1", 60)]);
    const db = new Database(path);
    db.exec("UPDATE frames SET payload = zeroblob(60)");
    db.close();
    expect(() => ledger.reviews.frameOf("r-1")).toThrow(/not as it was written/);
  });
});
