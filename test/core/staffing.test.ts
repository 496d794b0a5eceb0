/** Delta to the number of people: what is rehearsed, and which delta is chosen. */

import { expect, test } from "vitest";
import { certify } from "../../src/core/envelope/certificate.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import { affordableDelta, rehearsedReviewShare, staffRange } from "../../src/core/envelope/staffing.ts";
import { FULL_OPTIONS, someEvidence } from "./evidence.ts";

const range = { agreeing: 900, steady: 800, floor: 0.02, ceiling: 0.42, suggested: 0.1 };

test("the strictest delta is found whose reviews people can take, to a thousandth of where they can", () => {
  const asked: number[] = [];
  const rehearse = (delta: number): number => {
    asked.push(delta);
    return 0.8 - 1.5 * delta;
  };
  const staffed = staffRange(range, 0.4, rehearse, { between: 3, halvings: 8 });
  // 0.8 - 1.5 delta = 0.4 at delta 0.2667.
  expect(affordableDelta(staffed, 0.4)?.delta).toBe(0.267);
  expect(staffed.map(({ delta }) => delta)).toEqual([...asked].sort((a, b) => a - b));
  expect(asked).toContain(range.floor);
  expect(asked).toContain(range.ceiling);
  expect(asked.length).toBeLessThanOrEqual(6 + 8);
});

test("no delta is chosen where none is enough, or the range is empty; the floor where it is enough already", () => {
  const steps = { between: 2, halvings: 5 };
  const much = staffRange(range, 0.1, () => 0.5, steps);
  expect(affordableDelta(much, 0.1)).toBeUndefined();
  expect(much).toHaveLength(5);
  const little = staffRange(range, 0.9, () => 0.5, steps);
  expect(affordableDelta(little, 0.9)?.delta).toBe(range.floor);
  expect(staffRange({ ...range, floor: 0.5 }, 0.9, () => 0.5, steps)).toEqual([]);
});

test("what is rehearsed is near what a certificate then lets through, and cal is not read", () => {
  const evidence = someEvidence({ parts: 6000, seed: 4 });
  const reviewed = rehearsedReviewShare(evidence, 0.15, 3, FULL_OPTIONS);
  const certificate = certify(evidence, fitEnvelope(evidence, { delta: 0.15, seed: 3 }), FULL_OPTIONS);
  expect(certificate.chosen).not.toBeNull();
  expect(Math.abs(1 - reviewed - certificate.chosen!.expectedPassRate)).toBeLessThan(0.15);
  const largestGap = evidence.largestGap.map((gap, row) =>
    evidence.splitOfPart[evidence.part[row]!] === "cal" ? 1 : gap,
  );
  expect(rehearsedReviewShare({ ...evidence, largestGap }, 0.15, 3, FULL_OPTIONS)).toBe(reviewed);
});
