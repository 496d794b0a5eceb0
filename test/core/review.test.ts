import { describe, expect, test } from "vitest";
import { REVIEW_REASONS } from "../../src/core/judge.ts";
import { alertText, priorityOf, reasonInWords } from "../../src/core/review.ts";

describe("an alert", () => {
  const facts = {
    className: "good",
    confidence: 0.71,
    bandLow: 0.93,
    bandHigh: 0.99,
    reason: "outside-band",
  };

  test("puts teacher and student side by side, in the plant's language", () => {
    expect(alertText(facts, "en")).toBe(
      "good? The teacher was 0.93 to 0.99 sure of frames like this; the student is 0.71. " +
        "The student is not as sure as the teacher was of frames like this.",
    );
    expect(alertText(facts, "ja")).toContain("0.93〜0.99、生徒モデルは 0.71");
  });

  test("of a prediction without numbers gives only the reason", () => {
    const words = reasonInWords("not-finite", "en");
    const nothing = { ...facts, reason: "not-finite", bandLow: null, bandHigh: null };
    expect(alertText(nothing, "en")).toBe(words);
    expect(alertText({ ...facts, reason: "not-finite", className: null }, "en")).toBe(words);
  });

  test("has words for every reason in both languages", () => {
    for (const reason of REVIEW_REASONS) {
      expect(reasonInWords(reason, "en")).toMatch(/\.$/);
      expect(reasonInWords(reason, "ja")).toMatch(/。$/);
    }
  });

  test("comes first where the score is highest, and where there is none", () => {
    expect([priorityOf(0.2), priorityOf(7), priorityOf(-1), priorityOf(Number.NaN)]).toEqual([0.2, 1, 0, 1]);
    expect([priorityOf(0.2, 5), priorityOf(Number.NaN, 3), priorityOf(0.9, 0)]).toEqual([1, 3, 0]);
  });
});
