/** Certifying evidence: what is fixed before cal is looked at, and what is said afterwards. */

import { describe, expect, test } from "vitest";
import { certifyBaseline } from "../../src/core/envelope/baseline.ts";
import { certify, certifyCounts, familyOf } from "../../src/core/envelope/certificate.ts";
import { countPasses } from "../../src/core/envelope/counts.ts";
import { cutFit, partsOf } from "../../src/core/envelope/cut.ts";
import { explain } from "../../src/core/envelope/explain.ts";
import { fixFamily } from "../../src/core/envelope/family.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import { boundsAt, classesIn, classLambdas } from "../../src/core/envelope/lookup.ts";
import { partOutcomes, passingParts } from "../../src/core/envelope/outcomes.ts";
import { partsNeeded } from "../../src/core/statistics/binomial.ts";
import {
  FULL_OPTIONS,
  NO_SIZES,
  someEvidence,
  someOutcomes,
  withCopies,
  withRowsChanged,
} from "./evidence.ts";

const DELTA = 0.15;
const evidence = someEvidence({ parts: 6000, seed: 2 });
const fitted = fitEnvelope(evidence, { delta: DELTA, seed: 3 });
const certificate = certify(evidence, fitted, FULL_OPTIONS);

describe("the family", () => {
  const otherCal = withRowsChanged(evidence, "cal", ({ logits, teacher, gap }, row) => {
    for (let c = 0; c < 3; c++) logits[row * 3 + c] = -logits[row * 3 + c]!;
    teacher.fill(0, row * 3, row * 3 + 3);
    gap[row] = 1;
  });

  test("is the same whatever cal holds", () => {
    const other = certify(otherCal, fitted, FULL_OPTIONS);
    const family = familyOf(evidence, fitted, partsOf(evidence, "cal").length, FULL_OPTIONS);
    expect(other).toMatchObject(family);
    expect(certificate).toMatchObject(family);
    expect(certificate.chosen).not.toBeNull();
    expect(other.chosen).toBeNull();
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
