/** What audits tell: the Horvitz-Thompson estimate, and the test that the risk has risen. */

import { describe, expect, test } from "vitest";
import { normal, type Random, seededRandom } from "../../src/core/random.ts";
import { EMPTY_TALLY, withTallied } from "../../src/core/statistics/betting.ts";
import { binomialUpperBound } from "../../src/core/statistics/binomial.ts";
import {
  type AuditedPart,
  horvitzThompson,
  NO_AUDITS,
  weighedOutcome,
  withAudited,
} from "../../src/core/statistics/horvitz-thompson.ts";
import { evidenceOf } from "../../src/core/statistics/restarts.ts";
import {
  nextRiskTest,
  nextRiskTestRun,
  type RiskPromise,
  startRiskTest,
} from "../../src/core/statistics/risk-test.ts";
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
      expect(() => nextRiskTest(startRiskTest(), part, { alpha: 0.01, windowParts: 1 })).toThrow(RangeError);
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

  const EACH = { alpha: ALPHA, windowParts: 1 };
  const WINDOW = { alpha: ALPHA, windowParts: 20 };

  test("raises a false alarm in at most eta of 1,000 runs whose risk is alpha itself", async ({
    annotate,
  }) => {
    const random = seededRandom(13);
    let alarms = 0;
    for (let run = 0; run < 1000; run++) {
      let state = startRiskTest();
      let isQuiet = true;
      for (let n = 0; n < 5000 && isQuiet; n++) {
        state = nextRiskTest(state, aRisk(ALPHA, run % 2 === 0, random), EACH);
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
      while (state.steps < clean) state = nextRiskTest(state, aRisk(ALPHA / 4, false, random), EACH);
      while (evidenceOf(state) < 1 / ETA) state = nextRiskTest(state, aRisk(4 * ALPHA, false, random), EACH);
      delays.push(state.steps - clean);
    }
    delays.sort((a, b) => a - b);
    await annotate(
      `median ${delays[15]} passed parts, ${delays[15]! / 10} audits, after ${clean} clean ones`,
    );
    expect(delays[15]).toBeLessThan(5000);
  });

  test("takes an answer that is none for unfaithful, and refuses an alpha that is none", () => {
    const lost = nextRiskTest(startRiskTest(), anAuditedPart({ unfaithful: Number.NaN }), EACH);
    expect(lost).toEqual(nextRiskTest(startRiskTest(), anAuditedPart({ unfaithful: 1 }), EACH));
    expect(evidenceOf(lost)).toBeGreaterThan(1);
    expect(evidenceOf(nextRiskTest(startRiskTest(), anAuditedPart(), EACH))).toBeLessThan(1);
    for (const alpha of [0, 1, Number.NaN]) {
      expect(() => nextRiskTest(startRiskTest(), anAuditedPart(), { alpha, windowParts: 1 })).toThrow(
        RangeError,
      );
    }
  });

  test("in windows of 20 raises no more false alarms where neighbours depend on each other, as part by part it does", async ({
    annotate,
  }) => {
    const RUNS = 150;
    const THRESHOLD = 2.3263478740408408; // Of a standard normal, exceeded with probability ALPHA, 1%.
    const alarmsOf = (promise: RiskPromise): number => {
      const random = seededRandom(15);
      let alarms = 0;
      for (let run = 0; run < RUNS; run++) {
        let state = startRiskTest();
        let latent = normal(random);
        for (let n = 0; n < 20_000; n++) {
          latent = 0.9 * latent + Math.sqrt(1 - 0.9 ** 2) * normal(random);
          const unfaithful = latent > THRESHOLD ? 1 : 0;
          state = nextRiskTest(
            state,
            { pi: 0.1, piMin: 0.1, drawn: random.next() < 0.1, unfaithful },
            promise,
          );
          if (evidenceOf(state) < 1 / ETA) continue;
          alarms++;
          break;
        }
      }
      return alarms;
    };
    const [inWindows, each] = [alarmsOf(WINDOW), alarmsOf(EACH)];
    await annotate(`${inWindows} of ${RUNS} runs alarm in windows, ${each} part by part`);
    // One-sided exact test: the lower bound on the rate, at 1%, is not above eta.
    expect(1 - binomialUpperBound(RUNS - inWindows, RUNS, 0.01)).toBeLessThanOrEqual(ETA);
    expect(each).toBeGreaterThan(2 * RUNS * ETA);
  });

  test("says nothing before its window is full, and takes a run as it takes its parts", () => {
    const bad = anAuditedPart({ unfaithful: 1 });
    const clean = { ...bad, drawn: false };
    let one = nextRiskTest(startRiskTest(), bad, WINDOW);
    expect(evidenceOf(one)).toBe(1);
    for (let n = 0; n < 97; n++) one = nextRiskTest(one, clean, WINDOW);
    const run = nextRiskTestRun(nextRiskTest(startRiskTest(), bad, WINDOW), clean, WINDOW, 97);
    expect(one).toEqual(run);
    expect([run.steps, run.open.parts]).toEqual([4, 18]);
    const quiet = nextRiskTestRun(startRiskTest(), clean, WINDOW, 98);
    expect(evidenceOf(run)).toBeGreaterThan(evidenceOf(quiet));
    for (const windowParts of [0, 1.5, Number.NaN]) {
      expect(() => nextRiskTest(startRiskTest(), bad, { alpha: ALPHA, windowParts })).toThrow(/a window has/);
    }
  });
});
