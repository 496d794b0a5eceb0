/** What audits tell: the Horvitz-Thompson estimate, and the test that the risk has risen. */

import { describe, expect, test } from "vitest";
import { type Random, seededRandom } from "../../src/core/random.ts";
import { EMPTY_TALLY, withTallied } from "../../src/core/statistics/betting.ts";
import {
  type AuditedPart,
  horvitzThompson,
  NO_AUDITS,
  weighedOutcome,
  withAudited,
} from "../../src/core/statistics/horvitz-thompson.ts";
import { evidenceOf } from "../../src/core/statistics/restarts.ts";
import { nextRiskTest, startRiskTest } from "../../src/core/statistics/risk-test.ts";
import { anAuditedPart } from "./audited.ts";

const ETA = 0.05;

describe("the Horvitz-Thompson estimate", () => {
  test("of four parts by hand: Z is 2, 4, 0 and 0", () => {
    const totals = [
      anAuditedPart({ pi: 0.5, unfaithful: 1 }),
      anAuditedPart({ pi: 0.25, unfaithful: 1 }),
      anAuditedPart({ pi: 0.5, drawn: false, unfaithful: Number.NaN }),
      anAuditedPart({ pi: 0.5 }),
    ].reduce(withAudited, NO_AUDITS);
    expect(totals).toMatchObject({ parts: 4, drawn: 3 });
    expect(horvitzThompson(totals)).toEqual({ risk: 6 / 4, designVariance: (4 * 0.5 + 16 * 0.75) / 16 });
  });

  test("of no parts is none", () => {
    expect(horvitzThompson(NO_AUDITS)).toBeUndefined();
  });

  test("is unbiased under skewed probabilities, and so is its design variance", () => {
    const random = seededRandom(7);
    const parts = Array.from({ length: 200 }, (_, i) => ({
      // What is unfaithful is audited least.
      pi: i % 10 === 0 ? 0.1 : 0.1 + 0.8 * random.next(),
      piMin: 0.1,
      unfaithful: i % 10 === 0 || random.next() < 0.05 ? 1 : 0,
    }));
    const truth = parts.reduce((sum, part) => sum + part.unfaithful, 0) / parts.length;
    const trueVariance =
      parts.reduce((sum, { pi, unfaithful }) => sum + unfaithful * (1 / pi - 1), 0) / parts.length ** 2;
    const draws = 5000;
    const estimates = Array.from({ length: draws }, () => {
      const audited = parts.map((part) => ({ ...part, drawn: random.next() < part.pi }));
      return horvitzThompson(audited.reduce(withAudited, NO_AUDITS))!;
    });
    const mean = estimates.reduce((sum, { risk }) => sum + risk, 0) / draws;
    const variance = estimates.reduce((sum, { designVariance }) => sum + designVariance, 0) / draws;
    expect(Math.abs(mean - truth)).toBeLessThan(4 * Math.sqrt(trueVariance / draws));
    expect(Math.abs(variance / trueVariance - 1)).toBeLessThan(0.05);
  });

  test("counts every answer as unfaithful that does not say faithful", () => {
    for (const unfaithful of [1, Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5]) {
      expect(weighedOutcome(anAuditedPart({ pi: 0.25, unfaithful }))).toBe(4);
    }
  });

  test("is refused where the policy was not kept to", () => {
    const broken = [
      { pi: 0, piMin: 0 },
      { pi: 0.1, piMin: 0.2 },
      { pi: 1.1, piMin: 0.5 },
      { pi: Number.NaN, piMin: 0.5 },
      { pi: 0.5, piMin: Number.NaN },
      { pi: 0.5, piMin: -1 },
    ];
    for (const policy of broken) {
      const part = anAuditedPart({ ...policy, drawn: false });
      expect(() => withAudited(NO_AUDITS, part)).toThrow(/piMin <= pi <= 1/);
      expect(() => withTallied(EMPTY_TALLY, part)).toThrow(RangeError);
      expect(() => nextRiskTest(startRiskTest(), part, 0.01)).toThrow(RangeError);
    }
  });
});

describe("the risk test", () => {
  const ALPHA = 0.01;

  /** A part of a world with this risk; a skewed policy sees what is unfaithful coming, and audits it more. */
  function aRisk(risk: number, isSkewed: boolean, random: Random): AuditedPart {
    const unfaithful = random.next() < risk ? 1 : 0;
    const pi = isSkewed && unfaithful === 1 && random.next() < 0.8 ? 0.5 : 0.1;
    return { pi, piMin: 0.1, drawn: random.next() < pi, unfaithful };
  }

  test("raises a false alarm in at most eta of 1,000 runs whose risk is alpha itself", async ({
    annotate,
  }) => {
    const random = seededRandom(13);
    let alarms = 0;
    for (let run = 0; run < 1000; run++) {
      let state = startRiskTest();
      let isQuiet = true;
      for (let n = 0; n < 5000 && isQuiet; n++) {
        state = nextRiskTest(state, aRisk(ALPHA, run % 2 === 0, random), ALPHA);
        isQuiet = evidenceOf(state) < 1 / ETA;
      }
      if (!isQuiet) alarms++;
    }
    await annotate(`${alarms} alarms in 1000 runs`);
    expect(alarms / 1000).toBeLessThanOrEqual(ETA);
    expect(alarms).toBeGreaterThan(0);
  });

  test.for([0, 100_000])("notices a fourfold risk after %i clean parts", async (clean, { annotate }) => {
    const random = seededRandom(14);
    const delays: number[] = [];
    for (let run = 0; run < 31; run++) {
      let state = startRiskTest();
      while (state.steps < clean) state = nextRiskTest(state, aRisk(ALPHA / 4, false, random), ALPHA);
      while (evidenceOf(state) < 1 / ETA) state = nextRiskTest(state, aRisk(4 * ALPHA, false, random), ALPHA);
      delays.push(state.steps - clean);
    }
    delays.sort((a, b) => a - b);
    await annotate(
      `median ${delays[15]} passed parts, ${delays[15]! / 10} audits, after ${clean} clean ones`,
    );
    expect(delays[15]).toBeLessThan(5000);
  });

  test("takes an answer that is none for unfaithful, and refuses an alpha that is none", () => {
    const lost = nextRiskTest(startRiskTest(), anAuditedPart({ unfaithful: Number.NaN }), ALPHA);
    expect(lost).toEqual(nextRiskTest(startRiskTest(), anAuditedPart({ unfaithful: 1 }), ALPHA));
    expect(evidenceOf(lost)).toBeGreaterThan(1);
    expect(evidenceOf(nextRiskTest(startRiskTest(), anAuditedPart(), ALPHA))).toBeLessThan(1);
    for (const alpha of [0, 1, Number.NaN]) {
      expect(() => nextRiskTest(startRiskTest(), anAuditedPart(), alpha)).toThrow(RangeError);
    }
  });
});
