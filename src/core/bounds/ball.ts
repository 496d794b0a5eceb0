/** The epsilon ball of one frame: every frame whose numbers lie within epsilon of its own, number by number. */

import { type FrameSpec, frameLength } from "../frame.ts";
import { MAGNITUDES_MAX } from "../nuisance.ts";
import { deviationOf } from "../statistics/moments.ts";

/** The unit of epsilon, as that of the noises among the nuisances. */
export function epsilonUnit(spec: FrameSpec): string {
  return spec.kind === "image" ? "parts of the full scale" : "parts of the frame's own standard deviation";
}

/** The largest epsilon with which a frame is still itself. */
export function epsilonMost(spec: FrameSpec): number {
  return MAGNITUDES_MAX[spec.kind === "image" ? "noise" : "tensor-noise"];
}

/**
 * The least and the largest value that each number of a frame may take, within what a sensor can send.
 * @param values the frame before preprocessing
 * @param epsilon in the unit of `epsilonUnit`
 */
export function ballAround(
  values: Float32Array,
  spec: FrameSpec,
  epsilon: number,
): { readonly lower: Float32Array; readonly upper: Float32Array } {
  const radius = epsilon * (spec.kind === "image" ? 255 : deviationOf(values));
  const [least, most] = rangeOf(spec);
  const length = frameLength(spec);
  const side = (sign: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => Math.min(most, Math.max(least, values[i]! + sign * radius)));
  return { lower: side(-1), upper: side(1) };
}

function rangeOf(spec: FrameSpec): readonly [number, number] {
  if (spec.kind === "image") return [0, 255];
  switch (spec.type) {
    case "u8":
      return [0, 255];
    case "i16":
      return [-32768, 32767];
    case "f32":
      return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    default:
      return unreachable(spec.type);
  }
}

function unreachable(type: never): never {
  throw new Error(`no such element type: ${String(type)}`);
}
