/** What an engine is loaded with, the proof that it works, and how it then judges a batch. */

import { createAssessor } from "../core/envelope/assess.ts";
import { doubtCountOf } from "../core/envelope/score.ts";
import type { FittedEnvelope } from "../core/envelope/types.ts";
import type { FrameSpec, Preprocessing } from "../core/frame.ts";
import { type GoldenFrame, goldenPayload } from "../core/golden.ts";
import type { EngineFrame } from "../gateway/ports.ts";
import { openFramedStudent, reproduceGolden } from "./golden-frames.ts";
import { createJudging, type Judging, type OutcomeSink } from "./judging.ts";
import type { ModelSpec } from "./student.ts";

/** All that an engine needs; crosses to the child process as v8 serializes it. */
export interface EngineLoad {
  /** The ONNX file. */
  readonly student: Uint8Array;
  readonly model: ModelSpec;
  readonly frame: FrameSpec;
  readonly preprocessing: Preprocessing;
  readonly envelope: FittedEnvelope;
  readonly golden: readonly GoldenFrame[];
  /** Frames that one call of `judge` may bring. */
  readonly batchMax: number;
}

/** What an engine answers to its load, once. */
export type LoadAnswer = { readonly type: "ready" } | { readonly type: "refused"; readonly reason: string };

export interface LoadedEngine extends Judging {
  /** Frees the model; call it when no batch is under way. */
  release(): Promise<void>;
}

/** Rounds before an engine is ready, so that its first frames don't pay for compilation; a slow student's fewer. */
const WARM_UP_ROUNDS_MAX = 8;
const WARM_UP_MS_MAX = 500;

/** @throws Error that says why this load can't serve: what was expected, found, and what to do */
export async function loadEngine(load: EngineLoad): Promise<LoadedEngine> {
  const { model, frame, preprocessing, envelope, batchMax } = load;
  if (!(Number.isInteger(batchMax) && batchMax >= 1)) {
    throw new Error(`expected a batchMax of at least 1, found ${batchMax}: correct the configuration`);
  }
  if (envelope.classes.length !== model.classes) {
    throw new Error(
      `expected an envelope of the student's ${model.classes} classes, found ${envelope.classes.length}: ` +
        "certify again for this student",
    );
  }
  if (envelope.projection.kind === "pca" && envelope.projection.inputs !== model.featureCount) {
    throw new Error(
      `expected an envelope over the student's ${model.featureCount} features, found ${envelope.projection.inputs}: ` +
        "certify again for this student",
    );
  }
  if (doubtCountOf(envelope.score) !== model.doubtCount) {
    throw new Error(
      `expected an envelope over the student's ${model.doubtCount} numbers of doubt, found ${doubtCountOf(envelope.score)}: ` +
        "certify again for this student",
    );
  }
  const assessor = createAssessor(envelope);
  const framed = await openFramedStudent(load.student, model, frame, preprocessing);
  try {
    await reproduceGolden(framed, load.golden, batchMax);
    const engine = { ...createJudging(framed, assessor, batchMax), release: () => framed.student.release() };
    await warmUp(load, engine);
    return engine;
  } catch (error) {
    await framed.student.release();
    throw error;
  }
}

async function warmUp({ frame: spec, golden, batchMax }: EngineLoad, engine: LoadedEngine): Promise<void> {
  const payload = goldenPayload(spec, golden[0]?.frame ?? { seed: 1 });
  const frames = Array.from({ length: batchMax }, (): EngineFrame => ({ encoding: "raw", payload }));
  const nowhere: OutcomeSink = { prediction: () => {}, reject: () => {}, members: () => {} };
  const endMs = performance.now() + WARM_UP_MS_MAX;
  for (let round = 0; round < WARM_UP_ROUNDS_MAX; round++) {
    await engine.judge(frames.slice(0, 1), nowhere);
    await engine.judge(frames, nowhere);
    if (performance.now() > endMs) return;
  }
}
