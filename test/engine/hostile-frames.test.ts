import sharp, { type Sharp } from "sharp";
import { expect, test } from "vitest";
import type { Encoding, FrameSpec } from "../../src/core/frame.ts";
import { REJECT_REASONS } from "../../src/core/frame.ts";
import { type Random, seededRandom } from "../../src/core/random.ts";
import type { EngineFrame } from "../../src/gateway/ports.ts";
import { aLoad, anEngine, numbersOf } from "./fixtures.ts";

const SPEC: FrameSpec = { kind: "image", height: 12, width: 16, channels: 3 };

/** Sound frames in every encoding. */
async function seeds(): Promise<EngineFrame[]> {
  const pixels = Uint8Array.from(numbersOf(SPEC, 5));
  const raw = { width: 16, height: 12, channels: 3 } as const;
  const image = (): Sharp => sharp(pixels, { raw });
  const of = (encoding: Encoding, payload: Uint8Array): EngineFrame => ({ encoding, payload });
  return [
    of("raw", pixels),
    of("json", Buffer.from(JSON.stringify({ id: "a", values: [...pixels] }))),
    of("png", await image().png().toBuffer()),
    of("png", await image().png({ palette: true, progressive: true }).toBuffer()),
    of("png", await image().toColourspace("rgb16").ensureAlpha(0.5).png().toBuffer()),
    of("jpeg", await image().jpeg().toBuffer()),
    of("jpeg", await image().jpeg({ progressive: true, chromaSubsampling: "4:4:4" }).withExif({}).toBuffer()),
  ];
}

/** Flips, cuts, repeats or splices, as a fuzzer would. */
function mutated(
  { encoding, payload }: EngineFrame,
  all: readonly EngineFrame[],
  random: Random,
): EngineFrame {
  const below = (n: number): number => Math.floor(random.next() * n);
  const bytes = Buffer.from(payload);
  switch (below(5)) {
    case 0:
      for (let i = 0; i <= below(8); i++) bytes[below(bytes.length)] = below(256);
      return { encoding, payload: bytes };
    case 1:
      return { encoding, payload: bytes.subarray(0, below(bytes.length)) };
    case 2: {
      const at = below(bytes.length);
      return { encoding, payload: Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(at + 1))]) };
    }
    case 3: {
      const other = all[below(all.length)]!.payload;
      return {
        encoding,
        payload: Buffer.concat([bytes.subarray(0, below(bytes.length)), other.subarray(below(other.length))]),
      };
    }
    default:
      // Sizes and lengths in the headers.
      bytes[below(Math.min(40, bytes.length))] = below(256);
      return { encoding: all[below(all.length)]!.encoding, payload: bytes };
  }
}

test("2,000 mutated payloads are each answered, and none ends the engine", { timeout: 120_000 }, async () => {
  for (const resize of ["none", "fill"] as const) {
    const load = aLoad(SPEC);
    const engine = await anEngine({ ...load, preprocessing: { ...load.preprocessing, resize } });
    const sound = await seeds();
    for (const outcome of await engine.judge(sound)) expect(outcome.kind).toBe("prediction");
    const random = seededRandom(2024);
    const answers = new Map<string, number>();
    for (let sent = 0; sent < 1000; sent += 25) {
      const frames = Array.from({ length: 25 }, (_, i) =>
        mutated(sound[(sent + i) % sound.length]!, sound, random),
      );
      for (const outcome of await engine.judge(frames)) {
        const name = outcome.kind === "reject" ? outcome.reason : outcome.kind;
        answers.set(name, (answers.get(name) ?? 0) + 1);
      }
    }
    expect([...answers.values()].reduce((sum, count) => sum + count, 0)).toBe(1000);
    for (const name of answers.keys()) expect(["prediction", ...REJECT_REASONS]).toContain(name);
    expect(answers.get("prediction")).toBeGreaterThan(50);
    expect(answers.get("not-an-image")).toBeGreaterThan(50);
    for (const outcome of await engine.judge(sound)) expect(outcome.kind).toBe("prediction");
    await engine.close();
    expect(engine.exits).toMatchObject([{ code: 0, expected: true }]);
    expect(engine.lines).toEqual([]);
  }
});
