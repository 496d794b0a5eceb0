/** What the gateway relies on of a ledger: SQLite and the fakes that tests put in its place are held to the same. */

import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Committed } from "../../src/core/record.ts";
import type { Ledger } from "../../src/gateway/ports.ts";
import { aDisk } from "../simulation/disk.ts";
import { aJournal } from "../simulation/journal.ts";
import { aLife } from "../simulation/life.ts";
import { aJudged } from "../support/builders.ts";
import { aRealLedger, DAY_MS } from "../support/ledger.ts";
import { aSmallDisk, describeWithSmallDisk } from "../support/small-disk.ts";
import { aLedger as aFakeLedger } from "../support/world.ts";

const LEDGERS: readonly (readonly [string, () => Ledger])[] = [
  ["the fake of the gateway's tests", () => aFakeLedger([])],
  [
    "the simulation's ledger",
    () =>
      aDisk(DAY_MS, aJournal()).ledgerFor(
        aLife(() => {}),
        () => {},
      ),
  ],
  ["the SQLite ledger", () => aRealLedger()],
];

const framesOf = (ledger: Ledger): string[] => ledger.decisionsAfter(0, 100).map((record) => record.frame);
const reviewsOf = (ledger: Ledger): string[] =>
  ledger.alertsAfter(0, 100).map((alert) => (JSON.parse(alert.body) as { review: string }).review);

describe.each(LEDGERS)("%s", (_, aLedger) => {
  test("keeps batches and gives them back in the order of their ids, which rise", () => {
    const ledger = aLedger();
    ledger.append([aJudged({ id: "a" }), aJudged({ id: "b" })]);
    ledger.append([aJudged({ id: "c" })]);
    expect(ledger.decisionsAfter(0, 10).map((record) => [record.id, record.frame])).toEqual([
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ]);
    expect(ledger.decisionsAfter(1, 1).map((record) => record.frame)).toEqual(["b"]);
    expect(ledger.decisionsAfter(3, 10)).toEqual([]);
  });

  test("answers in the order of the batch, with what it will give back", () => {
    const ledger = aLedger();
    const committed = ledger.append([aJudged({ id: "a" }), aJudged({ id: "b", review: "r-1" })]);
    expect(committed.map((one) => one.isRedelivery)).toEqual([false, false]);
    expect(committed.map((one) => one.record)).toEqual(ledger.decisionsAfter(0, 10));
  });

  test("gives a redelivered frame its recorded decision, writes nothing and opens nothing", () => {
    const ledger = aLedger();
    ledger.append([aJudged({ id: "a", score: 0.1 })]);
    const [again] = ledger.append([aJudged({ id: "a", score: 0.9, review: "r-1" })]);
    expect(again).toMatchObject({ isRedelivery: true, record: { id: 1, score: 0.1 } });
    expect(framesOf(ledger)).toEqual(["a"]);
    expect(reviewsOf(ledger)).toEqual([]);
  });

  test("sees a frame twice in one batch, and announces its review once", () => {
    const ledger = aLedger();
    const twice = [aJudged({ id: "a", review: "r-1" }), aJudged({ id: "a", review: "r-2" })];
    expect(ledger.append(twice).map((one) => one.isRedelivery)).toEqual([false, true]);
    expect(reviewsOf(ledger)).toEqual(["r-1"]);
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
    expect(ledger.append([aJudged({ id: "a", decidedAtMs: DAY_MS + 2 })])[0]!.record.id).toBe(4);
  });

  test("never takes frames without an id for each other, nor for one with an id", () => {
    const ledger = aLedger();
    ledger.append([aJudged({ id: "made", identified: false })]);
    const next = [aJudged({ id: "made", identified: false }), aJudged({ id: "made" })];
    expect(ledger.append(next).map((one) => one.isRedelivery)).toEqual([false, false]);
  });

  test("holds an alert, to the byte, until it is settled", () => {
    const ledger = aLedger();
    const first = aJudged({ id: "a", review: "r-1" });
    ledger.append([first, aJudged({ id: "b", review: "r-2" })]);
    const [alert] = ledger.alertsAfter(0, 1);
    expect(alert).toMatchObject({ station: "press", body: first.review!.alert });
    ledger.settle(2, [alert!.id, 999]);
    expect(reviewsOf(ledger)).toEqual(["r-2"]);
    expect(ledger.publishedUpTo()).toBe(2);
  });

  test("answers with the alerts as it will give them back, and none for a frame that came again", () => {
    const ledger = aLedger();
    const committed = ledger.append([
      aJudged({ id: "a", review: "r-1" }),
      aJudged({ id: "b" }),
      aJudged({ id: "a", review: "r-2" }),
      aJudged({ id: "c", review: "r-3" }),
    ]);
    expect(committed.map(({ alert }) => alert !== undefined)).toEqual([true, false, false, true]);
    expect(committed.flatMap(({ alert }) => alert ?? [])).toEqual(ledger.alertsAfter(0, 10));
  });

  test("notes what has left together with a batch, also one of redeliveries only", () => {
    const ledger = aLedger();
    ledger.append([aJudged({ id: "a", review: "r-1" }), aJudged({ id: "b", review: "r-2" })]);
    const [first, second] = ledger.alertsAfter(0, 10).map((alert) => alert.id);
    ledger.append([aJudged({ id: "c", review: "r-3" })], { publishedUpTo: 1, alertIds: [first!, 999] });
    expect(ledger.publishedUpTo()).toBe(1);
    expect(reviewsOf(ledger)).toEqual(["r-2", "r-3"]);
    ledger.append([aJudged({ id: "a" })], { publishedUpTo: 3, alertIds: [second!] });
    expect(ledger.publishedUpTo()).toBe(3);
    expect(reviewsOf(ledger)).toEqual(["r-3"]);
  });

  test("does not note what has left with a batch that fails", () => {
    const ledger = aLedger();
    const [{ alert }] = ledger.append([aJudged({ id: "a", review: "r-1" })]) as [Committed];
    const clash = [aJudged({ id: "b", review: "r-1" })];
    expect(() => ledger.append(clash, { publishedUpTo: 1, alertIds: [alert!.id] })).toThrow();
    expect(ledger.publishedUpTo()).toBe(0);
    expect(reviewsOf(ledger)).toEqual(["r-1"]);
  });

  test("never gives an alert the number of one that has left", () => {
    const ledger = aLedger();
    ledger.append([aJudged({ id: "a", review: "r-1" })]);
    const [first] = ledger.alertsAfter(0, 10);
    ledger.settle(1, [first!.id]);
    ledger.append([aJudged({ id: "b", review: "r-2" })]);
    expect(ledger.alertsAfter(first!.id, 10)).toHaveLength(1);
  });

  test("writes a batch whole or not at all, and goes on", () => {
    const ledger = aLedger();
    const clash = [aJudged({ id: "a", review: "r-1" }), aJudged({ id: "b", review: "r-1" })];
    expect(() => ledger.append(clash)).toThrow();
    expect(framesOf(ledger)).toEqual([]);
    expect(reviewsOf(ledger)).toEqual([]);
    ledger.append([aJudged({ id: "a", review: "r-1" })]);
    expect(ledger.decisionsAfter(0, 10).map((record) => record.id)).toEqual([1]);
  });

  test("keeps what is not a number as absent, and correlation data to the byte", () => {
    const ledger = aLedger();
    ledger.append([aJudged({ id: "a", score: Number.NaN, correlation: Uint8Array.of(0, 255, 1) })]);
    const [record] = ledger.decisionsAfter(0, 1);
    expect(record).toMatchObject({ score: null, confidence: 0.9 });
    expect([...record!.correlation!]).toEqual([0, 255, 1]);
  });

  test("knows of the frames of a part until its decision has been written, in their order", () => {
    const ledger = aLedger();
    ledger.append([
      aJudged({ id: "a", part: "p", partCount: 3, score: 0.11 }),
      aJudged({ id: "b", part: "q" }),
      aJudged({ id: "c" }),
      aJudged({ id: "made", identified: false, part: "p", partCount: 0 }),
      aJudged({ id: "d", part: "p", station: "lathe" }),
    ]);
    const open = (): string[] =>
      ledger.openPartRows().map(({ record }) => `${record.station} ${record.part} ${record.frame}`);
    expect(open()).toEqual(["press p a", "press q b", "press p made", "lathe p d"]);
    expect(ledger.openPartRows()[0]).toMatchObject({
      record: { id: 1, decision: "held", would: "pass:faithful", score: 0.11, frames: null },
      identified: true,
      partCount: 3,
      bundle: "b".repeat(64),
      receivedAtMs: 0,
    });
    expect(ledger.openPartRows()[2]).toMatchObject({ identified: false, partCount: 0 });
    ledger.append([aJudged({ id: "a", identified: false, part: "p", frames: 2 })]);
    expect(open()).toEqual(["press q b", "lathe p d"]);
    expect(ledger.decisionsAfter(5, 1)).toMatchObject([{ part: "p", frames: 2, decision: "pass" }]);
  });

  test("knows a frame by its row, which no decision of its part is", () => {
    const ledger = aLedger();
    const [held, unnamed] = [
      aJudged({ id: "a", part: "p" }),
      aJudged({ id: "b", identified: false, part: "p" }),
    ];
    expect([held, unnamed].map(ledger.isRecorded)).toEqual([false, false]);
    ledger.append([held, unnamed, aJudged({ id: "z", identified: false, part: "p", frames: 2 })]);
    expect([held, unnamed].map(ledger.isRecorded)).toEqual([true, false]);
    expect(ledger.isRecorded(aJudged({ id: "z" }))).toBe(false);
    expect(ledger.isRecorded(aJudged({ id: "a", decidedAtMs: 1000 + DAY_MS + 1 }))).toBe(false);
    expect(ledger.append([aJudged({ id: "a", score: 0.9 })])[0]).toMatchObject({
      isRedelivery: true,
      record: { decision: "held" },
    });
  });

  test("says what stands of a part: its newest decision, and the late frame that undid it", () => {
    const ledger = aLedger();
    const decision = (frames: number, more: object = {}) =>
      aJudged({ id: "a", identified: false, part: "p", frames, ...more });
    const standing = (atMs = 2000) => ledger.partStanding("press", "p", atMs);
    ledger.append([aJudged({ id: "a", part: "p" })]);
    expect(standing()).toBeUndefined();
    ledger.append([decision(1)]);
    expect(standing()).toMatchObject({ decision: { id: 2, frames: 1 }, late: undefined });
    const late = aJudged({ id: "late", part: "p", review: "r-1" });
    ledger.append([{ ...late, part: { frames: undefined, isOpen: false } }]);
    expect(standing()).toMatchObject({ decision: { id: 2 }, late: { id: 3, frame: "late" } });
    expect(standing(1000 + DAY_MS + 1)).toBeUndefined();
    expect(ledger.partStanding("lathe", "p", 2000)).toBeUndefined();
    ledger.append([decision(2, { review: "r-2", decidedAtMs: 1500 })]);
    expect(standing()).toMatchObject({ decision: { id: 4, frames: 2 }, late: undefined });
    expect(ledger.openPartRows()).toEqual([]);
  });

  test("takes a batch of nothing", () => {
    expect(aLedger().append([])).toEqual([]);
  });
});

/** @param make a ledger, and how its disk is filled and cleared */
function fullDiskContract(
  name: string,
  make: () => { readonly ledger: Ledger; readonly fill: () => void; readonly clear: () => void },
): void {
  test(`${name} on a full disk throws, keeps nothing of the batch, can be read, and goes on when there is room`, () => {
    const { ledger, fill, clear } = make();
    ledger.append([aJudged({ id: "a", review: "r-1" })]);
    fill();
    const id = (i: number): string => `b-${i}`;
    const large = Array.from({ length: 2000 }, (_, i) => aJudged({ id: id(i), review: `r-${id(i)}` }));
    expect(() => ledger.append(large)).toThrow();
    expect(framesOf(ledger)).toEqual(["a"]);
    expect(reviewsOf(ledger)).toEqual(["r-1"]);
    expect(ledger.publishedUpTo()).toBe(0);
    clear();
    const committed = ledger.append(large);
    expect(committed.every(({ isRedelivery }) => !isRedelivery)).toBe(true);
    expect(ledger.decisionsAfter(1, 1)[0]).toMatchObject({ id: 2, frame: id(0) });
  });
}

fullDiskContract("the simulation's ledger", () => {
  const disk = aDisk(DAY_MS, aJournal());
  return {
    ledger: disk.ledgerFor(
      aLife(() => {}),
      () => {},
    ),
    fill() {
      disk.trouble = "database or disk is full";
    },
    clear() {
      disk.trouble = undefined;
    },
  };
});

describeWithSmallDisk("really full", () => {
  fullDiskContract("the SQLite ledger", () => {
    const disk = aSmallDisk(16 << 20);
    onTestFinished(disk.unmount);
    const ledger = aRealLedger({ path: join(disk.folder, "test.ledger") });
    return { ledger, fill: () => disk.fill(16_384), clear: disk.clear };
  });
});
