/** The promise, held in simulation: 4,000 calibrations drawn from worlds whose risks are known exactly. */

import { describe, expect, test } from "vitest";
import { certifyCounts } from "../../src/core/envelope/certificate.ts";
import { countPasses, type PassCounts } from "../../src/core/envelope/counts.ts";
import { fixFamily } from "../../src/core/envelope/family.ts";
import { boundsAt } from "../../src/core/envelope/lookup.ts";
import type { Certificate } from "../../src/core/envelope/types.ts";
import { seededRandom } from "../../src/core/random.ts";
import { NO_SIZES, someCounts, someFamily } from "./evidence.ts";
import { drawParts, edgeWorld, lambdasOf, smoothWorld, stationRisk, type World } from "./worlds.ts";

const OPTIONS = { alpha: 0.01, alphaClass: 0.05, eta: 0.05, revision: 1 };
const FIT_C_PARTS = 2000;
const CAL_PARTS = 6000;
/** Each family is fixed on parts of its own, so that families misled by fit are among them. */
const FAMILIES = 20;
const CALIBRATIONS_PER_FAMILY = 50;

const WORLDS: Readonly<Record<string, World>> = {
  "risk that rises smoothly, a rare class the worst": smoothWorld([
    { share: 0.6, level: 0.06, power: 2 },
    { share: 0.3, level: 0.2, power: 3 },
    { share: 0.1, level: 0.5, power: 2 },
  ]),
  "a walk that crosses exactly at alpha, and then stays there": edgeWorld(
    [0.5, 0.3, 0.2],
    [0.01, 0.01, 0.01],
  ),
  "classes that stand exactly at alphaClass beside one that is faithful": edgeWorld(
    [0.85, 0.05, 0.05, 0.05],
    [0.002, 0.05, 0.05, 0.05],
    0.3,
  ),
  "five classes, one of which never deserves to pass": smoothWorld([
    ...Array.from({ length: 4 }, () => ({ share: 0.2, level: 0.05, power: 2 })),
    { share: 0.2, level: 0.06, power: 0 },
  ]),
};

/** Whether anything that the certificate says is untrue: a rule that a walk accepted, or a bound of the tables. */
function isUntrue(world: World, certificate: Certificate): boolean {
  const { walk, start, stationCells, classWalk, classStart, classCells, coarse, lambdas } = certificate;
  const walked = walk.some(({ certifiedTo }, m) => {
    for (let i = start[m]!; i <= certifiedTo; i++) {
      if (stationRisk(world, lambdasOf(certificate, m, i)) > OPTIONS.alpha) return true;
    }
    return false;
  });
  const station = stationCells.some((cells, m) =>
    cells.some(({ upperBound }, j) => stationRisk(world, lambdasOf(certificate, m, coarse[j]!)) > upperBound),
  );
  const byClass = classCells.some((cells, c) =>
    cells.some(({ upperBound }, j) => world.riskUpTo(c, lambdas[coarse[j]!]!) > upperBound),
  );
  const classWalked = classWalk.some(({ certifiedTo }, c) =>
    lambdas
      .slice(classStart[c]!, certifiedTo + 1)
      .some((lambda) => world.riskUpTo(c, lambda) > OPTIONS.alphaClass),
  );
  return walked || station || byClass || classWalked;
}

/** Whether the rule chosen lets pass more than alpha of all, or more than alphaClass of some class. */
function breaksPromise(world: World, certificate: Certificate): boolean {
  if (certificate.chosen === null) return false;
  const { chain, lambdaIndex } = certificate.chosen;
  expect(boundsAt(certificate, chain, certificate.coarse.indexOf(lambdaIndex)).holds).toBe(true);
  const lambdas = lambdasOf(certificate, chain, lambdaIndex);
  return (
    stationRisk(world, lambdas) > OPTIONS.alpha ||
    lambdas.some((lambda, c) => lambda > 0 && world.riskUpTo(c, lambda) > OPTIONS.alphaClass)
  );
}

/** The rule that one would guess: the largest lambda at which at most alpha of what passed on cal was unfaithful. */
function naiveBreaks(
  world: World,
  { n, k, classes, lambdas: length }: PassCounts,
  lambdas: readonly number[],
) {
  for (let i = length - 1; i >= 0; i--) {
    let passing = 0;
    let failures = 0;
    for (let c = 0; c < classes; c++) {
      passing += n[c * length + i]!;
      failures += k[c * length + i]!;
    }
    if (failures > OPTIONS.alpha * passing) continue;
    return stationRisk(world, new Array<number>(classes).fill(lambdas[i]!)) > OPTIONS.alpha;
  }
  return false;
}

function simulate(world: World, seed: number) {
  const random = seededRandom(seed);
  const classes = world.shares.length;
  const tally = { untrue: 0, broken: 0, certified: 0, naiveBroken: 0, passRate: 0 };
  for (let f = 0; f < FAMILIES; f++) {
    const plan = { ...OPTIONS, classes, calParts: CAL_PARTS, seed: f };
    const family = fixFamily(drawParts(world, FIT_C_PARTS, random), plan);
    for (let i = 0; i < CALIBRATIONS_PER_FAMILY; i++) {
      const counts = countPasses(drawParts(world, CAL_PARTS, random), classes, family.lambdas);
      const certificate = certifyCounts(family, counts, OPTIONS, NO_SIZES);
      if (isUntrue(world, certificate)) tally.untrue++;
      if (breaksPromise(world, certificate)) tally.broken++;
      if (naiveBreaks(world, counts, family.lambdas)) tally.naiveBroken++;
      if (certificate.chosen === null) continue;
      tally.certified++;
      const { chain, lambdaIndex } = certificate.chosen;
      lambdasOf(certificate, chain, lambdaIndex).forEach((lambda, c) => {
        tally.passRate += world.shares[c]! * lambda;
      });
    }
  }
  const calibrations = FAMILIES * CALIBRATIONS_PER_FAMILY;
  return {
    untrue: tally.untrue / calibrations,
    broken: tally.broken / calibrations,
    certified: tally.certified / calibrations,
    naiveBroken: tally.naiveBroken / calibrations,
    passRate: tally.passRate / Math.max(1, tally.certified),
  };
}

describe("1,000 calibrations each, at alpha 1%, alphaClass 5% and eta 5%", () => {
  const results = Object.entries(WORLDS).map(([name, world], i) => [name, simulate(world, 20 + i)] as const);

  test.each(results)(
    "%s: everything that the certificates say is true in all but eta of them",
    async (_, found) => {
      expect(found.untrue).toBeLessThanOrEqual(OPTIONS.eta);
      expect(found.broken).toBeLessThanOrEqual(found.untrue);
    },
  );

  test("a rule is certified in nearly all, since one that never is breaks no promise either", () => {
    for (const [, { certified }] of results) expect(certified).toBeGreaterThan(0.9);
  });

  test("the rule that one would guess breaks its promise in more than 30% of all, and in half at the edge", () => {
    const mean = results.reduce((sum, [, { naiveBroken }]) => sum + naiveBroken / results.length, 0);
    expect(mean).toBeGreaterThan(0.3);
    expect(results[1]![1].naiveBroken).toBeGreaterThan(0.45);
  });

  test("what passes is not far from what could, knowing every risk", () => {
    // One lambda for all classes of the smooth world could pass 52% at a risk of 1%.
    expect(stationRisk(WORLDS[results[0]![0]]!, [0.52, 0.52, 0.52])).toBeLessThan(OPTIONS.alpha);
    expect(stationRisk(WORLDS[results[0]![0]]!, [0.54, 0.54, 0.54])).toBeGreaterThan(OPTIONS.alpha);
    expect(results[0]![1].passRate).toBeGreaterThan(0.4);
    // At the edge it is 50% that is faithful beyond doubt.
    expect(results[1]![1].passRate).toBeGreaterThan(0.45);
  });
});

describe("a rule whose risk is alpha itself", () => {
  test("is certified as often as its share allows, and hardly less: the test is exact", () => {
    const random = seededRandom(4);
    const options = { alpha: 0.05, alphaClass: 0.5, eta: 0.5, revision: 1 };
    const runs = 2000;
    const parts = 1000;
    let certified = 0;
    let share = 0;
    for (let run = 0; run < runs; run++) {
      let k = 0;
      for (let part = 0; part < parts; part++) if (random.next() < options.alpha) k++;
      const { walk } = certifyCounts(someFamily([0.5], 1), someCounts([[[parts, k]]]), options, NO_SIZES);
      share = walk[0]!.eta;
      if (walk[0]!.certifiedTo === 0) certified++;
    }
    expect(share).toBeCloseTo(1.5 / Math.PI ** 2, 12);
    const deviation = Math.sqrt((share * (1 - share)) / runs);
    expect(certified / runs).toBeLessThan(share + 3 * deviation);
    // Whole counts cannot use up a share entirely.
    expect(certified / runs).toBeGreaterThan(0.7 * share);
  });
});
