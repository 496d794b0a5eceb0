/** Certified bounds on the gap: the toy pair by its known numbers, and the pieces each by what they promise. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundGap } from "../../src/core/bounds/gap-bound.ts";
import { type Box, flat, type Network, POINT_KERNEL } from "../../src/core/bounds/network.ts";
import {
  lineOverRelu,
  lineOverTanh,
  lineUnderRelu,
  lineUnderTanh,
} from "../../src/core/bounds/relaxation.ts";
import { searchWorstGap } from "../../src/core/bounds/search.ts";
import {
  largestDifference,
  lineOverOdds,
  lineUnderOdds,
  oddsRise,
} from "../../src/core/bounds/softmax-bounds.ts";
import { gap, softmax } from "../../src/core/confidence.ts";
import { seededRandom } from "../../src/core/random.ts";

const vectors = fileURLToPath(new URL("vectors.json", import.meta.url));
const toy = JSON.parse(readFileSync(vectors, "utf8")).ibpToy;

type Matrix = readonly (readonly number[])[];

function aNetwork(first: Matrix, bias: readonly number[], second: Matrix): Network {
  const linear = (input: number, rows: Matrix, added: readonly number[]) => ({
    kind: "linear" as const,
    name: "Gemm",
    input,
    from: flat(rows[0]!.length),
    to: flat(rows.length),
    weights: Float64Array.from(rows.flat()),
    bias: Float64Array.from(added),
    biasMass: Float64Array.from(added, Math.abs),
    groups: 1,
    kernel: POINT_KERNEL,
  });
  const hidden = flat(first.length);
  const relu = { kind: "relu" as const, name: "Relu", input: 1, from: hidden, to: hidden };
  return {
    input: flat(first[0]!.length),
    layers: [
      linear(0, first, bias),
      relu,
      linear(
        2,
        second,
        second.map(() => 0),
      ),
    ],
    output: 3,
  };
}

function confidenceOf(first: Matrix, bias: readonly number[], second: Matrix, x: readonly number[]) {
  const times = (rows: Matrix, by: readonly number[]) =>
    rows.map((row) => row.reduce((sum, weight, i) => sum + weight * by[i]!, 0));
  const hidden = times(first, x).map((value, i) => Math.max(0, value + bias[i]!));
  const p = new Float64Array(second.length);
  softmax(times(second, hidden), 0, second.length, 1, p);
  return p;
}

describe("the toy pair", () => {
  const { W1, b1, W2, V1, c1, V2, x, epsilon, certified, denseGridWorst } = toy;
  const box: Box = {
    lower: x.map((value: number) => value - epsilon),
    upper: x.map((value: number) => value + epsilon),
  };
  const found = boundGap(aNetwork(W1, b1, W2), aNetwork(V1, c1, V2), box, {
    multiplicationsMax: 1e6,
    unit: 2 ** -53,
  });

  test("certifies by plain intervals at the number computed elsewhere", () => {
    expect(found.upperByIntervals).toBeCloseTo(certified, 8);
    expect(found.upperByIntervals).toBeGreaterThan(certified - 5e-9);
  });

  test("is tightened to between that and the worst of a dense grid", () => {
    expect(found.upper).toBeGreaterThan(denseGridWorst);
    expect(found.upper).toBeLessThan(0.175);
    expect(found.upperApart).toBeLessThan(0.3);
    expect(found.upper).toBeLessThan(found.upperApart);
    expect(found.upperApart).toBeLessThan(found.upperByIntervals);
  });

  test("keeps a little room for the rounding of float32", () => {
    const rounded = boundGap(aNetwork(W1, b1, W2), aNetwork(V1, c1, V2), box, { multiplicationsMax: 1e6 });
    expect(rounded.upper).toBeGreaterThan(found.upper);
    expect(rounded.upper).toBeLessThan(found.upper + 1e-5);
  });

  test("has no gap anywhere in the box above the bound", () => {
    const steps = 60;
    let worst = 0;
    for (let i = 0; i <= steps; i++) {
      for (let j = 0; j <= steps; j++) {
        const at = [x[0] - epsilon + (2 * epsilon * i) / steps, x[1] - epsilon + (2 * epsilon * j) / steps];
        worst = Math.max(worst, gap(confidenceOf(W1, b1, W2, at), confidenceOf(V1, c1, V2, at)));
      }
    }
    expect(worst).toBeCloseTo(denseGridWorst, 3);
    expect(worst).toBeLessThanOrEqual(found.upper);
  });
});

test("a value too large for float32 bounds nothing", () => {
  const huge = aNetwork([[1e30]], [0], [[1e30], [-1e30]]);
  const box = { lower: [1], upper: [2] };
  expect(boundGap(huge, huge, box, { multiplicationsMax: 1e6 }).upper).toBe(1);
});

const ends = fc
  .tuple(fc.double({ min: -12, max: 12, noNaN: true }), fc.double({ min: 0, max: 9, noNaN: true }))
  .map(([l, width]) => [l, l + width] as const);
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe("lines", () => {
  test.each([
    ["ReLU", (x: number) => Math.max(0, x), lineUnderRelu, lineOverRelu],
    ["tanh", Math.tanh, lineUnderTanh, lineOverTanh],
  ] as const)("lie under and over %s wherever it is looked at", (_, f, under, over) => {
    fc.assert(
      fc.property(ends, share, ([l, u], at) => {
        const x = Math.min(u, l + at * (u - l));
        const line = { slope: 0, offset: 0 };
        under(l, u, line);
        expect(line.slope * x + line.offset).toBeLessThanOrEqual(f(x) + 1e-15);
        over(l, u, line);
        expect(line.slope * x + line.offset).toBeGreaterThanOrEqual(f(x) - 1e-15);
      }),
      { numRuns: 2000 },
    );
  });

  test("lie under and over the log of a sum of exponentials", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(ends, share), { minLength: 1, maxLength: 5 }), (sides) => {
        const lower = Float64Array.from([0, ...sides.map(([[l]]) => l)]);
        const upper = Float64Array.from([0, ...sides.map(([[, u]]) => u)]);
        const d = [0, ...sides.map(([[l, u], at]) => Math.min(u, l + at * (u - l)))];
        const value = Math.log(d.reduce((sum, of) => sum + Math.exp(of), 0));
        const at = ({ slopes, offset }: ReturnType<typeof lineOverOdds>) =>
          slopes.reduce((sum, slope, j) => sum + slope * d[j]!, offset);
        expect(at(lineUnderOdds(lower, upper))).toBeLessThanOrEqual(value);
        expect(at(lineOverOdds(lower, upper))).toBeGreaterThanOrEqual(value);
      }),
      { numRuns: 2000 },
    );
  });
});

test("ends that are no numbers bound nothing", () => {
  expect(largestDifference([0, 1], [0, 1], Number.NaN)).toBe(1);
  expect(largestDifference([0, Number.POSITIVE_INFINITY], [0, Number.POSITIVE_INFINITY], 1e4)).toBe(1);
  expect(oddsRise(1e4, [1, 1])).toBe(1e4);
});

test("the rise of minus log confidence is above every one that is allowed", () => {
  const rises = fc.array(fc.tuple(ends, share), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(rises, fc.double({ min: -4, max: 4, noNaN: true }), share, share, (others, most, i, j) => {
      const before = others.map(([[l, u], at]) => l + at * (u - l));
      const after = before.map((d, k) => d + most - (k === 0 ? 0 : i * k));
      const odds = (d: readonly number[]) => Math.log(d.reduce((sum, of) => sum + Math.exp(of), 1));
      const p = Math.exp(-odds(before));
      const bounds = [p * j, p + (1 - p) * j] as const;
      expect(odds(after) - odds(before)).toBeLessThanOrEqual(oddsRise(most, bounds));
    }),
    { numRuns: 2000 },
  );
});

test("the largest difference of two confidences is above every one that is allowed", () => {
  const odds = ends.map(([l, u]) => [Math.abs(l), Math.abs(l) + u - l] as const);
  fc.assert(
    fc.property(
      odds,
      odds,
      fc.double({ min: -3, max: 6, noNaN: true }),
      share,
      share,
      (as, bs, most, i, j) => {
        const a = as[0] + i * (as[1] - as[0]);
        const b = bs[0] + j * (bs[1] - bs[0]);
        fc.pre(b - a <= most);
        expect(Math.exp(-a) - Math.exp(-b)).toBeLessThanOrEqual(largestDifference(as, bs, most) + 1e-15);
      },
    ),
    { numRuns: 3000 },
  );
});

describe("the search", () => {
  const shape = { channels: 1, height: 1, width: 12 };
  const box = { lower: new Float32Array(12).fill(-1), upper: new Float32Array(12).fill(1) };
  const options = { classes: 2, shape, batch: 16, rounds: 20 };
  const start = { by: "frame" as const, row: new Float32Array(12) };
  let outside = 0;
  /** The teacher is never sure; the student the surer, the nearer the row is to one corner. */
  const ask = async (rows: Float32Array, count: number) => {
    outside += rows.filter((value) => !(value >= -1 && value <= 1)).length;
    const sure = (row: number): number =>
      rows
        .subarray(row * 12, row * 12 + 12)
        .reduce((sum, value, i) => sum + (i % 3 === 0 ? value : -value), 0);
    const student = Float32Array.from({ length: 2 * count }, (_, i) =>
      i % 2 === 0 ? sure(i / 2) / 4 + 0.5 : 0,
    );
    return { teacher: new Float32Array(2 * count), student };
  };

  test("finds the corner where the models part most, and never leaves the box", async () => {
    const found = await searchWorstGap(box, [start], ask, seededRandom(1), options);
    expect(found.by).toBe("gradient-free");
    expect([...found.row]).toEqual(Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? 1 : -1)));
    expect(found.gap).toBeCloseTo(1 / (1 + Math.exp(-3.5)) - 0.5, 6);
    expect(found.asked).toBe(1 + 16 + 20 * 16);
    expect(outside).toBe(0);
  });

  test("draws starts into the box, and keeps the first input on which the classes differ", async () => {
    const far = { by: "nuisance" as const, row: new Float32Array(12).fill(9) };
    const found = await searchWorstGap(box, [start, far], ask, seededRandom(1), { ...options, rounds: 0 });
    // All ones: 4 - 8 is negative, so that the student changes its class while the undecided teacher keeps its first.
    expect([...found.disagreement!]).toEqual(Array(12).fill(1));
    expect(outside).toBe(0);
  });
});
