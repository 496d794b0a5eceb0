/** A signal as a person looks at it: few enough points that no peak is lost, and how strong each frequency is in it. */

/** Points that a curve is drawn with, at most. */
export const SIGNAL_POINTS_MAX = 1024;
/** Places of a spectrum, at most. */
export const SPECTRUM_PLACES_MAX = 256;
/** Numbers that a spectrum is made of; of a longer signal, the first of them. */
const TRANSFORM_MAX = 65_536;

/**
 * The signal in at most 1,024 points: as it is where it is no longer; else each of 512 stretches by the least and the
 * most of its numbers, in the order in which they come.
 */
export function decimated(values: ArrayLike<number>, from: number, length: number): number[] {
  if (length <= SIGNAL_POINTS_MAX) return Array.from({ length }, (_, i) => values[from + i]!);
  const stretches = SIGNAL_POINTS_MAX / 2;
  const points: number[] = [];
  for (let stretch = 0; stretch < stretches; stretch++) {
    const start = Math.floor((stretch * length) / stretches);
    const end = Math.floor(((stretch + 1) * length) / stretches);
    let least = start;
    let most = start;
    for (let i = start + 1; i < end; i++) {
      if (values[from + i]! < values[from + least]!) least = i;
      if (values[from + i]! > values[from + most]!) most = i;
    }
    points.push(values[from + Math.min(least, most)]!, values[from + Math.max(least, most)]!);
  }
  return points;
}

/**
 * The amplitude spectrum, from no frequency to half the sampling rate, in at most 256 places; each place holds the
 * largest amplitude of the frequencies that fall on it. The mean is taken off first, and a Hann window laid over.
 * @returns empty for fewer than 8 numbers; a sine of amplitude 1 on a frequency of the transform gives 1 there
 * @see Harris 1978, On the use of windows for harmonic analysis: the Hann window has a coherent gain of 1/2
 */
export function spectrumOf(values: ArrayLike<number>, from: number, length: number): number[] {
  const size = 2 ** Math.floor(Math.log2(Math.min(length, TRANSFORM_MAX)));
  if (!(size >= 8)) return [];
  let mean = 0;
  for (let i = 0; i < size; i++) mean += values[from + i]! / size;
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    re[i] = (values[from + i]! - mean) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  }
  transform(re, im);
  const frequencies = size / 2;
  const places = Math.min(SPECTRUM_PLACES_MAX, frequencies);
  const each = frequencies / places;
  return Array.from({ length: places }, (_, place) => {
    let largest = 0;
    for (let k = place * each; k < (place + 1) * each; k++) {
      largest = Math.max(largest, (4 * Math.hypot(re[k]!, im[k]!)) / size);
    }
    return largest;
  });
}

/** The fast Fourier transform in place; its length is a power of two. @see Cooley and Tukey 1965 */
function transform(re: Float64Array, im: Float64Array): void {
  const { length } = re;
  for (let i = 1, j = 0; i < length; i++) {
    let bit = length >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  for (let span = 2; span <= length; span *= 2) {
    const half = span / 2;
    for (let k = 0; k < half; k++) {
      const angle = (-2 * Math.PI * k) / span;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (let at = k; at < length; at += span) {
        const other = at + half;
        const [x, y] = [re[other]! * c - im[other]! * s, re[other]! * s + im[other]! * c];
        re[other] = re[at]! - x;
        im[other] = im[at]! - y;
        re[at]! += x;
        im[at]! += y;
      }
    }
  }
}
