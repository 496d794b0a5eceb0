/** A signal as it is looked at: no peak lost, and a spectrum whose numbers were computed elsewhere as well. */

import { expect, test } from "vitest";
import { lookOf } from "../../src/core/frame-view.ts";
import { decimated, spectrumOf } from "../../src/core/signal-view.ts";

test("a short signal is shown as it is", () => {
  expect(decimated([9, 1, 2, 3], 1, 3)).toEqual([1, 2, 3]);
});

test("a long one keeps every peak, in the order in which they come", () => {
  const values = new Float32Array(100_000);
  values[1] = 5;
  values[12_345] = -7;
  values[12_350] = 8;
  values[99_999] = 9;
  const points = decimated(values, 0, values.length);
  expect(points).toHaveLength(1024);
  expect(points.filter((value) => value !== 0)).toEqual([5, -7, 8, 9]);
});

// Computed by numpy: abs(rfft((x - mean) * hann)) * 4 / n, with the periodic Hann window.
test("the spectrum is that of another program", () => {
  const found = spectrumOf([0, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3], 1, 16);
  const expected = [0.727613, 1.095872, 1.545498, 1.048727, 1.035632, 2.042519, 1.501472, 1.397193];
  expect(found).toHaveLength(8);
  for (const [k, value] of expected.entries()) expect(found[k]).toBeCloseTo(value, 5);
});

test("a sine stands where its frequency is, with its amplitude, on any level", () => {
  const sine = Float64Array.from(
    { length: 4096 },
    (_, i) => 100 + 3 * Math.sin((2 * Math.PI * 512 * i) / 4096),
  );
  const spectrum = spectrumOf(sine, 0, 4096);
  expect(spectrum).toHaveLength(256);
  expect(spectrum.indexOf(Math.max(...spectrum))).toBe(64);
  expect(spectrum[64]).toBeCloseTo(3, 6);
  expect(spectrum[0]).toBeLessThan(1e-9);
});

test("of fewer than 8 numbers there is no spectrum, and none of them is not finite", () => {
  expect(spectrumOf([1, 2, 3], 0, 3)).toEqual([]);
  expect(spectrumOf(new Float32Array(8), 0, 8)).toEqual([0, 0, 0, 0]);
});

test.each([
  [[12], { kind: "numbers", length: 12 }],
  [[8, 8], { kind: "numbers", length: 64 }],
  [[2048], { kind: "signal", signals: 1, length: 2048 }],
  [[3, 2048], { kind: "signal", signals: 3, length: 2048 }],
  [[1, 65, 1], { kind: "signal", signals: 1, length: 65 }],
  [[64, 128], { kind: "picture", height: 64, width: 128, channels: 1 }],
])("a tensor of %j is looked at as %j", (shape, look) => {
  expect(lookOf({ kind: "tensor", shape })).toEqual(look);
});
