/** Bounds on every tensor of a network: by intervals, and where it pays by backward relaxation. */

import { Descent } from "./descent.ts";
import { extend, type Intervals, startIntervals } from "./intervals.ts";
import { type Box, type Layer, type Network, sizeOf } from "./network.ts";
import { sumSlack } from "./rounding.ts";
import { areaOf, seenThrough, unionOf, type Window, wholeOf } from "./window.ts";

/** Multiplications that may still be spent on tightening; counts down. A count, so that every machine finds the same. */
export interface Budget {
  left: number;
}

/** Of a place that may bend; some are sure after the first. */
const DESCENTS_A_PLACE = 1.5;

/** Plain interval propagation. */
export function plainIntervals(network: Network, box: Box, unit: number): Intervals {
  const intervals = startIntervals(network, box, unit);
  while (intervals.lower.length <= network.layers.length) extend(intervals);
  return intervals;
}

/**
 * Intervals in which the inputs of activations, where they may bend, are bounded again by backward relaxation, from
 * the first layers on and as far as the budget reaches.
 */
export function tightIntervals(network: Network, box: Box, unit: number, budget: Budget): Intervals {
  const intervals = startIntervals(network, box, unit);
  const bent = new Set(
    network.layers
      .filter((layer) => layer.kind !== "linear" && layer.kind !== "sum")
      .map(({ input }) => input),
  );
  let descent: Descent | undefined;
  while (intervals.lower.length <= network.layers.length && intervals.isBounded) {
    const tensor = intervals.lower.length;
    extend(intervals);
    if (!bent.has(tensor) || isFirst(network, tensor) || !intervals.isBounded) continue;
    const unsure = unsurePlaces(intervals, tensor);
    const cost = DESCENTS_A_PLACE * unsure.length * multiplications(network, tensor, "one");
    if (cost > budget.left) continue;
    budget.left -= cost;
    descent ??= new Descent(intervals);
    for (const place of unsure) tightenPlace(intervals, descent, tensor, place);
  }
  while (intervals.lower.length <= network.layers.length) extend(intervals);
  return intervals;
}

/** The least value in the box of what the descents have come down to together. */
export function minimumOf(box: Box, descents: readonly Descent[]): number {
  let value = 0;
  let mass = 0;
  for (const { constant, mass: own } of descents) {
    value += constant;
    mass += own;
  }
  const { lower, upper } = box;
  for (let i = 0; i < lower.length; i++) {
    let a = 0;
    for (const { input } of descents) {
      a += input[i]!;
      mass += Math.abs(input[i]!) * Math.max(Math.abs(lower[i]!), Math.abs(upper[i]!));
    }
    value += a >= 0 ? a * lower[i]! : a * upper[i]!;
  }
  const terms = lower.length + descents.reduce((sum, of) => sum + of.terms, 0);
  return value - sumSlack(terms, mass);
}

/** Straight behind the input intervals are exact. */
function isFirst({ layers }: Network, tensor: number): boolean {
  const layer = layers[tensor - 1]!;
  return layer.kind === "linear" && layer.input === 0;
}

/** Places where an activation may bend; everywhere that is not sure to be on one side of 0. */
function unsurePlaces({ lower, upper }: Intervals, tensor: number): number[] {
  const [l, u] = [lower[tensor]!, upper[tensor]!];
  return Array.from(l.keys()).filter((i) => l[i]! < 0 && u[i]! > 0);
}

/** The side that a place is closer to being sure on comes first: sure there, the other bound changes no line. */
function tightenPlace(intervals: Intervals, descent: Descent, tensor: number, place: number): void {
  const box = { lower: intervals.lower[0]!, upper: intervals.upper[0]! };
  const [l, u] = [intervals.lower[tensor]!, intervals.upper[tensor]!];
  const least = (sign: number): number => {
    descent.add(tensor, place, sign);
    descent.descend();
    const value = minimumOf(box, [descent]);
    descent.clear();
    return value;
  };
  const raise = (): void => {
    l[place] = Math.min(u[place]!, Math.max(l[place]!, least(1)));
  };
  const lower = (): void => {
    u[place] = Math.max(l[place]!, Math.min(u[place]!, -least(-1)));
  };
  const [first, second] = u[place]! > -l[place]! ? [raise, lower] : [lower, raise];
  first();
  if (l[place]! < 0 && u[place]! > 0) second();
}

/** Multiplications of one descent from one place in the middle of a tensor, or from all channels of it. */
export function multiplications(network: Network, tensor: number, channels: "one" | "all"): number {
  const { layers } = network;
  const windows: (Window | undefined)[] = [];
  const { height, width } = layers[tensor - 1]!.to;
  const [y, x] = [Math.floor(height / 2), Math.floor(width / 2)];
  windows[tensor] = { y0: y, y1: y + 1, x0: x, x1: x + 1 };
  let count = sizeOf(network.input);
  for (let t = tensor; t > 0; t--) {
    const window = windows[t];
    if (window === undefined) continue;
    const layer = layers[t - 1]!;
    const below = belowOf(layer, window);
    windows[layer.input] = unionOf(windows[layer.input], below);
    if (layer.kind === "sum") windows[layer.other] = unionOf(windows[layer.other], below);
    const isSeed = t === tensor && channels === "one";
    count += (areaOf(window) * weightOf(layer)) / (isSeed ? layer.to.channels : 1);
  }
  return count;
}

function belowOf(layer: Layer, window: Window): Window {
  const { from, to } = layer;
  if (layer.kind === "linear") {
    return from.height === 1 && from.width === 1 ? wholeOf(from) : seenThrough(layer.kernel, from, window);
  }
  return layer.kind === "max" ? wholeOf(from) : from.height === to.height ? window : wholeOf(from);
}

function weightOf(layer: Layer): number {
  return layer.kind === "linear" ? layer.weights.length : 4 * layer.to.channels;
}
