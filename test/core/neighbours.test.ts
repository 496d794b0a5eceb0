/** The search over prototypes against one that looks at every one of them. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { createNeighbours, NOVELTY_MAX } from "../../src/core/envelope/neighbours.ts";
import type { Prototypes } from "../../src/core/envelope/types.ts";

const DIMENSIONS = 5;
const CLASSES = 2;

/** Few distinct numbers, so that first components often agree and places lie on prototypes. */
const component = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.float({ min: -5, max: 5, noNaN: true }),
  fc.constantFrom(1e30, -1e30),
);
const point = fc.array(component, { minLength: DIMENSIONS, maxLength: DIMENSIONS });

function somePrototypes(points: readonly (readonly number[])[], first: number): Prototypes {
  return {
    neighbours: 4,
    classStart: [0, first, points.length],
    points: Float32Array.from(points.flat()),
    // One for all at the same distance, so that it does not matter which of two is left out.
    gaps: Float32Array.from(points, () => 0.25),
    classGap: [0.1, 0.2],
    shrinkage: 1.5,
    medianDistance: [0.5, 2],
  };
}

function everyOne(prototypes: Prototypes, place: readonly number[], c: number): unknown {
  const { points, classStart, neighbours, shrinkage, classGap, gaps } = prototypes;
  const squared: number[] = [];
  for (let row = classStart[c]!; row < classStart[c + 1]!; row++) {
    squared.push(place.reduce((sum, x, d) => sum + (x - points[row * DIMENSIONS + d]!) ** 2, 0));
  }
  const nearest = squared.sort((a, b) => a - b).slice(0, neighbours);
  const reach = nearest.at(-1) ?? 0;
  const weights = nearest.map((one) => (reach > 0 ? 1 / (1 + one / reach) : 1));
  const total = weights.reduce((sum, weight) => sum + weight, shrinkage);
  const localGap = weights.reduce((sum, weight) => sum + weight * gaps[0]!, shrinkage * classGap[c]!) / total;
  const closest = nearest.slice(0, 2).map(Math.sqrt);
  const distance = closest.reduce((sum, one) => sum + one, 0) / closest.length;
  const novelty =
    closest.length === 0 ? NOVELTY_MAX : Math.min(NOVELTY_MAX, distance / prototypes.medianDistance[c]!);
  return { localGap, distance, novelty };
}

test("finds the same neighbours as a look at every prototype", () => {
  fc.assert(
    fc.property(
      fc.array(point, { minLength: 1, maxLength: 40 }),
      fc.nat(),
      fc.array(point, { minLength: 1, maxLength: 5 }),
      (points, cut, places) => {
        const prototypes = somePrototypes(points, cut % (points.length + 1));
        const { found, search } = createNeighbours(prototypes, DIMENSIONS);
        for (const place of places) {
          const exact = Array.from(Float32Array.from(place));
          for (let c = 0; c < CLASSES; c++) {
            search(Float64Array.from(exact), c);
            const expected = everyOne(prototypes, exact, c) as typeof found;
            for (const name of ["localGap", "distance", "novelty"] as const) {
              const scale = Number.isFinite(expected[name]) ? Math.abs(expected[name]) : 1;
              if (Number.isNaN(expected[name])) expect(found[name]).toBeNaN();
              else expect(Math.abs(found[name] - expected[name])).toBeLessThanOrEqual(1e-9 * scale);
            }
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("takes the gaps of the nearest, whatever order the prototypes come in", () => {
  const points = [5, -1, 3, 0, 9, 2].map((x) => [x, 0, 0, 0, 0]);
  const prototypes = { ...somePrototypes(points, 6), neighbours: 1, shrinkage: 0 };
  const gaps = Float32Array.of(0.5, 0.125, 0.375, 0, 0.875, 0.25);
  const { found, search } = createNeighbours({ ...prototypes, gaps }, DIMENSIONS);
  const nearestGap = (x: number): number => {
    search(Float64Array.of(x, 0, 0, 0, 0), 0);
    return found.localGap;
  };
  expect([-9, -0.9, 0.1, 2.1, 2.9, 4.6, 8, 99].map(nearestGap)).toEqual([
    0.125, 0.125, 0, 0.25, 0.375, 0.5, 0.875, 0.875,
  ]);
});
