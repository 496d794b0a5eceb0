/** Acts are written once, stay for ever, and none can be changed, removed, added or moved unseen. */

import { copyFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ActRow } from "../../src/gateway/ports.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aJudged } from "../support/builders.ts";
import { aLedgerFile, aRealLedger, DAY_MS } from "../support/ledger.ts";
import { answer } from "../support/reviews.ts";

type NewAct = Omit<ActRow, "seq">;

function anAct(is: Partial<NewAct> = {}): NewAct {
  return { station: "press", kind: "revision", revision: 1, atMs: 1000, body: '{"lambda":0.2}', ...is };
}

/** Five acts in three batches, with decisions before, between and behind them. */
function aLedgerWithActs() {
  const path = aLedgerFile();
  const ledger = aRealLedger({ path });
  ledger.append([aJudged({ id: "a" })]);
  ledger.acts.append([anAct()]);
  ledger.append([aJudged({ id: "b", review: "r" })]);
  ledger.acts.append([
    anAct({ kind: "refused", revision: 2 }),
    anAct({ station: "oven", revision: null, kind: "monitor", body: '{"state":"red"}' }),
    anAct({ revision: 2, body: '{"lambda":0.1}' }),
  ]);
  ledger.acts.append([anAct({ station: "oven", revision: 7 })]);
  ledger.append([aJudged({ id: "c" })]);
  return { path, ledger };
}

/** Somebody who can write the file can also take its triggers away. */
function tamper(path: string, sql: string): void {
  const db = new Database(path);
  db.exec(`DROP TRIGGER acts_stay; DROP TRIGGER acts_stay_as_written; ${sql}`);
  db.close();
}

describe("acts", () => {
  test("come back as they were written, also after a restart", () => {
    const { ledger, path } = aLedgerWithActs();
    expect(ledger.acts.latest("press", "revision")).toEqual({
      seq: 4,
      ...anAct({ revision: 2, body: '{"lambda":0.1}' }),
    });
    expect(ledger.acts.latest("press", "promoted")).toBeUndefined();
    ledger.close();
    const { acts, verifyChain } = aRealLedger({ path });
    const seqs = (filter: Omit<Parameters<typeof acts.list>[0], "limit">, limit = 10): number[] =>
      acts.list({ ...filter, limit }).map(({ seq }) => seq);
    expect(seqs({})).toEqual([5, 4, 3, 2, 1]);
    expect(seqs({ station: "press" })).toEqual([4, 2, 1]);
    expect(seqs({ kinds: ["monitor", "refused"] })).toEqual([3, 2]);
    expect(seqs({ station: "press", kinds: ["revision"] }, 1)).toEqual([4]);
    expect(seqs({ before: 3 })).toEqual([2, 1]);
    expect(seqs({ kinds: [] })).toEqual([]);
    expect(acts.append([anAct({ revision: 3 })])).toEqual([{ seq: 6, ...anAct({ revision: 3 }) }]);
    expect(verifyChain()).toBeUndefined();
  });

  test("of nothing are no batch", () => {
    const { ledger } = aLedgerWithActs();
    const head = ledger.chainHead();
    expect(ledger.acts.append([])).toEqual([]);
    expect(ledger.chainHead()).toEqual(head);
  });

  test("are committed all or none, and the chain goes on behind what failed", () => {
    const { ledger } = aLedgerWithActs();
    const head = ledger.chainHead();
    const broken = anAct({ body: null as unknown as string });
    expect(() => ledger.acts.append([anAct({ revision: 3 }), broken])).toThrow();
    expect(ledger.chainHead()).toEqual(head);
    expect(ledger.acts.list({ limit: 1 })[0]?.seq).toBe(5);
    ledger.append([aJudged({ id: "d" })]);
    expect(ledger.acts.append([anAct({ revision: 3 })])[0]?.seq).toBe(6);
    expect(ledger.verifyChain()).toBeUndefined();
  });

  test("are not changed or deleted by anyone who does not mean to", () => {
    const { path } = aLedgerWithActs();
    const db = new Database(path);
    expect(() => db.exec("UPDATE acts SET body = '{}'")).toThrow(/written once/);
    expect(() => db.exec("DELETE FROM acts WHERE seq = 5")).toThrow(/never deleted/);
  });

  test.each<[string, string]>([
    ["another body", "UPDATE acts SET body = '{}' WHERE seq = 3"],
    ["another station", "UPDATE acts SET station = 'press' WHERE seq = 3"],
    ["another kind", "UPDATE acts SET kind = 'monitor-cleared' WHERE seq = 3"],
    ["another revision", "UPDATE acts SET revision = 3 WHERE seq = 4"],
    ["a revision where there was none", "UPDATE acts SET revision = 0 WHERE seq = 3"],
    ["another time", "UPDATE acts SET at = at - 1 WHERE seq = 5"],
    ["a text moved over its border", "UPDATE acts SET station = 'ovenm', kind = 'onitor' WHERE seq = 3"],
    ["a deleted one", "DELETE FROM acts WHERE seq = 3"],
    ["the first deleted", "DELETE FROM acts WHERE seq = 1"],
    ["the last deleted", "DELETE FROM acts WHERE seq = 5"],
    ["all deleted", "DELETE FROM acts"],
    [
      "an added one",
      "INSERT INTO acts SELECT 6, station, kind, revision, at, body, hash FROM acts WHERE seq = 5",
    ],
    [
      "two exchanged",
      "UPDATE acts SET seq = 9 WHERE seq = 1; UPDATE acts SET seq = 1 WHERE seq = 2; UPDATE acts SET seq = 2 WHERE seq = 9",
    ],
    ["a batch that says it ends before them", "UPDATE chain SET acts = 0 WHERE seq = 4"],
    ["a batch of from before there were acts", "UPDATE chain SET acts = NULL, base = NULL WHERE seq = 6"],
    ["a batch that says it was cut elsewhere", "UPDATE chain SET base = 1 WHERE seq = 3"],
  ])("%s is found, at the next start too", (_, sql) => {
    const { ledger, path } = aLedgerWithActs();
    expect(ledger.verifyChain()).toBeUndefined();
    tamper(path, sql);
    expect(ledger.verifyChain()).toBeDefined();
    expect(aRealLedger({ path }).setAsideNow).toBeDefined();
  });

  test("stay when retention has deleted all that was around them", () => {
    const now = { ms: 1000 };
    const path = aLedgerFile();
    const ledger = aRealLedger({ path, retentionMs: 10 * DAY_MS, nowMs: () => now.ms });
    for (let day = 0; day < 30; day++) {
      now.ms = day * DAY_MS;
      ledger.append([aJudged({ id: `f-${day}`, decidedAtMs: now.ms })]);
      ledger.acts.append([anAct({ revision: day, atMs: now.ms })]);
    }
    ledger.settle(30, []);
    while (ledger.maintain());
    expect(ledger.decisionsAfter(0, 100)).toHaveLength(11);
    expect(ledger.acts.list({ limit: 100 })).toHaveLength(30);
    expect(ledger.verifyChain()).toBeUndefined();
    tamper(path, "UPDATE acts SET body = '{}' WHERE seq = 2");
    expect(ledger.verifyChain()?.found).toMatch(/act 2 is not as it was written/);
  });

  test("of any text and number come back as they were hashed", () => {
    const ledger = aRealLedger();
    const anyText = fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    });
    const anyAct = fc.record({
      station: anyText,
      body: anyText,
      revision: fc.option(fc.nat()),
      atMs: fc.integer(),
    });
    fc.assert(
      fc.property(fc.array(anyAct, { maxLength: 4 }), (acts) => {
        const written = ledger.acts.append(acts.map(anAct));
        expect(ledger.acts.list({ limit: written.length }).toReversed()).toEqual(written);
      }),
      { numRuns: 100, seed: 7 },
    );
    expect(ledger.verifyChain()).toBeUndefined();
  });
});

test("a ledger from before there were acts goes on under the chain that it has", () => {
  const path = aLedgerFile();
  copyFileSync(new URL("../data/ledger-version-5.sqlite", import.meta.url), path);
  const now = { ms: 20 * DAY_MS };
  const ledger = aRealLedger({ path, retentionMs: 10 * DAY_MS, nowMs: () => now.ms });
  expect(ledger.setAsideNow).toBeUndefined();
  expect(ledger.chainHead()).toEqual({
    seq: 27,
    sha256: "f3eb7bd0dd37c7573651fb05a76f564b54fd105b8c047dcc8e0062f33c4bcee6",
  });
  expect(ledger.verifyChain()).toBeUndefined();
  expect(ledger.acts.list({ limit: 10 })).toEqual([]);

  ledger.acts.append([anAct({ atMs: now.ms })]);
  answer(ledger.reviews, "r-0", now.ms);
  ledger.append([aJudged({ id: "next", review: "new", decidedAtMs: now.ms })]);
  expect(ledger.verifyChain()).toBeUndefined();
  now.ms += 100 * DAY_MS; // What waits is carried out of batches of before.
  ledger.append([aJudged({ id: "later", decidedAtMs: now.ms })]);
  ledger.settle(43, []);
  while (ledger.maintain());
  expect(ledger.decisionsAfter(0, 100).map(({ frame }) => frame)).toContain("a-2");
  expect(ledger.verifyChain()).toBeUndefined();
  expect(aRealLedger({ path }).setAsideNow).toBeUndefined();
});
