/** What a clock that is set an hour back or forward does to what the ledger remembers. */

import { describe, expect, test } from "vitest";
import { aJudged } from "../support/builders.ts";
import { aRealLedger, DAY_MS } from "../support/ledger.ts";

const HOUR_MS = 3_600_000;
const NOON_MS = 100 * DAY_MS;

/** A ledger with one frame decided at noon, and that frame again at another time by the clock. */
function decidedTwice(againAtMs: number, dedupeWindowMs: number) {
  const ledger = aRealLedger({ dedupeWindowMs, retentionMs: DAY_MS, nowMs: () => againAtMs });
  const [first] = ledger.append([aJudged({ id: "one", decidedAtMs: NOON_MS })]);
  const [again] = ledger.append([aJudged({ id: "one", decidedAtMs: againAtMs })]);
  return { ledger, first: first!, again: again! };
}

describe("a clock step", () => {
  test.each([
    ["an hour back", -HOUR_MS],
    ["an hour forward", HOUR_MS],
  ])("of %s leaves a known frame known, by a window of a day", (_, stepMs) => {
    const { again, first, ledger } = decidedTwice(NOON_MS + stepMs, DAY_MS);
    expect(first).toMatchObject({ isRedelivery: false });
    expect(again).toMatchObject({ isRedelivery: true });
    expect(ledger.verifyChain()).toBeUndefined();
  });

  test("forward by more than the window lets a frame be decided once more", () => {
    const { again } = decidedTwice(NOON_MS + HOUR_MS, HOUR_MS - 1);
    expect(again).toMatchObject({ isRedelivery: false });
  });

  test("forward past an audit's deadline counts it as bad, and stepping back does not take that back", () => {
    const ledger = aRealLedger();
    const deadlineAtMs = NOON_MS + 60_000; // Of the audits that this builder makes.
    ledger.append([aJudged({ id: "one", pi: 0.25, review: "a-one", decidedAtMs: NOON_MS })]);
    expect(ledger.audits.expire(NOON_MS - HOUR_MS)).toEqual([]);
    expect(ledger.audits.expire(deadlineAtMs - 1)).toEqual([]);
    expect(ledger.audits.expire(deadlineAtMs + HOUR_MS)).toHaveLength(1);
    expect(ledger.audits.expire(NOON_MS)).toEqual([]);
    const { parts } = ledger.audits.settledAfter("press", 1, "teacher", 0, 9);
    expect(parts).toMatchObject([{ isBad: true, isAnswered: false }]);
    expect(ledger.verifyChain()).toBeUndefined();
  });
});
