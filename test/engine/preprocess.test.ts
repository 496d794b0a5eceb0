import fc from "fast-check";
import { expect, test } from "vitest";
import type { FrameSpec, Preprocessing } from "../../src/core/frame.ts";
import { checkTensorShape, createPreprocessor } from "../../src/engine/preprocess.ts";

const PLAIN: Preprocessing = { resize: "none", layout: "CHW", scale: 1, mean: [0], std: [1] };
const RGB: FrameSpec = { kind: "image", height: 2, width: 2, channels: 3 };
/** Pixel p of channel c is 10 p + c. */
const PIXELS = Uint8Array.of(0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32);

function written(
  spec: FrameSpec,
  preprocessing: Partial<Preprocessing>,
  values = PIXELS as Uint8Array,
): number[] {
  const preprocessor = createPreprocessor(spec, { ...PLAIN, ...preprocessing });
  const tensor = new Float32Array(preprocessor.length);
  preprocessor.write(values, tensor, 0);
  return [...tensor];
}

test("an image moves into CHW, and stays as it is in HWC and flat", () => {
  expect(written(RGB, { layout: "CHW" })).toEqual([0, 10, 20, 30, 1, 11, 21, 31, 2, 12, 22, 32]);
  expect(written(RGB, { layout: "HWC" })).toEqual([...PIXELS]);
  expect(written(RGB, { layout: "flat" })).toEqual([...PIXELS]);
});

test("shapes follow the layout", () => {
  const shape = (layout: Preprocessing["layout"]): readonly number[] =>
    createPreprocessor({ ...RGB, width: 5 } as FrameSpec, { ...PLAIN, layout }).tensorShape;
  expect(shape("CHW")).toEqual([3, 2, 5]);
  expect(shape("HWC")).toEqual([2, 5, 3]);
  expect(shape("flat")).toEqual([30]);
});

test("each channel has its own mean and std", () => {
  const numbers = { scale: 0.5, mean: [1, 2, 3], std: [1, 2, 4] };
  const channel = (c: number): number[] =>
    [0, 10, 20, 30].map((pixel) => ((pixel + c) * 0.5 - numbers.mean[c]!) / numbers.std[c]!);
  expect(written(RGB, { ...numbers, layout: "CHW" })).toEqual([...channel(0), ...channel(1), ...channel(2)]);
  const interleaved = [0, 1, 2, 3].flatMap((p) => [0, 1, 2].map((c) => channel(c)[p]!));
  expect(written(RGB, { ...numbers, layout: "HWC" })).toEqual(interleaved);
});

test("a tensor's channels lie where the layout says, and nothing moves", () => {
  const spec: FrameSpec = { kind: "tensor", type: "u8", shape: [2, 6] };
  expect(written(spec, { layout: "CHW", mean: [0, 100] })).toEqual(
    [...PIXELS].map((x, i) => (i < 6 ? x : x - 100)),
  );
  expect(written({ ...spec, shape: [6, 2] }, { layout: "HWC", mean: [0, 100] })).toEqual(
    [...PIXELS].map((x, i) => (i % 2 === 0 ? x : x - 100)),
  );
  expect(createPreprocessor(spec, PLAIN).tensorShape).toEqual([2, 6]);
});

test("any image comes out as the formula says, in any row of the batch", () => {
  const sides = fc.record({
    height: fc.integer({ min: 1, max: 5 }),
    width: fc.integer({ min: 1, max: 5 }),
    channels: fc.constantFrom<1 | 3>(1, 3),
    layout: fc.constantFrom<Preprocessing["layout"]>("CHW", "HWC", "flat"),
    row: fc.integer({ min: 0, max: 2 }),
    each: fc.boolean(),
  });
  fc.assert(
    fc.property(
      sides,
      fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
      ({ layout, row, each, ...size }, pixels) => {
        const { height, width, channels } = size;
        const length = height * width * channels;
        const values = Uint8Array.from({ length }, () => pixels.next().value as number);
        const mean = each ? Array.from({ length: channels }, (_, c) => 0.1 * c) : [0.3];
        const std = each ? Array.from({ length: channels }, (_, c) => 1 + c) : [0.5];
        const preprocessor = createPreprocessor(
          { kind: "image", ...size },
          { resize: "none", layout, scale: 1 / 255, mean, std },
        );
        const tensor = new Float32Array(3 * length).fill(-7);
        preprocessor.write(values, tensor, row);
        for (let p = 0; p < height * width; p++) {
          for (let c = 0; c < channels; c++) {
            const at = layout === "CHW" ? c * height * width + p : p * channels + c;
            const x = values[p * channels + c]! / 255;
            expect(tensor[row * length + at]).toBeCloseTo((x - mean[each ? c : 0]!) / std[each ? c : 0]!, 5);
          }
        }
        const others = tensor.filter((_, i) => Math.floor(i / length) !== row);
        expect(others.every((x) => x === -7)).toBe(true);
      },
    ),
  );
});

test("a frame of another length, or a row that the tensor lacks, is a defect", () => {
  const preprocessor = createPreprocessor(RGB, PLAIN);
  expect(() => preprocessor.write(new Uint8Array(11), new Float32Array(12), 0)).toThrow(RangeError);
  expect(() => preprocessor.write(PIXELS, new Float32Array(23), 1)).toThrow(RangeError);
  expect(() => preprocessor.write(PIXELS, new Float32Array(24), -1)).toThrow(RangeError);
});

test.each([
  ["two means for three channels", RGB, { mean: [0, 1] }, /mean of 1 or 3 numbers, found 2/],
  ["no mean", RGB, { mean: [] }, /mean of 1 or 3 numbers, found 0/],
  ["a std of 0", RGB, { std: [0] }, /no std of 0/],
  ["a scale that is not finite", RGB, { scale: Number.NaN }, /finite numbers/],
  [
    "means for the channels of a flat tensor",
    { kind: "tensor", type: "f32", shape: [3, 8] } as const,
    { layout: "flat" as const, mean: [0, 1, 2] },
    /names a tensor's channel axis/,
  ],
])("%s: refused", (_, spec, preprocessing, problem) => {
  expect(() => createPreprocessor(spec, { ...PLAIN, ...preprocessing })).toThrow(problem);
});

test("rows must have the shape that the student takes, but for axes of length 1", () => {
  expect(() => checkTensorShape([3, 28, 28], "CHW", [3, 28, 28])).not.toThrow();
  expect(() => checkTensorShape([28, 28, 1], "HWC", [1, 28, 28])).not.toThrow();
  expect(() => checkTensorShape([2, 1024], "flat", [1, 2048])).not.toThrow();
  expect(() => checkTensorShape([28, 28, 3], "HWC", [3, 28, 28])).toThrow(
    /\[3, 28, 28\], found \[28, 28, 3\]/,
  );
  expect(() => checkTensorShape([2048], "flat", [1024])).toThrow(/layout flat/);
});
