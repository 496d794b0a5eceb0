/** Magnitudes from parts that were recorded several times: what was done to them is bounded from above. */

import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { magnitudesOf } from "../../src/core/repeats/magnitudes.ts";
import {
  aPicture,
  aSignal,
  type Changes,
  inMemory,
  PICTURE,
  pictureAgain,
  SIGNAL,
  signalAgain,
} from "../support/pictures.ts";

const quiet = (): void => {};

interface Repeated {
  readonly frames: Float32Array[];
  readonly partOf: Int32Array;
  /** Largest difference between two frames of a part, over all parts. */
  readonly largest: Record<keyof Changes, number>;
}

/** Parts, each taken again and again with changes drawn up to these, either way. */
function aRecording(
  parts: number,
  times: number,
  most: Changes,
  again: (part: number, changes: Changes) => Float32Array,
): Repeated {
  const random = seededRandom(11);
  const drawn = (magnitude = 0): number => magnitude * (2 * random.next() - 1);
  const largest = { dy: 0, dx: 0, blur: 0, contrast: 0, brightness: 0, noise: 0, seed: 0 };
  const frames: Float32Array[] = [];
  for (let part = 0; part < parts; part++) {
    const taken: Required<Changes>[] = [];
    for (let time = 0; time < times; time++) {
      const changes = {
        dy: Math.round(drawn(most.dy)),
        dx: Math.round(drawn(most.dx)),
        blur: Math.abs(drawn(most.blur)),
        contrast: drawn(most.contrast),
        brightness: drawn(most.brightness),
        noise: most.noise ?? 0,
        seed: part * times + time,
      };
      frames.push(again(part, changes));
      for (const other of taken) {
        for (const key of ["dy", "dx", "brightness", "contrast"] as const) {
          largest[key] = Math.max(largest[key], Math.abs(changes[key] - other[key]));
        }
        largest.noise = Math.max(largest.noise, Math.SQRT2 * changes.noise);
      }
      largest.blur = Math.max(largest.blur, changes.blur);
      taken.push(changes);
    }
  }
  const partOf = Int32Array.from(frames, (_, i) => Math.floor(i / times));
  return { frames, partOf, largest };
}

function magnitude(found: Awaited<ReturnType<typeof magnitudesOf>>, kind: string): number {
  if (!found.ok) throw new Error(found.problem);
  return found.nuisances.find((nuisance) => nuisance.kind === kind)?.magnitude ?? 0;
}

/** At least nearly the largest difference that there was (fitted values err a little), and less than twice that. */
function expectBound(found: number, largest: number): void {
  expect(found).toBeGreaterThan(0.9 * largest);
  expect(found).toBeLessThan(2 * largest);
}

describe("magnitudes from repeats", () => {
  test("bound what was done to pictures, all at once, and not by more than twice", async () => {
    const most = { dy: 1, dx: 1, blur: 0.5, contrast: 0.1, brightness: 0.05, noise: 0.01 };
    const again = (part: number, changes: Changes) => pictureAgain(aPicture(part), changes);
    const { frames, partOf, largest } = aRecording(80, 3, most, again);
    const found = await magnitudesOf(inMemory(frames), partOf, PICTURE, quiet);
    expect(magnitude(found, "shift")).toBe(Math.max(largest.dy, largest.dx));
    expectBound(magnitude(found, "brightness"), largest.brightness);
    expectBound(magnitude(found, "contrast"), largest.contrast);
    expect(magnitude(found, "blur")).toBeGreaterThan(0.8 * largest.blur);
    expect(magnitude(found, "blur")).toBeLessThanOrEqual(1);
    expectBound(magnitude(found, "noise"), largest.noise);
    expect(found).toMatchObject({ ok: true, evidence: { parts: 80, frames: 240, confidence: 0.95 } });
  });

  test("bound what was done to signals", async () => {
    const most = { dx: 2, contrast: 0.05, brightness: 0.05, noise: 0.01 };
    const again = (part: number, changes: Changes) => signalAgain(aSignal(part), changes);
    const { frames, partOf, largest } = aRecording(60, 2, most, again);
    const found = await magnitudesOf(inMemory(frames), partOf, SIGNAL, quiet);
    expect(magnitude(found, "time-shift")).toBe(largest.dx);
    expectBound(magnitude(found, "gain"), largest.contrast);
    expectBound(magnitude(found, "offset"), largest.brightness);
    expectBound(magnitude(found, "tensor-noise"), largest.noise);
  });

  test("leave out what was not seen, and name what the number of parts is worth", async () => {
    const again = (part: number, changes: Changes) => pictureAgain(aPicture(part), changes);
    const { frames, partOf } = aRecording(59, 2, { noise: 0.02 }, again);
    const found = await magnitudesOf(inMemory(frames), partOf, PICTURE, quiet);
    if (!found.ok) throw new Error(found.problem);
    expect(found.nuisances.map(({ kind }) => kind)).toEqual(["brightness", "noise"]);
    expect(magnitude(found, "brightness")).toBeLessThan(0.005);
    expect(found.evidence.coverage).toBeCloseTo(0.9505, 4);
  });

  test("hold for the parts that come after: at least the coverage of fresh ones lies below", async () => {
    const again = (part: number, changes: Changes) => pictureAgain(aPicture(part), changes);
    const most = { brightness: 0.08, noise: 0.005 };
    const seen = aRecording(60, 2, most, again);
    const found = await magnitudesOf(inMemory(seen.frames), seen.partOf, PICTURE, quiet);
    const random = seededRandom(99);
    const fresh = Array.from({ length: 20_000 }, () => {
      const [one, other] = [random.next(), random.next()];
      return 2 * 0.08 * Math.abs(one - other);
    });
    const below = fresh.filter((difference) => difference <= magnitude(found, "brightness")).length;
    expect(below / fresh.length).toBeGreaterThan(0.95);
  });

  test("need 59 parts that were recorded twice, and say how many are missing", async () => {
    const twice = Array.from({ length: 58 }, (_, part) => [aPicture(part), aPicture(part)]).flat();
    const partOf = Int32Array.from([...twice.map((_, i) => i >> 1), 58, 59]);
    const frames = [...twice, aPicture(58), aPicture(59)];
    const found = await magnitudesOf(inMemory(frames), partOf, PICTURE, quiet);
    expect(found).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^58 parts .* it takes 59: .* record 1 more$/),
    });
  });

  test.each([
    ["frames of two parts under one id", () => aPicture(901), /frames 0 and 1 of one part differ by noise/],
    [
      "a part that did not lie still",
      () => pictureAgain(aPicture(0), { dx: 6 }),
      /frames 0 and 1 of one part are shifted by 6 or more/,
    ],
  ])("are not taken from %s", async (_, stranger, problem) => {
    const frames = Array.from({ length: 60 }, (_, part) => [aPicture(part), aPicture(part)]).flat();
    frames[1] = stranger();
    const partOf = Int32Array.from(frames, (_, i) => i >> 1);
    const found = await magnitudesOf(inMemory(frames), partOf, PICTURE, quiet);
    expect(found).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
  });
});
