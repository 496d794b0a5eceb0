/** The chain shows what was changed, and the first batch in which. */

import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { walkChain } from "../../src/ledger/verify.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aFrame, aJudged } from "../support/builders.ts";
import { aLedgerFile, aRealLedger } from "../support/ledger.ts";

/** Twelve batches of three, each with a review, the first four of them delivered. */
function aChained() {
  const path = aLedgerFile();
  const ledger = aRealLedger({ path });
  for (let batch = 0; batch < 12; batch++) {
    ledger.append([
      aJudged({ id: `a${batch}` }),
      aJudged({ id: `b${batch}`, review: `r${batch}` }),
      aJudged({ id: `c${batch}`, identified: false, correlation: Uint8Array.of(batch) }),
    ]);
  }
  ledger.settle(36, [1, 2, 3, 4]);
  return { path, ledger, db: new Database(path) };
}

describe("the chain", () => {
  test("verifies what was written, and goes on over a restart and a failed batch", () => {
    const { ledger, path } = aChained();
    expect(ledger.verifyChain()).toBeUndefined();
    expect(() => ledger.append([aJudged({ id: "x", review: "r1" })])).toThrow(/UNIQUE/);
    ledger.append([aJudged({ id: "a0" })]); // Delivered again: nothing is written, and the chain does not grow.
    expect(ledger.chainHead().seq).toBe(12);
    const head = ledger.chainHead();
    ledger.close();
    const reopened = aRealLedger({ path });
    expect(reopened.chainHead()).toEqual(head);
    reopened.append([aJudged({ id: "next" })]);
    expect(reopened.verifyChain()).toBeUndefined();
    expect(reopened.chainHead().seq).toBe(13);
  });

  test.each([
    ["a changed decision", "UPDATE decisions SET decision = 'pass' WHERE id = 14", 5],
    ["a changed score", "UPDATE decisions SET score = score + 1e-12 WHERE id = 13", 5],
    [
      "a moved border between two texts",
      "UPDATE decisions SET source = source || 'a', frame = substr(frame, 2) WHERE id = 13",
      5,
    ],
    ["an absent value made zero", "UPDATE decisions SET class_index = NULL WHERE id = 13", 5],
    ["a changed correlation", "UPDATE decisions SET correlation = x'ff' WHERE id = 15", 5],
    ["a changed time of receipt", "UPDATE decisions SET received_at = 1 WHERE id = 15", 5],
    ["a deleted decision", "DELETE FROM decisions WHERE id = 15", 5],
    ["a changed deadline", "UPDATE reviews SET deadline_at = deadline_at + 1 WHERE id = 'r4'", 5],
    ["a deleted review", "DELETE FROM outbox WHERE review = 'r4'; DELETE FROM reviews WHERE id = 'r4'", 5],
    ["a review of another decision", "UPDATE reviews SET decision = 13 WHERE id = 'r4'", 5],
    ["a changed digest of a frame", "UPDATE reviews SET frame_digest = NULL WHERE id = 'r4'", 5],
    [
      "two rows exchanged",
      "UPDATE decisions SET frame = CASE id WHEN 13 THEN 'b4' ELSE 'a4' END WHERE id IN (13, 14)",
      5,
    ],
    ["a changed hash", "UPDATE chain SET hash = zeroblob(32) WHERE seq = 5", 5],
    ["a hash that is none", "UPDATE chain SET hash = x'00' WHERE seq = 5", 5],
    ["a deleted batch", "DELETE FROM chain WHERE seq = 5", 6],
    ["a moved border between two batches", "UPDATE chain SET last = 14 WHERE seq = 5", 5],
    ["an endless batch", "UPDATE chain SET last = 9007199254740991 WHERE seq = 12", 12],
  ])("names the batch of %s", (_, sql, seq) => {
    const { ledger, db } = aChained();
    db.pragma("foreign_keys = OFF");
    db.exec(sql);
    expect(ledger.verifyChain()?.seq).toBe(seq);
  });

  test.each([
    [
      "an added decision",
      "INSERT INTO decisions SELECT 99, station, source, 'new', identified, part, received_at, decided_at, decision, reason, would, class, class_index, confidence, score, lambda, band_low, band_high, novelty, mode, revision, bundle, correlation, NULL, NULL FROM decisions WHERE id = 1",
    ],
    [
      "an added review",
      "INSERT INTO reviews (id, station, decision, opened_at, deadline_at, state) SELECT 'new', station, 1, opened_at, deadline_at, state FROM reviews WHERE id = 'r1'",
    ],
    ["a changed alert", "UPDATE outbox SET body = replace(body, 'r', 'R') WHERE id = 7"],
    ["an alert that is gone", "DELETE FROM outbox WHERE id = 7"],
    [
      "an alert that has come back",
      "INSERT INTO outbox SELECT 1, review, station, body, revision FROM outbox WHERE id = 5",
    ],
    ["a publish cursor moved on", "UPDATE counters SET value = value + 1 WHERE name = 'published'"],
    ["a lost counter", "DELETE FROM counters WHERE name = 'epoch'"],
    ["a lost count of decisions", "DELETE FROM sqlite_sequence"],
  ])("finds %s, outside of all batches", (_, sql) => {
    const { ledger, db } = aChained();
    db.exec(sql);
    const fault = ledger.verifyChain();
    expect(fault).toBeDefined();
    expect(fault?.seq).toBeUndefined();
  });

  test("a writer beside the daemon is noticed before anything is committed", () => {
    const { ledger, path } = aChained();
    const second = aRealLedger({ path });
    second.append([aJudged({ id: "from elsewhere" })]);
    expect(() => ledger.append([aJudged({ id: "x" })])).toThrow(/another program/);
    expect(second.verifyChain()).toBeUndefined();
  });

  test("is walked a batch at a time", () => {
    const { db } = aChained();
    expect([...walkChain(db, 9)].map((step) => step.seq)).toEqual([10, 11, 12]);
  });

  test("any text, number and bytes come back as they were hashed", () => {
    const ledger = aRealLedger();
    const anyText = fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    });
    const anyFrame = fc.record({
      id: anyText,
      source: anyText,
      part: fc.option(anyText, { nil: undefined }),
      correlation: fc.option(fc.uint8Array({ maxLength: 2000 }), { nil: undefined }),
      score: fc.double(),
      partCount: fc.option(fc.nat(), { nil: undefined }),
      entry: fc.option(
        fc.record({ frames: fc.option(fc.nat(), { nil: undefined }), isOpen: fc.constant(false) }),
        {
          nil: undefined,
        },
      ),
    });
    fc.assert(
      fc.property(fc.array(anyFrame, { minLength: 1, maxLength: 5 }), (frames) => {
        ledger.append(
          frames.map(({ score, entry, ...frame }) => ({
            ...aJudged({ score }),
            frame: aFrame(frame),
            ...(entry !== undefined && frame.part !== undefined && { part: entry }),
          })),
        );
      }),
      { numRuns: 200, seed: 7 },
    );
    expect(ledger.chainHead().seq).toBeGreaterThan(100);
    expect(ledger.verifyChain()).toBeUndefined();
  });

  test("a batch of more rows and larger blobs than the hasher's buffer", () => {
    const ledger = aRealLedger();
    ledger.append(
      Array.from({ length: 700 }, (_, i) =>
        aJudged({ id: `f${i}`.repeat(200), correlation: new Uint8Array(i * 10) }),
      ),
    );
    expect(ledger.verifyChain()).toBeUndefined();
  });

  test("the encoding is as documented, so that others can verify it", () => {
    const f64 = (value: number | null) => {
      const bytes = Buffer.alloc(8, 0xff);
      if (value !== null) bytes.writeDoubleLE(value);
      return bytes;
    };
    const u32 = (value: number) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(value);
      return bytes;
    };
    const ABSENT = 0xffff_ffff;
    // Station, source, frame, part, decision, reason, would, class, mode, bundle, review.
    const texts = ["press", "cam-1", "\u00e9t\u00e9", null, "pass", "faithful", null, "good", "guarded"];
    texts.push("b".repeat(64), null);
    const ofRows = createHash("sha256")
      .update(Buffer.alloc(32))
      .update(Buffer.concat([1, 1000].map(f64)))
      // Id, identified, received, decided, class, confidence, score, lambda, band, novelty, revision.
      .update(Buffer.concat([1, 1, 0, 1000, 0, 0.9, 0.1, 0.2, 0.85, 0.95, 1, 1].map(f64)))
      .update(Buffer.concat(texts.map((text) => u32(text?.length ?? ABSENT))))
      .update(Buffer.concat([f64(null), f64(null), u32(2), Buffer.of(1, 2), u32(ABSENT), u32(ABSENT)]))
      .update(f64(1))
      .update(texts.join(""))
      .digest();
    // Acts and where the chain begins: none, and at 0.
    const expected = createHash("sha256")
      .update(Buffer.concat([ofRows, f64(0), Buffer.alloc(32), f64(0)]))
      .digest("hex");
    const ledger = aRealLedger();
    ledger.append([aJudged({ id: "\u00e9t\u00e9", correlation: Uint8Array.of(1, 2) })]);
    expect(ledger.chainHead()).toEqual({ seq: 1, sha256: expected });
  });
});
