/** A folder of images keeps in memory what was asked for, and notices when an image changes under its hands. */

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type DecodeImage, readImageFolder } from "../../src/bundle/image-folder.ts";

const SPEC = { kind: "image", height: 1, width: 2, channels: 1 } as const;
/** Two bytes are an image of two pixels. */
const decode: DecodeImage = (bytes) => Promise.resolve({ values: bytes });
const quiet = (): void => {};

/** Images good/00 to good/99, each with its number in both pixels. */
function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-images-"));
  mkdirSync(join(folder, "good"));
  for (let i = 0; i < 100; i++) {
    writeFileSync(join(folder, "good", String(i).padStart(2, "0")), Uint8Array.of(i, i));
  }
  return folder;
}

test("frames are there when they were loaded, and then only", async () => {
  const frames = await readImageFolder(aFolder(), SPEC, ["good"], decode, quiet);
  expect(frames.count).toBe(100);
  expect(() => frames.values(0)).toThrow(/frame 0 is not loaded/);
  await frames.load(40, 3);
  expect([40, 41, 42].map((i) => [...frames.values(i)])).toEqual([
    [40, 40],
    [41, 41],
    [42, 42],
  ]);
  expect(() => frames.values(39)).toThrow(/frame 39 is not loaded/);
  expect(() => frames.values(43)).toThrow(/frame 43 is not loaded/);
  await frames.load(0, 1);
  expect(() => frames.values(40)).toThrow(/frame 40 is not loaded/);
});

test("the digest is of names and contents", async () => {
  const folder = aFolder();
  const digestOf = async () => (await readImageFolder(folder, SPEC, ["good"], decode, quiet)).sha256;
  const first = await digestOf();
  expect(await digestOf()).toBe(first);
  writeFileSync(join(folder, "good", "07"), Uint8Array.of(7, 8));
  expect(await digestOf()).not.toBe(first);
});

test("an image that changes while it is recorded is refused by name", async () => {
  const folder = aFolder();
  const frames = await readImageFolder(folder, SPEC, ["good"], decode, quiet);
  writeFileSync(join(folder, "good", "07"), Uint8Array.of(7, 8));
  await expect(frames.load(5, 5)).rejects.toThrow(/good\/07: changed while it was being recorded/);
});
