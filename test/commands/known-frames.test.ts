/** Known frames as the plant gives them: arrays with labels, or a folder of images; what cannot be taken is named. */

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readKnownFrames } from "../../src/commands/known-frames.ts";
import type { StationSetup } from "../../src/commands/station-setup.ts";
import { npy, npz } from "../support/npz.ts";

const CLASSES = ["good", "bent"];

/** A station of 2x2 grey images, as far as known frames ask for it. */
function aSetup(from: string, encodings: readonly string[] = ["raw", "png"]): StationSetup {
  return {
    name: "press",
    config: { knownFrames: { from, perAudit: 0.2 }, frames: { encodings } },
    bundle: { manifest: { frame: { kind: "image", type: "u8", shape: [2, 2, 1] } } },
    envelope: { fitted: { classes: CLASSES } },
  } as unknown as StationSetup;
}

function aFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-known-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

function aFile(arrays: Readonly<Record<string, Buffer>>): string {
  const file = join(mkdtempSync(join(tmpdir(), "sekisho-known-")), "known.npz");
  writeFileSync(file, npz(arrays));
  return file;
}

const frames = npy([2, 2, 2], Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));

describe("known frames", () => {
  test("are none where the configuration names none", async () => {
    const setup = { ...aSetup(""), config: { frames: { encodings: ["raw"] } } } as unknown as StationSetup;
    expect(await readKnownFrames(setup)).toBeUndefined();
  });

  test("come from an .npz as a sensor sends them raw, each with its label", async () => {
    const file = aFile({ frames, labels: npy([2], Uint8Array.of(1, 0)) });
    expect(await readKnownFrames(aSetup(file))).toEqual({
      perAudit: 0.2,
      frames: [
        { label: "bent", contentType: "application/octet-stream", payload: Uint8Array.of(1, 2, 3, 4) },
        { label: "good", contentType: "application/octet-stream", payload: Uint8Array.of(5, 6, 7, 8) },
      ],
    });
  });

  test("come from a folder, to the byte", async () => {
    const folder = aFolder({ "bent/a.png": "PNG", "good/b.PNG": "png", "bent/.hidden": "" });
    expect(
      (await readKnownFrames(aSetup(folder)))!.frames.map(({ label, payload }) => [label, String(payload)]),
    ).toEqual([
      ["bent", String(Buffer.from("PNG"))],
      ["good", String(Buffer.from("png"))],
    ]);
  });

  test.each<[string, () => string, RegExp]>([
    ["no such place", () => "/nowhere/at-all", /expected an \.npz, or a folder/],
    ["an empty folder", () => aFolder({}), /found none/],
    [
      "a class that is none",
      () => aFolder({ "broken/a.png": "" }),
      /broken: the bundle has no such class; it has good, bent/,
    ],
    ["no image", () => aFolder({ "bent/a.txt": "" }), /bent\/a\.txt: expected a \.png or \.jpg/],
    ["images that no sensor sends", () => aFolder({ "bent/a.jpg": "" }), /reviewers would tell them apart/],
    ["arrays without labels", () => aFile({ frames }), /expected arrays frames and labels, found frames/],
    [
      "a label that is none",
      () => aFile({ frames, labels: npy([2], Uint8Array.of(0, 2)) }),
      /frame 1: expected a label from 0 to 1, found 2/,
    ],
    [
      "frames of another shape",
      () => aFile({ frames: npy([2, 3], new Uint8Array(6)), labels: npy([2], new Uint8Array(2)) }),
      /expected frames of 4 numbers of type u8/,
    ],
  ])("are refused of %s, with what was expected", async (_, from, expected) => {
    await expect(readKnownFrames(aSetup(from()))).rejects.toThrow(expected);
    await expect(readKnownFrames(aSetup(from()))).rejects.toThrow(/stations\.press\.knownFrames\.from/);
  });
});
