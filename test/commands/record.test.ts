/** What `record` says before it starts, and what it records: frames from files and folders, magnitudes. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readEvidence } from "../../src/bundle/evidence.ts";
import { decodePixels } from "../../src/engine/decode-image.ts";
import { Database } from "../../src/sqlite/database.ts";
import { npy } from "../support/npz.ts";
import { aPicture, pictureAgain, SIDE } from "../support/pictures.ts";
import {
  aWorkshop,
  differentParts,
  done,
  encoded,
  imageFolder,
  PARTS,
  pictures,
  range,
  refused,
} from "../support/record-workshop.ts";

const GREY = { kind: "image", height: SIDE, width: SIDE, channels: 1 } as const;
const takenAgain = range(10).map((part) => pictureAgain(aPicture(part), { dx: 1, noise: 0.01, seed: part }));

describe("before it records", () => {
  test("it says what it will do, and that so few parts can certify nothing", async () => {
    const workshop = await aWorkshop();
    const frames = workshop.arrays("frames.npz", { frames: pictures(differentParts) });
    const { json, stderr } = await done(workshop.record("--frames", frames, "--json"));
    expect(stderr).toMatch(/^frames: 60 of 60 parts \(without part ids each .*fit 21, cal 33, ref 6$/m);
    expect(stderr).toMatch(
      /^neighbourhood: 5 copies of each frame: shift 1 px, brightness 0.05, contrast 0.1, blur 0.5, noise 0.02; default/m,
    );
    expect(stderr).toMatch(/^teacher: .*teacher\.onnx$/m);
    expect(stderr).toMatch(/at alpha 1% a station needs at least 439 parts of cal that pass/);
    expect(stderr).toMatch(/warning: cal has 33 parts, too few to certify alpha 0.01: .* it takes 439/);
    expect(json).toMatchObject({
      frames: 60,
      nearDuplicates: { frames: 0, examples: [] },
      warnings: [expect.stringMatching(/^cal has 33 parts/)],
    });
  });

  test("it counts a class that has too few parts by the labels", async () => {
    const workshop = await aWorkshop();
    const labels = npy(
      [PARTS],
      Int32Array.from({ length: PARTS }, (_, i) => (i < 50 ? 0 : 1)),
    );
    const split = npy([PARTS], new Int32Array(PARTS).fill(1));
    const frames = workshop.arrays("frames.npz", { frames: pictures(differentParts), labels, split });
    const { stderr } = await done(workshop.record("--frames", frames, "--json"));
    expect(stderr).toMatch(
      /warning: cal has too few parts of good \(50\), scratched \(10\): a class needs \d+/,
    );
  });

  test("it warns of frames that show one part under no part id", async () => {
    const workshop = await aWorkshop();
    const frames = workshop.arrays("frames.npz", { frames: pictures([...differentParts, ...takenAgain]) });
    const { json, stderr } = await done(workshop.record("--frames", frames, "--json"));
    expect(json).toMatchObject({ nearDuplicates: { frames: 20 } });
    expect(stderr).toMatch(
      /warning: 20 of 70 frames are near-duplicates of another, such as rows 0 and 60, .*give part ids/,
    );
    const again = await done(workshop.record("--frames", frames, "--json"));
    expect(again.stderr).toContain("recorded already");
    expect(again.json).toEqual(json);
  });

  test("it does not warn where the part ids say so, and does where one part is in two splits", async () => {
    const workshop = await aWorkshop();
    const frames = pictures([...differentParts, ...takenAgain]);
    const right = npy(
      [70],
      Int32Array.from({ length: 70 }, (_, i) => i % PARTS),
    );
    const known = workshop.arrays("known.npz", { frames, parts: right });
    expect((await done(workshop.record("--frames", known, "--json"))).json).toMatchObject({
      parts: { fit: 21, cal: 33, ref: 6 },
      nearDuplicates: { frames: 0 },
    });
    const wrong = npy(
      [70],
      Int32Array.from({ length: 70 }, (_, i) => i),
    );
    // The first four of the ten that were taken again fall into another split than their originals.
    const split = npy(
      [70],
      Int32Array.from({ length: 70 }, (_, i) => (i >= 60 && i < 64 ? 1 : 0)),
    );
    const leaking = workshop.arrays("leaking.npz", { frames, parts: wrong, split });
    const { json, stderr } = await done(workshop.record("--frames", leaking, "--json", "--replace"));
    expect(json).toMatchObject({ nearDuplicates: { frames: 8 } });
    expect(stderr).toMatch(
      /warning: 8 of 70 frames are near-duplicates of a frame of another part in another split/,
    );
  });

  test("it says where it cannot look for near-duplicates", async () => {
    const workshop = await aWorkshop([8]);
    const values = Float32Array.from({ length: 40 * 8 }, (_, i) => Math.sin(i * i));
    const frames = workshop.arrays("frames.npz", { frames: npy([40, 8], values) });
    const { json, stderr } = await done(workshop.record("--frames", frames, "--json"));
    expect(json).toMatchObject({ nearDuplicates: null });
    expect(stderr).toMatch(/warning: frames this small are not searched for near-duplicates/);
  });
});

describe("magnitudes", () => {
  test("set by hand are recorded, and without copies for all of them only those that were tried", async () => {
    const workshop = await aWorkshop();
    const frames = workshop.arrays("frames.npz", { frames: pictures(differentParts) });
    writeFileSync(workshop.path("line.json"), '{ "noise": 0.01, "shift": 2 }');
    const byHand = ["--frames", frames, "--nuisances", workshop.path("line.json"), "--json"];
    expect((await done(workshop.record(...byHand))).json).toMatchObject({
      neighbourhood: {
        kind: "recipe",
        nuisances: [
          { kind: "shift", magnitude: 2 },
          { kind: "noise", magnitude: 0.01 },
        ],
        copies: 5,
        basis: { kind: "by-hand" },
      },
    });
    const one = await done(workshop.record(...byHand, "--copies", "1", "--replace"));
    expect(one.json).toMatchObject({
      neighbourhood: { nuisances: [{ kind: "shift", magnitude: 2 }], copies: 1 },
    });
    expect(one.stderr).toMatch(/shift 2 px, without noise 0.01, for which there are too few copies/);
  });

  test("estimated from repeats are recorded with what they are worth", async () => {
    const workshop = await aWorkshop();
    const frames = workshop.arrays("frames.npz", { frames: pictures(differentParts) });
    const taken = range(120).map((i) =>
      pictureAgain(aPicture(i >> 1), { dx: i % 2, brightness: (i % 3) / 50, noise: 0.01, seed: i }),
    );
    const repeats = workshop.arrays("repeats.npz", {
      frames: pictures(taken),
      parts: npy(
        [120],
        Int32Array.from({ length: 120 }, (_, i) => i >> 1),
      ),
    });
    const { json, stderr } = await done(workshop.record("--frames", frames, "--repeats", repeats, "--json"));
    const { neighbourhood } = json as unknown as {
      neighbourhood: { nuisances: { kind: string; magnitude: number }[]; basis: object };
    };
    expect(neighbourhood.basis).toMatchObject({
      kind: "estimated-from-repeats",
      parts: 60,
      frames: 120,
      confidence: 0.95,
    });
    const of = (kind: string): number => neighbourhood.nuisances.find((one) => one.kind === kind)!.magnitude;
    expect(of("shift")).toBe(1);
    expect(of("brightness")).toBeCloseTo(0.04, 2);
    expect(of("noise")).toBeCloseTo(Math.SQRT2 * 0.01, 2);
    expect(stderr).toMatch(
      /the largest of 60 parts with 120 frames, each bounding 95.1% of parts with 95% confidence/,
    );
    const { description } = readEvidence(join(workshop.bundle, "evidence.sqlite"));
    expect(description.neighbourhood).toEqual(neighbourhood);
  });
});

describe("a folder of images", () => {
  test("gives what the decoded pixels give, in the order of its names, with labels, parts and names", async () => {
    const workshop = await aWorkshop();
    const files = {
      "scratched/p7__left.png": await encoded(aPicture(1), "png"),
      "good/p2__b.jpg": await encoded(aPicture(2), "jpeg"),
      "good/p2__a.png": await encoded(aPicture(2), "png"),
      "good/p10__a.jpeg": await encoded(aPicture(3), "jpeg"),
    };
    const folder = imageFolder(workshop, {
      ...files,
      ".hidden/x.png": Buffer.from("no image"),
      "good/.DS_Store": Buffer.from("no image"),
    });
    const order = ["good/p10__a.jpeg", "good/p2__a.png", "good/p2__b.jpg", "scratched/p7__left.png"] as const;
    const { json } = await done(workshop.record("--frames", folder, "--json"));
    expect(json).toMatchObject({ frames: 4, parts: { fit: 1, cal: 2, ref: 0 } });
    const file = join(workshop.bundle, "evidence.sqlite");
    const { evidence } = readEvidence(file);
    expect([...evidence.label]).toEqual([0, 0, 0, 1]);
    expect([...evidence.part]).toEqual([0, 1, 1, 2]);
    const db = new Database(file, { readonly: true });
    expect(db.prepare("SELECT name FROM parts ORDER BY part").pluck().all()).toEqual(["p10", "p2", "p7"]);
    expect(db.prepare("SELECT name FROM frame_names ORDER BY frame").pluck().all()).toEqual([...order]);
    db.close();

    const pixels = await Promise.all(
      order.map(async (name) => {
        const decoded = await decodePixels(files[name], name.endsWith(".png") ? "png" : "jpeg", GREY, "none");
        if (decoded.kind !== "values") throw new Error(decoded.reason);
        return Float32Array.from(decoded.values);
      }),
    );
    const frames = workshop.arrays("frames.npz", {
      frames: pictures(pixels),
      parts: npy([4], Int32Array.of(10, 2, 2, 7)),
      labels: npy([4], Int32Array.of(0, 0, 0, 1)),
    });
    await done(workshop.record("--frames", frames, "--json", "--replace"));
    expect(readEvidence(file).evidence).toEqual(evidence);
  });

  test("without part names counts each image as a part, and names near-duplicates by their files", async () => {
    const workshop = await aWorkshop();
    const files: Record<string, Uint8Array> = {};
    for (const part of range(12)) files[`good/${part}.png`] = await encoded(aPicture(part), "png");
    files["scratched/again.png"] = await encoded(takenAgain[5]!, "png");
    const { json, stderr } = await done(workshop.record("--frames", imageFolder(workshop, files), "--json"));
    expect(json).toMatchObject({ frames: 13, nearDuplicates: { frames: 2 } });
    expect(stderr).toMatch(/such as good\/5\.png and scratched\/again\.png\. .*PART__anything/);
  });

  test.each([
    [
      "a class that the bundle has not",
      "scratchd/a.png",
      "png",
      /scratchd: the bundle has no class "scratchd"; did you mean "scratched"/,
    ],
    ["a file beside the class folders", "a.png", "png", /a\.png: expected folders here, one a class/],
    ["a folder in a class folder", "good/more/a.png", "png", /good\/more: expected images here/],
    [
      "a file that is no image",
      "good/notes.txt",
      "text",
      /good\/notes\.txt: expected a PNG or JPEG image, found other bytes/,
    ],
    [
      "a damaged image",
      "good/a.png",
      "damaged",
      /good\/a\.png: an image of 24 x 24 pixels that cannot be decoded/,
    ],
    [
      "an image of another size",
      "good/big.png",
      "big",
      /big\.png: has 48 x 48 pixels, the bundle's frames 24 x 24/,
    ],
    [
      "one part in two classes",
      "scratched/p1__b.png",
      "png",
      /good\/p1__a\.png and scratched\/p1__b\.png both name part "p1"/,
    ],
  ] as const)("with %s is refused, and nothing is half-written", async (_, name, kind, reason) => {
    const workshop = await aWorkshop();
    const png = await encoded(aPicture(1), "png");
    const contents: Record<typeof kind, Uint8Array> = {
      png,
      text: Buffer.from("scratched ones are in the other folder"),
      damaged: png.subarray(0, png.length >> 1),
      big: await encoded(aPicture(1, 48), "png", 48),
    };
    const folder = imageFolder(workshop, { "good/p1__a.png": png, [name]: contents[kind] });
    expect(await refused(workshop, () => workshop.record("--frames", folder))).toMatch(reason);
  });

  test("that is empty, or for a bundle of tensors, is refused", async () => {
    const workshop = await aWorkshop();
    mkdirSync(join(workshop.path("images"), "good"), { recursive: true });
    const empty = await refused(workshop, () => workshop.record("--frames", workshop.path("images")));
    expect(empty).toMatch(/expected folders named as the classes \(good, scratched\) with images in them/);
    const signals = await aWorkshop([32]);
    const folder = imageFolder(signals, { "good/a.png": await encoded(aPicture(1), "png") });
    expect(await refused(signals, () => signals.record("--frames", folder))).toMatch(
      /a folder of images, and the bundle's frames are tensors/,
    );
  });
});
