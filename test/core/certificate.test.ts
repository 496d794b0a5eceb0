/** The certificate: shares of eta, counts, the walk and the tables. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { certifyCounts } from "../../src/core/envelope/certificate.ts";
import { countPasses } from "../../src/core/envelope/counts.ts";
import { etaShares } from "../../src/core/envelope/eta.ts";
import { explain } from "../../src/core/envelope/explain.ts";
import { boundsAt, classCellAt, classesIn } from "../../src/core/envelope/lookup.ts";
import { passingParts } from "../../src/core/envelope/outcomes.ts";
import { binomialUpperBound, partsNeeded } from "../../src/core/statistics/binomial.ts";
import { FULL_OPTIONS, NO_SIZES, someCounts, someFamily, someOutcomes } from "./evidence.ts";

describe("the eta ledger", () => {
  test("shares of one revision add up to what it spends, and all revisions to eta", () => {
    const { total, walk, classWalk, cell } = etaShares(0.05, 1, 10, 10);
    const tables = cell * (10 * 32 + 10 * 32);
    expect(walk.reduce((sum, share) => sum + share, 0) + 10 * classWalk + tables).toBeCloseTo(total, 14);
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

  test("the walk of one class in ten has 0.08%, with which 140 clean parts prove 5%", () => {
    const { classWalk } = etaShares(0.05, 1, 10, 10);
    expect(classWalk).toBeCloseTo(0.00076, 6);
    expect(partsNeeded(0, 0.05, classWalk)).toBe(141);
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

describe("the walk of a class", () => {
  const options = { alpha: 0.5, alphaClass: 0.05, eta: 0.05, revision: 1 };
  // 300 parts with 4 failures prove 5% at a class's share of a walk, and not at a cell's of the tables.
  const counts = someCounts([
    [
      [300, 4],
      [320, 5],
      [400, 90],
    ],
  ]);
  const certificate = certifyCounts(someFamily([0.1, 0.2, 0.3], 1), counts, options, NO_SIZES);

  test("proves alphaClass up to the first test that fails, where the table does not", () => {
    expect(certificate.classWalk[0]).toMatchObject({ certifiedTo: 1, last: { n: 400, k: 90 } });
    expect(certificate.classCells[0]!.map(({ upperBound }) => upperBound <= 0.05)).toEqual([
      false,
      false,
      false,
    ]);
    expect([0, 1, 2].map((j) => classCellAt(certificate, 0, j))).toMatchObject([
      { n: 300, k: 4, upperBound: 0.05, method: "walk" },
      { n: 320, k: 5, upperBound: 0.05, method: "walk" },
      { n: 400, k: 90, method: "table" },
    ]);
    expect(certificate.chosen).toMatchObject({ lambda: 0.2 });
  });

  test("proves nothing stricter than where it starts, and no less than the table", () => {
    const later = { ...someFamily([0.1, 0.2, 0.3], 1), classStart: [1] };
    const { upperBound, method } = classCellAt(certifyCounts(later, counts, options, NO_SIZES), 0, 0);
    expect(method).toBe("table");
    expect(upperBound).toBeGreaterThan(0.05);
    const clean = someCounts([
      [
        [900, 0],
        [900, 0],
        [900, 0],
      ],
    ]);
    const proven = classCellAt(certifyCounts(later, clean, options, NO_SIZES), 0, 2);
    expect(proven.method).toBe("table");
    expect(proven.upperBound).toBeLessThan(0.02);
  });
});
