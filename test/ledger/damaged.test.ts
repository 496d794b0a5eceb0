/** A damaged file is set aside or refused: never a crash, never used as if it were whole, never made anew in silence. */

import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Random, seededRandom } from "../../src/core/random.ts";
import { LedgerDamaged, LedgerError } from "../../src/ledger/errors.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aFrame, aJudged } from "../support/builders.ts";
import { aLedgerFile, aRealLedger } from "../support/ledger.ts";

const FILES = 300;
const PAGE_BYTES = 4096;
const BATCHES = 200;

/** What a reader of the ledger would see of it. */
function contentOf(ledger: Ledger) {
  return {
    decisions: ledger.decisionsAfter(0, 1e6),
    alerts: ledger.alertsAfter(0, 1e6),
    alertsPending: ledger.alertsPending(),
    publishedUpTo: ledger.publishedUpTo(),
    epoch: ledger.epoch(),
    open: ledger.reviews.standing(),
    head: ledger.chainHead(),
  };
}

function aWrittenLedger() {
  const path = aLedgerFile();
  const ledger = aRealLedger({ path });
  const random = seededRandom(3);
  for (let n = 0; n < BATCHES; n++) {
    ledger.append(
      Array.from({ length: 5 }, (_, i) => {
        const id = `f-${n}-${i}`;
        const judged = aJudged({ id, score: random.next(), ...(i === 0 && { review: `r-${n}` }) });
        return { ...judged, frame: aFrame({ id, payload: new Uint8Array(600).fill(n) }) };
      }),
    );
  }
  ledger.settle(
    900,
    Array.from({ length: 150 }, (_, i) => i + 1),
  );
  const content = contentOf(ledger);
  ledger.close();
  return { path, content, bytes: readFileSync(path) };
}

type Damage = (bytes: Buffer, random: Random) => Buffer;
const below = (random: Random, bound: number): number => Math.floor(random.next() * bound);
const pageAt = (bytes: Buffer, random: Random): number =>
  PAGE_BYTES * below(random, bytes.length / PAGE_BYTES);

const DAMAGES: Readonly<Record<string, Damage>> = {
  "a bit flipped": (bytes, random) => {
    bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
    return bytes;
  },
  "sixteen bits flipped": (bytes, random) => {
    for (let i = 0; i < 16; i++) bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
    return bytes;
  },
  "noise in one place": (bytes, random) => {
    const at = below(random, bytes.length);
    for (let i = at; i < Math.min(bytes.length, at + 1 + below(random, 256)); i++)
      bytes[i] = below(random, 256);
    return bytes;
  },
  "cut off": (bytes, random) => bytes.subarray(0, below(random, bytes.length)),
  "two pages exchanged": (bytes, random) => {
    const [a, b] = [pageAt(bytes, random), pageAt(bytes, random)];
    const page = Buffer.from(bytes.subarray(a, a + PAGE_BYTES));
    bytes.copy(bytes, a, b, b + PAGE_BYTES);
    page.copy(bytes, b);
    return bytes;
  },
  "a page of zeros": (bytes, random) => {
    const at = pageAt(bytes, random);
    return bytes.fill(0, at, at + PAGE_BYTES);
  },
};

describe("three hundred damaged ledgers", () => {
  let written: ReturnType<typeof aWrittenLedger>;
  beforeAll(() => {
    written = aWrittenLedger();
  });

  test("none is used as if it were whole, and none ends the process", () => {
    const counts: Record<string, number> = {};
    const count = (what: string): void => {
      counts[what] = (counts[what] ?? 0) + 1;
    };
    const kinds = Object.entries(DAMAGES);
    for (let n = 0; n < FILES; n++) {
      const [kind, damage] = kinds[n % kinds.length]!;
      const folder = mkdtempSync(join(tmpdir(), "sekisho-damaged-"));
      const path = join(folder, "test.ledger");
      const damaged = damage(Buffer.from(written.bytes), seededRandom(1000 + n));
      writeFileSync(path, damaged);
      const quick = quickCheckFinds(path);
      const outcome = outcomeOf(path, damaged, written.content, `${kind}, seed ${1000 + n}`);
      count(outcome === "set aside" ? `set aside, ${quick ? "quick_check" : "the chain alone"}` : outcome);
      rmSync(folder, { recursive: true });
    }
    process.stdout.write(`\n${FILES} damaged ledgers: ${JSON.stringify(counts)}\n`);
    expect(counts["set aside, the chain alone"]).toBeGreaterThan(10);
    expect(counts["set aside, quick_check"]).toBeGreaterThan(50);
  }, 300_000);

  function quickCheckFinds(path: string): boolean {
    const db = new Database(path, { readonly: true });
    try {
      return db.pragma("quick_check(1)", { simple: true }) !== "ok";
    } catch {
      return true;
    } finally {
      db.close();
    }
  }

  function outcomeOf(path: string, damaged: Buffer, content: unknown, what: string): string {
    let ledger: Ledger;
    try {
      ledger = aRealLedger({ path });
    } catch (error) {
      expect(error, what).toBeInstanceOf(LedgerError);
      expect(readFileSync(path).equals(damaged), what).toBe(true);
      return "refused";
    }
    try {
      ledger.append([aJudged({ id: "next", review: "next" })]);
      // A kept frame is looked at when it is asked for, not at the start.
      expect(ledger.verifyChain()?.found ?? "the frame kept for none", what).toMatch(/^the frames? kept for/);
      if (ledger.setAsideNow === undefined) {
        expectWhole(path, what, content);
        return "harmless";
      }
      const { file } = ledger.setAsideNow;
      expect(readFileSync(file).equals(damaged), what).toBe(true);
      expect(ledger.decisionsAfter(0, 10), what).toHaveLength(1);
      return "set aside";
    } finally {
      ledger.close();
    }
  }

  /** All that was written is there; frames are there, or known to be damaged. */
  function expectWhole(path: string, what: string, content: unknown): void {
    rmSync(`${path}-copy`, { force: true });
    const ledger = aRealLedger({ path });
    const { head: _, ...found } = contentOf(ledger);
    const { head: __, ...expected } = content as ReturnType<typeof contentOf>;
    expect(found.decisions.slice(0, -1), what).toEqual(expected.decisions);
    expect(found.alerts.slice(0, -1), what).toEqual(expected.alerts);
    expect(found.publishedUpTo, what).toBe(expected.publishedUpTo);
    expect(found.epoch, what).toBe(expected.epoch);
    expect(found.open[0]!.announced, what).toBe(expected.open[0]!.announced + 1);
    const again = expected.decisions.map((record) => aJudged({ id: record.frame }));
    expect(
      ledger.append(again).every((one) => one.isRedelivery),
      what,
    ).toBe(true);
    for (let n = 0; n < BATCHES; n++) {
      try {
        const frame = ledger.reviews.frameOf(`r-${n}`);
        if (frame !== undefined)
          expect(
            frame.payload.every((byte) => byte === n),
            what,
          ).toBe(true);
      } catch (error) {
        expect(isDamageOf(error), what).toBe(true);
      }
    }
    ledger.close();
  }

  function isDamageOf(error: unknown): boolean {
    return (
      error instanceof LedgerDamaged || String((error as { code?: string }).code).startsWith("SQLITE_CORRUPT")
    );
  }
});

describe("a damaged ledger", () => {
  const setAsideIn = (path: string): string[] =>
    readdirSync(dirname(path)).filter((name) => name.includes(".damaged-"));

  test("is kept under another name, and the new one says so, also after the next start", () => {
    const { path, bytes } = aWrittenLedger();
    writeFileSync(path, bytes.fill(0xee, 5 * PAGE_BYTES, 6 * PAGE_BYTES));
    const nowMs = (): number => Date.parse("2026-03-04T05:06:07.890Z");
    const ledger = aRealLedger({ path, nowMs });
    const file = `${path}.damaged-20260304T050607Z`;
    expect(ledger.setAsideNow).toMatchObject({ at: "2026-03-04T05:06:07.890Z", file });
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(ledger.append([aJudged({ id: "f-1-1" })])[0]?.isRedelivery).toBe(false);
    ledger.close();
    const reopened = aRealLedger({ path });
    expect(reopened.setAsideNow).toBeUndefined();
    expect(reopened.setAside()).toMatchObject([{ at: "2026-03-04T05:06:07.890Z", file }]);
  });

  test("never takes the name of one set aside before, in the same second", () => {
    const { path, bytes } = aWrittenLedger();
    for (let n = 1; n <= 3; n++) {
      writeFileSync(path, bytes.subarray(0, 9000 + n));
      const ledger = aRealLedger({ path });
      expect(ledger.setAsideNow).toBeDefined();
      ledger.close();
      expect(setAsideIn(path)).toHaveLength(n);
    }
  });

  test("that passes quick_check is found by its chain", () => {
    const { path } = aWrittenLedger();
    const db = new Database(path);
    db.exec("UPDATE decisions SET decision = 'pass', reason = 'faithful' WHERE id = 501");
    expect(db.pragma("quick_check", { simple: true })).toBe("ok");
    db.close();
    expect(aRealLedger({ path }).setAsideNow?.reason).toBe("batch 101 of its chain: its hash does not match");
  });

  test("whose index has lost a frame is found: that frame would be decided a second time", () => {
    const { path } = aWrittenLedger();
    const db = new Database(path);
    db.unsafeMode();
    db.pragma("writable_schema = ON");
    const root = db
      .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'decisions_by_frame'")
      .pluck()
      .get();
    db.exec("UPDATE sqlite_schema SET sql = sql || ' AND id != 700' WHERE name = 'decisions_by_frame'");
    db.close();
    const half = new Database(path);
    half.exec("REINDEX decisions_by_frame");
    half.unsafeMode();
    half.pragma("writable_schema = ON");
    half.exec(
      "UPDATE sqlite_schema SET sql = replace(sql, ' AND id != 700', '') WHERE name = 'decisions_by_frame'",
    );
    half.close();
    expect(root).toBeGreaterThan(0);
    expect(aRealLedger({ path }).setAsideNow?.reason).toMatch(/decision 700 is not in the index of frames/);
  });

  test.each([
    ["is empty", (path: string) => truncateSync(path, 0), /empty, though .*-ballast is there/],
    ["is gone", (path: string) => rmSync(path), /missing, though .*-ballast is there/],
    ["is all zeros", (path: string) => writeFileSync(path, Buffer.alloc(50_000)), /not a database/],
    ["is noise", (path: string) => writeFileSync(path, Buffer.alloc(50_000, 0xa5)), /not a database/],
  ])("that %s is not taken for a first start", (_, spoil, reason) => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path, ballastBytes: 4096 });
    ledger.append([aJudged()]);
    ledger.close();
    spoil(path);
    expect(aRealLedger({ path, ballastBytes: 4096 }).setAsideNow?.reason).toMatch(reason);
  });

  test("takes its write-ahead log along, which a new file must not inherit", () => {
    const { path } = aWrittenLedger();
    const ledger = aRealLedger({ path });
    ledger.append([aJudged({ id: "in the log" })]);
    const log = readFileSync(`${path}-wal`);
    const elsewhere = aLedgerFile();
    copyFileSync(`${path}-wal`, `${elsewhere}-wal`); // The main file is lost, its log is left.
    ledger.close();
    const fresh = aRealLedger({ path: elsewhere });
    expect(fresh.setAsideNow?.reason).toMatch(/missing, though .*-wal is there/);
    expect(fresh.decisionsAfter(0, 10)).toEqual([]);
    expect(readFileSync(`${fresh.setAsideNow?.file}-wal`).equals(log)).toBe(true);
    expect(existsSync(fresh.setAsideNow!.file)).toBe(false);
  });

  test("that has lost all but its header, its log being deleted, is not taken for new", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path, ballastBytes: 4096 });
    ledger.append([aJudged()]);
    const header = readFileSync(path); // All the rest is in the log still.
    ledger.close();
    writeFileSync(path, header);
    expect(aRealLedger({ path, ballastBytes: 4096 }).setAsideNow?.reason).toMatch(
      /no tables, though .*-ballast/,
    );
  });

  test("is not forgotten if the start ends before the new one is begun", () => {
    const { path, bytes } = aWrittenLedger();
    writeFileSync(`${path}.damaged-20260304T050607Z`, bytes);
    rmSync(path);
    expect(aRealLedger({ path }).setAsideNow?.reason).toMatch(
      /missing, though .*\.damaged-20260304T050607Z is there/,
    );
  });

  test("the first start finds nothing missing", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path, ballastBytes: 4096 });
    expect(ledger.setAsideNow).toBeUndefined();
    ledger.close();
    expect(aRealLedger({ path, ballastBytes: 4096 }).setAsideNow).toBeUndefined();
  });
});
