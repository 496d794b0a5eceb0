import { expect, test } from "vitest";
import { createSlabs, SLAB_BYTES } from "../../src/mqtt/slabs.ts";

function counted() {
  const freed: Buffer[] = [];
  return { freed, slabs: createSlabs((bytes) => freed.push(bytes)) };
}

test("memory is used again once nothing is read into it and all its frames are released", () => {
  const { freed, slabs } = counted();
  const slab = slabs.take(1);
  slab.hold();
  slab.hold();
  slab.release();
  slab.close();
  expect(freed).toEqual([]);
  slab.release();
  expect(freed).toHaveLength(1);
  expect(slabs.take(1).bytes).toBe(slab.bytes);
});

test("a slab that is still read into is not given away, whatever is released", () => {
  const { freed, slabs } = counted();
  const slab = slabs.take(1);
  slab.hold();
  slab.release();
  expect([freed.length, slab.isIdle]).toEqual([0, true]);
});

test("what has been abandoned is used no more, however often it is released", () => {
  const { freed, slabs } = counted();
  const slab = slabs.take(1);
  slab.hold();
  slab.abandon();
  slab.close();
  slab.release();
  expect([freed.length, slab.isIdle]).toEqual([0, false]);
  expect(slabs.take(1).bytes).not.toBe(slab.bytes);
});

test("a frame larger than a slab has memory of its own, which is not kept", () => {
  const { freed, slabs } = counted();
  const large = slabs.take(SLAB_BYTES + 1);
  expect(large.bytes.length).toBe(SLAB_BYTES + 1);
  large.close();
  expect(freed).toEqual([]);
});

test("no more is kept free than a window of frames takes", () => {
  const { freed, slabs } = counted();
  for (const slab of Array.from({ length: 100 }, () => slabs.take(1))) slab.close();
  expect(freed).toHaveLength(64);
});
