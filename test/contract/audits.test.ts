/** What is relied on of a book of audits: the one in SQLite and the fake in memory are held to the same. */

import { describe, expect, test } from "vitest";
import type { PassedParts } from "../../src/core/audit.ts";
import type { Judged } from "../../src/core/record.ts";
import type { AuditBook } from "../../src/gateway/ports.ts";
import { aFrame, aJudged, type JudgedSketch } from "../support/builders.ts";
import { aRealLedger } from "../support/ledger.ts";
import { aLedger as aFakeLedger } from "../support/world.ts";

interface Kept {
  readonly audits: AuditBook;
  append(batch: readonly Judged[]): unknown;
}

const BOOKS: readonly (readonly [string, () => Kept])[] = [
  ["the fake of the gateway's tests", () => aFakeLedger([])],
  ["the SQLite ledger", () => aRealLedger()],
];

/** A part that passed and was not drawn. */
const passed = (id: string, is: JudgedSketch = {}): Judged => aJudged({ id, pi: 0.1, ...is });
/** One that was; the audit's id is the frame's behind an a. */
const drawn = (id: string, is: JudgedSketch = {}): Judged => ({
  ...aJudged({ id, pi: 0.1, review: `a-${id}`, ...is }),
  frame: {
    ...aFrame({ id, part: is.part, station: is.station ?? "press" }),
    payload: Uint8Array.of(1, 2, 3),
  },
});
const NOT_DRAWN = { isDrawn: false, pi: 0.1, piMin: 0.1 };
const DEADLINE_MS = 61_000;

/** All that is settled, in words: 3 for three that were not drawn, the audit's id and how it was answered. */
const inWords = (parts: readonly PassedParts[]): (number | string)[] =>
  parts.map((one) =>
    one.isDrawn ? `${one.id} ${one.isAnswered ? "" : "un"}answered ${one.isBad ? "bad" : "good"}` : one.count,
  );

describe.each(BOOKS)("audits in %s", (_, aLedger) => {
  test("have their place among the passed parts of their station and revision", () => {
    const { audits, append } = aLedger();
    append([passed("1"), drawn("2"), aJudged({ id: "3" }), aJudged({ id: "4", review: "r-4" })]);
    append([drawn("5", { station: "lathe" }), passed("6"), drawn("7", { revision: 2 }), drawn("8")]);
    expect(audits.find("a-2")).toEqual({
      ...{ id: "a-2", station: "press", source: "cam-1", frame: "2", part: null, decision: 2, revision: 1 },
      ...{ bundle: "b".repeat(64), ordinal: 1, pi: 0.1, piMin: 0.1, drawnAtMs: 1000 },
      ...{ deadlineAtMs: DEADLINE_MS, teacher: { kind: "waiting" }, person: { kind: "waiting" } },
    });
    expect(["a-5", "a-7", "a-8"].map((id) => audits.find(id)!.ordinal)).toEqual([0, 0, 3]);
    expect(audits.find("r-4")).toBeUndefined();
    expect(audits.list({ limit: 10 }).map(({ id }) => id)).toEqual(["a-8", "a-7", "a-5", "a-2"]);
    expect(audits.list({ station: "press", limit: 1, before: "a-8" }).map(({ id }) => id)).toEqual(["a-7"]);
  });

  test("that a teacher is asked about can be passed over, and frames read of no other", () => {
    const { audits, append } = aLedger();
    append([drawn("1"), drawn("2"), drawn("3"), drawn("4")]);
    const looked: string[] = [];
    const isWanted = ({ id }: { id: string }): boolean => {
      looked.push(id);
      return id !== "a-3";
    };
    const ids = audits.waitingForTeacher(2000, 1, { after: 2, isWanted }).map(({ id }) => id);
    expect(ids).toEqual(["a-4"]);
    expect(looked).toEqual(["a-3", "a-4"]);
  });

  test("are not drawn again with a frame that comes again", () => {
    const { audits, append } = aLedger();
    append([passed("1"), drawn("2")]);
    append([drawn("1"), drawn("2", { review: "again" }), passed("2"), passed("3")]);
    expect(audits.list({ limit: 10 }).map(({ id }) => id)).toEqual(["a-2"]);
    audits.answer("a-2", "teacher", false, 2000, "");
    expect(inWords(audits.settledAfter("press", 1, "teacher", 0, 10).parts)).toEqual([
      1,
      "a-2 answered good",
      1,
    ]);
  });

  test("are none where the batch is not written", () => {
    const { audits, append } = aLedger();
    append([passed("1"), drawn("2")]);
    expect(() => append([passed("3"), drawn("4"), drawn("5", { review: "a-2" })])).toThrow();
    expect(audits.find("a-4")).toBeUndefined();
    append([drawn("6")]);
    expect(audits.find("a-6")!.ordinal).toBe(2);
  });

  test("wait for their teacher, oldest first, with every frame of their part", () => {
    const { audits, append } = aLedger();
    const auditFrames = [1, 2].map((n) => ({ contentType: "image/png", payload: new Uint8Array(n).fill(n) }));
    append([drawn("1"), drawn("2", { part: "p", frames: 2, auditFrames }), drawn("3", { auditFrames: [] })]);
    const waiting = audits.waitingForTeacher(2000, 10);
    expect(waiting.map(({ id, frames }) => [id, frames.map(({ payload }) => [...payload])])).toEqual([
      ["a-1", [[1, 2, 3]]],
      ["a-2", [[1], [2, 2]]],
    ]);
    expect(audits.waitingForTeacher(2000, 1)).toHaveLength(1);
    expect(audits.waitingForTeacher(DEADLINE_MS, 10)).toEqual([]);
    audits.answer("a-1", "teacher", true, 3000, "{}");
    expect(audits.waitingForTeacher(4000, 10).map(({ id }) => id)).toEqual(["a-2"]);
  });

  test("take the first answer to each question, and keep the two apart", () => {
    const { audits, append } = aLedger();
    append([drawn("1")]);
    expect(audits.answer("a-1", "teacher", true, 2000, "gap 0.2")).toBe("noted");
    expect(audits.answer("a-1", "teacher", true, 2500, "again")).toBe("noted");
    expect(audits.answer("a-1", "teacher", false, 3000, "another")).toBe("late");
    expect(audits.find("a-1")).toMatchObject({
      teacher: { kind: "answered", bad: true, atMs: 2000 },
      person: { kind: "waiting" },
    });
    expect(audits.answer("a-1", "person", false, DEADLINE_MS, "")).toBe("late");
    expect(audits.find("a-1")!.person).toEqual({ kind: "waiting" });
    expect(audits.answer("a-9", "teacher", true, 1, "")).toBe("unknown");
  });

  test("are unanswered past their deadline, and stay so", () => {
    const { audits, append } = aLedger();
    append([drawn("1"), drawn("2", { auditDeadlineAtMs: 90_000 })]);
    audits.answer("a-1", "teacher", false, 2000, "");
    expect(audits.standing("press")).toEqual({ teacher: 1, person: 2, nextDeadlineMs: DEADLINE_MS });
    expect(audits.expire(DEADLINE_MS - 1)).toEqual([]);
    expect(
      audits.expire(DEADLINE_MS).map(({ id, teacher, person }) => [id, teacher.kind, person.kind]),
    ).toEqual([["a-1", "answered", "unanswered"]]);
    expect(audits.expire(DEADLINE_MS)).toEqual([]);
    expect(audits.answer("a-1", "person", false, DEADLINE_MS + 1, "")).toBe("late");
    expect(audits.find("a-1")!.person).toEqual({ kind: "unanswered" });
    expect(audits.standing("press")).toEqual({ teacher: 1, person: 1, nextDeadlineMs: 90_000 });
    expect(audits.standing("lathe")).toEqual({ teacher: 0, person: 0, nextDeadlineMs: null });
  });

  test("are handed out in the order of drawing, none before all ahead of it are settled", () => {
    const { audits, append } = aLedger();
    append([passed("1"), passed("2"), drawn("3"), passed("4"), drawn("5")]);
    append([passed("6")]);
    const settled = (cursor = 0, limit = 10) => audits.settledAfter("press", 1, "teacher", cursor, limit);
    expect(settled()).toEqual({ parts: [{ ...NOT_DRAWN, count: 2 }], cursor: 2 });
    audits.answer("a-5", "teacher", true, 2000, "");
    expect(settled()).toEqual({ parts: [{ ...NOT_DRAWN, count: 2 }], cursor: 2 });
    audits.answer("a-3", "teacher", false, 2000, "");
    expect(settled().cursor).toBe(6);
    expect(inWords(settled().parts)).toEqual([2, "a-3 answered good", 1, "a-5 answered bad", 1]);
    expect(inWords(settled(1).parts)).toEqual([1, "a-3 answered good", 1, "a-5 answered bad", 1]);
    expect(inWords(settled(3, 1).parts)).toEqual([1]);
    expect(settled(6)).toEqual({ parts: [], cursor: 6 });
    expect(audits.settledAfter("press", 1, "person", 0, 10).cursor).toBe(2);
    expect(audits.settledAfter("press", 2, "teacher", 0, 10)).toEqual({ parts: [], cursor: 0 });
    append([passed("7"), passed("8")]);
    expect(settled(6)).toEqual({ parts: [{ ...NOT_DRAWN, count: 2 }], cursor: 8 });
    audits.expire(DEADLINE_MS);
    expect(inWords(audits.settledAfter("press", 1, "person", 0, 2).parts)).toEqual([2, "a-3 unanswered bad"]);
  });

  test("give every passed part once, however it is asked for, also where pi changes", () => {
    const { audits, append } = aLedger();
    const all: string[] = [];
    for (let n = 0; n < 40; n++) {
      const pi = Math.floor(n / 7) % 2 === 0 ? 0.1 : 0.4;
      const is = { pi, piMin: 0.1 };
      append([n % 5 === 3 ? drawn(`${n}`, is) : passed(`${n}`, is)]);
      all.push(n % 5 === 3 ? `a-${n}` : `${pi}`);
    }
    audits.expire(1e9);
    for (const limit of [1, 2, 3, 100]) {
      const found: string[] = [];
      for (let cursor = 0; ; ) {
        const page = audits.settledAfter("press", 1, "teacher", cursor, limit);
        expect(page.parts.length).toBeLessThanOrEqual(limit);
        if (page.parts.length === 0) break;
        for (const one of page.parts) {
          if (one.isDrawn) found.push(one.id);
          else found.push(...Array.from({ length: one.count }, () => String(one.pi)));
        }
        cursor = page.cursor;
        expect(cursor).toBe(found.length);
      }
      expect(found).toEqual(all);
    }
  });

  test("keep seeds until they are forgotten", () => {
    const { audits } = aLedger();
    const seed = { station: "press", revision: 3, seed: "aa", commitment: "bb" };
    audits.keepSeed(seed);
    audits.keepSeed(seed);
    expect(audits.seeds()).toEqual([seed]);
    audits.forgetSeed("cc");
    audits.forgetSeed("bb");
    expect(audits.seeds()).toEqual([]);
  });
});
