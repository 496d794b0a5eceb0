/** Synthetic frames for the bench: bars at four angles, tones at four pitches, as in models/train.py. */

import { normal, type Random } from "../../src/core/random.ts";

const CLASSES = 4;
const SIDE = 28;
const SAMPLES = 2048;
const CYCLES = [24, 48, 96, 192];

export const CLASS_NAMES = "a,b,c,d";

/** Share of each class in one frame: one class, or a blend of two, on which teacher and student may part. */
function shares(random: Random, isBlended: boolean): number[] {
  const first = Math.floor(CLASSES * random.next());
  const second = (first + 1 + Math.floor((CLASSES - 1) * random.next())) % CLASSES;
  const weight = isBlended ? 0.3 + 0.4 * random.next() : 1;
  return Array.from({ length: CLASSES }, (_, c) => (c === first ? weight : c === second ? 1 - weight : 0));
}

/** One grey image, 28x28 bytes. */
export function aBar(random: Random, isBlended: boolean): Uint8Array {
  const image = new Float64Array(SIDE * SIDE);
  for (const [c, share] of shares(random, isBlended).entries()) {
    const angle = (c * Math.PI) / CLASSES + 0.08 * normal(random);
    const shift = 6 * random.next() - 3;
    for (let i = 0; i < image.length; i++) {
      const x = (i % SIDE) - (SIDE - 1) / 2;
      const y = Math.floor(i / SIDE) - (SIDE - 1) / 2;
      const distance = Math.sin(angle) * x - Math.cos(angle) * y + shift;
      image[i]! += share * 0.8 * Math.exp(-((distance / 2) ** 2));
    }
  }
  return Uint8Array.from(image, (v) =>
    Math.round(255 * Math.min(1, Math.max(0, v + 0.1 + 0.06 * normal(random)))),
  );
}

/** One signal of 2,048 samples. */
export function aTone(random: Random, isBlended: boolean): Float32Array {
  const signal = new Float32Array(SAMPLES);
  for (const [c, share] of shares(random, isBlended).entries()) {
    const pitch = CYCLES[c]! * (0.95 + 0.1 * random.next());
    const phase = 2 * Math.PI * random.next();
    for (let i = 0; i < SAMPLES; i++) {
      signal[i]! += share * Math.sin(2 * Math.PI * pitch * (i / SAMPLES) + phase);
    }
  }
  return signal.map((v) => v + 0.3 * normal(random));
}
