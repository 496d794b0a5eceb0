/** A sequence of recertifications keeps the promise together: each revision has its share of eta, on parts of its own. */

import { describe, expect, test } from "vitest";
import { certifyCounts } from "../../src/core/envelope/certificate.ts";
import { countPasses } from "../../src/core/envelope/counts.ts";
import { etaShares } from "../../src/core/envelope/eta.ts";
import { fixFamily } from "../../src/core/envelope/family.ts";
import { repeatedRows, type SaidOfFrames } from "../../src/core/envelope/repeated.ts";
import { seededRandom } from "../../src/core/random.ts";
import { NO_SIZES } from "./evidence.ts";
import { drawParts, edgeWorld, lambdasOf, stationRisk } from "./worlds.ts";

const REVISIONS = 10;
const SEQUENCES = 120;
/** The family of each revision is fixed on parts of fit, which these share. */
const SEQUENCES_PER_FIT = 20;
const OPTIONS = { alpha: 0.02, alphaClass: 0.5, eta: 0.3 };
const CAL_PARTS = 1500;
/** Every further test of the walk stands a hair above alpha: the worst world that there is for it. */
const WORLD = edgeWorld([0.6, 0.4], [OPTIONS.alpha, OPTIONS.alpha]);

/** The share of sequences in which some revision chose a rule that lets too much pass. */
function brokenSequences(revisionOf: (r: number) => number, seed: number): number {
  const random = seededRandom(seed);
  let broken = 0;
  for (let f = 0; f < SEQUENCES / SEQUENCES_PER_FIT; f++) {
    const selection = drawParts(WORLD, 1000, random);
    const options = Array.from({ length: REVISIONS }, (_, r) => ({
      ...OPTIONS,
      revision: revisionOf(r + 1),
    }));
    const families = options.map((one) =>
      fixFamily(selection, { ...one, classes: 2, calParts: CAL_PARTS, seed: f }),
    );
    for (let s = 0; s < SEQUENCES_PER_FIT; s++) {
      const isBroken = families.map((family, r) => {
        const counts = countPasses(drawParts(WORLD, CAL_PARTS, random), 2, family.lambdas);
        const certificate = certifyCounts(family, counts, options[r]!, NO_SIZES);
        const { chosen } = certificate;
        if (chosen === null) return false;
        const lambdas = lambdasOf(certificate, chosen.chain, chosen.lambdaIndex);
        return stationRisk(WORLD, lambdas) > OPTIONS.alpha;
      });
      if (isBroken.includes(true)) broken++;
    }
  }
  return broken / SEQUENCES;
}

describe(`${SEQUENCES} sequences of ${REVISIONS} revisions at the edge of alpha, eta 30%`, () => {
  const shared = brokenSequences((r) => r, 51);
  const anew = brokenSequences(() => 1, 51);

  test("break the promise in at most eta, all revisions together", () => {
    expect(shared).toBeGreaterThan(0);
    expect(shared).toBeLessThanOrEqual(OPTIONS.eta);
  });

  test("would break it in more than eta if each were the first, as if nothing had been spent", () => {
    process.stdout.write(`sequences that break the promise: ${shared} with shares, ${anew} without\n`);
    expect(anew).toBeGreaterThan(OPTIONS.eta);
  });

  test("spend no more than eta, however many there are", () => {
    let spent = 0;
    for (let r = 1; r <= 10_000; r++) spent += etaShares(OPTIONS.eta, r, 2, 3).total;
    expect(spent).toBeLessThan(OPTIONS.eta);
    expect(spent).toBeGreaterThan(0.999 * OPTIONS.eta);
  });
});

describe("a frame that was counted", () => {
  const said = (...rows: readonly (readonly [number, number, number, number])[]): SaidOfFrames => ({
    student: Float32Array.from(rows.flatMap((row) => row.slice(0, 2))),
    teacher: Float32Array.from(rows.flatMap((row) => row.slice(2))),
  });

  test("is known again by what both models say of it, a last bit apart", () => {
    const earlier = said([1, 2, 3, 4], [5, 6, 7, 8], [9, 8, 7, 6]);
    const fresh = said([9, 8, 7.000001, 6], [5, 6, 7, 8.1], [1, 2.00001, 3, 4], [0, 0, 0, 0]);
    expect(repeatedRows(earlier, fresh, 2)).toEqual([0, 2]);
  });

  test("is none where only one of the models says the same, or either is not finite", () => {
    const earlier = said([1, 2, 3, 4], [Number.NaN, 1, Number.NaN, 1]);
    expect(repeatedRows(earlier, said([1, 2.1, 3, 4], [1, 2, 3, 4.1]), 2)).toEqual([]);
    expect(repeatedRows(earlier, said([Number.NaN, 1, Number.NaN, 1]), 2)).toEqual([]);
    expect(repeatedRows(said(), said([1, 2, 3, 4]), 2)).toEqual([]);
  });

  test("is found among many that begin alike", () => {
    const random = seededRandom(3);
    const rows = Array.from(
      { length: 3000 },
      () => [random.next(), random.next(), 1, random.next()] as const,
    );
    expect(repeatedRows(said(...rows), said(rows[1234]!, [2, 2, 1, 2]), 2)).toEqual([0]);
  });
});
