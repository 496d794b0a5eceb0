/** How a loaded engine judges a batch: decode, preprocess, student and score, with the payloads at hand or in a slot. */

import type { Assessor } from "../core/envelope/assess.ts";
import { type FrameMembers, frameBytes, type RejectReason } from "../core/frame.ts";
import type { Prediction } from "../core/judge.ts";
import type { EngineFrame } from "../gateway/ports.ts";
import { type Entry, framesOf } from "./channel.ts";
import { areFinite, decode } from "./decode.ts";
import type { FramedStudent } from "./golden-frames.ts";

/** Where the outcomes of a batch go, each once, in any order. A prediction may be reused after the call. */
export interface OutcomeSink {
  prediction(index: number, prediction: Prediction): void;
  reject(index: number, reason: RejectReason): void;
  /** What the frame's payload says of it beside its values; before or after its outcome. */
  members(index: number, members: FrameMembers): void;
}

/** Fills the target with a batch's payloads, one after another. */
export type ReadPayloads = (target: Uint8Array) => void;

/** Batches have 1 to batchMax frames, and come one at a time. */
export interface Judging {
  /** @throws Error if ONNX Runtime fails; payloads alone don't make it throw */
  judge(frames: readonly EngineFrame[], sink: OutcomeSink): Promise<void>;
  /** The same for payloads that are still to be read. @throws whatever `read` throws, too */
  judgeStored(entries: readonly Entry[], read: ReadPayloads, sink: OutcomeSink): Promise<void>;
}

export function createJudging(framed: FramedStudent, assessor: Assessor, batchMax: number): Judging {
  const { student, spec, preprocessing, preprocessor } = framed;
  const { length } = preprocessor;
  const batchTensor = new Float32Array(batchMax * length);
  const tensorBytes = new Uint8Array(batchTensor.buffer);
  const bytesEach = frameBytes(spec);
  // Such a frame's bytes are the numbers of its row, each at its place.
  const isRowAsSent = spec.kind === "tensor" && spec.type === "f32";
  let stored = new Uint8Array(0);

  /** Decodes into the first rows of the tensor; rejects don't enter it. Returns which frame each row holds. */
  async function fill(frames: readonly EngineFrame[], sink: OutcomeSink): Promise<number[]> {
    // All at once, so that the images of a batch are decoded in parallel.
    const decoding = frames.map((frame) => decode(frame, spec, preprocessing));
    const frameOfRow: number[] = [];
    for (let i = 0; i < decoding.length; i++) {
      const pending = decoding[i]!;
      const decoded = pending instanceof Promise ? await pending : pending;
      if (decoded.members !== undefined) sink.members(i, decoded.members);
      if (decoded.kind === "reject") sink.reject(i, decoded.reason);
      else preprocessor.write(decoded.values, batchTensor, frameOfRow.push(i) - 1);
    }
    return frameOfRow;
  }

  /** The same for raw float32 frames of the right size, read to where they are needed and preprocessed in place. */
  function fillAsSent(count: number, read: ReadPayloads, sink: OutcomeSink): number[] {
    read(tensorBytes.subarray(0, count * bytesEach));
    const frameOfRow: number[] = [];
    for (let i = 0; i < count; i++) {
      const values = batchTensor.subarray(i * length, (i + 1) * length);
      if (areFinite(values)) preprocessor.write(values, batchTensor, frameOfRow.push(i) - 1);
      else sink.reject(i, "not-finite");
    }
    return frameOfRow;
  }

  async function run(frameOfRow: readonly number[], sink: OutcomeSink): Promise<void> {
    if (frameOfRow.length === 0) return;
    const outputs = await student.run(batchTensor, frameOfRow.length);
    for (let row = 0; row < frameOfRow.length; row++) {
      sink.prediction(frameOfRow[row]!, assessor.assess(outputs, row));
    }
  }

  return {
    async judge(frames, sink) {
      await run(await fill(frames, sink), sink);
    },
    async judgeStored(entries, read, sink) {
      if (isRowAsSent && entries.every(({ encoding, bytes }) => encoding === "raw" && bytes === bytesEach)) {
        return run(fillAsSent(entries.length, read, sink), sink);
      }
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
      if (stored.length < bytes) stored = new Uint8Array(bytes);
      const payloads = stored.subarray(0, bytes);
      read(payloads);
      await run(await fill(framesOf(entries, payloads), sink), sink);
    },
  };
}
