/** What the Review page computes: which key is which class, what an answer is, in which order reviews wait, how quick one is. */

import { describe, expect, test } from "vitest";
import type { reviewView } from "../../src/http/review-view.ts";
import { isOpenQuestion, keyedClasses, verdictOf } from "../../web/src/pages/review/class-keys.ts";
import { median } from "../../web/src/pages/review/pace.ts";
import { byRank, merged, updated } from "../../web/src/pages/review/rank.ts";

type Row = ReturnType<typeof reviewView>;
const aRow = (is: Partial<Row>): Row =>
  ({
    ...{ review: "r-1", reviewRevision: 1, priority: 0.5, openedAt: "2026-11-25T08:00:00.000Z" },
    ...{ overdue: false, count: 1, state: "open", reason: "score", class: "bag" },
    ...is,
  }) as Row;

describe("keys of classes", () => {
  test("each class has its place and key, whatever the student says", () => {
    const classes = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
    const keyed = keyedClasses(classes, ["k", "a"]);
    expect(keyed.map(({ name }) => name)).toEqual(classes);
    expect(keyed.map(({ key }) => key).join("")).toBe("1234567890A");
  });

  test("no class takes a key that means something else", () => {
    const keyed = keyedClasses(
      Array.from({ length: 31 }, (_, i) => `class ${i}`),
      [],
    );
    const keys = keyed.map(({ key }) => key);
    expect(new Set(keys).size).toBe(31);
    for (const taken of ["U", "C", "J", "K", "Z"]) expect(keys).not.toContain(taken);
  });

  test("of too many the likely ones come first, and of none likely the first", () => {
    const classes = Array.from({ length: 200 }, (_, i) => `class ${i}`);
    expect(keyedClasses(classes, ["class 150", "gone"])[0]).toEqual({ name: "class 150", key: "1" });
    expect(keyedClasses(classes, []).map(({ name }) => name)).toEqual(classes.slice(0, 9));
  });
});

test("the same class confirms, another corrects, and where nothing was said it is a label", () => {
  expect(verdictOf(aRow({}), "bag")).toEqual({ verdict: "confirm" });
  expect(verdictOf(aRow({}), "coat")).toEqual({ verdict: "correct", class: "coat" });
  expect(verdictOf(aRow({ class: null }), "coat")).toEqual({ verdict: "label", class: "coat" });
  expect(verdictOf(aRow({ reason: "audit", class: null }), "coat")).toEqual({
    verdict: "label",
    class: "coat",
  });
  expect(isOpenQuestion(aRow({ reason: "audit", class: "bag" }))).toBe(true);
});

describe("the order of the queue", () => {
  const urgent = aRow({ review: "r-9", priority: 0.9 });
  const old = aRow({ review: "r-2", openedAt: "2026-11-25T07:00:00.000Z" });
  const [first, second] = [aRow({ review: "r-3" }), aRow({ review: "r-4" })];

  test("is the gateway's: priority, then age, then id", () => {
    expect([second, old, first, urgent].toSorted(byRank)).toEqual([urgent, old, first, second]);
  });

  test("pages are put together once each, as they were read last", () => {
    const newer = aRow({ review: "r-3", overdue: true });
    expect(merged([urgent, first, second], [newer, old])).toEqual([urgent, old, newer, second]);
  });

  test("an update changes what it says; a claim that it does not name is over", () => {
    const claimed = updated(first, {
      ...{ reviewRevision: 2, state: "claimed", claimedBy: "taro", claimedUntil: "2026-11-25T09:00:00.000Z" },
    });
    expect(claimed).toMatchObject({ reviewRevision: 2, state: "claimed", claimedBy: "taro" });
    const free = updated(claimed, { reviewRevision: 3, state: "open", overdue: true });
    expect(free).not.toHaveProperty("claimedBy");
    expect(free).toMatchObject({ reviewRevision: 3, overdue: true, count: 1 });
  });
});

test("the median is the middle one, or between the two in the middle", () => {
  expect(median([])).toBeUndefined();
  expect(median([5000, 1000, 3000])).toBe(3000);
  expect(median([4000, 1000, 3000, 2000])).toBe(2500);
});
