/** A linear layer, forwards over intervals and backwards over coefficients. */

import { type LinearLayer, placesWithin, sizeOf } from "./network.ts";
import type { Window } from "./window.ts";

/** Middles, radii and magnitudes of a tensor's numbers: |x - middle| <= radius, |x| <= magnitude. */
export interface Spread {
  readonly middle: Float64Array;
  readonly radius: Float64Array;
  /** Of what a layer gives: the sum of the magnitudes of what was added up, by which rounding goes. */
  readonly magnitude: Float64Array;
}

export function spreadOf(size: number): Spread {
  return {
    middle: new Float64Array(size),
    radius: new Float64Array(size),
    magnitude: new Float64Array(size),
  };
}

/** W m + b, |W| r and |W| |x| + |b|, without rounding. */
export function spreadForward(layer: LinearLayer, x: Spread): Spread {
  const { from, to, weights, bias, biasMass, groups, kernel } = layer;
  const y = spreadOf(sizeOf(to));
  const inputs = from.channels / groups;
  const outputs = to.channels / groups;
  const plane = to.height * to.width;
  const fromPlane = from.height * from.width;
  let w = 0;
  for (let co = 0; co < to.channels; co++) {
    const start = co * plane;
    y.middle.fill(bias[co]!, start, start + plane);
    y.magnitude.fill(biasMass[co]!, start, start + plane);
    const firstInput = Math.floor(co / outputs) * inputs;
    for (let ci = 0; ci < inputs; ci++) {
      const source = (firstInput + ci) * fromPlane;
      for (let ky = 0; ky < kernel.height; ky++) {
        const offsetY = ky * kernel.dilationY - kernel.padY;
        const [y0, y1] = placesWithin(offsetY, kernel.strideY, from.height, 0, to.height);
        for (let kx = 0; kx < kernel.width; kx++) {
          const weight = weights[w++]!;
          if (weight === 0) continue;
          const offsetX = kx * kernel.dilationX - kernel.padX;
          const [x0, x1] = placesWithin(offsetX, kernel.strideX, from.width, 0, to.width);
          for (let oy = y0; oy < y1; oy++) {
            const row = source + (oy * kernel.strideY + offsetY) * from.width + offsetX;
            accumulate(x, y, weight, row, kernel.strideX, start + oy * to.width, x0, x1);
          }
        }
      }
    }
  }
  return y;
}

function accumulate(
  x: Spread,
  y: Spread,
  weight: number,
  row: number,
  stride: number,
  target: number,
  x0: number,
  x1: number,
): void {
  const size = Math.abs(weight);
  for (let ox = x0; ox < x1; ox++) {
    const i = row + ox * stride;
    const o = target + ox;
    y.middle[o]! += weight * x.middle[i]!;
    y.radius[o]! += size * x.radius[i]!;
    y.magnitude[o]! += size * x.magnitude[i]!;
  }
}

/**
 * Adds W^T a to the coefficients of the layer's input.
 * @param a coefficients of its output, zero outside the window
 */
export function coefficientsBackward(
  layer: LinearLayer,
  a: Float64Array,
  window: Window,
  into: Float64Array,
): void {
  const { from, to, weights, groups, kernel } = layer;
  const inputs = from.channels / groups;
  const outputs = to.channels / groups;
  const places = kernel.height * kernel.width;
  const plane = to.height * to.width;
  const fromPlane = from.height * from.width;
  for (let co = 0; co < to.channels; co++) {
    const start = co * plane;
    if (isZero(a, start, to.width, window)) continue;
    const firstInput = Math.floor(co / outputs) * inputs;
    const w = co * inputs * places;
    if (places === 1 && plane === 1 && fromPlane === 1) {
      const own = a[co]!;
      for (let ci = 0; ci < inputs; ci++) into[firstInput + ci]! += own * weights[w + ci]!;
      continue;
    }
    for (let ci = 0; ci < inputs; ci++) {
      kernelBackward(layer, a, window, into, start, (firstInput + ci) * fromPlane, w + ci * places);
    }
  }
}

/** One output channel's coefficients into one input channel. */
function kernelBackward(
  { from, to, weights, kernel }: LinearLayer,
  a: Float64Array,
  { y0, y1, x0, x1 }: Window,
  into: Float64Array,
  start: number,
  source: number,
  firstWeight: number,
): void {
  const { strideX, strideY } = kernel;
  let w = firstWeight;
  for (let ky = 0; ky < kernel.height; ky++) {
    const offsetY = ky * kernel.dilationY - kernel.padY;
    const [fromY, toY] = placesWithin(offsetY, strideY, from.height, y0, y1);
    for (let kx = 0; kx < kernel.width; kx++) {
      const weight = weights[w++]!;
      const offsetX = kx * kernel.dilationX - kernel.padX;
      const [fromX, toX] = placesWithin(offsetX, strideX, from.width, x0, x1);
      for (let oy = fromY; oy < toY; oy++) {
        const row = source + (oy * strideY + offsetY) * from.width + offsetX;
        const target = start + oy * to.width;
        for (let ox = fromX; ox < toX; ox++) into[row + ox * strideX]! += weight * a[target + ox]!;
      }
    }
  }
}

function isZero(a: Float64Array, start: number, width: number, { y0, y1, x0, x1 }: Window): boolean {
  for (let y = y0; y < y1; y++) {
    for (let i = start + y * width + x0; i < start + y * width + x1; i++) if (a[i] !== 0) return false;
  }
  return true;
}
