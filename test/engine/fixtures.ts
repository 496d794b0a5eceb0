/** A tiny student, an envelope over its features, and an engine process that serves them. */

import { scoreInputs } from "../../src/core/envelope/score.ts";
import type { FittedEnvelope } from "../../src/core/envelope/types.ts";
import { type FrameSpec, frameLength } from "../../src/core/frame.ts";
import { type GoldenFrame, goldenPayload } from "../../src/core/golden.ts";
import { seededRandom } from "../../src/core/random.ts";
import {
  type EngineExit,
  type EngineOptions,
  type EngineProcess,
  startEngine,
} from "../../src/engine/engine-process.ts";
import type { EngineLoad } from "../../src/engine/load.ts";
import type { EngineFrame } from "../../src/gateway/ports.ts";
import { type TinyOnnx, tinyLogits, tinyOnnx } from "../support/tiny-onnx.ts";

export const ENGINE_MODULE = new URL("../../dist/engine/main.js", import.meta.url);

const CLASSES = 4;
const FEATURES = 3;

/** Prototypes on a small grid, bands that follow the student, a score that rises with doubt. */
function anEnvelope(classes: number, features: number, doubts: number): FittedEnvelope {
  const inputs = scoreInputs(doubts);
  const random = seededRandom(3);
  const perClass = 5;
  const constant = (value: number): number[] => Array.from({ length: classes }, () => value);
  const components = new Float32Array(features * features);
  for (let i = 0; i < features; i++) components[i * features + i] = 1;
  return {
    classes: Array.from({ length: classes }, (_, c) => `class-${c}`),
    temperature: 1,
    delta: 0.1,
    seed: 1,
    projection: {
      kind: "pca",
      inputs: features,
      outputs: features,
      mean: new Float32Array(features),
      components,
    },
    prototypes: {
      neighbours: 3,
      classStart: Array.from({ length: classes + 1 }, (_, c) => c * perClass),
      points: Float32Array.from({ length: classes * perClass * features }, () => 2 * random.next() - 1),
      gaps: Float32Array.from({ length: classes * perClass }, () => 0.1 * random.next()),
      classGap: constant(0.05),
      shrinkage: 2,
      medianDistance: constant(0.5),
    },
    score: {
      inputs,
      mean: inputs.map(() => 0),
      scale: inputs.map(() => 1),
      weights: inputs.map((_, d) => 0.1 + 0.05 * d),
      intercept: -1,
      classIntercept: constant(0),
    },
    bands: constant(0).map(() => ({ from: [0, 0.5], teacher: [0.4, 0.9], halfWidth: 0.2 })),
    noveltyMax: constant(4),
  };
}

export const GREY: FrameSpec = { kind: "image", height: 4, width: 4, channels: 1 };

/** What a tiny student is asked to make of frames of this spec, and its golden frames. */
export function aLoad(
  spec: FrameSpec = GREY,
  tiny: Partial<TinyOnnx> = {},
  changes: Partial<EngineLoad> = {},
): EngineLoad {
  const onnx: TinyOnnx = {
    inputShape: [frameLength(spec)],
    classes: CLASSES,
    featureCount: FEATURES,
    ...tiny,
  };
  const { doubtCount = 0 } = onnx;
  const scale = spec.kind === "image" || spec.type === "u8" ? 1 / 255 : spec.type === "i16" ? 1 / 32768 : 1;
  return {
    student: tinyOnnx(onnx),
    model: {
      input: "input",
      logits: "logits",
      features: onnx.featureCount > 0 ? "features" : null,
      classes: onnx.classes,
      featureCount: onnx.featureCount,
      doubt: doubtCount > 0 ? "doubt" : null,
      doubtCount,
      inputShape: onnx.inputShape,
    },
    frame: spec,
    preprocessing: { resize: "none", layout: "flat", scale, mean: [0], std: [1] },
    envelope: anEnvelope(onnx.classes, onnx.featureCount, doubtCount),
    golden: [1, 2, 3].map((seed) => aGoldenFrame(spec, onnx, scale, seed)),
    batchMax: 32,
    ...changes,
  };
}

function aGoldenFrame(spec: FrameSpec, onnx: TinyOnnx, scale: number, seed: number): GoldenFrame {
  return {
    frame: { seed },
    logits: tinyLogits(
      onnx,
      numbersOf(spec, seed).map((value) => value * scale),
    ),
  };
}

/** The numbers of a seeded frame. */
export function numbersOf(spec: FrameSpec, seed: number): number[] {
  const { buffer } = goldenPayload(spec, { seed });
  const type = spec.kind === "image" ? "u8" : spec.type;
  return Array.from(
    type === "u8"
      ? new Uint8Array(buffer)
      : type === "i16"
        ? new Int16Array(buffer)
        : new Float32Array(buffer),
  );
}

/** Raw frames of different noise. */
export function rawFrames(spec: FrameSpec, count: number, firstSeed = 100): EngineFrame[] {
  return Array.from({ length: count }, (_, i) => ({
    encoding: "raw",
    payload: goldenPayload(spec, { seed: firstSeed + i }),
  }));
}

export interface TestEngine extends EngineProcess {
  readonly exits: EngineExit[];
  /** Resolves at the engine's end. */
  readonly exited: Promise<EngineExit>;
  readonly lines: string[];
}

export async function anEngine(load: EngineLoad, options: Partial<EngineOptions> = {}): Promise<TestEngine> {
  const exits: EngineExit[] = [];
  const lines: string[] = [];
  let onExit: (exit: EngineExit) => void = () => {};
  const exited = new Promise<EngineExit>((resolve) => {
    onExit = resolve;
  });
  const engine = await startEngine({
    modulePath: ENGINE_MODULE,
    load,
    startDeadlineMs: 30_000,
    onStderr: (line) => lines.push(line),
    onExit(exit) {
      exits.push(exit);
      onExit(exit);
    },
    ...options,
  });
  return { ...engine, exits, exited, lines };
}
