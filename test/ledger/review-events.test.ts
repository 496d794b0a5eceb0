/** Transitions of reviews under the chain: nothing of them can be changed unseen, and retention carries them. */

import { describe, expect, test } from "vitest";
import { happenTo } from "../../src/core/review-lifecycle.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aJudged } from "../support/builders.ts";
import { aLedgerFile, aRealLedger, DAY_MS } from "../support/ledger.ts";
import { answer, HANAKO } from "../support/reviews.ts";

/** Three reviews: r-1 answered, r-2 overdue with its message still in the outbox, r-3 as it opened. */
function aLedgerWithReviews(nowMs: () => number = () => 1000) {
  const path = aLedgerFile();
  const ledger = aRealLedger({ path, retentionMs: 10 * DAY_MS, nowMs });
  ledger.append(
    ["r-1", "r-2", "r-3"].map((review) => aJudged({ id: review, review, held: review === "r-3" })),
  );
  answer(ledger.reviews, "r-1");
  const before = ledger.reviews.find("r-2")!;
  const { review: after } = happenTo(before, { kind: "overdue" }, 5000)!;
  const change = {
    before,
    after,
    by: undefined,
    transaction: undefined,
    atMs: 5000,
    message: '{"type":"update"}',
  };
  ledger.reviews.change([change]);
  return { path, ledger, db: new Database(path), change };
}

describe("a transition", () => {
  test.each<[string, string]>([
    ["another verdict", "UPDATE review_events SET verdict = 'unusable' WHERE review = 'r-1'"],
    ["another class", "UPDATE review_events SET class = 'bad' WHERE review = 'r-1'"],
    ["another person", "UPDATE review_events SET person = 'taro' WHERE review = 'r-1'"],
    ["one vouched for", "UPDATE review_events SET vouched = 0 WHERE review = 'r-1'"],
    ["another time", "UPDATE review_events SET at = at + 1 WHERE review = 'r-2'"],
    ["another digest", "UPDATE review_events SET digest = NULL WHERE review = 'r-2'"],
    ["one that is gone", "DELETE FROM review_events WHERE review = 'r-1'"],
    [
      "one too many",
      "INSERT INTO review_events (review, revision, at, state, overdue, count) VALUES ('r-3', 2, 1, 'open', 0, 1)",
    ],
    ["a review that says another verdict", "UPDATE reviews SET verdict = 'unusable' WHERE id = 'r-1'"],
    ["a review that says it waits", "UPDATE reviews SET state = 'open', resolved_at = NULL WHERE id = 'r-1'"],
    [
      "a review that says it was answered",
      "UPDATE reviews SET state = 'resolved', resolved_at = 1 WHERE id = 'r-3'",
    ],
    ["a held review that says it was announced", "UPDATE reviews SET state = 'open' WHERE id = 'r-3'"],
    ["another message", "UPDATE outbox SET body = '{}' WHERE review = 'r-2' AND revision = 2"],
    ["a message of no transition", "UPDATE outbox SET revision = 9 WHERE review = 'r-2' AND revision = 2"],
  ])("%s is found", (_, sql) => {
    const { ledger, db } = aLedgerWithReviews();
    expect(ledger.verifyChain()).toBeUndefined();
    db.exec(sql);
    expect(ledger.verifyChain()).toBeDefined();
  });

  test("from a revision that has passed is not written, nor is anything with it", () => {
    const { ledger, change } = aLedgerWithReviews();
    const head = ledger.chainHead();
    expect(() => ledger.reviews.change([change])).toThrow(/is not at revision 1 any more/);
    expect(ledger.chainHead()).toEqual(head);
    expect(ledger.alertsPending()).toBe(3);
    answer(ledger.reviews, "r-3");
    expect(ledger.verifyChain()).toBeUndefined();
  });

  test("is there after a restart, with who did it", () => {
    const { ledger, path } = aLedgerWithReviews();
    ledger.close();
    const { reviews, verifyChain } = aRealLedger({ path });
    expect(reviews.find("r-1")).toMatchObject({
      state: "resolved",
      revision: 2,
      reviewer: HANAKO.name,
      vouched: true,
    });
    expect(reviews.find("r-2")).toMatchObject({ state: "open", revision: 2, overdue: true });
    expect(reviews.find("r-3")).toMatchObject({ state: "held", revision: 1, announcedAtMs: null });
    expect(verifyChain()).toBeUndefined();
  });
});

test("retention carries a review that waits with its transitions, as often as it must, and then deletes both", () => {
  const now = { ms: 10_000 };
  const { ledger, db } = aLedgerWithReviews(() => now.ms);
  const events = (): unknown[] =>
    db.prepare("SELECT review, revision FROM review_events ORDER BY seq").raw().all();
  const pass = (id: string): void => {
    now.ms += 20 * DAY_MS;
    ledger.append([aJudged({ id, decidedAtMs: now.ms })]);
    ledger.settle(
      ledger.decisionsAfter(0, 100).at(-1)!.id,
      ledger.alertsAfter(0, 100).map((alert) => alert.id),
    );
    while (ledger.maintain());
    expect(ledger.verifyChain()).toBeUndefined();
  };
  pass("later");
  expect(events()).toEqual([["r-2", 2]]);
  pass("later still");
  expect(events()).toEqual([["r-2", 2]]);
  expect(ledger.decisionsAfter(0, 100).map(({ frame }) => frame)).toEqual(["r-2", "r-3", "later still"]);
  answer(ledger.reviews, "r-2", now.ms);
  pass("end");
  pass("very end");
  expect(events()).toEqual([]);
  expect(ledger.reviews.find("r-2")).toBeUndefined();
  expect(ledger.reviews.find("r-3")?.state).toBe("held");
});
