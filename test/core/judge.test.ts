import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judge, type Prediction } from "../../src/core/judge.ts";
import { aPrediction, aRule } from "../support/builders.ts";

describe("the judge", () => {
  test.each([
    ["is faithful", {}, { kind: "pass", reason: "faithful" }],
    ["scores exactly lambda", { score: 0.2 }, { kind: "pass", reason: "faithful" }],
    ["scores above lambda", { score: 0.2000001 }, { kind: "review", reason: "score" }],
    ["is of an uncertified class", { classIndex: 1 }, { kind: "review", reason: "class-uncertified" }],
    ["is of no class", { classIndex: -1 }, { kind: "review", reason: "class-uncertified" }],
    [
      "is of a class the rule does not know",
      { classIndex: 7 },
      { kind: "review", reason: "class-uncertified" },
    ],
    ["is delta below the band", { confidence: 0.75, bandLow: 0.85 }, { kind: "pass", reason: "faithful" }],
    ["is further below the band", { confidence: 0.7499 }, { kind: "review", reason: "outside-band" }],
    [
      "is further above the band",
      { confidence: 0.99, bandHigh: 0.88 },
      { kind: "review", reason: "outside-band" },
    ],
    ["is novel", { novelty: 2.01 }, { kind: "review", reason: "novel" }],
    ["has a score that is no number", { score: Number.NaN }, { kind: "review", reason: "not-finite" }],
    [
      "has an infinite novelty",
      { novelty: Number.POSITIVE_INFINITY },
      { kind: "review", reason: "not-finite" },
    ],
  ] as const)("decides on a prediction that %s", (_, is, expected) => {
    expect(judge(aPrediction(is), aRule(), "green")).toEqual(expected);
  });

  test("a red monitor and an emergency stop send everything to a person", () => {
    expect(judge(aPrediction(), aRule(), "red")).toEqual({ kind: "review", reason: "monitor-red" });
    expect(judge(aPrediction(), aRule({ stopped: true }), "green")).toEqual({
      kind: "review",
      reason: "stopped",
    });
  });

  test("a green and an absent monitor leave the decision to the rule; amber wants the strictest lambda", () => {
    const between = aPrediction({ score: 0.19 });
    for (const state of ["off", "green"] as const) expect(judge(between, aRule(), state).kind).toBe("pass");
    expect(judge(between, aRule(), "amber")).toEqual({ kind: "review", reason: "score" });
    expect(judge(aPrediction(), aRule(), "amber").kind).toBe("pass");
  });

  test("a class without a lambda that is proven is reviewed while the monitor is amber", () => {
    const rule = aRule({ lambdaAmber: Float64Array.of(Number.NaN, Number.NaN) });
    expect(judge(aPrediction(), rule, "amber")).toEqual({ kind: "review", reason: "class-uncertified" });
  });

  test("in shadow nothing passes, and what would have been decided is said", () => {
    expect(judge(aPrediction(), aRule({ mode: "shadow" }), "green")).toEqual({
      kind: "review",
      reason: "shadow",
      would: { kind: "pass", reason: "faithful" },
    });
  });

  test("a class without a novelty limit never passes", () => {
    const rule = aRule({ noveltyMax: Float64Array.of(Number.NaN, Number.NaN) });
    expect(judge(aPrediction(), rule, "green")).toEqual({ kind: "review", reason: "novel" });
  });

  test("nothing that is not finite passes, whatever else is true of it", () => {
    const anyNumber = fc.double();
    const field = fc.constantFrom("confidence", "score", "bandLow", "bandHigh", "novelty");
    const broken = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    fc.assert(
      fc.property(anyNumber, anyNumber, field, broken, (score, novelty, name, value) => {
        const prediction: Prediction = { ...aPrediction({ score, novelty }), [name]: value };
        expect(judge(prediction, aRule(), "green").kind).toBe("review");
      }),
    );
  });
});
