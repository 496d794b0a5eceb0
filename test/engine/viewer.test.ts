/** The viewer in its own process: a picture made anew, what the student says of it, and nothing of the payload itself. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readBundle } from "../../src/bundle/bundle.ts";
import { frameSpecOf } from "../../src/bundle/manifest.ts";
import { studentSpec } from "../../src/commands/models.ts";
import { goldenPayload } from "../../src/core/golden.ts";
import { type Gallery, openViewer, type Viewer, type ViewerOptions } from "../../src/engine/viewer.ts";
import { readView, viewAnswer } from "../../src/engine/viewer-channel.ts";
import { apparelFrames, MODELS } from "../support/apparel.ts";

const MODULE = fileURLToPath(new URL("../../dist/engine/viewer-main.js", import.meta.url));
const SECRET = "<script>alert(document.cookie)</script>";

const opened: Viewer[] = [];
let apparel: ViewerOptions;
let frames: readonly Uint8Array[];

beforeAll(async () => {
  const read = readBundle(join(MODELS, "apparel"), ["envelope"]);
  if (!read.ok) throw new Error("the apparel bundle cannot be read");
  const { manifest, envelope, studentBytes } = read.bundle;
  apparel = {
    modulePath: MODULE,
    spec: frameSpecOf(manifest.frame),
    preprocessing: manifest.preprocessing,
    model: studentSpec(manifest),
    temperature: envelope!.fitted.temperature,
    projection: envelope!.fitted.projection,
    gallery: undefined,
    student: studentBytes,
    onStderr: () => {},
  };
  frames = await apparelFrames();
});
afterAll(async () => {
  for (const viewer of opened) await viewer.close();
});

function aViewer(is: Partial<ViewerOptions> = {}): Viewer {
  const viewer = openViewer({ ...apparel, ...is });
  opened.push(viewer);
  return viewer;
}

const raw = (payload: Uint8Array) => ({ encoding: "raw" as const, payload });

describe("a picture", () => {
  test("has the frame's pixels, and the student's own numbers beside it", async () => {
    const viewer = aViewer();
    const shown = await viewer.view(raw(frames[0]!));
    expect(shown).toMatchObject({ drawn: { picture: { width: 28, height: 28 } }, image: 0, neighbours: [] });
    const { data, info } = await sharp(shown!.images[0]!)
      .toColourspace("b-w")
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 28, height: 28, channels: 1, format: "raw" });
    expect(Uint8Array.from(data)).toEqual(Uint8Array.from(frames[0]!));
    expect(shown!.confidence!.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
  });

  test("of a golden frame comes with the golden logits, through the envelope's temperature", async () => {
    const { golden } = JSON.parse(readFileSync(join(MODELS, "apparel", "bundle.json"), "utf8"));
    const { logits, frame } = golden[0] as { logits: number[]; frame: { seed: number } };
    const shown = await aViewer().view(raw(goldenPayload(apparel.spec, frame)));
    const powers = logits.map((logit) => Math.exp(logit / apparel.temperature));
    const sum = powers.reduce((a, b) => a + b, 0);
    for (const [c, power] of powers.entries()) expect(shown!.confidence![c]).toBeCloseTo(power / sum, 4);
  });

  test("that came as a file is made anew: nothing that was written into the file is in it", async () => {
    const hostile = await sharp(Buffer.from(frames[1]!), { raw: { width: 28, height: 28, channels: 1 } })
      .withExif({ IFD0: { ImageDescription: SECRET } })
      .png()
      .toBuffer();
    const withTail = Buffer.concat([hostile, Buffer.from(SECRET)]);
    expect(withTail.includes(SECRET)).toBe(true);
    const shown = await aViewer().view({ encoding: "png", payload: withTail });
    const made = Buffer.from(shown!.images[0]!);
    expect(made.includes("script")).toBe(false);
    expect((await sharp(made).metadata()).exif).toBeUndefined();
    expect(Uint8Array.from(await sharp(made).toColourspace("b-w").raw().toBuffer())).toEqual(
      Uint8Array.from(frames[1]!),
    );
  });

  test("is drawn no larger than a screen", async () => {
    const spec = { kind: "image", height: 1500, width: 3000, channels: 3 } as const;
    const shown = await aViewer({ spec }).view(raw(new Uint8Array(1500 * 3000 * 3)));
    expect(shown!.drawn).toEqual({ picture: { width: 1024, height: 512 } });
  });

  test("is shown where the student cannot be run, and why is said", async () => {
    const shown = await aViewer({ student: new Uint8Array(9) }).view(raw(frames[0]!));
    expect(shown).toMatchObject({ drawn: { picture: {} }, problem: expect.stringMatching(/ONNX/) });
    expect(shown!.confidence).toBeUndefined();
  });
});

test("what is no frame is refused with its reason, and the next is shown", async () => {
  const viewer = aViewer();
  expect(await viewer.view({ encoding: "png", payload: new Uint8Array(9) })).toMatchObject({
    reject: "not-an-image",
  });
  expect(await viewer.view(raw(new Uint8Array(3)))).toMatchObject({ reject: "too-short" });
  expect(await viewer.view(raw(frames[0]!))).toMatchObject({ image: 0 });
});

test("a signal and a few numbers are shown as such", async () => {
  const signal = aViewer({ spec: { kind: "tensor", type: "f32", shape: [2048] } });
  const wave = Float32Array.from({ length: 2048 }, (_, i) => Math.sin((2 * Math.PI * i) / 16));
  const { drawn, images } = (await signal.view(raw(new Uint8Array(wave.buffer))))!;
  expect([drawn!.signal!.samples.length, drawn!.signal!.spectrum.length, drawn!.signal!.length]).toEqual([
    1024, 256, 2048,
  ]);
  expect(images).toEqual([]);
  const vector = aViewer({ spec: { kind: "tensor", type: "i16", shape: [3] } });
  const numbers = raw(new Uint8Array(Int16Array.of(7, -8, 9).buffer));
  expect((await vector.view(numbers))!.drawn).toEqual({ numbers: [7, -8, 9] });
});

test("the nearest frames of the recording are of the student's class, and then of its second, nearest first", async () => {
  const places = new Float32Array(frames.length * apparel.projection.outputs);
  const gallery: Gallery = {
    frames: Uint8Array.from(frames.flatMap((one) => [...one])),
    classIndex: Int32Array.from(frames, (_, i) => i % 10),
    confidenceStudent: new Float32Array(frames.length).fill(0.75),
    confidenceTeacher: new Float32Array(frames.length).fill(0.5),
    places: places.map((_, i) => Math.floor(i / apparel.projection.outputs)),
  };
  const shown = (await aViewer({ gallery }).view(raw(frames[0]!)))!;
  const order = shown.confidence!.map((p, c) => ({ p, c })).sort((a, b) => b.p - a.p);
  expect(shown.neighbours.map(({ classIndex }) => classIndex)).toEqual([
    ...new Array<number>(3).fill(order[0]!.c),
    ...new Array<number>(3).fill(order[1]!.c),
  ]);
  const distances = shown.neighbours.slice(0, 3).map(({ distance }) => distance);
  expect(distances).toEqual([...distances].sort((a, b) => a - b));
  expect(shown.neighbours[0]).toMatchObject({ confidenceStudent: 0.75, confidenceTeacher: 0.5, image: 1 });
  expect(shown.images).toHaveLength(7);
});

test("an answer whose lengths do not add up is none", () => {
  const body = Buffer.concat(viewAnswer({ neighbours: [], images: [Uint8Array.of(1, 2)] }).slice(0)).subarray(
    4,
  );
  expect(readView(body)).toEqual({ neighbours: [], images: [Uint8Array.of(1, 2)] });
  expect(() => readView(body.subarray(0, body.length - 1))).toThrow(/said to be 2/);
  expect(() => readView(body.subarray(0, 3))).toThrow(/3 bytes/);
  expect(() => readView(Buffer.from([255, 255, 0, 0, 1]))).toThrow(/head that ends/);
});
