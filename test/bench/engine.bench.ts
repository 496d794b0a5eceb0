/**
 * What the engine costs for a batch of 32 frames, without its process around it: npx vitest bench --run test/bench/engine
 * For two frames, a picture of 28x28 bytes and a signal of 2,048 float32: decoding and preprocessing into the batch
 * tensor, and with student and score.
 */

import { bench, describe } from "vitest";
import type { FrameSpec } from "../../src/core/frame.ts";
import { decode } from "../../src/engine/decode.ts";
import { loadEngine } from "../../src/engine/load.ts";
import { createPreprocessor } from "../../src/engine/preprocess.ts";
import { aLoad, rawFrames } from "../engine/fixtures.ts";

const BATCH = 32;
const STEADY = { warmupTime: 500, time: 3000 } as const;

const kinds: readonly (readonly [string, FrameSpec])[] = [
  ["a picture, u8 [28, 28, 1]", { kind: "image", height: 28, width: 28, channels: 1 }],
  ["a signal, f32 [2048]", { kind: "tensor", type: "f32", shape: [2048] }],
];

describe.each(kinds)("%s", async (_, spec) => {
  const load = aLoad(spec);
  const frames = rawFrames(spec, BATCH);
  const preprocessor = createPreprocessor(spec, load.preprocessing);
  const tensor = new Float32Array(BATCH * preprocessor.length);
  const engine = await loadEngine(load);
  const nowhere = { prediction() {}, reject() {}, members() {} };

  bench(
    "decode and preprocess",
    () => {
      for (let row = 0; row < BATCH; row++) {
        const decoded = decode(frames[row]!, spec, load.preprocessing);
        if ("values" in decoded) preprocessor.write(decoded.values, tensor, row);
      }
    },
    STEADY,
  );

  bench("and a tiny student and its score", () => engine.judge(frames, nowhere), STEADY);
});
