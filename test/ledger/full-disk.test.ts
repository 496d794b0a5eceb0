/** What becomes of a ledger whose disk is full. */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { appender } from "../../src/ledger/append.ts";
import { openAuditLog } from "../../src/ledger/audit-log.ts";
import { openChain } from "../../src/ledger/chain.ts";
import { openDrawing } from "../../src/ledger/drawing.ts";
import { LedgerFull } from "../../src/ledger/errors.ts";
import { openKeptFrames } from "../../src/ledger/kept-frames.ts";
import { openChecked } from "../../src/ledger/open.ts";
import { openPartRows } from "../../src/ledger/parts.ts";
import { prepareStatements } from "../../src/ledger/statements.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { aFrame, aJudged } from "../support/builders.ts";
import { aLedgerFile, aRealLedger, DAY_MS } from "../support/ledger.ts";
import { answer } from "../support/reviews.ts";
import { aSmallDisk, describeWithSmallDisk, type SmallDisk } from "../support/small-disk.ts";

const KIB = 1024;
const BALLAST_BYTES = 512 * KIB;

const batch = (n: number, decidedAtMs = 1000) =>
  Array.from({ length: 20 }, (_, i) => ({
    ...aJudged({ id: `${n}-${i}`, review: `r-${n}-${i}`, decidedAtMs }),
    frame: aFrame({ id: `${n}-${i}`, payload: new Uint8Array(2000) }),
  }));

/** Appends until it throws, and says how many batches were taken. */
function appendUntilFull(ledger: ReturnType<typeof aRealLedger>, from = 0): number {
  for (let n = from; ; n++) {
    try {
      ledger.append(batch(n));
    } catch (error) {
      expect(error).toBeInstanceOf(LedgerFull);
      expect((error as Error).message).toMatch(/disk is full; make room/);
      return n;
    }
  }
}

describeWithSmallDisk("a ledger on a full disk", () => {
  let disk: SmallDisk;
  beforeEach(() => {
    disk = aSmallDisk(8 * 1024 * KIB);
  });
  afterEach(() => disk.unmount());
  const open = (is: object = {}) =>
    aRealLedger({
      path: join(disk.folder, "test.ledger"),
      ballastBytes: BALLAST_BYTES,
      frameBytesKeptMax: 1 << 26,
      ...is,
    });

  test("takes nothing, loses nothing, and goes on by itself when there is room again", () => {
    const ledger = open();
    disk.fill(2048 * KIB);
    const full = appendUntilFull(ledger);
    expect(full).toBeGreaterThan(5);
    expect(ledger.usage()).toMatchObject({ hasBallast: false, ballastGivenUp: 1 });
    expect(() => ledger.append(batch(full))).toThrow(LedgerFull);
    expect(ledger.decisionsAfter(0, 1e6)).toHaveLength(20 * full);
    expect(ledger.verifyChain()).toBeUndefined();

    disk.clear();
    ledger.append(batch(full));
    expect(ledger.usage()).toMatchObject({ hasBallast: true });
    expect(ledger.decisionsAfter(0, 1e6)).toHaveLength(20 * (full + 1));
    expect(ledger.verifyChain()).toBeUndefined();
  });

  test("still notes what has left, and counts a new session, with the room of the ballast", () => {
    const ledger = open();
    disk.fill(1536 * KIB);
    const full = appendUntilFull(ledger);
    disk.fill(0); // Another program takes what there is; only what the ballast held was ours.
    const alerts = ledger.alertsAfter(0, 1e6).map((alert) => alert.id);
    disk.clear();
    disk.fill(BALLAST_BYTES);
    ledger.settle(20 * full, alerts);
    expect(ledger.publishedUpTo()).toBe(20 * full);
    expect(ledger.alertsPending()).toBe(0);
    expect(ledger.nextSession()).toBe(1);
    ledger.close();

    disk.fill(0);
    const again = open();
    expect(again.setAsideNow).toBeUndefined();
    expect(again.publishedUpTo()).toBe(20 * full);
    expect(() => again.append(batch(full))).toThrow(LedgerFull);
    expect(again.verifyChain()).toBeUndefined();
  });

  test("still writes an act, which may be a stop, with the room of the ballast; then it says that there is none", () => {
    const ledger = open();
    disk.fill(1536 * KIB);
    const act = (revision: number) => [
      { station: "press", kind: "revision" as const, revision, atMs: 1, body: JSON.stringify({ revision }) },
    ];
    // Up to the last page that fits, without a try that gives the ballast up.
    disk.fill(0);
    let written = 0;
    for (;;) {
      try {
        ledger.acts.append(act(written));
        written++;
      } catch (error) {
        expect(error).toBeInstanceOf(LedgerFull);
        break;
      }
    }
    expect(ledger.usage()).toMatchObject({ hasBallast: false, ballastGivenUp: 1 });
    expect(written).toBeGreaterThan(0);
    expect(ledger.acts.list({ limit: 1e6 })).toHaveLength(written);
    expect(ledger.verifyChain()).toBeUndefined();
    disk.clear();
    ledger.acts.append(act(written));
    expect(ledger.verifyChain()).toBeUndefined();
  });

  test("deletes what is past its time, and opens on a disk without a free byte", () => {
    const now = { ms: 1000 };
    const ledger = open({ nowMs: () => now.ms });
    disk.fill(1536 * KIB);
    const full = appendUntilFull(ledger);
    ledger.settle(
      20 * full,
      ledger.alertsAfter(0, 1e6).map((alert) => alert.id),
    );
    ledger.close();
    disk.clear();
    const roomy = open({ nowMs: () => now.ms }); // The ballast is there again.
    const all = { station: undefined, source: undefined, reason: undefined, after: undefined, limit: 1e6 };
    for (const { id } of roomy.reviews.list({ ...all, states: ["open"] })) answer(roomy.reviews, id, now.ms);
    roomy.close();
    disk.fill(0);
    expect(disk.free()).toBe(0);

    now.ms += 100 * DAY_MS;
    const again = open({ nowMs: () => now.ms });
    while (again.maintain());
    expect(again.decisionsAfter(0, 1e6)).toEqual([]); // At the end of the chain is an answer.
    expect(again.verifyChain()).toBeUndefined();
    expect(again.usage()).toMatchObject({ ballastGivenUp: 1 });
  });

  test("a log that cannot be emptied into the file costs no batch that has been taken", () => {
    const ledger = open();
    const log = join(disk.folder, "test.ledger-wal");
    const logBytes = (): number => statSync(log).size;
    let taken = 0;
    // Until the log is written from its beginning again: then there is room in it, and none for the file to grow.
    for (let before = -1; before < logBytes(); taken++) {
      before = logBytes();
      ledger.append(batch(taken));
    }
    const fileBytes = statSync(join(disk.folder, "test.ledger")).size;
    disk.fill(0);
    const full = appendUntilFull(ledger, taken);
    expect(full).toBeGreaterThan(taken);
    expect(logBytes()).toBeGreaterThan(1000 * 4096);
    expect(statSync(join(disk.folder, "test.ledger")).size).toBeLessThan(fileBytes + BALLAST_BYTES);
    ledger.maintain();
    expect(ledger.decisionsAfter(0, 1e6)).toHaveLength(20 * full);
    expect(ledger.verifyChain()).toBeUndefined();

    disk.clear();
    while (ledger.maintain());
    ledger.append(batch(full));
    ledger.close();
    const again = open();
    expect(again.setAsideNow).toBeUndefined();
    expect(again.decisionsAfter(0, 1e6)).toHaveLength(20 * (full + 1));
    expect(again.verifyChain()).toBeUndefined();
  });

  test("does not begin a ballast that it cannot finish, nor leave its pieces", () => {
    disk.fill(700 * KIB);
    const ledger = open();
    expect(() => ledger.append(batch(0))).toThrow(/make room on it, 1048576 bytes at least/);
    expect(existsSync(join(disk.folder, "test.ledger-ballast.part"))).toBe(false);
    disk.clear();
    ledger.append(batch(0));
    expect(existsSync(join(disk.folder, "test.ledger-ballast"))).toBe(true);
  });
});

describe("a ledger at SQLite's own bound on pages", () => {
  test("a batch that does not fit is not there at all, and fits when there is room", () => {
    const path = aLedgerFile();
    const { db } = openChecked(path, 0);
    const chain = openChain(db);
    const frames = openKeptFrames(db, 1 << 26);
    const statements = prepareStatements(db);
    const parts = openPartRows(db, statements, DAY_MS);
    const drawing = openDrawing(db, openAuditLog(db, chain), frames);
    const write = appender(db, statements, chain, frames, parts, drawing, DAY_MS);
    db.pragma(`max_page_count = ${(db.pragma("page_count", { simple: true }) as number) + 40}`);
    let full = 0;
    expect(() => {
      for (; ; full++) write(batch(full));
    }).toThrow(/full/);
    expect(db.prepare("SELECT count(*) FROM decisions").pluck().get()).toBe(20 * full);
    expect(frames.bytes()).toBe(full * 20 * 2000);
    expect(verifyLedger(db)).toBeUndefined();
    db.pragma("max_page_count = 100000");
    write(batch(full));
    expect(verifyLedger(db)).toBeUndefined();
    db.close();
  });
});
