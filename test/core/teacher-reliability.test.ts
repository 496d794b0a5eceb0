/** Teacher errors that the student copied: counted by part, bounded exactly, in a simulation with known truth. */

import { describe, expect, test } from "vitest";
import { certify } from "../../src/core/envelope/certificate.ts";
import { partsOf } from "../../src/core/envelope/cut.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import { type LabelledParts, labelledParts } from "../../src/core/envelope/labelled.ts";
import { classLambdas } from "../../src/core/envelope/lookup.ts";
import { partOutcomes, passingParts } from "../../src/core/envelope/outcomes.ts";
import {
  CONFIDENCE_FROM,
  copiedErrorsAt,
  type JudgedParts,
  type ReliabilityOptions,
  reliabilityOf,
  type TeacherReliability,
  teacherReliability,
} from "../../src/core/envelope/teacher-reliability.ts";
import type { Evidence } from "../../src/core/envelope/types.ts";
import { finiteArgmax } from "../../src/core/envelope/unfaithful.ts";
import { type Random, seededRandom } from "../../src/core/random.ts";
import { binomialUpperBound } from "../../src/core/statistics/binomial.ts";
import { FULL_OPTIONS, someEvidence, someFamily, withCopies } from "./evidence.ts";

const OPTIONS: ReliabilityOptions = { etaLabels: 0.05, revision: 1, limit: 0.1 };

/** One part of two classes for each list of frames [student's class, teacher's class, label]. */
function someParts(parts: readonly (readonly (readonly [number, number, number])[])[]): Evidence {
  const frames = parts.flat();
  const logits = (of: 0 | 1): Float32Array =>
    Float32Array.from(
      frames.flatMap((frame) => (frame[of] < 0 ? [NaN, 0] : frame[of] === 0 ? [2, 0] : [0, 2])),
    );
  return {
    ...someEvidence({ parts: frames.length, classes: 2 }),
    part: Int32Array.from(parts.flatMap((of, part) => of.map(() => part))),
    splitOfPart: parts.map(() => "cal"),
    studentLogits: logits(0),
    teacherLogits: logits(1),
    label: Int16Array.from(frames, ([, , label]) => label),
  };
}

const read = (...frames: (readonly [number, number, number])[]): LabelledParts =>
  labelledParts(someParts([frames]), Int32Array.of(0));

describe("a labelled part", () => {
  test("has a copied error where both models give one class and the label is another", () => {
    expect(read([0, 0, 1]).copiedError[0]).toBe(1);
    expect(read([0, 0, 0]).copiedError[0]).toBe(0);
    // The student alone is wrong, or the teacher alone: nothing was copied.
    expect(read([1, 0, 0]).copiedError[0]).toBe(0);
    expect(read([0, 1, 0]).copiedError[0]).toBe(0);
  });

  test("is wrong if any of its frames is, and counts once", () => {
    const { part, copiedError, classIndex } = read([0, 0, 0], [0, 0, 1], [0, 0, 1]);
    expect([[...part], [...copiedError], [...classIndex]]).toEqual([[0], [1], [0]]);
  });

  test("is one whose every frame has a label; what is half labelled can only count against the teacher", () => {
    expect(read([0, 0, -1]).part).toHaveLength(0);
    expect(read([0, 0, 0], [0, 0, -1]).part).toHaveLength(0);
    expect([...read([0, 0, 1], [0, 0, -1]).copiedError]).toEqual([1]);
  });

  test("has a class only where all frames and both models agree on it, and the teacher's least confidence", () => {
    expect([...read([0, 0, 0], [1, 1, 0]).classIndex]).toEqual([-1]);
    expect([...read([0, 1, 0]).classIndex]).toEqual([-1]);
    const unsure = someParts([
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    ]);
    unsure.teacherLogits.set([1, 0], 2);
    expect(labelledParts(unsure, Int32Array.of(0)).teacherConfidence[0]).toBeCloseTo(
      1 / (1 + Math.exp(-1)),
      12,
    );
  });

  test("whose numbers are not finite copies nothing, and has no class", () => {
    const { classIndex, copiedError, teacherConfidence } = read([0, -1, 1]);
    expect([classIndex[0], copiedError[0], teacherConfidence[0]]).toEqual([-1, 0, Number.NaN]);
    expect([...read([-1, 0, 1]).classIndex]).toEqual([-1]);
  });
});

/** Columns from rows [class, teacher confidence, copied error, score]; a class of -1 never passes. */
function someJudged(rows: readonly (readonly [number, number, number, number])[]): JudgedParts {
  const classIndex = Int16Array.from(rows, ([c]) => c);
  return {
    part: Int32Array.from(rows.keys()),
    classIndex,
    teacherConfidence: Float64Array.from(rows, ([, confidence]) => confidence),
    copiedError: Uint8Array.from(rows, ([, , error]) => error),
    passing: { classIndex, score: Float64Array.from(rows, ([, , , score]) => score) },
  };
}

const times = <T>(count: number, row: T): T[] => Array.from({ length: count }, () => row);

describe("the bounds", () => {
  const family = someFamily([0.1, 0.5], 2);
  const cal = someJudged([
    ...times(90, [0, 0.95, 0, 0.05] as const),
    ...times(10, [0, 0.3, 1, 0.3] as const),
    ...times(7, [1, 0.995, 1, 0.9] as const),
    ...times(5, [-1, 0.995, 1, Number.POSITIVE_INFINITY] as const),
    ...times(5, [0, Number.NaN, 0, 0.2] as const),
  ]);
  const bounded = reliabilityOf(cal, cal, family, 2, OPTIONS);

  test("spend their own eta: tables and cells add up to what the revision has", () => {
    const { eta, tableCellEta, cellEta, etaTarget } = bounded;
    expect(etaTarget).toBe(0.05);
    expect(eta).toBeCloseTo(0.3 / Math.PI ** 2, 14);
    expect(tableCellEta * (2 + 1) * 32 + cellEta * 2 * 2 * CONFIDENCE_FROM.length).toBeCloseTo(eta, 14);
    expect(reliabilityOf(cal, cal, family, 2, { ...OPTIONS, revision: 3 }).eta).toBeCloseTo(eta / 9, 14);
  });

  test("count what passes at each lambda, exactly", () => {
    const { tableCellEta, classCells, stationCells } = bounded;
    const cell = (n: number, k: number) => ({ n, k, upperBound: binomialUpperBound(k, n, tableCellEta) });
    expect(classCells).toEqual([
      [cell(90, 0), cell(105, 10)],
      [cell(0, 0), cell(0, 0)],
    ]);
    expect(stationCells).toEqual([[cell(90, 0), cell(105, 10)]]);
    expect(classCells[1]![1]!.upperBound).toBe(1);
  });

  test("count each class by the teacher's confidence, passing or not; k = n and n = 0 included", () => {
    const { cells, cellEta } = bounded;
    expect(cells[0]!.map(({ n, k }) => [n, k])).toEqual([
      [10, 10],
      [0, 0],
      [90, 0],
      [0, 0],
    ]);
    expect(cells[0]![0]).toMatchObject({ upperBound: 1, lowerBound: expect.closeTo(cellEta ** 0.1, 12) });
    expect(cells[0]![1]).toMatchObject({ n: 0, k: 0, lowerBound: 0, upperBound: 1 });
    expect(cells[0]![2]).toMatchObject({
      lowerBound: 0,
      upperBound: expect.closeTo(1 - cellEta ** (1 / 90), 12),
    });
    expect(cells[1]!.map(({ n, k }) => [n, k])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
      [7, 7],
    ]);
  });

  test("distrust what fit saw too often wrong, and what fit did not see; cal has no say in it", () => {
    const clean = someJudged([
      ...times(90, [0, 0.3, 0, 0.1] as const),
      ...times(10, [0, 0.3, 1, 0.1] as const),
      ...times(9, [0, 0.95, 0, 0.1] as const),
      ...times(2, [0, 0.95, 1, 0.1] as const),
    ]);
    const { cells } = reliabilityOf(clean, cal, family, 2, OPTIONS);
    expect(cells[0]!.map(({ distrusted }) => distrusted)).toEqual([false, true, true, true]);
    expect(cells[1]!.every(({ distrusted }) => distrusted)).toBe(true);
  });

  test("refuse an eta or a limit that is none", () => {
    for (const bad of [0, 1, Number.NaN]) {
      expect(() => reliabilityOf(cal, cal, family, 2, { ...OPTIONS, etaLabels: bad })).toThrow(RangeError);
      expect(() => reliabilityOf(cal, cal, family, 2, { ...OPTIONS, limit: bad })).toThrow(RangeError);
    }
  });
});

describe("evidence with labels", () => {
  const DELTA = 0.15;
  const bare = someEvidence({ parts: 4000, seed: 6 });
  const random = seededRandom(8);
  // The label is what the teacher says, but for one part in twenty.
  const label = Int16Array.from(bare.part, (_, row) =>
    random.next() < 0.05 ? 0 : finiteArgmax(bare.teacherLogits, row, 3),
  );
  const evidence = { ...bare, label };
  const fitted = fitEnvelope(evidence, { delta: DELTA, seed: 1 });
  const certificate = certify(evidence, fitted, FULL_OPTIONS);
  const bounded = teacherReliability(evidence, fitted, certificate, 0.05)!;

  test("has none of it without labels: correctness is unknown", () => {
    expect(teacherReliability(bare, fitted, certificate, 0.05)).toBeUndefined();
    const onFitAlone = {
      ...evidence,
      label: label.map((l, row) => (bare.splitOfPart[row] === "fit" ? l : -1)),
    };
    expect(teacherReliability(onFitAlone, fitted, certificate, 0.05)).toBeUndefined();
  });

  test("bounds the chosen rule by what passes under it", () => {
    const { chosen, coarse } = certificate;
    const coarseIndex = coarse.indexOf(chosen!.lambdaIndex);
    const { station, classes } = copiedErrorsAt(bounded, certificate, chosen!.chain, coarseIndex);
    const parts = partsOf(evidence, "cal");
    const passes = passingParts(
      partOutcomes(evidence, fitted, parts),
      classLambdas(certificate, chosen!.chain, coarseIndex),
    );
    const { copiedError } = labelledParts(evidence, parts);
    expect(station.n).toBe(passes.reduce((sum, pass) => sum + pass, 0));
    expect(station.k).toBe(passes.reduce((sum, pass, i) => sum + pass * copiedError[i]!, 0));
    expect(station.k).toBeGreaterThan(0);
    expect(classes.reduce((sum, cell) => sum + (cell?.n ?? 0), 0)).toBe(station.n);
  });

  test("counts a part once, however many frames it has", () => {
    const copied = withCopies(evidence, 5);
    expect(teacherReliability(copied, fitted, certificate, 0.05)).toEqual(bounded);
  });

  test("does not read cal to distrust", () => {
    const other = { ...evidence, label: label.map((l, row) => (bare.splitOfPart[row] === "cal" ? 0 : l)) };
    const flags = (of: TeacherReliability) => of.cells.map((bins) => bins.map((cell) => cell.distrusted));
    expect(flags(teacherReliability(other, fitted, certificate, 0.05)!)).toEqual(flags(bounded));
  });

  test("of a single class fits in, and the other classes are bounded by 1", () => {
    const single = { ...someEvidence({ occurring: [1] }), label: new Int16Array(1200).fill(1) };
    const envelope = fitEnvelope(single, { delta: DELTA, seed: 1 });
    const of = teacherReliability(single, envelope, certify(single, envelope, FULL_OPTIONS), 0.05)!;
    expect([...of.classCells[0]!, ...of.cells[2]!].every(({ upperBound }) => upperBound === 1)).toBe(true);
  });
});

describe("600 calibrations with known truth", () => {
  // Scores and teacher confidences are uniform and independent; a part of class c is a copied error with
  // probability level * score * (1 - confidence).
  const LEVELS = [0.08, 0.9] as const;
  const LAMBDAS = [0.1, 0.2, 0.4, 0.6, 0.8, 1];
  const family = someFamily(LAMBDAS, 2, {
    limits: [
      [5, 5],
      [5, 2],
      [3, -1],
    ],
    start: [0, 0, 0],
  });
  const options = { ...OPTIONS, etaLabels: 0.5 };
  const random = seededRandom(31);

  function draw(parts: number, of: Random): JudgedParts {
    return someJudged(
      Array.from({ length: parts }, () => {
        const c = of.next() < 0.7 ? 0 : 1;
        const [confidence, score] = [of.next(), of.next()];
        const error = of.next() < LEVELS[c] * score * (1 - confidence) ? 1 : 0;
        return [c, confidence, error, score] as const;
      }),
    );
  }

  const classRisk = (c: number, lambda: number): number => (LEVELS[c]! * lambda) / 4;
  function stationRisk(limits: readonly number[], at: number): number {
    const lambdas = limits.map((limit) => (limit < 0 ? 0 : LAMBDAS[Math.min(limit, at)]!));
    const shares = lambdas.map((lambda, c) => (c === 0 ? 0.7 : 0.3) * lambda);
    const passing = shares.reduce((sum, share) => sum + share, 0);
    return shares.reduce((sum, share, c) => sum + (share / passing) * classRisk(c, lambdas[c]!), 0);
  }
  const binRisk = (c: number, bin: number): number => {
    const [from, to] = [CONFIDENCE_FROM[bin]!, CONFIDENCE_FROM[bin + 1] ?? 1];
    return (LEVELS[c]! / 2) * (1 - (from + to) / 2);
  };

  function isBroken({ stationCells, classCells, cells }: TeacherReliability): boolean {
    return (
      stationCells.some((row, m) =>
        row.some(({ upperBound }, j) => stationRisk(family.limits[m]!, j) > upperBound),
      ) ||
      classCells.some((row, c) => row.some(({ upperBound }, j) => classRisk(c, LAMBDAS[j]!) > upperBound)) ||
      cells.some((bins, c) =>
        bins.some(
          ({ lowerBound, upperBound }, bin) => binRisk(c, bin) > upperBound || binRisk(c, bin) < lowerBound,
        ),
      )
    );
  }

  const runs = Array.from({ length: 600 }, () => {
    const cal = draw(800, random);
    return { cal, bounded: reliabilityOf(cal, cal, family, 2, options) };
  });

  test("all bounds together break in no more than eta of them", () => {
    const broken = runs.filter(({ bounded }) => isBroken(bounded)).length;
    expect(broken / runs.length).toBeLessThanOrEqual(runs[0]!.bounded.eta);
  });

  test("the rates seen break, taken for bounds, in nearly all: the truth here is one that can be missed", () => {
    const naive = runs.filter(({ bounded }) =>
      isBroken({
        ...bounded,
        classCells: bounded.classCells.map((row) =>
          row.map((cell) => ({ ...cell, upperBound: cell.k / cell.n })),
        ),
      }),
    ).length;
    expect(naive / runs.length).toBeGreaterThan(0.8);
  });

  test("one bound alone, at a share worth seeing, breaks about as often as that share: it is exact", () => {
    const share = 0.1;
    const at = LAMBDAS.length - 1;
    const broken = runs.filter(({ bounded }) => {
      const { n, k } = bounded.classCells[1]![at]!;
      return classRisk(1, LAMBDAS[at]!) > binomialUpperBound(k, n, share);
    }).length;
    const deviation = Math.sqrt((share * (1 - share)) / runs.length);
    expect(broken / runs.length).toBeLessThan(share + 3 * deviation);
    expect(broken / runs.length).toBeGreaterThan(share / 2);
  });
});
