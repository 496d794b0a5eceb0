import { describe, expect, test } from "vitest";
import { inspectModel, type ModelSpec, openStudent } from "../../src/engine/student.ts";
import { type TinyOnnx, tinyLogits, tinyOnnx } from "../support/tiny-onnx.ts";

const TINY: TinyOnnx = { inputShape: [2, 3], classes: 4, featureCount: 5 };
const SPEC: ModelSpec = {
  input: "input",
  logits: "logits",
  features: "features",
  classes: 4,
  featureCount: 5,
  doubt: null,
  doubtCount: 0,
  inputShape: [2, 3],
};
const ROWS = Float32Array.from({ length: 18 }, (_, i) => Math.sin(i));

const opening = (tiny: Partial<TinyOnnx>, spec: Partial<ModelSpec> = {}): Promise<unknown> =>
  openStudent(tinyOnnx({ ...TINY, ...tiny }), { ...SPEC, ...spec });

describe("a student", () => {
  test("answers a batch as its weights say, row by row", async () => {
    const student = await openStudent(tinyOnnx(TINY), SPEC);
    const { logits, features } = await student.run(ROWS, 3);
    for (let row = 0; row < 3; row++) {
      const expected = tinyLogits(TINY, ROWS.subarray(row * 6, row * 6 + 6));
      expected.forEach((logit, k) => {
        expect(logits[row * 4 + k]).toBeCloseTo(logit, 5);
      });
    }
    expect(features).toHaveLength(15);
    await student.release();
  });

  test("looks only at the rows it is asked for", async () => {
    const student = await openStudent(tinyOnnx(TINY), SPEC);
    const { logits } = await student.run(ROWS, 1);
    expect(logits).toHaveLength(4);
    await expect(student.run(ROWS, 4)).rejects.toThrow("a batch of 4 frames needs 24 numbers");
    await student.release();
  });

  test("is right about its outputs where others stand before them", async () => {
    const tiny = { ...TINY, firstOutput: "before" };
    const student = await openStudent(tinyOnnx(tiny), SPEC);
    const { logits, features } = await student.run(ROWS, 1);
    expect(logits[0]).toBeCloseTo(tinyLogits(tiny, ROWS.subarray(0, 6))[0]!, 5);
    expect(features).toHaveLength(5);
    const alone = await openStudent(tinyOnnx(tiny), { ...SPEC, features: null, featureCount: 0 });
    expect((await alone.run(ROWS, 1)).logits).toEqual(logits);
    expect((await alone.run(ROWS, 1)).features).toBeUndefined();
  });

  test("gives its doubt where it is asked for it", async () => {
    const doubting = { ...SPEC, doubt: "doubt", doubtCount: 2 };
    const student = await openStudent(tinyOnnx({ ...TINY, doubtCount: 2 }), doubting);
    const { doubt, logits } = await student.run(ROWS, 1);
    expect(doubt).toHaveLength(2);
    expect(logits[0]).toBeCloseTo(tinyLogits(TINY, ROWS.subarray(0, 6))[0]!, 5);
    await expect(openStudent(tinyOnnx(TINY), doubting)).rejects.toThrow(/an output "doubt", found/);
    await expect(openStudent(tinyOnnx(TINY), { ...SPEC, doubtCount: 1 })).rejects.toThrow(
      /doubt with a count/,
    );
  });

  test("gives NaN for NaN and no error", async () => {
    const student = await openStudent(tinyOnnx(TINY), SPEC);
    const { logits } = await student.run(new Float32Array(6).fill(Number.NaN), 1);
    expect([...logits]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
  });

  test("can be opened from the middle of a larger buffer", async () => {
    const bytes = tinyOnnx(TINY);
    const file = new Uint8Array(bytes.length + 20);
    file.set(bytes, 7);
    await expect(openStudent(file.subarray(7, 7 + bytes.length), SPEC)).resolves.toBeDefined();
  });
});

describe("a student is refused", () => {
  test.each([
    [
      "whose values lie in another file",
      { externalLocation: "w.bin" },
      {},
      /tensor "w" lies in "w\.bin": write the model again/,
    ],
    ["without the input", {}, { input: "image" }, /an input "image", found "input"/],
    ["without the output", {}, { logits: "scores" }, /an output "scores", found "logits", "features"/],
    ["without the features", { featureCount: 0 }, {}, /an output "features", found "logits"/],
    ["with a fixed batch axis", { batch: 1 }, {}, /a free batch axis, found \[1, 2, 3\]/],
    ["of another input shape", { inputShape: [2, 4] }, {}, /as \[batch, 2, 3\], found \[N, 2, 4\]/],
    ["of other classes", {}, { classes: 10 }, /as \[batch, 10\], found \[N, 4\]/],
    ["of another type", { logitType: "float64" as const }, {}, /"logits" of float32, found float64/],
    ["with features but no count", {}, { featureCount: 0 }, /features with a count/],
  ])("%s", async (_, tiny, spec, problem) => {
    await expect(opening(tiny, spec)).rejects.toThrow(problem);
  });

  test.each([
    ["garbage", new TextEncoder().encode("not a model"), /expected an ONNX file/],
    ["nothing", new Uint8Array(0), /ONNX Runtime/],
    ["a protobuf message that is no model", Uint8Array.of(8, 8), /ONNX Runtime/],
    ["half a file", tinyOnnx(TINY).subarray(0, 200), /expected an ONNX file/],
  ])("when it is %s", async (_, bytes, problem) => {
    await expect(openStudent(bytes, SPEC)).rejects.toThrow(problem);
  });
});

test("a model's inputs and outputs are read from the file", async () => {
  expect(await inspectModel(tinyOnnx(TINY))).toEqual({
    inputs: [{ name: "input", type: "float32", shape: ["N", 2, 3] }],
    outputs: [
      { name: "logits", type: "float32", shape: ["N", 4] },
      { name: "features", type: "float32", shape: ["N", 5] },
    ],
  });
});
