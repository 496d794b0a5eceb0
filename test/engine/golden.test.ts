import { expect, test } from "vitest";
import type { FrameSpec } from "../../src/core/frame.ts";
import { frameBytes } from "../../src/core/frame.ts";
import { goldenPayload } from "../../src/core/golden.ts";
import { seededRandom } from "../../src/core/random.ts";

const SPECS: FrameSpec[] = [
  { kind: "image", height: 3, width: 5, channels: 3 },
  { kind: "tensor", type: "u8", shape: [7] },
  { kind: "tensor", type: "i16", shape: [4, 5] },
  { kind: "tensor", type: "f32", shape: [9] },
];

test.each(SPECS)("a seeded frame fills %o, always the same way", (spec) => {
  const payload = goldenPayload(spec, { seed: 42 });
  expect(payload).toHaveLength(frameBytes(spec));
  expect(goldenPayload(spec, { seed: 42 })).toEqual(payload);
  expect(goldenPayload(spec, { seed: 43 })).not.toEqual(payload);
});

test("seeded noise is 256 u, 65536 u - 32768 and 2u - 1", () => {
  const random = seededRandom(9);
  const u = [random.next(), random.next(), random.next()];
  const shape = [3];
  expect([...goldenPayload({ kind: "tensor", type: "u8", shape }, { seed: 9 })]).toEqual(
    u.map((x) => Math.floor(256 * x)),
  );
  const i16 = goldenPayload({ kind: "tensor", type: "i16", shape }, { seed: 9 });
  expect([...new Int16Array(i16.buffer)]).toEqual(u.map((x) => Math.floor(65536 * x) - 32768));
  const f32 = goldenPayload({ kind: "tensor", type: "f32", shape }, { seed: 9 });
  expect([...new Float32Array(f32.buffer)]).toEqual(u.map((x) => Math.fround(2 * x - 1)));
});

test("a kept frame is its bytes, and must be as long as a frame", () => {
  const spec: FrameSpec = { kind: "tensor", type: "u8", shape: [3] };
  expect([...goldenPayload(spec, { base64: "AP8Q" })]).toEqual([0, 255, 16]);
  expect(() => goldenPayload(spec, { base64: "AP8=" })).toThrow(/holds 2 bytes, a frame of this bundle 3/);
  expect(() => goldenPayload(spec, { base64: "%%%" })).toThrow(/not base64/);
});
