/** What retention deletes, what it never does, and that the chain stays verifiable. */

import { describe, expect, test } from "vitest";
import type { LedgerOptions } from "../../src/ledger/ledger.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aFrame, aJudged } from "../support/builders.ts";
import { aLedgerFile, aRealLedger, DAY_MS } from "../support/ledger.ts";
import { answer as answerReview } from "../support/reviews.ts";

/** A ledger at a time of its own, with a batch of ten for each of the first days; every tenth frame is reviewed. */
function aLedgerOfDays(days: number, is: Partial<LedgerOptions> = {}) {
  const path = aLedgerFile();
  const now = { ms: 0 };
  const ledger = aRealLedger({ path, retentionMs: 10 * DAY_MS, nowMs: () => now.ms, ...is });
  for (let day = 0; day < days; day++) {
    ledger.append(
      Array.from({ length: 10 }, (_, i) => {
        const review = i === 0 ? { review: `r-${day}` } : {};
        const judged = aJudged({ id: `${day}-${i}`, decidedAtMs: day * DAY_MS, ...review });
        return { ...judged, frame: aFrame({ id: `${day}-${i}`, payload: new Uint8Array(500) }) };
      }),
    );
  }
  now.ms = (days - 1) * DAY_MS;
  const publishAll = () => {
    const alerts = ledger.alertsAfter(0, 1000).map((alert) => alert.id);
    ledger.settle(days * 10, alerts);
  };
  const answer = (isMeant: (id: string) => boolean = () => true) => {
    const all = { station: undefined, source: undefined, reason: undefined, after: undefined, limit: 1000 };
    const open = ledger.reviews.list({ ...all, states: ["open"] });
    for (const { id } of open) if (isMeant(id)) answerReview(ledger.reviews, id, now.ms);
  };
  const upkeep = () => {
    let steps = 1;
    while (ledger.maintain()) steps++;
    return steps;
  };
  const frames = () => ledger.decisionsAfter(0, 10_000).map((record) => record.frame);
  return { path, ledger, now, publishAll, answer, upkeep, frames };
}

describe("retention", () => {
  test("a chain that is cut shorter than retention has cut it is found", () => {
    const { ledger, path, publishAll, answer, upkeep } = aLedgerOfDays(30);
    publishAll();
    answer();
    upkeep();
    const db = new Database(path);
    db.pragma("foreign_keys = OFF");
    const next = "(SELECT seq FROM chain ORDER BY seq LIMIT 1 OFFSET 1)";
    db.exec(`DELETE FROM decisions WHERE id <= (SELECT last FROM chain WHERE seq = ${next});
      DELETE FROM reviews WHERE decision NOT IN (SELECT id FROM decisions);
      DELETE FROM chain WHERE seq < ${next};`);
    expect(ledger.verifyChain()?.found).toMatch(/the chain begins at batch 20, its end says at 19/);
    expect(aRealLedger({ path }).setAsideNow?.reason).toMatch(/begins at batch 20/);
  });

  test("deletes what is past its time, and the chain then begins there", () => {
    const { ledger, path, publishAll, answer, upkeep, frames } = aLedgerOfDays(30);
    publishAll();
    answer();
    upkeep();
    expect(frames()).toHaveLength(110);
    expect(frames()[0]).toBe("19-0");
    expect(ledger.verifyChain()).toBeUndefined();
    expect(ledger.usage().frameBytesKept).toBe(11 * 500);
    const head = ledger.chainHead();
    ledger.close();
    const reopened = aRealLedger({ path });
    expect(reopened.setAsideNow).toBeUndefined();
    expect(reopened.chainHead()).toEqual(head);
    expect(reopened.verifyChain()).toBeUndefined();
  });

  test("waits until there is enough to cut, and not for long", () => {
    const now = { ms: 0 };
    const ledger = aRealLedger({ retentionMs: DAY_MS, dedupeWindowMs: 1000, nowMs: () => now.ms });
    const HOURS = 30;
    const AN_HOUR = 12;
    for (let batch = 0; batch < HOURS * AN_HOUR; batch++) {
      now.ms = (batch * 3_600_000) / AN_HOUR;
      ledger.append([aJudged({ id: `f-${batch}`, decidedAtMs: now.ms })]);
      ledger.settle(batch + 1, []);
      while (ledger.maintain());
    }
    // A day of batches, less than an hour of what is past it, and a cut each hour.
    const rows = ledger.decisionsAfter(0, 10_000).length;
    expect(rows).toBeGreaterThanOrEqual(24 * AN_HOUR);
    expect(rows).toBeLessThanOrEqual(25 * AN_HOUR + 1);
    expect(ledger.chainHead().seq - HOURS * AN_HOUR).toBeLessThanOrEqual(HOURS - 23);
    expect(ledger.verifyChain()).toBeUndefined();
    now.ms += 2 * 3_600_000; // Nobody sends any more; what there is goes all the same.
    while (ledger.maintain());
    expect(ledger.decisionsAfter(0, 10_000).length).toBeLessThanOrEqual(23 * AN_HOUR);
  });

  test("goes in small steps", () => {
    const { publishAll, answer, upkeep, frames } = aLedgerOfDays(100);
    publishAll();
    answer();
    expect(upkeep()).toBeGreaterThanOrEqual(6); // 890 rows, fewer than 150 at a time.
    expect(frames()).toHaveLength(110);
  });

  test("never deletes what has not been published", () => {
    const { ledger, answer, upkeep, frames } = aLedgerOfDays(30);
    ledger.settle(
      25,
      ledger.alertsAfter(0, 100).map((alert) => alert.id),
    );
    answer();
    upkeep();
    expect(frames()[0]).toBe("2-0");
  });

  test("keeps open reviews with their frame, and the chain covers them still", () => {
    const { ledger, path, now, publishAll, answer, upkeep, frames } = aLedgerOfDays(30);
    publishAll();
    answer((id) => id !== "r-3");
    upkeep();
    expect(frames().slice(0, 2)).toEqual(["3-0", "19-0"]);
    expect(ledger.reviews.frameOf("r-3")).toBeDefined();
    expect(ledger.verifyChain()).toBeUndefined();
    const db = new Database(path);
    db.exec("UPDATE decisions SET score = 0.11 WHERE frame = '3-0'");
    expect(ledger.verifyChain()?.seq).toBeGreaterThan(59); // Behind 30 batches and 29 answers.
    db.exec("UPDATE decisions SET score = 0.1 WHERE frame = '3-0'");

    now.ms += 100 * DAY_MS; // Carried a second time; then answered, and deleted in its turn.
    ledger.append([aJudged({ id: "late", decidedAtMs: now.ms })]);
    ledger.settle(301, []);
    upkeep();
    expect(frames()).toEqual(["3-0", "late"]);
    expect(ledger.verifyChain()).toBeUndefined();
    answer();
    now.ms += 100 * DAY_MS;
    ledger.append([aJudged({ id: "later", decidedAtMs: now.ms })]);
    ledger.settle(302, []);
    upkeep();
    expect(frames()).toEqual(["later"]);
    expect(ledger.reviews.frameOf("r-3")).toBeUndefined();
    expect(ledger.verifyChain()).toBeUndefined();
  });

  test("keeps a decision whose alert has not been acknowledged", () => {
    const { ledger, answer, upkeep, frames } = aLedgerOfDays(30);
    ledger.settle(
      300,
      ledger.alertsAfter(1, 100).map((alert) => alert.id),
    );
    answer();
    upkeep();
    expect(frames().slice(0, 2)).toEqual(["0-0", "19-0"]);
    expect(ledger.alertsAfter(0, 10)).toHaveLength(1);
    expect(ledger.verifyChain()).toBeUndefined();
  });

  test("over the budget of bytes the oldest go before their time, but never inside the dedupe window", () => {
    const { ledger, publishAll, answer, upkeep, frames } = aLedgerOfDays(30, {
      bytesMax: 1,
      retentionMs: 1000 * DAY_MS,
      dedupeWindowMs: 5 * DAY_MS,
    });
    publishAll();
    answer();
    upkeep();
    expect(frames()).toHaveLength(60);
    expect(ledger.append([aJudged({ id: "24-5", decidedAtMs: 29 * DAY_MS })])[0]?.isRedelivery).toBe(true);
  });

  test("under a budget the file stops growing: deleted pages are used again", () => {
    const now = { ms: 0 };
    const ledger = aRealLedger({ bytesMax: 1 << 20, dedupeWindowMs: 1000, nowMs: () => now.ms });
    const sizes: number[] = [];
    for (let batch = 0; batch < 400; batch++) {
      now.ms += 1000;
      ledger.append(
        Array.from({ length: 50 }, (_, i) => aJudged({ id: `${batch}-${i}`, decidedAtMs: now.ms })),
      );
      ledger.settle((batch + 1) * 50, []);
      while (ledger.maintain());
      sizes.push(ledger.usage().bytes);
    }
    expect(Math.max(...sizes)).toBeLessThan(1.1 * (1 << 20));
    expect(Math.min(...sizes.slice(200))).toBeGreaterThan(0.8 * (1 << 20));
    expect(ledger.verifyChain()).toBeUndefined();
  });

  test("never deletes the end of the chain, on which the next batch hangs", () => {
    const { ledger, now, publishAll, answer, upkeep, frames } = aLedgerOfDays(3);
    publishAll();
    answer();
    ledger.append([aJudged({ id: "end", decidedAtMs: now.ms })]);
    ledger.settle(31, []);
    now.ms += 1000 * DAY_MS;
    upkeep();
    expect(frames()).toEqual(["end"]);
    upkeep(); // Behind it there is now the batch that says where the chain begins.
    expect(frames()).toEqual([]);
    const head = ledger.chainHead();
    upkeep(); // Which is not written again and again.
    expect(ledger.chainHead()).toEqual(head);
    ledger.append([aJudged({ id: "next" })]);
    expect(ledger.verifyChain()).toBeUndefined();
  });
});
