/** Payloads that nobody meant to send, in every encoding, through real engines. SEKISHO_HOSTILE_FRAMES sets how many. */

import sharp, { type Sharp } from "sharp";
import { expect, test } from "vitest";
import type { Encoding, FrameSpec, Preprocessing } from "../../src/core/frame.ts";
import { REJECT_REASONS } from "../../src/core/frame.ts";
import { seededRandom } from "../../src/core/random.ts";
import type { EngineFrame } from "../../src/gateway/ports.ts";
import { mutated } from "../support/mutate.ts";
import { aLoad, anEngine, numbersOf } from "./fixtures.ts";

const FRAMES = Number(process.env.SEKISHO_HOSTILE_FRAMES ?? 10_000);
const BATCH = 25;

const IMAGE: FrameSpec = { kind: "image", height: 12, width: 16, channels: 3 };
const SIGNAL: FrameSpec = { kind: "tensor", type: "f32", shape: [64] };

const frameOf = (encoding: Encoding, payload: Uint8Array): EngineFrame => ({ encoding, payload });

/** Sound pictures in every encoding. */
async function soundImages(): Promise<EngineFrame[]> {
  const pixels = Uint8Array.from(numbersOf(IMAGE, 5));
  const raw = { width: 16, height: 12, channels: 3 } as const;
  const image = (): Sharp => sharp(pixels, { raw });
  return [
    frameOf("raw", pixels),
    frameOf("json", Buffer.from(JSON.stringify({ id: "a", values: [...pixels] }))),
    frameOf("png", await image().png().toBuffer()),
    frameOf("png", await image().png({ palette: true, progressive: true }).toBuffer()),
    frameOf("png", await image().toColourspace("rgb16").ensureAlpha(0.5).png().toBuffer()),
    frameOf("jpeg", await image().jpeg().toBuffer()),
    frameOf(
      "jpeg",
      await image().jpeg({ progressive: true, chromaSubsampling: "4:4:4" }).withExif({}).toBuffer(),
    ),
  ];
}

async function soundSignals(): Promise<EngineFrame[]> {
  const values = numbersOf(SIGNAL, 5);
  return [
    frameOf("raw", new Uint8Array(Float32Array.from(values).buffer)),
    frameOf("json", Buffer.from(JSON.stringify({ values }))),
    frameOf("json", Buffer.from(`{"values": [${values.slice(0, 60)}, [1e308, -1e-320, 0.1e1, [5]]]}`)),
  ];
}

test.each([
  [
    "pictures",
    IMAGE,
    "none",
    soundImages,
    0.4,
    ["not-an-image", "too-short", "too-long", "invalid-json", "wrong-shape"],
  ],
  [
    "pictures to be resized",
    IMAGE,
    "fill",
    soundImages,
    0.4,
    ["not-an-image", "too-short", "too-long", "invalid-json", "too-large"],
  ],
  ["signals", SIGNAL, "none", soundSignals, 0.2, ["not-finite", "too-short", "too-long", "invalid-json"]],
] as const)(
  `of ${FRAMES} mutated payloads, those meant as %s are each answered, and none ends the engine`,
  { timeout: 60_000 + 20 * FRAMES },
  async (_, spec, resize, soundOf, share, reasons) => {
    const load = aLoad(spec);
    const preprocessing: Preprocessing = { ...load.preprocessing, resize };
    const engine = await anEngine({ ...load, preprocessing });
    const sound = await soundOf();
    const payloads = sound.map(({ payload }) => payload);
    const encodings = sound.map(({ encoding }) => encoding);
    const before = await engine.judge(sound);
    const random = seededRandom(2024);
    const answers = new Map<string, number>();
    const batches = Math.ceil((FRAMES * share) / BATCH);
    for (let sent = 0; sent < batches * BATCH; sent += BATCH) {
      const frames = Array.from({ length: BATCH }, (_, i) => {
        const { encoding, payload } = sound[(sent + i) % sound.length]!;
        // Now and then under another's name.
        const named =
          random.next() < 0.1 ? encodings[Math.floor(random.next() * encodings.length)]! : encoding;
        return frameOf(named, mutated(payload, payloads, random));
      });
      for (const outcome of await engine.judge(frames)) {
        const name = outcome.kind === "reject" ? outcome.reason : outcome.kind;
        answers.set(name, (answers.get(name) ?? 0) + 1);
      }
    }
    expect([...answers.values()].reduce((sum, count) => sum + count, 0)).toBe(batches * BATCH);
    for (const name of answers.keys()) expect(["prediction", ...REJECT_REASONS]).toContain(name);
    for (const name of ["prediction", ...reasons]) expect([...answers.keys()]).toContain(name);
    expect(answers.get("prediction")).toBeGreaterThan(batches);
    // It judges as it did, and never said a word.
    expect(await engine.judge(sound)).toEqual(before);
    await engine.close();
    expect(engine.exits).toMatchObject([{ code: 0, expected: true }]);
    expect(engine.lines).toEqual([]);
  },
);
