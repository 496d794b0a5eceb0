/** The certificate: what is fixed before cal is looked at, what is counted, and what may be said afterwards. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { certifyBaseline } from "../../src/core/envelope/baseline.ts";
import { certify, certifyCounts, familyOf } from "../../src/core/envelope/certificate.ts";
import { countPasses } from "../../src/core/envelope/counts.ts";
import { cutFit, partsOf } from "../../src/core/envelope/cut.ts";
import { etaShares } from "../../src/core/envelope/eta.ts";
import { explain } from "../../src/core/envelope/explain.ts";
import { fixFamily } from "../../src/core/envelope/family.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import { boundsAt, classesIn, classLambdas, snapLambda } from "../../src/core/envelope/lookup.ts";
import { partOutcomes, passingParts } from "../../src/core/envelope/outcomes.ts";
import type { Certificate } from "../../src/core/envelope/types.ts";
import { binomialUpperBound, partsNeeded } from "../../src/core/statistics/binomial.ts";
import {
  FULL_OPTIONS,
  NO_SIZES,
  someCounts,
  someEvidence,
  someFamily,
  someOutcomes,
  withCopies,
  withRowsChanged,
} from "./evidence.ts";

const DELTA = 0.15;
const evidence = someEvidence({ parts: 6000, seed: 2 });
const fitted = fitEnvelope(evidence, { delta: DELTA, seed: 3 });
const certificate = certify(evidence, fitted, FULL_OPTIONS);

describe("the eta ledger", () => {
  test("shares of one revision add up to what it spends, and all revisions to eta", () => {
    const { total, walk, cell } = etaShares(0.05, 1, 10, 10);
    const tables = cell * (10 * 32 + 10 * 32);
    expect(walk.reduce((sum, share) => sum + share, 0) + tables).toBeCloseTo(total, 14);
    let spent = 0;
    for (let r = 1; r <= 100_000; r++) spent += etaShares(0.05, r, 10, 10).total;
    expect(spent).toBeLessThan(0.05);
    expect(spent).toBeGreaterThan(0.04999);
  });

  test("the walk on S_0 in revision 1 has 1.2%, with which about 440 clean parts prove 1%", () => {
    const { walk } = etaShares(0.05, 1, 10, 10);
    expect(walk[0]).toBeCloseTo(0.012159, 6);
    expect(partsNeeded(0, 0.01, walk[0]!)).toBe(439);
    expect(new Set(walk.slice(1)).size).toBe(1);
  });

  test("shares that cannot be are refused", () => {
    for (const eta of [0, 1, Number.NaN]) expect(() => etaShares(eta, 1, 10, 10)).toThrow(RangeError);
    for (const revision of [0, 1.5, Number.NaN])
      expect(() => etaShares(0.05, revision, 10, 10)).toThrow(RangeError);
  });
});

describe("the walk", () => {
  const options = { alpha: 0.05, alphaClass: 0.2, eta: 0.05, revision: 1 };
  // The one set has half of 6 * 0.05 / pi^2: 0.015198. At 5%, 81 clean parts have p 0.015686 and 82 have 0.014902.
  const walkOf = (cells: readonly (readonly [number, number])[]) => {
    const family = someFamily(
      cells.map((_, i) => (i + 1) / 10),
      1,
    );
    return certifyCounts(family, someCounts([cells]), options, NO_SIZES).walk[0]!;
  };

  test("accepts 82 clean parts and not 81", () => {
    expect(walkOf([[81, 0]]).certifiedTo).toBe(-1);
    expect(walkOf([[82, 0]]).certifiedTo).toBe(0);
    expect(walkOf([[82, 0]]).last).toEqual({
      lambdaIndex: 0,
      n: 82,
      k: 0,
      p: expect.closeTo(0.95 ** 82, 14),
    });
  });

  test("goes from strict to loose and stops for good at the first test that fails", () => {
    const walk = walkOf([
      [82, 0],
      [150, 1],
      [160, 6],
      [5000, 10],
    ]);
    expect(walk.certifiedTo).toBe(1);
    // P(Bin(160, 0.05) <= 6), summed exactly elsewhere.
    expect(walk.last).toEqual({ lambdaIndex: 2, n: 160, k: 6, p: expect.closeTo(0.3070962842859741, 12) });
  });

  test("a first test that fails certifies nothing, however clean the rest", () => {
    const certified = certifyCounts(
      someFamily([0.1, 0.2], 1),
      someCounts([
        [
          [40, 0],
          [9000, 0],
        ],
      ]),
      options,
      NO_SIZES,
    );
    expect(certified.walk[0]!.certifiedTo).toBe(-1);
    // The table does not depend on the walk, and proves the looser rule by itself.
    expect(certified.chosen?.lambdaIndex).toBe(1);
    expect(boundsAt(certified, 0, 1).station.method).toBe("table");
  });

  test("starts where the family says, and nothing stricter is certified by it", () => {
    const family = someFamily([0.1, 0.2, 0.3], 1, { start: [1] });
    const counts = someCounts([
      [
        [10, 5],
        [300, 4],
        [400, 5],
      ],
    ]);
    const certified = certifyCounts(family, counts, options, NO_SIZES);
    expect(certified.walk[0]!.certifiedTo).toBe(2);
    expect(boundsAt(certified, 0, 0).station.certified).toBe(false);
    expect(boundsAt(certified, 0, 1).station).toEqual({
      certified: true,
      n: 300,
      k: 4,
      upperBound: 0.05,
      method: "walk",
    });
  });
});

describe("the tables", () => {
  test("hold the exact bound of every cell at its share, 1 where nothing passed or nothing was faithful", () => {
    const { cell } = etaShares(0.05, 1, 2, 1);
    const counts = someCounts([
      [
        [0, 0],
        [500, 3],
      ],
      [
        [4, 4],
        [300, 0],
      ],
    ]);
    const { classCells, stationCells } = certifyCounts(
      someFamily([0.1, 0.2], 2),
      counts,
      FULL_OPTIONS,
      NO_SIZES,
    );
    expect(classCells[0]![0]).toEqual({ n: 0, k: 0, upperBound: 1 });
    expect(classCells[1]![0]).toEqual({ n: 4, k: 4, upperBound: 1 });
    expect(classCells[0]![1]).toEqual({ n: 500, k: 3, upperBound: binomialUpperBound(3, 500, cell) });
    expect(stationCells[0]![1]).toEqual({ n: 800, k: 3, upperBound: binomialUpperBound(3, 800, cell) });
  });

  test("a station cell counts each class no further than its limit, a class cell does not depend on it", () => {
    const counts = someCounts([
      [
        [100, 1],
        [300, 9],
      ],
      [
        [200, 2],
        [400, 4],
      ],
      [
        [50, 9],
        [60, 9],
      ],
    ]);
    const family = someFamily([0.1, 0.2], 3, { limits: [[0, 1, -1]] });
    const { classCells, stationCells } = certifyCounts(family, counts, FULL_OPTIONS, NO_SIZES);
    expect(stationCells[0]!.map(({ n, k }) => [n, k])).toEqual([
      [300, 3],
      [500, 5],
    ]);
    expect(classCells[0]!.map(({ n, k }) => [n, k])).toEqual([
      [100, 1],
      [300, 9],
    ]);
  });

  test("any counts whatever give finite bounds and a certificate, never an exception", () => {
    const cell = fc.tuple(fc.nat(400), fc.nat(400)).map(([n, k]) => [n, Math.min(n, k)] as const);
    const row = fc
      .array(cell, { minLength: 3, maxLength: 3 })
      .map((cells) =>
        cells.map(
          (_, i) =>
            [0, 1].map((at) => cells.slice(0, i + 1).reduce((sum, c) => sum + c[at]!, 0)) as [number, number],
        ),
      );
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 2 }), (rows) => {
        const family = someFamily([0.1, 0.2, 0.3], 2, {
          limits: [
            [2, 2],
            [2, -1],
          ],
          start: [0, 1],
          expectedPassRate: [
            [0.2, 0.4, 0.6],
            [0.1, 0.2, 0.3],
          ],
        });
        const certified = certifyCounts(family, someCounts(rows), FULL_OPTIONS, NO_SIZES);
        const cells = [...certified.stationCells, ...certified.classCells].flat();
        for (const { n, k, upperBound } of cells) {
          expect(upperBound).toBeGreaterThan(n === 0 ? 0.999 : k / n - 1e-12);
          expect(upperBound).toBeLessThanOrEqual(1);
        }
        const { chosen } = certified;
        if (chosen !== null) {
          const bounds = boundsAt(certified, chosen.chain, certified.coarse.indexOf(chosen.lambdaIndex));
          expect(bounds.station.upperBound).toBeLessThanOrEqual(FULL_OPTIONS.alpha);
          for (const { passes, cell: of } of bounds.classes) {
            if (passes) expect(of.upperBound).toBeLessThanOrEqual(FULL_OPTIONS.alphaClass);
          }
        }
        const { station, classes } = explain(certified, ["a", "b"]);
        expect([station.upperBound, ...classes.map((c) => c.upperBound)].every(Number.isFinite)).toBe(true);
        expect(
          classes.every(
            (c) =>
              c.passes ===
              (chosen !== null && classesIn(certified, chosen.chain).includes(classes.indexOf(c))),
          ),
        ).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe("counts", () => {
  test("run from strict to loose, a score on a lambda passing there", () => {
    const outcomes = someOutcomes([
      [0, 0.1, 0],
      [0, 0.10000001, 1],
      [1, 0.3, 1],
      [1, 0.31, 0],
      [-1, Number.POSITIVE_INFINITY, 1],
    ]);
    const { n, k } = countPasses(outcomes, 2, [0.1, 0.2, 0.3]);
    expect([...n]).toEqual([1, 2, 2, 0, 0, 1]);
    expect([...k]).toEqual([0, 1, 1, 0, 0, 1]);
    expect([...passingParts(outcomes, [0.1, 0.3])]).toEqual([1, 0, 1, 0, 0]);
    expect([...passingParts(outcomes, [Number.NaN, 1])]).toEqual([0, 0, 1, 1, 0]);
  });
});

describe("the family", () => {
  const otherCal = withRowsChanged(evidence, "cal", ({ logits, teacher, gap }, row) => {
    for (let c = 0; c < 3; c++) logits[row * 3 + c] = -logits[row * 3 + c]!;
    teacher.fill(0, row * 3, row * 3 + 3);
    gap[row] = 1;
  });

  test("is the same whatever cal holds", () => {
    const { lambdas, coarse, limits, start, expectedPassRate } = certify(otherCal, fitted, FULL_OPTIONS);
    const family = familyOf(evidence, fitted, partsOf(evidence, "cal").length, FULL_OPTIONS);
    expect({ lambdas, coarse, limits, start, expectedPassRate }).toEqual(family);
    expect(certificate).toMatchObject(family);
    expect(certificate.chosen).not.toBeNull();
    expect(certify(otherCal, fitted, FULL_OPTIONS).chosen).toBeNull();
  });

  test("has about 200 lambdas, rising, and at most 32 coarse ones, the loosest among them", () => {
    const { lambdas, coarse } = certificate;
    expect(lambdas.length).toBeGreaterThan(150);
    expect(lambdas.length).toBeLessThanOrEqual(200);
    expect(lambdas.every((lambda, i) => i === 0 || lambda > lambdas[i - 1]!)).toBe(true);
    expect(coarse.length).toBeLessThanOrEqual(32);
    expect(coarse.at(-1)).toBe(lambdas.length - 1);
    expect(coarse.every((at, i) => i === 0 || at > coarse[i - 1]!)).toBe(true);
  });

  test("starts the walk over S_0 where it expects the first test to pass", () => {
    const { start, walk, alpha } = certificate;
    expect(walk[0]!.certifiedTo).toBeGreaterThan(start[0]!);
    // Nothing that is sure to fail for want of parts is tested.
    const passing = countPasses(
      partOutcomes(evidence, fitted, partsOf(evidence, "cal")),
      3,
      certificate.lambdas,
    );
    const atStart = [0, 1, 2].reduce((sum, c) => sum + passing.n[c * passing.lambdas + start[0]!]!, 0);
    expect(atStart).toBeGreaterThan(partsNeeded(0, alpha, walk[0]!.eta));
  });

  test("leaves out a class that cannot be proven, and keeps the others", () => {
    // Class 1 is unfaithful one time in four whatever its score.
    const rows = Array.from({ length: 1500 }, (_, i) => {
      const c = i % 3;
      const score = ((i * 7919) % 1500) / 1500;
      return [c, score, c === 1 ? Number(i % 4 === 0) : Number(score > 0.9)] as const;
    });
    const family = fixFamily(someOutcomes(rows), { ...FULL_OPTIONS, classes: 3, calParts: 4000, seed: 1 });
    expect(classesIn(family, 0)).toEqual([0, 2]);
  });

  test("nothing to choose from gives a certificate that reviews everything", () => {
    const nothing = someOutcomes(
      Array.from({ length: 50 }, () => [-1, Number.POSITIVE_INFINITY, 1] as const),
    );
    const family = fixFamily(nothing, { ...FULL_OPTIONS, classes: 3, calParts: 100, seed: 1 });
    const counts = countPasses(nothing, 3, family.lambdas);
    const empty = certifyCounts(family, counts, FULL_OPTIONS, NO_SIZES);
    expect(empty.chosen).toBeNull();
    const { station, classes, expectedPassRate } = explain(empty, ["a", "b", "c"]);
    expect(station).toMatchObject({ certified: false, n: 0, k: 0, upperBound: 1 });
    expect(classes.map(({ cleanPartsNeeded }) => cleanPartsNeeded > 20)).toEqual([true, true, true]);
    expect(expectedPassRate).toBe(0);
  });
});

describe("certifying evidence", () => {
  test("ten copies of every frame under their part change no bound", () => {
    const copied = certify(withCopies(evidence, 10), fitted, FULL_OPTIONS);
    expect({ ...copied, framesPerPartMax: 1 }).toEqual(certificate);
    expect(copied.framesPerPartMax).toBe(10);
  });

  test("ten copies of every frame as parts of their own would change them", () => {
    const tenfold = withCopies(evidence, 10);
    const apart = {
      ...tenfold,
      part: tenfold.part.map((_, row) => row),
      splitOfPart: [...tenfold.part].map((part) => evidence.splitOfPart[part]!),
    };
    expect(certify(apart, fitted, FULL_OPTIONS).stationCells).not.toEqual(certificate.stationCells);
  });

  test("the rule chosen lies on the coarse grid, holds, and passes on cal what fit expects", () => {
    const chosen = certificate.chosen!;
    const coarseIndex = certificate.coarse.indexOf(chosen.lambdaIndex);
    expect(coarseIndex).toBeGreaterThanOrEqual(0);
    const { holds, station, classes } = boundsAt(certificate, chosen.chain, coarseIndex);
    expect(holds).toBe(true);
    const outcomes = partOutcomes(evidence, fitted, partsOf(evidence, "cal"));
    const passes = passingParts(outcomes, classLambdas(certificate, chosen.chain, coarseIndex));
    const passed = passes.reduce((sum, pass) => sum + pass, 0);
    expect(passed).toBe(station.n);
    expect(passes.reduce((sum, pass, i) => sum + pass * outcomes.unfaithful[i]!, 0)).toBe(station.k);
    expect(Math.abs(passed / passes.length - chosen.expectedPassRate)).toBeLessThan(0.06);
    expect(classes.filter((c) => c.passes).reduce((sum, { cell }) => sum + cell.n, 0)).toBe(station.n);
  });

  test("no rule that holds passes more than the one chosen", () => {
    certificate.expectedPassRate.forEach((rates, chain) => {
      rates.forEach((rate, coarseIndex) => {
        if (boundsAt(certificate, chain, coarseIndex).holds) {
          expect(rate).toBeLessThanOrEqual(certificate.chosen!.expectedPassRate);
        }
      });
    });
  });

  test("a later revision spends less, and so proves less from the same counts", () => {
    const later = certify(evidence, fitted, { ...FULL_OPTIONS, revision: 3 });
    expect(later.eta).toBeCloseTo(certificate.eta / 9, 14);
    expect(later.classCellEta).toBeLessThan(certificate.classCellEta);
  });

  test("with no cal part everything is reviewed, and more parts are asked for", () => {
    const without = {
      ...evidence,
      splitOfPart: evidence.splitOfPart.map((of) => (of === "cal" ? "ref" : of)),
    };
    const empty = certify(without, fitted, FULL_OPTIONS);
    expect(empty.chosen).toBeNull();
    expect(empty.parts.cal).toBe(0);
    expect(explain(empty, empty.limits[0]!.map(String)).station.cleanPartsNeeded).toBeGreaterThan(100);
  });

  test("cal that is unfaithful throughout certifies nothing", () => {
    const { chosen, stationCells } = certify(
      withRowsChanged(evidence, "cal", ({ gap }, row) => {
        gap[row] = 1;
      }),
      fitted,
      FULL_OPTIONS,
    );
    expect(chosen).toBeNull();
    expect(stationCells.flat().every(({ upperBound }) => upperBound === 1)).toBe(true);
  });

  test("the baseline is certified by the same shares and sizes of grid on max-softmax", () => {
    const baseline = certifyBaseline(evidence, fitted, FULL_OPTIONS);
    expect(baseline.classCellEta * (3 + baseline.limits.length)).toBeCloseTo(
      certificate.classCellEta * (3 + certificate.limits.length),
      14,
    );
    expect(baseline.parts).toEqual(certificate.parts);
    expect(baseline.lambdas).not.toEqual(certificate.lambdas);
  });

  test("fit and run time cannot differ: selection is counted by the assessor and the judge", () => {
    const selection = partOutcomes(evidence, fitted, cutFit(evidence, fitted.seed).c);
    const chosen = certificate.chosen!;
    const lambda = classLambdas(certificate, chosen.chain, certificate.coarse.indexOf(chosen.lambdaIndex));
    const passes = passingParts(selection, lambda);
    expect(passes.reduce((sum, pass) => sum + pass, 0) / passes.length).toBeCloseTo(
      chosen.expectedPassRate,
      12,
    );
  });
});

describe("looking a rule up", () => {
  const counts = someCounts([
    [
      [400, 0],
      [800, 2],
      [900, 3],
    ],
    [
      [100, 0],
      [300, 1],
      [500, 30],
    ],
  ]);
  const options = { alpha: 0.02, alphaClass: 0.06, eta: 0.05, revision: 1 };
  const family = someFamily([0.1, 0.2, 0.3], 2, { limits: [[2, 1]] });
  const looked: Certificate = certifyCounts(family, counts, options, NO_SIZES);

  test("a lambda snaps to the next stricter coarse point, never to a looser one", () => {
    expect([0.3, 0.29, 0.2, 0.15, 0.05, 9].map((lambda) => snapLambda(looked, lambda))).toEqual([
      2, 1, 1, 0, -1, 2,
    ]);
    expect(snapLambda(looked, Number.NaN)).toBe(-1);
  });

  test("a class beyond its limit is counted and passes at the limit", () => {
    const { classes, station } = boundsAt(looked, 0, 2);
    expect(classes[1]).toMatchObject({ passes: true, coarseIndex: 1, cell: { n: 300, k: 1 } });
    expect(station).toMatchObject({ n: 1200, k: 4 });
    expect([...classLambdas(looked, 0, 2)]).toEqual([0.3, 0.2]);
  });

  test("a class with a stricter lambda of its own leaves the station what the class bounds imply", () => {
    const own = new Map([[1, 0]]);
    const { classes, station } = boundsAt(looked, 0, 2, own);
    expect(classes[1]!.cell).toMatchObject({ n: 100, k: 0 });
    expect(station).toMatchObject({ method: "classes", n: 1000, k: 3 });
    expect(station.upperBound).toBe(Math.max(...classes.map(({ cell }) => cell.upperBound)));
    expect([...classLambdas(looked, 0, 2, own)]).toEqual([0.3, 0.1]);
    expect([...classLambdas(looked, 0, 2, new Map([[1, -1]]))]).toEqual([0.3, Number.NaN]);
  });

  test("an own lambda that is no stricter changes nothing", () => {
    expect(boundsAt(looked, 0, 2, new Map([[1, 2]]))).toEqual(boundsAt(looked, 0, 2));
  });

  test("a rule outside the family is a mistake", () => {
    for (const [chain, coarseIndex] of [
      [1, 0],
      [0, 3],
      [0, -1],
      [Number.NaN, 0],
    ] as const) {
      expect(() => boundsAt(looked, chain, coarseIndex)).toThrow(RangeError);
    }
  });

  test("the explanation of a choice gives each class its own lambda, counts and what it still wants", () => {
    const { lambda, station, classes, expectedPassRate } = explain(looked, ["bag", "shirt"]);
    expect(lambda).toBe(looked.chosen!.lambda);
    expect(station).toEqual({
      certified: true,
      n: 1200,
      k: 4,
      // Below the alpha that the walk proves: the table proves more.
      upperBound: binomialUpperBound(4, 1200, looked.stationCellEta),
      method: "table",
      cleanPartsNeeded: 0,
    });
    expect(classes[0]).toMatchObject({
      class: "bag",
      passes: true,
      lambda: 0.3,
      n: 900,
      k: 3,
      cleanPartsNeeded: 0,
    });
    expect(classes[1]).toMatchObject({
      class: "shirt",
      passes: true,
      lambda: 0.2,
      n: 300,
      k: 1,
      cleanPartsNeeded: 0,
    });
    expect(expectedPassRate).toBe(1);
  });

  test("where nothing holds, it shows the rule that wants the fewest clean parts, and how many", () => {
    const poor = certifyCounts(
      family,
      someCounts([
        [
          [40, 0],
          [60, 0],
          [61, 30],
        ],
        [
          [3, 0],
          [9, 4],
          [9, 4],
        ],
      ]),
      options,
      NO_SIZES,
    );
    const { lambda, station, classes } = explain(poor, ["bag", "shirt"]);
    expect(poor.chosen).toBeNull();
    expect(lambda).toBeNull();
    expect(station).toMatchObject({ certified: false, n: 43, k: 0 });
    expect(station.cleanPartsNeeded).toBe(partsNeeded(0, 0.02, poor.walk[0]!.eta) - 43);
    expect(classes.map(({ passes, n, cleanPartsNeeded }) => [passes, n, cleanPartsNeeded])).toEqual(
      [40, 3].map((n) => [false, n, partsNeeded(0, 0.06, poor.classCellEta) - n]),
    );
  });
});
