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
import { largestDifference, lineOverOdds, lineUnderOdds } from "../../src/core/bounds/softmax-bounds.ts";
import { gap, softmax } from "../../src/core/confidence.ts";

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
    expect(found.upper).toBeLessThan(0.18);
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
