/** What an engine is loaded with, the proof that it works, and how it then judges a batch. */

import { type Assessor, createAssessor } from "../core/envelope/assess.ts";
import { doubtCountOf } from "../core/envelope/score.ts";
import type { FittedEnvelope } from "../core/envelope/types.ts";
import type { FrameMembers, FrameSpec, Preprocessing, RejectReason } from "../core/frame.ts";
import { type GoldenFrame, goldenPayload } from "../core/golden.ts";
import type { Prediction } from "../core/judge.ts";
import type { EngineFrame } from "../gateway/ports.ts";
import { decode } from "./decode.ts";
import { type FramedStudent, openFramedStudent, reproduceGolden } from "./golden-frames.ts";
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

/** Where the outcomes of a batch go, each once, in any order. A prediction may be reused after the call. */
interface OutcomeSink {
  prediction(index: number, prediction: Prediction): void;
  reject(index: number, reason: RejectReason): void;
  /** What the frame's payload says of it beside its values; before or after its outcome. */
  members(index: number, members: FrameMembers): void;
}

export interface LoadedEngine {
  /**
   * Judges a batch of 1 to batchMax frames, one batch at a time.
   * @throws Error if ONNX Runtime fails; payloads alone don't make it throw
   */
  judge(frames: readonly EngineFrame[], sink: OutcomeSink): Promise<void>;
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
    const engine = createJudging(framed, assessor, batchMax);
    await warmUp(load, engine);
    return engine;
  } catch (error) {
    await framed.student.release();
    throw error;
  }
}

function createJudging(
  { student, spec, preprocessing, preprocessor }: FramedStudent,
  assessor: Assessor,
  batchMax: number,
): LoadedEngine {
  const batchTensor = new Float32Array(batchMax * preprocessor.length);
  return {
    async judge(frames, sink) {
      // All at once, so that the images of a batch are decoded in parallel; rejects don't enter the tensor.
      const decoding = frames.map((frame) => decode(frame, spec, preprocessing));
      const frameOfRow: number[] = [];
      for (let i = 0; i < decoding.length; i++) {
        const pending = decoding[i]!;
        const decoded = pending instanceof Promise ? await pending : pending;
        if (decoded.members !== undefined) sink.members(i, decoded.members);
        if (decoded.kind === "reject") sink.reject(i, decoded.reason);
        else preprocessor.write(decoded.values, batchTensor, frameOfRow.push(i) - 1);
      }
      if (frameOfRow.length === 0) return;
      const outputs = await student.run(batchTensor, frameOfRow.length);
      for (let row = 0; row < frameOfRow.length; row++) {
        sink.prediction(frameOfRow[row]!, assessor.assess(outputs, row));
      }
    },
    release: () => student.release(),
  };
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
