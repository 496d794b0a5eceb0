/** The range of delta: what the teacher's swing and lead leave for it, on fit alone. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DeltaFacts, deltaFacts, deltaRange, deltaShares } from "../../src/core/envelope/delta-range.ts";
import type { Evidence } from "../../src/core/envelope/types.ts";
import { someEvidence, withRowsChanged } from "./evidence.ts";

/** Facts from rows [gap, swing, half lead] of agreeing parts. */
function someFacts(rows: readonly (readonly [number, number, number])[], parts = rows.length): DeltaFacts {
  return {
    parts,
    gap: Float64Array.from(rows, ([gap]) => gap),
    swing: Float64Array.from(rows, ([, swing]) => swing),
    halfLead: Float64Array.from(rows, ([, , halfLead]) => halfLead),
  };
}

const times = <T>(count: number, row: T): T[] => Array.from({ length: count }, () => row);

describe("the facts", () => {
  const two: Evidence = {
    ...someEvidence({ parts: 3, classes: 2, framesPerPart: 2 }),
    splitOfPart: ["fit", "fit", "cal"],
    studentLogits: Float32Array.of(1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0),
    teacherLogits: Float32Array.of(2, 0, 1, 0, 2, 0, 2, 0, 9, 0, 9, 0),
    largestGap: Float32Array.of(0.25, 0.5, 0.1, 0.1, 0.1, 0.1),
    teacherSwing: Float32Array.of(0.125, 0.0625, 0.1, 0.1, 0.9, 0.9),
  };

  test("take a part of fit by its worst frames, and leave out parts on which the classes differ", () => {
    const { parts, gap, swing, halfLead } = deltaFacts(two);
    expect(parts).toBe(2);
    expect([...gap]).toEqual([0.5]);
    expect([...swing]).toEqual([0.125]);
    // The smaller lead: softmax (1, 0) is 0.7311 to 0.2689.
    expect([...halfLead]).toEqual([expect.closeTo(Math.tanh(0.5) / 2, 12)]);
  });

  test("count a swing or gap that is not finite for further than any delta", () => {
    const broken = { ...two, teacherSwing: two.teacherSwing.map(() => Number.NaN) };
    expect([...deltaFacts(broken).swing]).toEqual([Number.POSITIVE_INFINITY]);
    const gapless = { ...two, largestGap: two.largestGap.map(() => Number.NaN) };
    expect(deltaShares(deltaFacts(gapless), 1).faithful).toBe(0);
    const mute = { ...two, teacherLogits: two.teacherLogits.map(() => Number.NaN) };
    expect(deltaFacts(mute).gap).toHaveLength(0);
  });

  test("do not depend on cal", () => {
    const evidence = someEvidence({ parts: 400 });
    const other = withRowsChanged(evidence, "cal", ({ logits, teacher, gap }, row) => {
      logits[row * 3] = 50;
      teacher[row * 3 + 1] = 50;
      gap[row] = 1;
    });
    expect(deltaFacts(other)).toEqual(deltaFacts(evidence));
  });
});

describe("the range", () => {
  test("runs from the median swing to the half lead that 95% have, over the steady parts", () => {
    // 100 steady parts, and 50 on which the teacher can change its own answer: no delta says anything of those.
    const steady = Array.from({ length: 100 }, (_, i) => [0.01, (i + 1) / 1000, 0.2 + i / 1000] as const);
    const range = deltaRange(someFacts([...steady, ...times(50, [0.9, 0.8, 0.05] as const)]));
    expect(range).toMatchObject({ agreeing: 150, steady: 100, floor: 0.05 });
    expect(range.ceiling).toBeCloseTo(0.205, 12);
  });

  test("has its floor above its ceiling for a teacher that swings wildly, and suggests nothing", () => {
    const wild = Array.from({ length: 200 }, (_, i) => [0.3, 0.2 + i / 1000, 0.25 + i / 1000] as const);
    const { floor, ceiling, suggested } = deltaRange(someFacts(wild));
    expect(floor).toBeGreaterThan(ceiling);
    expect(suggested).toBeNaN();
  });

  test("is not there where no part is steady, or none agrees: every comparison with it fails", () => {
    for (const rows of [[], times(9, [0.1, 0.5, 0.4] as const), times(9, [0, Infinity, 0.5] as const)]) {
      const { floor, ceiling, suggested, steady } = deltaRange(someFacts(rows));
      expect([floor, ceiling, suggested]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
      expect(steady).toBe(0);
    }
  });

  test("suggests the strictest delta that keeps nine in ten of what the best one keeps", () => {
    const gaps = Array.from({ length: 100 }, (_, i) => [(i + 1) / 1000, 0.001, 0.4] as const);
    expect(deltaRange(someFacts(gaps)).suggested).toBe(0.09);
    // Rounded up to hundredths only where the ceiling allows, and else to less.
    const narrow = times(10, [0.0113, 0.001, 0.0125] as const);
    expect(deltaRange(someFacts(narrow)).suggested).toBe(0.012);
    // A student that is its teacher: still no delta of 0, which nothing that rounds could keep.
    expect(deltaRange(someFacts(times(10, [0, 0, 0.4] as const))).suggested).toBe(0.01);
  });

  test("suggests nothing where no part is faithful at a delta that leaves its class alone", () => {
    expect(deltaRange(someFacts(times(20, [0.4, 0.01, 0.3] as const))).suggested).toBeNaN();
  });

  test("any facts whatever: ends in [0, 0.5], and a suggestion lies between them", () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    const swing = fc.oneof(unit, fc.constant(Number.POSITIVE_INFINITY));
    const row = fc.tuple(swing, swing, fc.double({ min: 0, max: 0.5, noNaN: true }));
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
        const facts = someFacts(rows);
        const { steady, floor, ceiling, suggested } = deltaRange(facts);
        if (steady === 0) {
          expect(floor).toBeNaN();
          return;
        }
        for (const end of [floor, ceiling]) expect(end >= 0 && end <= 0.5).toBe(true);
        const at = [...facts.swing.keys()].filter((i) => facts.swing[i]! < facts.halfLead[i]!);
        expect(at.filter((i) => facts.swing[i]! <= floor).length).toBeGreaterThanOrEqual(steady / 2);
        expect(at.filter((i) => facts.halfLead[i]! >= ceiling).length).toBeGreaterThanOrEqual(0.95 * steady);
        if (!Number.isNaN(suggested)) expect(floor <= suggested && suggested <= ceiling).toBe(true);
        if (!(floor <= ceiling)) expect(suggested).toBeNaN();
      }),
    );
  });
});

describe("a student within delta of the teacher", () => {
  test("gives its class wherever delta is below half the teacher's lead", () => {
    const weights = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(weights, weights, (a, b) => {
        const normed = (w: number[]): number[] => w.map((value) => value / w.reduce((s, v) => s + v, 0));
        const [teacher, student] = [normed(a), normed(b)];
        const [first, second] = [...teacher].sort((x, y) => y - x) as [number, number];
        const gap = Math.max(...teacher.map((p, c) => Math.abs(p - student[c]!)));
        fc.pre(gap < (first - second) / 2);
        expect(student.indexOf(Math.max(...student))).toBe(teacher.indexOf(first));
      }),
    );
  });
});

test("shares count faithful parts, those among them whose class is open, and parts that the teacher moves further on", () => {
  const facts = someFacts(
    [
      [0.05, 0.2, 0.4],
      [0.05, 0.01, 0.1],
      [0.3, 0.01, 0.4],
    ],
    4,
  );
  expect(deltaShares(facts, 0.1)).toEqual({ faithful: 0.5, classOpen: 0.25, teacherMoves: 0.25 });
  expect(deltaShares(someFacts([]), 0.1).faithful).toBeNaN();
});
