/** The betting sequence: the vector, other reference values, and coverage at every look for unequal pi. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Random, seededRandom } from "../../src/core/random.ts";
import { betaBinomialSequence } from "../../src/core/statistics/beta-binomial.ts";
import {
  type AuditTally,
  bettingUpperBound,
  EMPTY_TALLY,
  logBettingCapital,
  withTallied,
} from "../../src/core/statistics/betting.ts";
import type { AuditedPart } from "../../src/core/statistics/horvitz-thompson.ts";
import { anAuditedPart } from "./audited.ts";

interface Vectors {
  readonly bettingIpw: {
    readonly Z: number[];
    readonly m: number;
    readonly nu: number;
    readonly capital: number[];
  };
}

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8")) as Vectors;

const ETA = 0.05;

function tallyOf(parts: readonly AuditedPart[]): AuditTally {
  return parts.reduce(withTallied, EMPTY_TALLY);
}

/** A world of audits: its risk, and its next part, given how many parts ago something was found. */
interface World {
  readonly risk: number;
  readonly next: (random: Random, sinceFound: number) => AuditedPart;
}

const worlds: Readonly<Record<string, World>> = {
  equal: {
    risk: 0.02,
    next: (random) =>
      anAuditedPart({ pi: 0.1, drawn: random.next() < 0.1, unfaithful: random.next() < 0.02 ? 1 : 0 }),
  },
  // The risky kind of part is audited a fifth as often.
  skewed: {
    risk: 0.7 * 0.005 + 0.3 * 0.1,
    next: (random) => {
      const isRisky = random.next() < 0.3;
      const pi = isRisky ? 0.1 : 0.5;
      const unfaithful = random.next() < (isRisky ? 0.1 : 0.005) ? 1 : 0;
      return { pi, piMin: 0.1, drawn: random.next() < pi, unfaithful };
    },
  },
  // Amber: four times the audits for a while after something was found.
  raised: {
    risk: 0.05,
    next: (random, sinceFound) => {
      const pi = sinceFound < 200 ? 0.2 : 0.05;
      return anAuditedPart({ pi, drawn: random.next() < pi, unfaithful: random.next() < 0.05 ? 1 : 0 });
    },
  },
};

describe("the vectors computed outside this project", () => {
  test("capital of a bet on unequal probabilities", () => {
    const { Z, m, nu, capital } = vectors.bettingIpw;
    const piMin = 1 / Math.max(...Z);
    const share = nu * (1 / piMin - m);
    let tally = EMPTY_TALLY;
    Z.forEach((z, i) => {
      tally = withTallied(tally, anAuditedPart({ pi: piMin, unfaithful: z > 0 ? 1 : 0 }));
      expect(Math.exp(logBettingCapital(tally, m, share))).toBeCloseTo(capital[i]!, 12);
    });
  });
});

describe("the betting confidence sequence", () => {
  test.each([
    ["none of 300, all drawn", [[1, false, 300]], 0.013897348878570208],
    [
      "2 of 1,000, all drawn",
      [
        [1, false, 998],
        [1, true, 2],
      ],
      0.00918306415569715,
    ],
    [
      "5 found among 50,000 parts at 2%",
      [
        [0.02, false, 49_995],
        [0.02, true, 5],
      ],
      0.014688650163565908,
    ],
    [
      "4 found at 1/16 and 6 at 1/4",
      [
        [0.0625, false, 9990],
        [0.0625, true, 4],
        [0.25, true, 6],
      ],
      0.0233680782577995,
    ],
  ] as [string, [pi: number, found: boolean, count: number][], number][])(
    "%s (bisection, mpmath)",
    (_, groups, bound) => {
      const piMin = groups[0]![0];
      const parts = groups.flatMap(([pi, found, count]) =>
        Array.from({ length: count }, () => anAuditedPart({ pi, piMin, unfaithful: found ? 1 : 0 })),
      );
      const found = bettingUpperBound(tallyOf(parts), ETA);
      expect(found / bound).toBeCloseTo(1, 8);
      expect(found).toBeGreaterThanOrEqual(bound);
    },
  );

  test("is 1 without parts, and where all were drawn and unfaithful", () => {
    expect(bettingUpperBound(EMPTY_TALLY, ETA)).toBe(1);
    expect(
      bettingUpperBound(tallyOf(new Array(40).fill(anAuditedPart({ unfaithful: Number.NaN }))), ETA),
    ).toBe(1);
    expect(
      bettingUpperBound(tallyOf(new Array(40).fill(anAuditedPart({ pi: 0.1, unfaithful: 1 }))), ETA),
    ).toBe(1);
  });

  test("never pays less for a bet on a larger risk, so that what is not rejected is an interval", () => {
    fc.assert(
      fc.property(
        anyParts,
        risk,
        risk,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (parts, m, n, share) => {
          const tally = tallyOf(parts);
          const less = logBettingCapital(tally, Math.min(m, n), share);
          expect(logBettingCapital(tally, Math.max(m, n), share)).toBeGreaterThanOrEqual(less - 1e-9);
        },
      ),
    );
  });

  test("falls with a part where nothing was found and rises with one that was", () => {
    fc.assert(
      fc.property(anyParts, anyParts, (parts, [next]) => {
        const tally = tallyOf(parts);
        const bound = bettingUpperBound(tally, ETA);
        const boundWith = (found: boolean): number =>
          bettingUpperBound(withTallied(tally, { ...next!, drawn: true, unfaithful: found ? 1 : 0 }), ETA);
        expect(bound).toBeGreaterThan(0);
        expect(boundWith(false)).toBeLessThanOrEqual(bound * (1 + 1e-9));
        expect(boundWith(true)).toBeGreaterThanOrEqual(bound * (1 - 1e-9));
      }),
      { numRuns: 60 },
    );
  });

  test("keeps a short tally whatever the probabilities, and rounds Z up by at most 2.2%", () => {
    const random = seededRandom(9);
    let tally = EMPTY_TALLY;
    let exact = 0;
    for (let part = 0; part < 20_000; part++) {
      const pi = 0.01 ** random.next();
      exact += 1 / pi;
      tally = withTallied(tally, anAuditedPart({ pi, piMin: 0.01, unfaithful: 1 }));
    }
    const rounded = tally.reduce((sum, { z, count }) => sum + z * count, 0);
    expect(tally.length).toBeLessThan(220);
    expect(rounded).toBeGreaterThanOrEqual(exact);
    expect(rounded).toBeLessThan(1.022 * exact);
    expect(bettingUpperBound(JSON.parse(JSON.stringify(tally)) as AuditTally, ETA)).toBe(1);
  });

  test("is refused for a policy without end and an eta outside its range", () => {
    const floors = Array.from({ length: 64 }, (_, i) => anAuditedPart({ pi: 1 / (i + 1) }));
    const tally = tallyOf(floors);
    expect(() => withTallied(tally, anAuditedPart({ pi: 0.75 }))).toThrow(/at most 64 distinct piMin/);
    expect(withTallied(tally, floors[0]!)).toHaveLength(64);
    for (const eta of [0, 1, Number.NaN]) expect(() => bettingUpperBound(tally, eta)).toThrow(RangeError);
  });
});

describe("at every look of 1,000 runs", () => {
  const RUNS = 1000;

  test.for(Object.entries(worlds))(
    "the betting bound holds the risk, pi %s",
    async ([name, world], { annotate }) => {
      const random = seededRandom(12);
      let broken = 0;
      let naive = 0;
      for (let run = 0; run < RUNS; run++) {
        let tally = EMPTY_TALLY;
        let found = 0;
        let drawn = 0;
        let holds = true;
        let lastFound = Number.NEGATIVE_INFINITY;
        for (let n = 0; n < 4000; n++) {
          const part = world.next(random, n - lastFound);
          if (part.drawn && part.unfaithful === 1) {
            // The bound is lowest right before a part that raises it.
            holds &&= bettingUpperBound(tally, ETA) >= world.risk;
            found++;
            lastFound = n;
          }
          if (part.drawn) drawn++;
          tally = withTallied(tally, part);
        }
        if (!(holds && bettingUpperBound(tally, ETA) >= world.risk)) broken++;
        if (betaBinomialSequence(found, drawn, ETA).upper < world.risk) naive++;
      }
      await annotate(`broken in ${broken} of ${RUNS} runs; beta-binomial on what was drawn in ${naive}`);
      expect(broken / RUNS).toBeLessThanOrEqual(ETA);
      // It is not merely wide: a bound that gave nothing away would break now and then.
      expect(broken).toBeGreaterThan(0);
      // Where pi is skewed, what was drawn is no fair sample.
      if (name === "skewed") expect(naive / RUNS).toBeGreaterThan(0.5);
    },
  );
});

const risk = fc.double({ min: 0, max: 0.999, noNaN: true });
const anyParts = fc.array(
  fc
    .tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(0.02, 0.1),
      fc.boolean(),
      fc.constantFrom(0, 0, 0, 1, Number.NaN),
    )
    .map(([share, piMin, drawn, unfaithful]) => ({
      pi: piMin + share * (1 - piMin),
      piMin,
      drawn,
      unfaithful,
    })),
  { minLength: 1, maxLength: 100 },
);
