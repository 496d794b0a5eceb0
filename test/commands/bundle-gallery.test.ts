/** A bundle's gallery: recorded frames of fit, bound by digest, and refused where it is not what the bundle was made with. */

import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readBundle } from "../../src/bundle/bundle.ts";
import { readEvidence } from "../../src/bundle/evidence.ts";
import { readGallery } from "../../src/bundle/gallery.ts";
import { chooseGallery } from "../../src/core/envelope/gallery.ts";
import { MODELS } from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { aCertifiedWorkshop } from "../support/workshop.ts";

describe("the shipped gallery", () => {
  const folder = join(MODELS, "apparel");
  const read = readBundle(folder, ["envelope", "evidence"]);
  if (!read.ok) throw new Error("the apparel bundle cannot be read");
  const { manifest, envelope } = read.bundle;
  const { fitted } = envelope!;

  test("is small, has each class, and says what student and teacher said", async () => {
    expect(statSync(join(folder, "gallery.npz")).size).toBeLessThan(400_000);
    const gallery = (await readGallery(folder, manifest, fitted.projection.outputs))!;
    expect(new Set(gallery.classIndex).size).toBe(10);
    for (const sure of [...gallery.confidenceStudent, ...gallery.confidenceTeacher]) {
      expect(sure).toBeGreaterThanOrEqual(0);
      expect(sure).toBeLessThanOrEqual(1);
    }
  });

  test("is of fit alone: nothing that was counted, and nothing of the demo", () => {
    const { evidence } = readEvidence(join(folder, manifest.evidence!.file));
    const chosen = chooseGallery(evidence, fitted, 5);
    expect(chosen.length).toBeGreaterThan(40);
    for (const { row } of chosen) expect(evidence.splitOfPart[evidence.part[row]!]).toBe("fit");
    expect(new Set(chosen.map(({ row }) => row)).size).toBe(chosen.length);
  });
});

describe("sekisho bundle gallery", () => {
  let bundle: string;
  let frames: string;
  beforeAll(async () => {
    const workshop = await aCertifiedWorkshop();
    bundle = workshop.bundle;
    frames = workshop.path("frames.npz");
  });
  const make = (dir: string, ...args: string[]) =>
    sekisho(["bundle", "gallery", dir, "--frames", frames, "--json", ...args]);
  function aCopy(): string {
    const copy = join(mkdtempSync(join(tmpdir(), "sekisho-gallery-")), "bundle");
    cpSync(bundle, copy, { recursive: true });
    return copy;
  }
  async function look(dir: string) {
    const read = readBundle(dir, ["envelope"]);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    const { manifest, envelope } = read.bundle;
    return readGallery(dir, manifest, envelope!.fitted.projection.outputs);
  }

  test("binds the frames to the bundle, which stays what it was but for that", async () => {
    const dir = aCopy();
    expect(await look(dir)).toBeUndefined();
    const before = JSON.parse(readFileSync(join(dir, "bundle.json"), "utf8"));
    const made = await make(dir, "--kilobytes", "20");
    expect(made.status, made.stderr).toBe(0);
    expect(JSON.parse(made.stdout).bytes).toBeLessThan(21_000);
    const { gallery, ...rest } = JSON.parse(readFileSync(join(dir, "bundle.json"), "utf8"));
    expect(rest).toEqual(before);
    expect(gallery.file).toBe("gallery.npz");
    const found = (await look(dir))!;
    expect(found.classIndex.length).toBe(JSON.parse(made.stdout).frames);
    expect(found.frames.length % found.classIndex.length).toBe(0);
  });

  test("that was changed afterwards is not shown", async () => {
    const dir = aCopy();
    expect((await make(dir)).status).toBe(0);
    appendFileSync(join(dir, "gallery.npz"), "x");
    await expect(look(dir)).rejects.toThrow(/not the file that this bundle was made with/);
    writeFileSync(join(dir, "gallery.npz"), new Uint8Array(17 * 2 ** 20));
    await expect(look(dir)).rejects.toThrow(/at most/);
  });

  test("of other frames, or of no room, is refused", async () => {
    const dir = aCopy();
    const other = join(dir, "other.npz");
    writeFileSync(other, readFileSync(join(MODELS, "apparel", "frames", "demo.npz")));
    const foreign = await sekisho(["bundle", "gallery", dir, "--frames", other]);
    expect(foreign.status).toBe(1);
    expect((await make(dir, "--kilobytes", "0.001")).stderr).toMatch(/not one frame of each class/);
    expect((await make(dir, "--kilobytes", "x")).stderr).toMatch(/expected a number/);
    expect(existsSync(join(dir, "gallery.npz"))).toBe(false);
  });
});
