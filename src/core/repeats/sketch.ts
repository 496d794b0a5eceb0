/** A sketch of a frame: a few numbers that shift, gain, offset and a little blur or noise hardly change. */

import type { FrameSpec } from "../frame.ts";

export interface Sketcher {
  /** Numbers in a sketch. */
  readonly length: number;
  /** Writes a frame's sketch, of length 1 (0 for a frame without any contrast), as row `row` of `out`. */
  write(values: Float32Array, out: Float32Array, row: number): void;
}

/** A larger image is sketched from means of square blocks, at most this many along a side. */
const SIDE_MAX = 32;
/** Frequencies of an image that are kept: those within this radius. */
const RADIUS = 5;
const TENSOR_FREQUENCIES = 40;
/** Frequencies of a tensor from which those are chosen. */
const TENSOR_CANDIDATES_MAX = 512;

/** Amplitudes that add up to less than this share of a frame's numbers are none. */
const ROUNDING = 1e-9;

/**
 * Sketches are square roots of amplitudes in the frequency domain, scaled to length 1: a shift changes only
 * phases, an offset only the frequency 0 that is left out, a gain only the length.
 * @param examples some frames, by which the frequencies of a tensor are chosen that carry its energy
 */
export function createSketcher(spec: FrameSpec, examples: readonly Float32Array[]): Sketcher {
  return spec.kind === "image" ? imageSketcher(spec) : tensorSketcher(spec.shape, examples);
}

function imageSketcher({ height, width, channels }: Extract<FrameSpec, { kind: "image" }>): Sketcher {
  const block = Math.ceil(Math.max(height, width) / SIDE_MAX);
  const [rows, columns] = [Math.floor(height / block), Math.floor(width / block)];
  const picture = new Float64Array(rows * columns);
  const frequencies = imageFrequencies(rows, columns);
  const most = Math.max(...frequencies.map(([, v]) => Math.abs(v)));
  const [tableY, tableX] = [circle(rows), circle(columns)];
  const [taperY, taperX] = [taper(rows), taper(columns)];
  // Sums along x, for v = 0..most and each row: [row][v] as pairs.
  const along = new Float64Array(rows * (most + 1) * 2);
  return {
    length: frequencies.length,
    write(values, out, row) {
      reduce(values, width, channels, block, rows, columns, picture);
      const mean = picture.reduce((sum, value) => sum + value, 0) / picture.length;
      for (let y = 0; y < rows; y++) {
        for (let v = 0; v <= most; v++) {
          let [re, im] = [0, 0];
          for (let x = 0; x < columns; x++) {
            const value = (picture[y * columns + x]! - mean) * taperX[x]!;
            const angle = (v * x) % columns;
            re += value * tableX.cos[angle]!;
            im -= value * tableX.sin[angle]!;
          }
          along[2 * (y * (most + 1) + v)] = re * taperY[y]!;
          along[2 * (y * (most + 1) + v) + 1] = im * taperY[y]!;
        }
      }
      for (const [f, [u, v]] of frequencies.entries()) {
        let [re, im] = [0, 0];
        for (let y = 0; y < rows; y++) {
          const at = 2 * (y * (most + 1) + Math.abs(v));
          // The picture is real: the sum at -v is the conjugate of that at v.
          const [a, b] = [along[at]!, v < 0 ? -along[at + 1]! : along[at + 1]!];
          const angle = (u * y) % rows;
          re += a * tableY.cos[angle]! + b * tableY.sin[angle]!;
          im += b * tableY.cos[angle]! - a * tableY.sin[angle]!;
        }
        out[row * frequencies.length + f] = Math.sqrt(Math.hypot(re, im));
      }
      normalise(out, row, frequencies.length, values);
    },
  };
}

/** Half of the plane, the other being its mirror image; without the frequency 0. */
function imageFrequencies(rows: number, columns: number): (readonly [number, number])[] {
  const frequencies: (readonly [number, number])[] = [];
  const [mostU, mostV] = [Math.min(RADIUS, (rows - 1) >> 1), Math.min(RADIUS, (columns - 1) >> 1)];
  for (let u = 0; u <= mostU; u++) {
    for (let v = -mostV; v <= mostV; v++) {
      if ((u > 0 || v > 0) && u * u + v * v <= RADIUS * RADIUS) frequencies.push([u, v]);
    }
  }
  return frequencies;
}

/** Means over square blocks and all channels. */
function reduce(
  values: Float32Array,
  width: number,
  channels: number,
  block: number,
  rows: number,
  columns: number,
  out: Float64Array,
): void {
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (let i = 0; i < block; i++) {
        const start = ((y * block + i) * width + x * block) * channels;
        for (let at = start; at < start + block * channels; at++) sum += values[at]!;
      }
      out[y * columns + x] = sum / (block * block * channels);
    }
  }
}

/** Fades towards the borders, where a shift brings in something new. */
function taper(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => Math.sqrt(Math.sin((Math.PI * (i + 0.5)) / length)));
}

function tensorSketcher(shape: readonly number[], examples: readonly Float32Array[]): Sketcher {
  const width = shape.at(-1)!;
  const rows = shape.reduce((a, b) => a * b, 1) / width;
  const table = circle(width);
  const amplitude = (values: Float32Array, row: number, v: number): number => {
    let [re, im] = [0, 0];
    for (let x = 0; x < width; x++) {
      const angle = (v * x) % width;
      re += values[row * width + x]! * table.cos[angle]!;
      im += values[row * width + x]! * table.sin[angle]!;
    }
    return Math.hypot(re, im);
  };
  const perRow = width >> 1;
  const stride = Math.max(1, (rows * perRow) / TENSOR_CANDIDATES_MAX);
  const candidates = Array.from({ length: Math.floor((rows * perRow) / stride) }, (_, i) => {
    const at = Math.floor(i * stride);
    return { row: Math.floor(at / perRow), v: 1 + (at % perRow) };
  });
  const chosen = candidates
    .map(({ row, v }) => ({ row, v, energy: examples.reduce((sum, one) => sum + amplitude(one, row, v), 0) }))
    .sort((one, other) => other.energy - one.energy)
    .slice(0, TENSOR_FREQUENCIES);
  return {
    length: chosen.length,
    write(values, out, row) {
      for (const [f, one] of chosen.entries()) {
        out[row * chosen.length + f] = Math.sqrt(amplitude(values, one.row, one.v));
      }
      normalise(out, row, chosen.length, values);
    },
  };
}

/** Cosines and sines of 2 pi i / length. */
function circle(length: number): { cos: Float64Array; sin: Float64Array } {
  const angles = Array.from({ length }, (_, i) => (2 * Math.PI * i) / length);
  return { cos: Float64Array.from(angles, Math.cos), sin: Float64Array.from(angles, Math.sin) };
}

/** To length 1; what is left of an even frame is rounding, and becomes 0. */
function normalise(out: Float32Array, row: number, length: number, values: Float32Array): void {
  const sketch = out.subarray(row * length, (row + 1) * length);
  let squares = 0;
  for (const root of sketch) squares += root * root;
  let size = 0;
  for (const value of values) size += Math.abs(value);
  const scale = squares > ROUNDING * size ? 1 / Math.sqrt(squares) : 0;
  for (let i = 0; i < length; i++) sketch[i]! *= scale;
}
