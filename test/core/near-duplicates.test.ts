/** Frames that show one part under two names are found; different parts are left in peace. */

import { describe, expect, test } from "vitest";
import {
  IMAGE_NUISANCES,
  type Nuisance,
  TENSOR_NUISANCES,
  writeNeighbourhood,
} from "../../src/core/nuisance.ts";
import { normal, seededRandom } from "../../src/core/random.ts";
import { findNearDuplicates } from "../../src/core/repeats/near-duplicates.ts";
import { nearestRows } from "../../src/core/repeats/nearest.ts";
import { apparelFrames } from "../support/apparel.ts";
import { aPicture, aSignal, inMemory, PICTURE, SIGNAL } from "../support/pictures.ts";

const GARMENT = { kind: "image", height: 28, width: 28, channels: 1 } as const;
const anyPair = (): boolean => true;

/** One copy of a frame as a recipe makes it. */
function copyOf(
  values: Float32Array,
  spec: typeof GARMENT | typeof SIGNAL,
  nuisance: Nuisance,
  seed: number,
): Float32Array {
  const copy = new Float32Array(values.length);
  writeNeighbourhood(values, spec, { nuisances: [nuisance], copies: 1, seed: 77 }, seed, copy);
  return spec.kind === "image" ? copy.map(Math.round) : copy;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe("of 2,000 real garments", () => {
  const search = { spec: GARMENT, nuisances: IMAGE_NUISANCES, mayPair: anyPair, seed: 1 };
  const garments = apparelFrames().then((frames) => frames.map((frame) => Float32Array.from(frame)));

  test("none are near-duplicates", async () => {
    expect(await findNearDuplicates(inMemory(await garments), search)).toEqual({ frames: 0, examples: [] });
  });

  test("fifty that were taken again with one nuisance each are found, with their originals", async () => {
    const frames = await garments;
    const again = range(50).map((i) => copyOf(frames[40 * i]!, GARMENT, IMAGE_NUISANCES[i % 5]!, i));
    const found = await findNearDuplicates(inMemory([...frames, ...again]), search);
    expect(found!.frames).toBe(100);
    expect(found!.examples.slice(0, 2)).toEqual([
      [0, 2000],
      [40, 2001],
    ]);
  });

  test("of fifty taken again with all nuisances at once at least nine in ten are found", async () => {
    const frames = await garments;
    const again = range(50).map((i) =>
      IMAGE_NUISANCES.reduce<Float32Array>(
        (values, nuisance) => copyOf(values, GARMENT, nuisance, i),
        frames[40 * i]!,
      ),
    );
    const found = await findNearDuplicates(inMemory([...frames, ...again]), search);
    expect(found!.frames).toBeGreaterThanOrEqual(90);
    expect(found!.frames).toBeLessThanOrEqual(100);
  });
});

describe("near-duplicates", () => {
  test("are looked for only where they may not be", async () => {
    const frames = [...range(60).map((part) => aPicture(part)), ...range(10).map((part) => aPicture(part))];
    const splitOf = (i: number): number => i % 4; // 60 is a multiple: copy and original share it.
    const among = (mayPair: (i: number, j: number) => boolean) =>
      findNearDuplicates(inMemory(frames), { spec: PICTURE, nuisances: IMAGE_NUISANCES, mayPair, seed: 1 });
    expect((await among(anyPair))!.frames).toBe(20);
    expect((await among((i, j) => splitOf(i) !== splitOf(j)))!.frames).toBe(0);
  });

  test("of signals are found, late, louder or noisy", async () => {
    const signals = range(300).map((part) => aSignal(part));
    const again = range(20).map((i) => copyOf(signals[i]!, SIGNAL, TENSOR_NUISANCES[i % 4]!, i));
    const search = { spec: SIGNAL, nuisances: TENSOR_NUISANCES, mayPair: anyPair, seed: 1 };
    expect((await findNearDuplicates(inMemory(signals), search))!.frames).toBe(0);
    expect((await findNearDuplicates(inMemory([...signals, ...again]), search))!.frames).toBe(40);
  });

  test("are what the recipe says: with noise alone, a shifted frame is another", async () => {
    const picture = aPicture(1);
    const shifted = Float32Array.from(picture, (_, at) => picture[at % 24 === 0 ? at : at - 1]!);
    const noisy = copyOf(picture, PICTURE as typeof GARMENT, { kind: "noise", magnitude: 0.02 }, 1);
    const others = range(30).map((part) => aPicture(part + 2));
    const nuisances: Nuisance[] = [{ kind: "noise", magnitude: 0.02 }];
    const search = { spec: PICTURE, nuisances, mayPair: anyPair, seed: 1 };
    expect((await findNearDuplicates(inMemory([picture, shifted, ...others]), search))!.frames).toBe(0);
    const found = await findNearDuplicates(inMemory([picture, noisy, ...others]), search);
    expect(found).toEqual({ frames: 2, examples: [[0, 1]] });
  });

  test("are all frames of an empty belt", async () => {
    const even = range(200).map(() => new Float32Array(576).fill(90));
    const search = { spec: PICTURE, nuisances: IMAGE_NUISANCES, mayPair: anyPair, seed: 1 };
    const found = await findNearDuplicates(inMemory([...even, aPicture(1)]), search);
    expect(found!.frames).toBe(200);
    expect(found!.examples).toHaveLength(5);
  });

  test("are not looked for among frames of a few numbers, and not found in one frame", async () => {
    const nuisances = TENSOR_NUISANCES;
    const few = {
      spec: { kind: "tensor", type: "f32", shape: [8] },
      nuisances,
      mayPair: anyPair,
      seed: 1,
    } as const;
    expect(await findNearDuplicates(inMemory([new Float32Array(8)]), few)).toBeUndefined();
    const alone = { spec: SIGNAL, nuisances, mayPair: anyPair, seed: 1 };
    expect(await findNearDuplicates(inMemory([aSignal(1)]), alone)).toEqual({ frames: 0, examples: [] });
  });
});

describe("the nearest rows", () => {
  const rows = 3000;
  const width = 12;
  const random = seededRandom(3);
  const table = Float32Array.from({ length: rows * width }, () => normal(random));
  // Row i + rows/2 lies next to row i.
  for (let at = 0; at < table.length / 2; at++)
    table[at + table.length / 2] = table[at]! + 0.01 * normal(random);
  const options = { neighbours: 3, radius: 1, mayPair: anyPair, random: seededRandom(1) };

  test("are found for at least 99 rows of 100, nearest first", () => {
    const found = nearestRows(table, width, options);
    const hits = range(rows).filter((i) => found[3 * i] === (i + rows / 2) % rows);
    expect(hits.length).toBeGreaterThan(0.99 * rows);
  });

  test("are none beyond the radius, none that may not pair, and none twice", () => {
    const near = nearestRows(table, width, { ...options, radius: 1e-6 });
    expect(near.every((row) => row === -1)).toBe(true);
    const apart = nearestRows(table, width, { ...options, mayPair: (i, j) => (i + j) % 2 === 1 });
    for (const i of range(rows)) {
      const own = [...apart.subarray(3 * i, 3 * i + 3)].filter((row) => row >= 0);
      expect(new Set(own).size).toBe(own.length);
      for (const row of own) expect((i + row) % 2).toBe(1);
    }
  });

  test("of rows that are all alike, and of none, come to an end", () => {
    const alike = nearestRows(new Float32Array(1000 * width), width, options);
    expect(alike.every((row) => row >= 0)).toBe(true);
    expect(nearestRows(new Float32Array(0), width, options)).toHaveLength(0);
  });
});
