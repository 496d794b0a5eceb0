/** Refusals on record: one by one up to a bound, counted beyond it, and never as if nothing had been refused. */

import { beforeEach, describe, expect, test } from "vitest";
import { keepRefusals, REFUSALS_AN_HOUR } from "../../src/commands/refusals.ts";
import type { ActRow } from "../../src/gateway/ports.ts";
import type { Thresholds } from "../../src/thresholds/file.ts";
import { aRealLedger } from "../support/ledger.ts";

const HOUR_MS = 3_600_000;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

describe("thresholds that are refused", () => {
  let ledger: ReturnType<typeof aRealLedger>;
  let nowMs: number;
  let due: (() => void)[];

  beforeEach(() => {
    ledger = aRealLedger();
    nowMs = 10 * HOUR_MS;
    due = [];
    return () => ledger.close();
  });

  const aRecord = () =>
    keepRefusals({
      acts: ledger.acts,
      clock: {
        nowMs: () => nowMs,
        after(_, call) {
          due.push(call);
          return () => {};
        },
      },
      log: silent,
    });
  const round = (): void => due.splice(0).forEach((call) => void call());
  const acts = (): readonly ActRow[] =>
    ledger.acts.list({ station: "press", kinds: ["refused"], limit: 10_000 }).toReversed();
  const bodies = () => acts().map(({ body }: ActRow) => JSON.parse(body));
  const refusal = (n: number, person = "aki", document = { revision: n } as Thresholds) => ({
    ...{ station: "press", via: "mqtt" as const, reasons: [`reason ${n}`], revision: n },
    signed: { document, persons: [person] },
  });

  test("are on record in full up to the bound, and in one act beyond it: how many, of whom, and the last", () => {
    const record = aRecord();
    for (let n = 1; n <= 5000; n++) record.note(refusal(n, n % 100 === 0 ? "ben" : "aki"));
    expect(acts()).toHaveLength(REFUSALS_AN_HOUR);
    expect(bodies()[0]).toEqual({ via: "mqtt", reasons: ["reason 1"], document: { revision: 1 } });
    round();
    expect(acts()).toHaveLength(REFUSALS_AN_HOUR);
    nowMs += HOUR_MS;
    round();
    expect(acts()).toHaveLength(REFUSALS_AN_HOUR + 1);
    const { refused, by, reasons } = bodies().at(-1);
    expect([refused, by]).toEqual([4990, { aki: 4940, ben: 50 }]);
    expect(reasons[0]).toMatch(/^4990 more were refused from .* to .*; the last: reason 5000$/);
    round();
    expect(acts()).toHaveLength(REFUSALS_AN_HOUR + 1); // Written once.
  });

  test("grow the ledger by no more than the bound an hour, however many and however long", () => {
    const record = aRecord();
    const minutes = 24 * 60;
    for (let minute = 0; minute < minutes; minute++) {
      for (let n = 0; n < 5; n++) record.note(refusal(5 * minute + n));
      nowMs += 60_000;
      round();
    }
    record.close();
    expect(acts().length).toBeLessThanOrEqual(24 * REFUSALS_AN_HOUR + 1);
    const counted = bodies().reduce((sum: number, { refused = 1 }) => sum + refused, 0);
    expect(counted).toBe(5 * minutes); // Every one of them is in there.
  });

  test("are counted over a restart as before it, and what was counted is written at the end", () => {
    const before = aRecord();
    for (let n = 1; n <= REFUSALS_AN_HOUR + 3; n++) before.note(refusal(n));
    before.close();
    expect(bodies().at(-1).refused).toBe(3);
    const after = aRecord();
    after.note(refusal(99));
    expect(acts()).toHaveLength(REFUSALS_AN_HOUR + 1);
    // A clock that went back does not open the gate.
    nowMs -= HOUR_MS / 2;
    after.note(refusal(100));
    expect(acts()).toHaveLength(REFUSALS_AN_HOUR + 1);
  });

  test("are told once where the last act tells the same, and a station's do not use up another's room", () => {
    const record = aRecord();
    for (let n = 0; n < 100; n++) record.note(refusal(1));
    expect(acts()).toHaveLength(1);
    for (let n = 0; n < 100; n++) record.note(refusal(n));
    record.note({ ...refusal(7), station: "weld" });
    expect(ledger.acts.latest("weld", "refused")).toBeDefined();
  });

  test("keep the digest of a document that is longer than any", () => {
    aRecord().note(refusal(1, "aki", { revision: 1, why: "x".repeat(60_000) } as Thresholds));
    expect(acts()[0]!.body.length).toBeLessThan(500);
    expect(bodies()[0].document).toEqual({
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      characters: 60_023,
    });
  });
});
