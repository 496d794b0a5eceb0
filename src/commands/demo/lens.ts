/** A lens that fouls: blur and dimming that grow with its severity. */

const BLUR_ROUNDS = 8;

/**
 * The frame as a fouled lens shows it.
 * @param pixels grey image, row by row, 0..255
 * @param severity 0 clean, 1 fouled: blurred by eight rounds of the 3x3 binomial mean and dimmed to 40%
 */
export function throughFouledLens(pixels: Uint8Array, width: number, severity: number): Uint8Array {
  if (severity <= 0) return pixels;
  let blurred = Float32Array.from(pixels);
  for (let round = 0; round < BLUR_ROUNDS; round++) blurred = binomialMean(blurred, width);
  const light = 1 - 0.6 * severity;
  return Uint8Array.from(pixels, (pixel, i) =>
    Math.round(light * ((1 - severity) * pixel + severity * blurred[i]!)),
  );
}

/** 3x3 binomial mean; the border repeats. */
function binomialMean(pixels: Float32Array<ArrayBuffer>, width: number): Float32Array<ArrayBuffer> {
  const height = pixels.length / width;
  const within = (at: number, end: number): number => Math.min(end - 1, Math.max(0, at));
  return pixels.map((_, i) => {
    const y = Math.floor(i / width);
    const x = i % width;
    let sum = 0;
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        const weight = (2 - Math.abs(dy)) * (2 - Math.abs(dx));
        sum += weight * pixels[within(y + dy, height) * width + within(x + dx, width)]!;
      }
    }
    return sum / 16;
  });
}
