/** Nuisances: the recorded perturbations that make up the epsilon neighbourhood of a frame. */

import type { FrameSpec } from "./frame.ts";
import { normal, type Random, seededRandom } from "./random.ts";
import { deviationOf, meanOf } from "./statistics/moments.ts";

/**
 * One kind of perturbation and its largest magnitude. Image units: shift in pixels, brightness and noise in
 * parts of the full scale 255, contrast as a relative change, blur as the mixing weight of a 3x3 binomial
 * mean in 0..1. Tensor units: noise and offset in parts of the frame's own standard deviation, gain as a
 * relative change, time-shift in samples along the last axis.
 */
export interface Nuisance {
  readonly kind: ImageNuisance | TensorNuisance;
  readonly magnitude: number;
}

export type ImageNuisance = "shift" | "brightness" | "contrast" | "blur" | "noise";
export type TensorNuisance = "tensor-noise" | "gain" | "offset" | "time-shift";

/** How the copies of every frame are made; recorded with the evidence and applied again wherever U is. */
export interface NeighbourhoodRecipe {
  readonly nuisances: readonly Nuisance[];
  /** J: copies a frame. Copy j suffers nuisance j modulo their number. */
  readonly copies: number;
  readonly seed: number;
}

export const IMAGE_NUISANCES: readonly Nuisance[] = [
  { kind: "shift", magnitude: 1 },
  { kind: "brightness", magnitude: 0.05 },
  { kind: "contrast", magnitude: 0.1 },
  { kind: "blur", magnitude: 0.5 },
  { kind: "noise", magnitude: 0.02 },
];

export const TENSOR_NUISANCES: readonly Nuisance[] = [
  { kind: "tensor-noise", magnitude: 0.02 },
  { kind: "gain", magnitude: 0.05 },
  { kind: "offset", magnitude: 0.02 },
  { kind: "time-shift", magnitude: 1 },
];

/** What a neighbourhood can hold: beyond these a copy is no longer the frame with a nuisance. */
export const MAGNITUDES_MAX: Readonly<Record<Nuisance["kind"], number>> = {
  shift: 64,
  brightness: 0.5,
  contrast: 0.9,
  blur: 1,
  noise: 0.5,
  "tensor-noise": 1,
  gain: 0.9,
  offset: 10,
  "time-shift": 4096,
};

/**
 * Writes the J copies of one frame.
 * @param values the frame before preprocessing, as long as the spec says; images row by row, channels interleaved, 0..255
 * @param frame number of the frame, which with the recipe's seed fixes all chance
 * @param out J rows as long as the frame
 */
export function writeNeighbourhood(
  values: Float32Array,
  spec: FrameSpec,
  recipe: NeighbourhoodRecipe,
  frame: number,
  out: Float32Array,
): void {
  const random = seededRandom(Math.imul(frame + 1, 0x9e3779b1) ^ recipe.seed);
  for (let j = 0; j < recipe.copies; j++) {
    const copy = out.subarray(j * values.length, (j + 1) * values.length);
    copy.set(values);
    const nuisance = recipe.nuisances[j % recipe.nuisances.length];
    if (nuisance !== undefined) perturb(copy, values, spec, nuisance, random);
  }
}

function perturb(
  copy: Float32Array,
  original: Float32Array,
  spec: FrameSpec,
  nuisance: Nuisance,
  random: Random,
): void {
  const { kind, magnitude } = nuisance;
  const amount = magnitude * (2 * random.next() - 1);
  switch (kind) {
    case "shift":
      shift(copy, original, sidesOf(spec), step(magnitude, random), step(magnitude, random));
      break;
    case "brightness":
      change(copy, (v) => clip(v + 255 * amount));
      break;
    case "contrast": {
      const mean = meanOf(original);
      change(copy, (v) => clip(mean + (v - mean) * (1 + amount)));
      break;
    }
    case "blur":
      blur(copy, original, sidesOf(spec), Math.abs(amount));
      break;
    case "noise":
      change(copy, (v) => clip(v + 255 * magnitude * normal(random)));
      break;
    case "tensor-noise": {
      const deviation = deviationOf(original);
      change(copy, (v) => v + magnitude * deviation * normal(random));
      break;
    }
    case "gain":
      change(copy, (v) => v * (1 + amount));
      break;
    case "offset": {
      const offset = amount * deviationOf(original);
      change(copy, (v) => v + offset);
      break;
    }
    case "time-shift":
      rotate(copy, original, sidesOf(spec), step(magnitude, random));
      break;
    default:
      unreachable(kind);
  }
}

interface Sides {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A tensor is seen as rows along its last axis. */
function sidesOf(spec: FrameSpec): Sides {
  if (spec.kind === "image") return spec;
  const width = spec.shape.at(-1) ?? 1;
  return { height: spec.shape.reduce((a, b) => a * b, 1) / width, width, channels: 1 };
}

/** A whole number of steps, uniform up to the magnitude either way. */
function step(magnitude: number, random: Random): number {
  const most = Math.floor(magnitude);
  return Math.floor(random.next() * (2 * most + 1)) - most;
}

/** Moves the picture; what comes in at the border repeats the border. */
function shift(
  copy: Float32Array,
  original: Float32Array,
  { height, width, channels }: Sides,
  dy: number,
  dx: number,
): void {
  for (let y = 0; y < height; y++) {
    const fromY = Math.min(height - 1, Math.max(0, y - dy));
    for (let x = 0; x < width; x++) {
      const fromX = Math.min(width - 1, Math.max(0, x - dx));
      for (let c = 0; c < channels; c++) {
        copy[(y * width + x) * channels + c] = original[(fromY * width + fromX) * channels + c]!;
      }
    }
  }
}

/** (1 - weight) x + weight times its 3x3 binomial mean; the border repeats. */
function blur(
  copy: Float32Array,
  original: Float32Array,
  { height, width, channels }: Sides,
  weight: number,
): void {
  const at = (y: number, x: number, c: number): number => {
    const row = Math.min(height - 1, Math.max(0, y));
    const column = Math.min(width - 1, Math.max(0, x));
    return original[(row * width + column) * channels + c]!;
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let i = -1; i <= 1; i++) {
          for (let j = -1; j <= 1; j++) sum += (2 - Math.abs(i)) * (2 - Math.abs(j)) * at(y + i, x + j, c);
        }
        copy[(y * width + x) * channels + c] = (1 - weight) * at(y, x, c) + (weight * sum) / 16;
      }
    }
  }
}

function rotate(copy: Float32Array, original: Float32Array, { height, width }: Sides, steps: number): void {
  for (let row = 0; row < height; row++) {
    for (let i = 0; i < width; i++) {
      copy[row * width + i] = original[row * width + ((((i - steps) % width) + width) % width)]!;
    }
  }
}

function change(copy: Float32Array, f: (value: number) => number): void {
  for (let i = 0; i < copy.length; i++) copy[i] = f(copy[i]!);
}

function clip(value: number): number {
  return Math.min(255, Math.max(0, value));
}

function unreachable(kind: never): never {
  throw new Error(`no such nuisance: ${String(kind)}`);
}
