/** Pictures and signals of made-up parts, and the same parts taken again with known changes. */

import type { FrameSpec } from "../../src/core/frame.ts";
import { normal, seededRandom } from "../../src/core/random.ts";

export const SIDE = 24;
export const PICTURE: FrameSpec = { kind: "image", height: SIDE, width: SIDE, channels: 1 };
export const LENGTH = 96;
export const SIGNAL: FrameSpec = { kind: "tensor", type: "f32", shape: [LENGTH] };

/** A part of some soft blobs on a slope, with fine grain of its own; its numbers stay clear of 0 and 255. */
export function aPicture(part: number, width = SIDE): Float32Array {
  const random = seededRandom(1000 + part);
  const between = (low: number, high: number): number => low + (high - low) * random.next();
  const blobs = Array.from({ length: 6 }, () => ({
    y: between(0, width),
    x: between(0, width),
    size: between(1.5, width / 5),
    height: between(-70, 70),
  }));
  const [slopeY, slopeX] = [between(-1, 1), between(-1, 1)];
  return Float32Array.from({ length: width * width }, (_, at) => {
    const [y, x] = [Math.floor(at / width), at % width];
    let value = 127 + slopeY * (y - width / 2) + slopeX * (x - width / 2) + between(-12, 12);
    for (const blob of blobs) {
      value += blob.height * Math.exp(-((y - blob.y) ** 2 + (x - blob.x) ** 2) / (2 * blob.size ** 2));
    }
    return Math.round(Math.min(200, Math.max(55, value)));
  });
}

/** A signal of some waves of a part's own. */
export function aSignal(part: number): Float32Array {
  const random = seededRandom(5000 + part);
  const waves = Array.from({ length: 5 }, () => ({
    cycles: 1 + Math.floor(random.next() * 20),
    phase: 2 * Math.PI * random.next(),
    height: 0.3 + random.next(),
  }));
  return Float32Array.from({ length: LENGTH }, (_, i) =>
    waves.reduce((sum, w) => sum + w.height * Math.sin((2 * Math.PI * w.cycles * i) / LENGTH + w.phase), 0.4),
  );
}

export interface Changes {
  readonly dy?: number;
  readonly dx?: number;
  readonly blur?: number;
  readonly contrast?: number;
  /** In parts of 255; of a signal, in its standard deviations. */
  readonly brightness?: number;
  readonly noise?: number;
  readonly seed?: number;
}

/** The picture taken again. */
export function pictureAgain(picture: Float32Array, changes: Changes): Float32Array {
  const { dy = 0, dx = 0, blur = 0, contrast = 0, brightness = 0, noise = 0, seed = 1 } = changes;
  const side = Math.sqrt(picture.length);
  const random = seededRandom(seed);
  const clamp = (place: number): number => Math.min(side - 1, Math.max(0, place));
  const moved = (y: number, x: number): number =>
    picture[clamp(clamp(y) - dy) * side + clamp(clamp(x) - dx)]!;
  const mean = picture.reduce((sum, value) => sum + value, 0) / picture.length;
  return Float32Array.from({ length: picture.length }, (_, at) => {
    const [y, x] = [Math.floor(at / side), at % side];
    let around = 0;
    for (let i = -1; i <= 1; i++) {
      for (let j = -1; j <= 1; j++)
        around += ((2 - Math.abs(i)) * (2 - Math.abs(j)) * moved(y + i, x + j)) / 16;
    }
    const soft = (1 - blur) * moved(y, x) + blur * around;
    const value = mean + (soft - mean) * (1 + contrast) + 255 * (brightness + noise * normal(random));
    return Math.round(Math.min(255, Math.max(0, value)));
  });
}

/** The signal taken again. */
export function signalAgain(signal: Float32Array, changes: Changes): Float32Array {
  const { dx = 0, contrast = 0, brightness = 0, noise = 0, seed = 1 } = changes;
  const random = seededRandom(seed);
  const deviation = deviationOf(signal);
  return Float32Array.from(signal, (_, i) => {
    const value = signal[(i - dx + signal.length) % signal.length]!;
    return value * (1 + contrast) + deviation * (brightness + noise * normal(random));
  });
}

function deviationOf(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Rows that are all in memory. */
export function inMemory(rows: readonly Float32Array[]) {
  return { count: rows.length, load: () => Promise.resolve(), values: (i: number) => rows[i]! };
}
