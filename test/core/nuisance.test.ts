import { describe, expect, test } from "vitest";
import type { FrameSpec } from "../../src/core/frame.ts";
import { compareOverNeighbourhood } from "../../src/core/neighbourhood.ts";
import {
  IMAGE_NUISANCES,
  type Nuisance,
  TENSOR_NUISANCES,
  writeNeighbourhood,
} from "../../src/core/nuisance.ts";
import { cutSplits } from "../../src/core/split.ts";

const IMAGE: FrameSpec = { kind: "image", height: 5, width: 5, channels: 1 };
const SIGNAL: FrameSpec = { kind: "tensor", type: "f32", shape: [64] };

function copiesOf(
  spec: FrameSpec,
  values: Float32Array,
  nuisances: readonly Nuisance[],
  copies: number,
  seed = 1,
  frame = 0,
) {
  const out = new Float32Array(copies * values.length);
  writeNeighbourhood(values, spec, { nuisances, copies, seed }, frame, out);
  return Array.from({ length: copies }, (_, j) => out.slice(j * values.length, (j + 1) * values.length));
}

const picture = Float32Array.from({ length: 25 }, (_, i) => (i * 10) % 256);
const wave = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i / 3));

describe("a neighbourhood", () => {
  test("is the same for the same seed and frame, and another for another", () => {
    const first = copiesOf(IMAGE, picture, IMAGE_NUISANCES, 5);
    expect(copiesOf(IMAGE, picture, IMAGE_NUISANCES, 5)).toEqual(first);
    expect(copiesOf(IMAGE, picture, IMAGE_NUISANCES, 5, 2)).not.toEqual(first);
    expect(copiesOf(IMAGE, picture, IMAGE_NUISANCES, 5, 1, 1)).not.toEqual(first);
  });

  test("of an image stays within its scale and leaves the frame itself alone", () => {
    const before = picture.slice();
    for (const copy of copiesOf(
      IMAGE,
      picture,
      IMAGE_NUISANCES.map((n) => ({ ...n, magnitude: 3 })),
      50,
    )) {
      for (const value of copy) expect(value >= 0 && value <= 255).toBe(true);
    }
    expect(picture).toEqual(before);
  });

  test.each([
    ["brightness", 0.05, 255 * 0.05],
    ["contrast", 0.1, 0.1 * 130],
  ] as const)("moves no pixel further than the magnitude of %s allows", (kind, magnitude, furthest) => {
    for (const copy of copiesOf(IMAGE, picture, [{ kind, magnitude }], 40)) {
      const moves = copy.map((value, i) => Math.abs(value - picture[i]!));
      expect(Math.max(...moves)).toBeLessThanOrEqual(furthest + 1e-4);
    }
  });

  test("shifts by whole pixels, repeating the border", () => {
    const column = Float32Array.from({ length: 25 }, (_, i) => i % 5);
    const rows = copiesOf(IMAGE, column, [{ kind: "shift", magnitude: 1 }], 40).map((copy) =>
      [...copy.slice(0, 5)].join(),
    );
    expect(new Set(rows)).toEqual(new Set(["0,1,2,3,4", "0,0,1,2,3", "1,2,3,4,4"]));
  });

  test("blurs an even picture into itself", () => {
    const even = new Float32Array(25).fill(90);
    for (const copy of copiesOf(IMAGE, even, [{ kind: "blur", magnitude: 1 }], 3))
      expect([...copy]).toEqual([...even]);
  });

  test("turns a signal round, and scales noise and offset by its own deviation", () => {
    const turned = copiesOf(SIGNAL, wave, [{ kind: "time-shift", magnitude: 3 }], 10);
    for (const copy of turned) expect([...copy].sort()).toEqual([...wave].sort());
    for (const copy of copiesOf(SIGNAL, new Float32Array(64).fill(4), TENSOR_NUISANCES.slice(2, 3), 4)) {
      expect([...copy]).toEqual(Array.from({ length: 64 }, () => 4));
    }
  });
});

describe("models over a neighbourhood", () => {
  test("have the largest gap at the same copy, and each its own swing", () => {
    const sure = [10, 0];
    const torn = [0, 0];
    // The frame: both sure. Copy 1: both torn (no gap, both swing). Copy 2: only the student torn.
    const student = Float32Array.from([...sure, ...torn, ...torn]);
    const teacher = Float32Array.from([...sure, ...torn, ...sure]);
    const found = compareOverNeighbourhood(student, teacher, 2, 0, 2);
    expect(found.largestGap).toBeCloseTo(0.5, 3);
    expect(found.teacherSwing).toBeCloseTo(0.5, 3);
    expect(found.studentSwing).toBeCloseTo(0.5, 3);
  });

  test("that give no number give no number for the gap", () => {
    const found = compareOverNeighbourhood(Float32Array.of(Number.NaN, 0), Float32Array.of(1, 0), 2, 0, 0);
    expect(found.largestGap).toBeNaN();
  });
});

describe("splits", () => {
  test("keep what belongs together in one split, in the shares asked for", () => {
    const lots = Array.from({ length: 1000 }, (_, i) => `lot ${Math.floor(i / 10)}`);
    const splits = cutSplits(lots, { fit: 0.3, cal: 0.6 }, 1);
    lots.forEach((lot, i) => {
      expect(splits[i]).toBe(splits[lots.indexOf(lot)]);
    });
    const share = (split: string): number => splits.filter((one) => one === split).length / 1000;
    expect([share("fit"), share("cal"), share("ref")]).toEqual([0.3, 0.6, 0.1]);
  });

  test("are the same for the same seed only", () => {
    const parts = Array.from({ length: 50 }, (_, i) => String(i));
    const shares = { fit: 0.4, cal: 0.4 };
    expect(cutSplits(parts, shares, 3)).toEqual(cutSplits(parts, shares, 3));
    expect(cutSplits(parts, shares, 3)).not.toEqual(cutSplits(parts, shares, 4));
  });
});
