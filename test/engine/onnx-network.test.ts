/** ONNX graphs as networks: every operator held against ONNX Runtime, and refusals that name the node. */

import { describe, expect, test } from "vitest";
import { boundGap } from "../../src/core/bounds/gap-bound.ts";
import { plainIntervals, tightIntervals } from "../../src/core/bounds/propagate.ts";
import { FLOAT32_UNIT } from "../../src/core/bounds/rounding.ts";
import { gap, softmax } from "../../src/core/confidence.ts";
import { type Random, seededRandom } from "../../src/core/random.ts";
import { readNetwork } from "../../src/engine/onnx/network.ts";
import { UnsupportedGraph } from "../../src/engine/onnx/unsupported.ts";
import { type ModelSpec, openStudent } from "../../src/engine/student.ts";
import { anOnnx, INPUT, type OnnxBuilder } from "../support/small-onnx.ts";

const IMAGE = [2, 6, 5];
const POINTS = 40;

function specOf(inputShape: readonly number[], logits: string, classes: number): ModelSpec {
  return {
    ...{ input: INPUT, logits, classes, inputShape },
    ...{ features: null, featureCount: 0, doubt: null, doubtCount: 0 },
  };
}

/** A box around a point, some sides of it without width, and points in it, its corners among them. */
function aBox(size: number, radius: number, random: Random) {
  const middle = Float32Array.from({ length: size }, () => 3 * random.next() - 1.5);
  const lower = middle.map((value) => Math.fround(value - radius * random.next()));
  const upper = middle.map((value) => Math.fround(value + radius * random.next()));
  const points = Array.from({ length: POINTS }, (_, k) =>
    lower.map((l, i) => {
      const share = k % 2 === 0 ? random.next() : Math.round(random.next());
      return Math.min(upper[i]!, Math.max(l, Math.fround(l + share * (upper[i]! - l))));
    }),
  );
  return { lower, upper, points };
}

async function run(
  bytes: Uint8Array,
  spec: ModelSpec,
  points: readonly Float32Array[],
): Promise<Float32Array> {
  const student = await openStudent(bytes, spec);
  const batch = new Float32Array(points.length * points[0]!.length);
  points.forEach((point, i) => {
    batch.set(point, i * point.length);
  });
  const { logits } = await student.run(batch, points.length);
  await student.release();
  return logits;
}

/** Holds plain and tightened intervals of a model against what ONNX Runtime gives in the box. */
async function holds(bytes: Uint8Array, spec: ModelSpec, radius: number, seed: number): Promise<void> {
  const size = spec.inputShape.reduce((a, b) => a * b, 1);
  const { points, ...box } = aBox(size, radius, seededRandom(seed));
  const network = await readNetwork(bytes, spec);
  const logits = await run(bytes, spec, points);
  for (const { lower, upper } of [
    plainIntervals(network, box, FLOAT32_UNIT),
    tightIntervals(network, box, FLOAT32_UNIT, { left: 1e9 }),
  ]) {
    const [l, u] = [lower[network.output]!, upper[network.output]!];
    for (const [i, logit] of logits.entries()) {
      const c = i % spec.classes;
      expect(logit).toBeGreaterThanOrEqual(l[c]!);
      expect(logit).toBeLessThanOrEqual(u[c]!);
    }
  }
  // At a single point next to nothing but rounding is left: a bound that is merely wide would pass the above.
  const alone = plainIntervals(network, { lower: points[0]!, upper: points[0]! }, FLOAT32_UNIT);
  for (let c = 0; c < spec.classes; c++) {
    const [l, u] = [alone.lower[network.output]![c]!, alone.upper[network.output]![c]!];
    expect(logits[c]).toBeGreaterThanOrEqual(l);
    expect(logits[c]).toBeLessThanOrEqual(u);
    expect(u - l).toBeLessThan(5e-3);
  }
}

/** Each makes a value from the input; what follows flattens it and takes three logits of it. */
const OPERATORS: Readonly<
  Record<string, (onnx: OnnxBuilder) => { readonly value: string; readonly size: number }>
> = {
  Conv: (onnx) => ({
    value: onnx.node("Conv", [INPUT, onnx.stored([3, 2, 3, 3]), onnx.stored([3])], {
      ...{ kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
    }),
    size: 3 * 6 * 5,
  }),
  "Conv with strides, dilations, groups and lopsided pads": (onnx) => ({
    value: onnx.node("Conv", [INPUT, onnx.stored([4, 1, 2, 3])], {
      ...{ kernel_shape: [2, 3], pads: [1, 0, 0, 2], strides: [2, 1], dilations: [2, 1], group: 2 },
    }),
    size: 4 * 3 * 5,
  }),
  BatchNormalization: (onnx) => ({
    value: onnx.node(
      "BatchNormalization",
      [INPUT, onnx.stored([2], [1.5, -0.7]), onnx.stored([2]), onnx.stored([2]), onnx.stored([2], [0.3, 2])],
      { epsilon: { float: 1e-3 } },
    ),
    size: 60,
  }),
  "Conv and BatchNormalization, which ONNX Runtime folds": (onnx) => {
    const convolved = onnx.node("Conv", [INPUT, onnx.stored([2, 2, 3, 3]), onnx.stored([2])], {
      ...{ kernel_shape: [3, 3] },
    });
    const numbers = [[0.9, 3], undefined, undefined, [0.01, 0.5]].map((of) => onnx.stored([2], of));
    return { value: onnx.node("BatchNormalization", [convolved, ...numbers]), size: 2 * 4 * 3 };
  },
  Relu: (onnx) => ({ value: onnx.node("Relu", [INPUT]), size: 60 }),
  Tanh: (onnx) => ({ value: onnx.node("Tanh", [INPUT]), size: 60 }),
  MaxPool: (onnx) => ({
    value: onnx.node("MaxPool", [INPUT], { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 1, 1, 0] }),
    size: 2 * 3 * 5,
  }),
  AveragePool: (onnx) => ({
    value: onnx.node("AveragePool", [INPUT], { kernel_shape: [2, 2], strides: [2, 2] }),
    size: 2 * 3 * 2,
  }),
  "AveragePool with pads that count": (onnx) => ({
    value: onnx.node("AveragePool", [INPUT], {
      ...{ kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 },
    }),
    size: 2 * 3 * 3,
  }),
  GlobalAveragePool: (onnx) => ({ value: onnx.node("GlobalAveragePool", [INPUT]), size: 2 }),
  ReduceMean: (onnx) => ({
    value: onnx.node("ReduceMean", [INPUT], { axes: [2, 3], keepdims: 0 }),
    size: 2,
  }),
  "Add of two paths": (onnx) => {
    const relu = onnx.node("Relu", [INPUT]);
    const convolved = onnx.node("Conv", [relu, onnx.stored([2, 2, 3, 3])], {
      ...{ kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
    });
    return { value: onnx.node("Relu", [onnx.node("Add", [INPUT, convolved])]), size: 60 };
  },
  "Add of a stored tensor": (onnx) => ({
    value: onnx.node("Add", [onnx.stored([1, 2, 1, 1]), INPUT]),
    size: 60,
  }),
  "Sub, Mul and Div by stored tensors": (onnx) => {
    const moved = onnx.node("Sub", [onnx.stored([6, 5]), INPUT]);
    const times = onnx.node("Mul", [moved, onnx.stored([2, 1, 5])]);
    return { value: onnx.node("Div", [times, onnx.stored([1], [0.7])]), size: 60 };
  },
  "Reshape, Identity and a Pad of nothing": (onnx) => {
    const flat = onnx.node("Reshape", [INPUT, onnx.integers([0, 10, 6])]);
    const padded = onnx.node("Pad", [onnx.node("Identity", [flat]), onnx.integers([0, 0, 0, 0, 0, 0])]);
    return { value: padded, size: 60 };
  },
};

describe("every operator's bounds hold what ONNX Runtime gives", () => {
  test.each(Object.entries(OPERATORS))("%s", async (_, make) => {
    for (let seed = 1; seed <= 4; seed++) {
      const onnx = anOnnx(seed);
      const { value, size } = make(onnx);
      const hidden = onnx.node("Relu", [
        onnx.node("MatMul", [onnx.node("Flatten", [value], { axis: 1 }), onnx.stored([size, 8])]),
      ]);
      const logits = onnx.node("Gemm", [hidden, onnx.stored([3, 8]), onnx.stored([3])], {
        ...{ transB: 1, alpha: { float: 1.3 }, beta: { float: 0.5 } },
      });
      const bytes = onnx.model(IMAGE, logits);
      await holds(bytes, specOf(IMAGE, logits, 3), [0.001, 0.05, 0.5, 2][seed - 1]!, seed);
    }
  });

  test("a convolution over signals", async () => {
    const onnx = anOnnx(3);
    const convolved = onnx.node("Conv", [INPUT, onnx.stored([4, 1, 5]), onnx.stored([4])], {
      ...{ kernel_shape: [5], strides: [3], pads: [2, 1] },
    });
    const pooled = onnx.node("MaxPool", [onnx.node("Relu", [convolved])], {
      kernel_shape: [2],
      strides: [2],
    });
    const logits = onnx.node("Gemm", [
      onnx.node("Flatten", [pooled]),
      onnx.stored([4 * 5, 3]),
      onnx.stored([3]),
    ]);
    await holds(onnx.model([1, 30], logits), specOf([1, 30], logits, 3), 0.2, 5);
  });

  test("one view of a batch that a student makes of its frame, without the others", async () => {
    const onnx = anOnnx(8);
    // The second view goes through an operator that bounds cannot follow; the logits do not depend on it.
    const both = onnx.node("Concat", [INPUT, onnx.node("Sigmoid", [INPUT])], { axis: 0 });
    const rows = onnx.node("Gemm", [both, onnx.stored([6, 3]), onnx.stored([3])]);
    const cut = onnx.node("Reshape", [rows, onnx.integers([2, -1, 3])]);
    const logits = onnx.node("Gather", [cut, onnx.integers([0])], { axis: 0 });
    await holds(onnx.model([6], logits), specOf([6], logits, 3), 0.5, 2);
  });
});

/** A network of some depth, convolutional or not, drawn from the seed. */
function aRandomModel(seed: number, logitsNear: number): { bytes: Uint8Array; spec: ModelSpec } {
  const onnx = anOnnx(seed);
  const shape = [1, 5, 5];
  const convolved = onnx.node("Conv", [INPUT, onnx.stored([3, 1, 3, 3]), onnx.stored([3])], {
    ...{ kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
  });
  const bent = onnx.node(seed % 3 === 0 ? "Tanh" : "Relu", [convolved]);
  const pooled =
    seed % 2 === 0
      ? onnx.node("MaxPool", [bent], { kernel_shape: [2, 2] })
      : onnx.node("AveragePool", [bent], { kernel_shape: [2, 2] });
  const hidden = onnx.node("Relu", [
    onnx.node("Gemm", [onnx.node("Flatten", [pooled]), onnx.stored([48, 6]), onnx.stored([6])]),
  ]);
  const size = logitsNear * 3 * 6;
  const weights = Float32Array.from({ length: 24 }, (_, i) => (size * Math.sin(seed + 3 * i)) / 6);
  const logits = onnx.node("Gemm", [hidden, onnx.stored([6, 4], weights), onnx.stored([4])]);
  return { bytes: onnx.model(shape, logits), spec: specOf(shape, logits, 4) };
}

test("no gap found in a box is above its bound, over random pairs of networks", async () => {
  let tightened = 0;
  for (let seed = 1; seed <= 24; seed++) {
    const teacher = aRandomModel(seed, 0.3);
    const student = seed % 4 === 0 ? aRandomModel(seed, 0.29) : aRandomModel(seed + 100, 0.3);
    const radius = [0.001, 0.02, 0.1, 0.6][seed % 4]!;
    const { points, ...box } = aBox(25, radius, seededRandom(seed));
    const bound = boundGap(
      await readNetwork(teacher.bytes, teacher.spec),
      await readNetwork(student.bytes, student.spec),
      box,
      { multiplicationsMax: 1e8 },
    );
    const [t, s] = [
      await run(teacher.bytes, teacher.spec, points),
      await run(student.bytes, student.spec, points),
    ];
    const [p, q] = [new Float64Array(4), new Float64Array(4)];
    for (let i = 0; i < points.length; i++) {
      softmax(t, i, 4, 1, p);
      softmax(s, i, 4, 1, q);
      expect(gap(p, q)).toBeLessThanOrEqual(bound.upper);
      for (let c = 0; c < 4; c++) {
        expect(p[c]).toBeGreaterThanOrEqual(bound.teacherConfidence[c]![0]);
        expect(q[c]).toBeLessThanOrEqual(bound.studentConfidence[c]![1]);
      }
      if (bound.teacherClass !== null) expect(p.indexOf(Math.max(...p))).toBe(bound.teacherClass);
    }
    expect(bound.upper).toBeLessThanOrEqual(bound.upperByIntervals);
    if (bound.upper < bound.upperApart && bound.upperApart < bound.upperByIntervals) tightened++;
  }
  expect(tightened).toBeGreaterThan(12);
});

describe("a graph that cannot be followed is refused by its node", () => {
  const logitsOf = (onnx: OnnxBuilder, value: string): string =>
    onnx.node("Gemm", [value, onnx.stored([6, 3]), onnx.stored([3])]);
  const refusal = async (make: (onnx: OnnxBuilder) => string, classes = 3): Promise<Error> => {
    const onnx = anOnnx(1);
    const logits = make(onnx);
    const error = await readNetwork(onnx.model([6], logits), specOf([6], logits, classes)).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UnsupportedGraph);
    return error as Error;
  };

  test("an operator that is not supported", async () => {
    const error = await refusal((onnx) => logitsOf(onnx, onnx.node("Sigmoid", [INPUT])));
    expect(error.message).toMatch(
      /^node "Sigmoid_0" \(Sigmoid\): expected one of Add, .*Unsqueeze; bounds cannot/,
    );
  });

  test("weights that are not finite", async () => {
    const error = await refusal((onnx) =>
      onnx.node("Gemm", [INPUT, onnx.stored([6, 3], [1, 2, 3, Number.NaN, ...Array(14).fill(0)])]),
    );
    expect(error.message).toMatch(
      /^node "Gemm_0" \(Gemm\): expected finite weights, found NaN in "stored_0" at \[3\]/,
    );
  });

  test("other classes", async () => {
    const error = await refusal((onnx) => logitsOf(onnx, INPUT), 4);
    expect(error.message).toMatch(/^node "Gemm_0" \(Gemm\): expected logits of 4 classes, found 3/);
  });

  test("rows that are mixed, weights that depend on the frame, pads that do not count", async () => {
    const mixed = await refusal((onnx) => onnx.node("Reshape", [INPUT, onnx.integers([2, 3])]));
    expect(mixed.message).toContain('node "Reshape_0" (Reshape): expected the batch axis to stay');
    const product = await refusal((onnx) => logitsOf(onnx, onnx.node("Mul", [INPUT, INPUT])));
    expect(product.message).toContain('node "Mul_0" (Mul): expected a sum of two values');
    const softened = await refusal((onnx) => onnx.node("Softmax", [logitsOf(onnx, INPUT)], { axis: 1 }));
    expect(softened.message).toContain('node "Softmax_0" (Softmax)');
  });
});
