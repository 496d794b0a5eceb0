/** Preprocessing: from a frame's own numbers to one row of the student's input tensor. */

import type { FrameSpec, Preprocessing } from "../core/frame.ts";
import { frameLength } from "../core/frame.ts";

/** A frame's numbers in its own order: pixels (rows of interleaved channels), or a tensor's elements. */
export type Values = Uint8Array | Int16Array | Float32Array;

export interface Preprocessor {
  /** Shape of one row, without the batch axis. */
  readonly tensorShape: readonly number[];
  /** Numbers in one row. */
  readonly length: number;
  /**
   * Writes one frame into row `row` of a batch tensor. A tensor frame's values may be this row itself, or one behind.
   * @throws RangeError if the frame has another length or the tensor has no such row
   */
  write(values: Values, batchTensor: Float32Array, row: number): void;
}

/**
 * How frames of this spec become rows: value * scale, then (x - mean) / std for each channel. Images are
 * moved into the layout. A tensor frame already lies in the order that the layout names (`CHW`: channels on
 * its first axis, `HWC`: on its last); nothing in it is moved.
 * @throws Error if mean and std are not one number or one for each channel, or a number is not usable
 */
export function createPreprocessor(spec: FrameSpec, preprocessing: Preprocessing): Preprocessor {
  const { layout, scale, mean, std } = preprocessing;
  const length = frameLength(spec);
  const channels = channelsOf(spec, layout);
  const places = length / channels;
  const multiply = new Float64Array(channels);
  const add = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    const channelStd = perChannel("std", std, c, channels, spec, layout);
    multiply[c] = scale / channelStd;
    add[c] = -perChannel("mean", mean, c, channels, spec, layout) / channelStd;
    if (!Number.isFinite(multiply[c]!) || !Number.isFinite(add[c]!)) {
      throw new Error(
        `expected preprocessing of finite numbers and no std of 0, found scale ${scale}, mean [${mean}], ` +
          `std [${std}]: correct bundle.json`,
      );
    }
  }
  const interleaved = { channel: 1, place: channels };
  const planar = { channel: places, place: 1 };
  const from = spec.kind === "tensor" && layout === "CHW" ? planar : interleaved;
  const to = layout === "CHW" ? planar : interleaved;
  const isPlain = (channels === 1 || from === to) && isConstant(multiply) && isConstant(add);
  const isIdentity = isPlain && multiply[0] === 1 && add[0]! === 0;
  return {
    tensorShape: tensorShapeOf(spec, layout),
    length,
    write(values, batchTensor, row) {
      const start = row * length;
      if (values.length !== length || !(row >= 0) || start + length > batchTensor.length) {
        throw new RangeError(
          `a frame of ${values.length} numbers for row ${row} of ${length} in a tensor of ${batchTensor.length}`,
        );
      }
      if (isIdentity) {
        batchTensor.set(values, start);
        return;
      }
      if (isPlain) {
        const a = multiply[0]!;
        const b = add[0]!;
        for (let i = 0; i < length; i++) batchTensor[start + i] = values[i]! * a + b;
        return;
      }
      for (let c = 0; c < channels; c++) {
        const a = multiply[c]!;
        const b = add[c]!;
        let source = c * from.channel;
        let target = start + c * to.channel;
        for (let p = 0; p < places; p++) {
          batchTensor[target] = values[source]! * a + b;
          source += from.place;
          target += to.place;
        }
      }
    },
  };
}

/**
 * Checks that rows of this shape are what the student takes. Axes of length 1 do not count, and `flat` is
 * held to the count of numbers alone.
 * @throws Error if they are not
 */
export function checkTensorShape(
  tensorShape: readonly number[],
  layout: Preprocessing["layout"],
  inputShape: readonly number[],
): void {
  const sides = (shape: readonly number[]): string =>
    layout === "flat"
      ? String(shape.reduce((product, side) => product * side, 1))
      : shape.filter((side) => side !== 1).join();
  if (sides(tensorShape) === sides(inputShape)) return;
  throw new Error(
    `expected frames that preprocess to the student's input [${inputShape.join(", ")}], ` +
      `found [${tensorShape.join(", ")}] in layout ${layout}: correct the frame's size or the layout in bundle.json`,
  );
}

function channelsOf(spec: FrameSpec, layout: Preprocessing["layout"]): number {
  if (spec.kind === "image") return spec.channels;
  if (layout === "flat" || spec.shape.length < 2) return 1;
  return (layout === "CHW" ? spec.shape[0] : spec.shape.at(-1)) ?? 1;
}

function tensorShapeOf(spec: FrameSpec, layout: Preprocessing["layout"]): readonly number[] {
  if (spec.kind === "tensor") return spec.shape;
  const { height, width, channels } = spec;
  switch (layout) {
    case "CHW":
      return [channels, height, width];
    case "HWC":
      return [height, width, channels];
    case "flat":
      return [height * width * channels];
    default:
      return unreachable(layout);
  }
}

function perChannel(
  name: string,
  numbers: readonly number[],
  channel: number,
  channels: number,
  spec: FrameSpec,
  layout: Preprocessing["layout"],
): number {
  const number =
    numbers.length === 1 ? numbers[0] : numbers.length === channels ? numbers[channel] : undefined;
  if (number === undefined) {
    const hint =
      spec.kind === "tensor" && layout === "flat" ? "; layout CHW or HWC names a tensor's channel axis" : "";
    throw new Error(
      `expected ${name} of 1 or ${channels} numbers, found ${numbers.length}: correct bundle.json${hint}`,
    );
  }
  return number;
}

function isConstant(numbers: Float64Array): boolean {
  return numbers.every((number) => number === numbers[0]);
}

function unreachable(value: never): never {
  throw new Error(`no such layout: ${String(value)}`);
}
