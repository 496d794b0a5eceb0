/** Looking rules up in a certificate, and explaining it. */

import { describe, expect, test } from "vitest";
import { certifyCounts } from "../../src/core/envelope/certificate.ts";
import { explain } from "../../src/core/envelope/explain.ts";
import { boundsAt, classLambdas, snapLambda } from "../../src/core/envelope/lookup.ts";
import type { Certificate } from "../../src/core/envelope/types.ts";
import { binomialUpperBound, partsNeeded } from "../../src/core/statistics/binomial.ts";
import { NO_SIZES, someCounts, someFamily } from "./evidence.ts";

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
      [40, 3].map((n) => [false, n, partsNeeded(0, 0.06, poor.classWalk[0]!.eta) - n]),
    );
  });
});
