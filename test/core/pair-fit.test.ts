/** What turned one frame into another, found again from the two. */

import { describe, expect, test } from "vitest";
import type { Nuisance } from "../../src/core/nuisance.ts";
import { isComparable } from "../../src/core/repeats/lattice.ts";
import { createPairFit, type PairFit } from "../../src/core/repeats/pair-fit.ts";
import {
  aPicture,
  aSignal,
  type Changes,
  PICTURE,
  pictureAgain,
  SIGNAL,
  signalAgain,
} from "../support/pictures.ts";

const fit = createPairFit(PICTURE, 4);
const signalFit = createPairFit(SIGNAL, 8);

/** The best explanation there is. */
function explain({ explain: all }: PairFit, a: Float32Array, b: Float32Array): readonly Nuisance[] {
  return all(a, b).at(-1)!;
}

/** Magnitudes by kind, between two frames that were each changed. */
function between(a: Changes, b: Changes, part = 1): Record<Nuisance["kind"], number> {
  const picture = aPicture(part);
  const found = explain(
    fit,
    pictureAgain(picture, { seed: 2, ...a }),
    pictureAgain(picture, { seed: 3, ...b }),
  );
  return Object.fromEntries(found.map(({ kind, magnitude }) => [kind, magnitude])) as ReturnType<
    typeof between
  >;
}

function betweenSignals(a: Changes, b: Changes): Record<Nuisance["kind"], number> {
  const signal = aSignal(1);
  const found = explain(
    signalFit,
    signalAgain(signal, { seed: 2, ...a }),
    signalAgain(signal, { seed: 3, ...b }),
  );
  return Object.fromEntries(found.map(({ kind, magnitude }) => [kind, magnitude])) as ReturnType<
    typeof between
  >;
}

describe("two pictures of a part", () => {
  test("that are equal differ by nothing", () => {
    expect(Object.values(between({}, {}))).toEqual([0, 0, 0, 0, 0]);
  });

  test.each([
    [{ dy: 2, dx: -1 }, 2],
    [{ dy: 0, dx: 3 }, 3],
  ])("one of them shifted by %o are that far apart", (changes, shift) => {
    const found = between({ noise: 0.01 }, { noise: 0.01, ...changes });
    expect(found.shift).toBe(shift);
    expect(found.noise).toBeLessThan(0.02);
  });

  test("one brighter by a twentieth of the scale", () => {
    const found = between({ noise: 0.005 }, { noise: 0.005, brightness: 0.05 });
    expect(found.brightness).toBeCloseTo(0.05, 2);
    expect(found).toMatchObject({ shift: 0, contrast: 0, blur: 0 });
  });

  test("one with a fifth more contrast, whichever comes first", () => {
    for (const found of [between({}, { contrast: 0.2 }), between({ contrast: 0.2 }, {})]) {
      expect(found.contrast).toBeCloseTo(0.2, 2);
      expect(found.brightness).toBeLessThan(0.01);
      expect(found.noise).toBeLessThan(0.005);
    }
  });

  test("one blurred, whichever comes first", () => {
    for (const found of [between({}, { blur: 0.6 }), between({ blur: 0.6 }, {})]) {
      expect(found.blur).toBeCloseTo(0.6, 1);
      expect(found.noise).toBeLessThan(0.01);
    }
  });

  test("that differ by noise alone are not taken for blurred or faint", () => {
    for (let part = 0; part < 40; part++) {
      const found = between({ noise: 0.03, seed: 2 * part }, { noise: 0.03, seed: 2 * part + 1 }, part);
      expect(found).toMatchObject({ shift: 0, contrast: 0, blur: 0 });
      // Each carries noise of 0.03, so between them it is the root of two times that.
      expect(found.noise).toBeGreaterThan(0.035);
      expect(found.noise).toBeLessThan(0.05);
    }
  });

  test("that suffered everything at once are explained all the same", () => {
    const found = between(
      { dy: 1, brightness: 0.03, contrast: -0.1, noise: 0.01 },
      { dx: -1, brightness: -0.02, contrast: 0.1, blur: 0.5, noise: 0.01 },
    );
    expect(found.shift).toBe(1);
    expect(found.brightness).toBeCloseTo(0.05, 1);
    expect(found.contrast).toBeGreaterThan(0.18);
    expect(found.contrast).toBeLessThan(0.26);
    expect(found.blur).toBeCloseTo(0.5, 1);
    expect(found.noise).toBeLessThan(0.02);
  });

  test("are told from pictures of two parts, whose difference is noise beyond measure", () => {
    const found = explain(fit, aPicture(1), aPicture(2));
    expect(found.find(({ kind }) => kind === "noise")!.magnitude).toBeGreaterThan(0.06);
  });

  test("brightened until the sky is white still tell how much, from what is not", () => {
    const picture = aPicture(3).map((value, at) => (at < 200 ? 250 : value));
    const found = explain(fit, picture, pictureAgain(picture, { brightness: 0.08 }));
    expect(found.find(({ kind }) => kind === "brightness")!.magnitude).toBeCloseTo(0.08, 2);
    expect(found.find(({ kind }) => kind === "noise")!.magnitude).toBeLessThan(0.005);
  });

  test("that are even, or black and white only, do not break it", () => {
    const even = new Float32Array(24 * 24).fill(90);
    const found = explain(
      fit,
      even,
      even.map(() => 100),
    );
    expect(found.map(({ magnitude }) => magnitude)).toEqual([0, 10 / 255, 0, 0, 0]);
    const label = aPicture(4).map((value) => (value > 127 ? 255 : 0));
    expect(explain(fit, label, label).every(({ magnitude }) => magnitude === 0)).toBe(true);
    const inverse = label.map((value) => 255 - value);
    expect(explain(fit, label, inverse).at(-1)).toMatchObject({ kind: "noise", magnitude: 1 });
  });
});

describe("two signals of a part", () => {
  test("one late, louder, offset and noisy", () => {
    const found = betweenSignals({ noise: 0.01 }, { dx: 5, contrast: 0.1, brightness: 0.04, noise: 0.01 });
    expect(found["time-shift"]).toBe(5);
    expect(found.gain).toBeCloseTo(0.1, 1);
    expect(found.offset).toBeCloseTo(0.04, 1);
    expect(found["tensor-noise"]).toBeLessThan(0.025);
  });

  test("that are flat have no deviation to measure noise in, so any is too much", () => {
    const flat = new Float32Array(96).fill(2);
    const found = explain(signalFit, flat, flat.with(3, 5));
    expect(found.find(({ kind }) => kind === "tensor-noise")!.magnitude).toBe(Number.POSITIVE_INFINITY);
  });

  test("of 8 bits that are cut short everywhere", () => {
    const clipped = createPairFit({ kind: "tensor", type: "u8", shape: [32] }, 2);
    const full = new Float32Array(32).fill(255);
    expect(explain(clipped, full, full).every(({ magnitude }) => magnitude === 0)).toBe(true);
  });
});

describe("frames", () => {
  test("of a few numbers are not compared", () => {
    expect(isComparable({ kind: "tensor", type: "f32", shape: [8] })).toBe(false);
    expect(isComparable({ kind: "image", height: 64, width: 4, channels: 3 })).toBe(false);
    expect(isComparable(PICTURE)).toBe(true);
    expect(() => createPairFit({ kind: "tensor", type: "f32", shape: [8] }, 1)).toThrow(RangeError);
  });

  test("are searched for shifts as far as a quarter of their side, 8 pixels and 64 samples", () => {
    const long = { kind: "tensor", type: "f32", shape: [2048] } as const;
    const wide = { kind: "image", height: 40, width: 100, channels: 1 } as const;
    expect(createPairFit(PICTURE, 1000).steps).toBe(6);
    expect(createPairFit(wide, 1000).steps).toBe(8);
    expect(createPairFit(long, 1e6).steps).toBe(64);
    expect(createPairFit(long, 2).steps).toBe(2);
  });

  test("of colour are compared in all channels, and shifted by pixels", () => {
    const rgb = createPairFit({ kind: "image", height: 24, width: 24, channels: 3 }, 2);
    const colour = (picture: Float32Array): Float32Array =>
      Float32Array.from({ length: 3 * picture.length }, (_, i) => picture[Math.floor(i / 3)]! - 10 * (i % 3));
    const found = explain(rgb, colour(aPicture(1)), colour(pictureAgain(aPicture(1), { dx: 2 })));
    expect(found[0]).toEqual({ kind: "shift", magnitude: 2 });
    expect(found.at(-1)!.magnitude).toBeLessThan(0.001);
  });
});
