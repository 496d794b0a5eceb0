/** Counts by the minute: summed by the step, a day of them, and no class of what passed. */

import { expect, test } from "vitest";
import { createMinutes, MINUTES_KEPT, OTHERS } from "../../src/core/minutes.ts";

const counts = (map: ReadonlyMap<string, number>) => Object.fromEntries(map);

test("steps begin at multiples of their length, the last goes on, and empty ones are there", () => {
  const minutes = createMinutes();
  minutes.add(1003, "pass", "faithful", "good", 10);
  minutes.add(1004, "review", "score", "good", 6);
  minutes.add(1012, "reject", "too-short", null, 2);
  const steps = minutes.steps(1012, 15, 5);
  expect(steps.map(({ minute }) => minute)).toEqual([1000, 1005, 1010]);
  expect(steps.map(({ tallied }) => [tallied.frames, tallied.pass, tallied.review, tallied.reject])).toEqual([
    [16, 10, 6, 0],
    [0, 0, 0, 0],
    [2, 0, 0, 2],
  ]);
  expect(counts(steps[0]!.tallied.byReason)).toEqual({ score: 6 });
  expect(counts(steps[0]!.tallied.byClass)).toEqual({ good: 6 });
  expect(counts(steps[2]!.tallied.byReason)).toEqual({ "too-short": 2 });
  expect(counts(steps[2]!.tallied.byClass)).toEqual({});
});

test("of what passed no class is told, however many there are", () => {
  const minutes = createMinutes();
  minutes.add(10, "pass", "faithful", "zinnia", 30);
  minutes.add(10, "review", "novel", "tulip", 1);
  const { pass, byClass } = minutes.steps(10, 1, 1)[0]!.tallied;
  expect([pass, counts(byClass)]).toEqual([30, { tulip: 1 }]);
});

test("more classes than anyone looks at are counted together", () => {
  const minutes = createMinutes();
  for (let c = 0; c < 100; c++) minutes.add(1, "review", "score", `c-${c}`, 10);
  const { byClass } = minutes.steps(1, 1, 1)[0]!.tallied;
  expect([byClass.size, byClass.get(OTHERS)]).toEqual([65, 360]);
});

test("what is older than a day is forgotten", () => {
  const minutes = createMinutes();
  minutes.add(1, "pass", "faithful", null, 1);
  minutes.add(2, "pass", "faithful", null, 1);
  minutes.prune(2 + MINUTES_KEPT);
  expect(minutes.steps(2, 2, 1).map(({ tallied }) => tallied.frames)).toEqual([0, 1]);
});
