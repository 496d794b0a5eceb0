/** Where two frames are compared, and which place of one falls on which of the other when it is shifted. */

import type { FrameSpec } from "../frame.ts";
import { permutation, seededRandom } from "../random.ts";

/** Places at which a fit is made, and at which shifts are compared; more would sharpen neither where it matters. */
const PLACES_MAX = 4096;
const SEARCH_PLACES_MAX = 512;

/** Largest shifts that are looked for, in pixels and samples: the work grows with their number. */
const SHIFT_STEPS_MAX = 8;
const TIME_SHIFT_STEPS_MAX = 64;

/** A frame of fewer numbers, or with a shorter side, can be like another by chance. */
const NUMBERS_LEAST = 16;
const SIDE_LEAST = 8;

export interface Shift {
  readonly dy: number;
  readonly dx: number;
}

/** Index `places[i]` of one frame shows what index `from[i]` of the other did before it was shifted. */
export interface Overlay {
  readonly places: Int32Array;
  readonly from: Int32Array;
}

export interface Lattice {
  /** Largest shift looked for. */
  readonly steps: number;
  /** All shifts up to that, none first. */
  readonly shifts: readonly Shift[];
  /** For each shift, at the same places: beyond its border a frame is taken to go on as it ends. */
  readonly search: readonly Overlay[];
  /** For one shift, the places that both frames show, with their neighbours. */
  shown(shift: Shift): Overlay;
}

/** Whether frames of this spec are large enough to be compared. */
export function isComparable(spec: FrameSpec): boolean {
  if (spec.kind === "image") return Math.min(spec.height, spec.width) >= SIDE_LEAST;
  return (spec.shape.at(-1) ?? 0) >= NUMBERS_LEAST;
}

/**
 * @param steps largest shift wanted; at most 8 pixels or 64 samples are looked for, and a quarter of the side
 * @throws RangeError if frames of this spec are too small to be compared
 */
export function createLattice(spec: FrameSpec, steps: number): Lattice {
  if (!isComparable(spec)) throw new RangeError("frames this small cannot be compared");
  const frame = spec.kind === "image" ? imageAxes(spec) : tensorAxes(spec.shape);
  const side = frame.turns ? frame.width : Math.min(frame.height, frame.width);
  const stepsMax = frame.turns ? TIME_SHIFT_STEPS_MAX : SHIFT_STEPS_MAX;
  const most = Math.min(steps, stepsMax, Math.floor(side / 4));
  const shifts = shiftsUpTo(most, frame.turns);
  const places = thinned(frame.length, PLACES_MAX);
  const searched = thinned(frame.length, SEARCH_PLACES_MAX);
  const known = new Map<string, Overlay>();
  return {
    steps: most,
    shifts,
    search: shifts.map((shift) => ({
      places: searched,
      from: searched.map((at) => source(frame, at, shift)),
    })),
    shown(shift) {
      const key = `${shift.dy} ${shift.dx}`;
      const overlay = known.get(key) ?? overlayOf(frame, places, shift);
      known.set(key, overlay);
      return overlay;
    },
  };
}

/** A frame as rows of places with channels; `turns` where a shift turns each row round instead of moving it. */
interface Axes {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly length: number;
  readonly turns: boolean;
}

function imageAxes({ height, width, channels }: Extract<FrameSpec, { kind: "image" }>): Axes {
  return { height, width, channels, length: height * width * channels, turns: false };
}

function tensorAxes(shape: readonly number[]): Axes {
  const length = shape.reduce((a, b) => a * b, 1);
  const width = shape.at(-1)!;
  return { height: length / width, width, channels: 1, length, turns: true };
}

function shiftsUpTo(steps: number, turns: boolean): Shift[] {
  const shifts: Shift[] = [{ dy: 0, dx: 0 }];
  const down = turns ? 0 : steps;
  for (let dy = -down; dy <= down; dy++) {
    for (let dx = -steps; dx <= steps; dx++) if (dy !== 0 || dx !== 0) shifts.push({ dy, dx });
  }
  return shifts;
}

/** Where the place came from; the border repeats. */
function source({ height, width, channels, turns }: Axes, at: number, { dy, dx }: Shift): number {
  const { y, x, channel } = split(at, width, channels);
  if (turns) return y * width + ((x - dx + width) % width);
  const fromY = Math.min(height - 1, Math.max(0, y - dy));
  const fromX = Math.min(width - 1, Math.max(0, x - dx));
  return (fromY * width + fromX) * channels + channel;
}

function overlayOf(frame: Axes, places: Int32Array, shift: Shift): Overlay {
  const { height, width, channels, turns } = frame;
  const isShown = (at: number): boolean => {
    const { y, x } = split(at, width, channels);
    const [fromY, fromX] = [y - shift.dy, x - shift.dx];
    return turns || (fromY > 0 && fromY < height - 1 && fromX > 0 && fromX < width - 1);
  };
  const shown = places.filter(isShown);
  return { places: shown, from: shown.map((at) => source(frame, at, shift)) };
}

function split(at: number, width: number, channels: number): { y: number; x: number; channel: number } {
  const pixel = Math.floor(at / channels);
  return { y: Math.floor(pixel / width), x: pixel % width, channel: at % channels };
}

/** All indices, or a random subset: a regular one could fall in step with a pattern. */
function thinned(length: number, most: number): Int32Array {
  const order =
    length <= most ? Int32Array.from({ length }, (_, i) => i) : permutation(length, seededRandom(1));
  return order.slice(0, most).sort();
}
