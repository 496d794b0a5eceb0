/** The draw of audits, and what a person's verdict says of a part that passed. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { draw, findingOf, piMaxOf, piOf, policyOf } from "../../src/core/audit.ts";
import { seededRandom } from "../../src/core/random.ts";
import { binomialInterval } from "../../src/core/statistics/binomial-interval.ts";
import { weighedOutcome } from "../../src/core/statistics/horvitz-thompson.ts";

const terms = (auditRate: number) => ({ auditRate, deadlineMs: 1000 });

describe("a policy of audits", () => {
  test("draws four times as many in amber, and never more than all", () => {
    const low = policyOf(terms(0.02));
    expect((["off", "green", "amber", "red"] as const).map((state) => piOf(low, state))).toEqual([
      0.02, 0.02, 0.08, 0.02,
    ]);
    expect(piOf(policyOf(terms(0.4)), "amber")).toBe(1);
    expect([piMaxOf(low), low.piMin]).toEqual([0.08, 0.02]);
  });

  test.each([0, -0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY])("with a rate of %d is refused", (rate) => {
    expect(() => policyOf(terms(rate))).toThrow(/lies in \(0, 1\]/);
  });

  test("gives every part a pi that the estimators take", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1, noNaN: true }),
        fc.constantFrom("off", "green", "amber", "red" as const),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (rate, monitor, coin) => {
          const { pi, piMin, isDrawn } = draw(policyOf(terms(rate)), monitor as "amber", coin);
          expect(isDrawn).toBe(coin < pi);
          expect(weighedOutcome({ pi, piMin, drawn: isDrawn, unfaithful: 1 })).toBeLessThanOrEqual(1 / piMin);
        },
      ),
    );
  });

  test.each(["green", "amber"] as const)("draws at its rate while the monitor is %s", (monitor) => {
    const policy = policyOf(terms(0.05));
    const random = seededRandom(21);
    const parts = 20_000;
    let drawn = 0;
    for (let n = 0; n < parts; n++) if (draw(policy, monitor, random.next()).isDrawn) drawn++;
    const { low, high } = binomialInterval(drawn, parts, 1e-6);
    expect(low).toBeLessThanOrEqual(piOf(policy, monitor));
    expect(high).toBeGreaterThanOrEqual(piOf(policy, monitor));
    expect(high - low).toBeLessThan(0.03);
  });

  test("draws a part whose coin is none, rather than miss it", () => {
    expect(draw(policyOf(terms(0.01)), "green", Number.NaN).isDrawn).toBe(true);
  });
});

describe("a verdict on a part that passed", () => {
  const label = (verdictClass: string | null) => ({ verdict: "label", verdictClass, vouched: true }) as const;

  test("is right only where it is the class that it passed as", () => {
    expect(findingOf(label("good"), "good")).toBe("right");
    expect(findingOf(label("bad"), "good")).toBe("wrong");
    expect(findingOf(label(null), null)).toBe("wrong");
    expect(findingOf(label("good"), null)).toBe("wrong");
  });

  test("is no finding where nobody can tell, and no answer where nobody vouches", () => {
    expect(findingOf({ ...label(null), verdict: "unusable" }, "good")).toBe("unusable");
    for (const vouched of [false, null])
      expect(findingOf({ ...label("bad"), vouched }, "good")).toBeUndefined();
  });
});
