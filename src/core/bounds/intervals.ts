/** Interval propagation: between which numbers every value of a network lies, whatever the input in a box. */

import { type Spread, spreadForward } from "./linear.ts";
import { type Box, type LinearLayer, type MaxLayer, type Network, placesWithin, sizeOf } from "./network.ts";
import { absoluteSlack, FLOAT32_MOST, relativeSlack, TANH_SLACK, termsOf } from "./rounding.ts";

/** Bounds on the tensors of one network, as far as they have been found. */
export interface Intervals {
  readonly network: Network;
  /** Unit roundoff of the arithmetic that the model runs in. */
  readonly unit: number;
  readonly lower: Float64Array[];
  readonly upper: Float64Array[];
  /** What rounding may add to each number of a tensor where its layer gives it; undefined where nothing. */
  readonly slack: (Float64Array | undefined)[];
  /** False once a value may be too large for float32: then nothing is bounded. */
  isBounded: boolean;
}

/** The input's own bounds; `extend` adds those of one tensor after the other. */
export function startIntervals(network: Network, box: Box, unit: number): Intervals {
  return {
    network,
    unit,
    lower: [Float64Array.from(box.lower)],
    upper: [Float64Array.from(box.upper)],
    slack: [undefined],
    isBounded: true,
  };
}

/** Bounds the next tensor by those that its layer takes. */
export function extend(intervals: Intervals): void {
  const { network, lower, upper, slack } = intervals;
  const layer = network.layers[lower.length - 1]!;
  const l = lower[layer.input]!;
  const u = upper[layer.input]!;
  let own: Float64Array | undefined;
  let from: Float64Array;
  let to: Float64Array;
  switch (layer.kind) {
    case "linear": {
      const { middle, radius, magnitude } = spreadForward(layer, spreadBetween(l, u));
      own = slackOf(intervals, magnitude, termsOf(layer));
      from = middle.map((m, i) => m - radius[i]! - own![i]!);
      to = middle.map((m, i) => m + radius[i]! + own![i]!);
      break;
    }
    case "sum": {
      const l2 = lower[layer.other]!;
      const u2 = upper[layer.other]!;
      const magnitude = l.map((value, i) => largest(value, u[i]!) + largest(l2[i]!, u2[i]!));
      own = slackOf(intervals, magnitude, 1);
      from = l.map((value, i) => value + l2[i]! - own![i]!);
      to = u.map((value, i) => value + u2[i]! + own![i]!);
      break;
    }
    case "relu":
      from = l.map((value) => Math.max(0, value));
      to = u.map((value) => Math.max(0, value));
      break;
    case "tanh":
      own = new Float64Array(l.length).fill(TANH_SLACK);
      from = l.map((value) => Math.tanh(value) - TANH_SLACK);
      to = u.map((value) => Math.tanh(value) + TANH_SLACK);
      break;
    case "max":
      from = maximaOf(layer, l);
      to = maximaOf(layer, u);
      break;
    default:
      unreachable(layer);
  }
  lower.push(from);
  upper.push(to);
  slack.push(own);
}

function slackOf(intervals: Intervals, magnitude: Float64Array, terms: number): Float64Array {
  const relative = relativeSlack(terms, intervals.unit);
  const absolute = absoluteSlack(terms);
  return magnitude.map((size) => {
    if (!(size * (1 + relative) <= FLOAT32_MOST)) intervals.isBounded = false;
    return relative * size + absolute;
  });
}

/** Of numbers between l and u. */
function spreadBetween(l: Float64Array, u: Float64Array): Spread {
  return {
    middle: l.map((value, i) => (value + u[i]!) / 2),
    radius: l.map((value, i) => (u[i]! - value) / 2),
    magnitude: l.map((value, i) => largest(value, u[i]!)),
  };
}

function largest(l: number, u: number): number {
  return Math.max(Math.abs(l), Math.abs(u));
}

/** The largest number in each window of a pooling layer. */
export function maximaOf(layer: MaxLayer, x: Float64Array): Float64Array {
  const y = new Float64Array(sizeOf(layer.to)).fill(Number.NEGATIVE_INFINITY);
  forEachPlace(layer, (o, i) => {
    y[o] = Math.max(y[o]!, x[i]!);
  });
  return y;
}

/** Every place that each window of a pooling layer looks at. */
export function forEachPlace(
  { from, to, kernel }: MaxLayer | LinearLayer,
  visit: (output: number, input: number) => void,
): void {
  for (let c = 0; c < to.channels; c++) {
    for (let ky = 0; ky < kernel.height; ky++) {
      const offsetY = ky * kernel.dilationY - kernel.padY;
      const [y0, y1] = placesWithin(offsetY, kernel.strideY, from.height, 0, to.height);
      for (let kx = 0; kx < kernel.width; kx++) {
        const offsetX = kx * kernel.dilationX - kernel.padX;
        const [x0, x1] = placesWithin(offsetX, kernel.strideX, from.width, 0, to.width);
        for (let oy = y0; oy < y1; oy++) {
          const row = (c * from.height + oy * kernel.strideY + offsetY) * from.width + offsetX;
          const target = (c * to.height + oy) * to.width;
          for (let ox = x0; ox < x1; ox++) visit(target + ox, row + ox * kernel.strideX);
        }
      }
    }
  }
}

function unreachable(layer: never): never {
  throw new Error(`no such layer: ${JSON.stringify(layer)}`);
}
