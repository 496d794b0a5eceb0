import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readNpz } from "../../src/bundle/npz.ts";
import { openNpzWriter } from "../../src/bundle/npz-writer.ts";
import { npy, npz } from "../support/npz.ts";

describe("an .npz", () => {
  test("gives its arrays with shape and values", async () => {
    const file = npz({
      frames: npy([2, 2], Float32Array.of(1.5, -2, 3, 4)),
      labels: npy([2], Int32Array.of(7, -1)),
    });
    const arrays = await readNpz(file, "frames.npz");
    expect(arrays.get("frames")).toMatchObject({ shape: [2, 2], values: Float32Array.of(1.5, -2, 3, 4) });
    expect([...(arrays.get("labels")?.values ?? [])]).toEqual([7, -1]);
  });

  test("that is none is refused by name", async () => {
    await expect(readNpz(Buffer.from("not a zip at all"), "frames.npz")).rejects.toThrow(
      /frames\.npz: expected an \.npz file/,
    );
    await expect(readNpz("/nowhere/frames.npz", "/nowhere/frames.npz")).rejects.toThrow(/nowhere/);
  });

  test("that was cut short is refused", async () => {
    const file = npz({ frames: npy([4], Float32Array.of(1, 2, 3, 4)) });
    await expect(readNpz(file.subarray(0, file.length - 30), "frames.npz")).rejects.toThrow(/frames\.npz/);
  });

  test("with an array of objects says which types are taken", async () => {
    const file = npz({ frames: npy([1], Float32Array.of(1), "|O") });
    await expect(readNpz(file, "frames.npz")).rejects.toThrow(/array "frames": type \|O is not taken/);
  });

  test("whose shape does not match its bytes is refused with both numbers", async () => {
    const file = npz({ frames: npy([3], Float32Array.of(1)) });
    await expect(readNpz(file, "frames.npz")).rejects.toThrow(/expected 12 bytes for shape \(3\), found 4/);
  });

  test("whose bytes were changed is refused", async () => {
    const file = npz({ frames: npy([2], Float32Array.of(1, 2)) });
    file[file.indexOf("NUMPY")] = 0x58;
    await expect(readNpz(file, "frames.npz")).rejects.toThrow(/frames/);
  });
});

describe("an .npz that is written row by row", () => {
  test("is read back as it was, text of any script with it", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "sekisho-npz-")), "rows.npz");
    const writer = openNpzWriter(path);
    writer.array("frames", "<i2", [2, 2]);
    for (const row of [Int16Array.of(1, -2, 3, -4), Int16Array.of(5, 6, 7, 8)]) {
      writer.append(new Uint8Array(row.buffer));
    }
    writer.texts("parts", ["a", "部品 😀", ""]);
    writer.array("split", "|u1", []);
    writer.finish();
    const arrays = await readNpz(path, "rows.npz");
    expect(Object.fromEntries(arrays)).toEqual({
      frames: { shape: [2, 2, 2], values: Int16Array.of(1, -2, 3, -4, 5, 6, 7, 8) },
      parts: { shape: [3], values: ["a", "部品 😀", ""] },
      split: { shape: [0], values: new Uint8Array(0) },
    });
  });

  test("and given up leaves nothing behind", () => {
    const folder = mkdtempSync(join(tmpdir(), "sekisho-npz-"));
    const writer = openNpzWriter(join(folder, "rows.npz"));
    writer.array("frames", "|u1", [2]);
    writer.abandon();
    expect(readdirSync(folder)).toEqual([]);
  });
});
