/**
 * Backward linear relaxation: from a linear function of some tensors down to one of the input that lies under it
 * in the whole box.
 * @see Zhang et al. 2018 (CROWN), extended by rounding: each layer's slack is paid for with its coefficients
 */

import { forEachPlace, type Intervals } from "./intervals.ts";
import { coefficientsBackward } from "./linear.ts";
import { isSameShape, type Layer, type MaxLayer, shapeOf, sizeOf } from "./network.ts";
import { type Line, lineOverRelu, lineOverTanh, lineUnderRelu, lineUnderTanh } from "./relaxation.ts";
import { seenThrough, unionOf, type Window, wholeOf } from "./window.ts";

/**
 * One linear function on its way down. `add` its coefficients, `descend`, read `input` and `constant`, then `clear`.
 * Buffers are kept, since thousands of functions go through one network.
 */
export class Descent {
  /** Of the function under the one that was added, over the input. */
  constant = 0;
  /** Sum of the magnitudes that the constant was added up from. */
  mass = 0;
  /** Numbers that it may have been added up from, at most. */
  readonly terms: number;
  private readonly intervals: Intervals;
  private readonly coefficients: Float64Array[];
  private readonly windows: (Window | undefined)[];
  private top = 0;

  constructor(intervals: Intervals) {
    const { network } = intervals;
    this.intervals = intervals;
    this.coefficients = Array.from(
      { length: network.layers.length + 1 },
      (_, tensor) => new Float64Array(sizeOf(shapeOf(network, tensor))),
    );
    this.windows = this.coefficients.map(() => undefined);
    this.terms = this.coefficients.reduce((sum, { length }) => sum + 2 * length, 0);
  }

  /** Coefficients over the input, after `descend`. */
  get input(): Float64Array {
    return this.coefficients[0]!;
  }

  add(tensor: number, place: number, coefficient: number): void {
    const { height, width } = shapeOf(this.intervals.network, tensor);
    const x = place % width;
    const y = Math.floor(place / width) % height;
    this.coefficients[tensor]![place]! += coefficient;
    this.widen(tensor, { y0: y, y1: y + 1, x0: x, x1: x + 1 });
    this.top = Math.max(this.top, tensor);
  }

  descend(): void {
    const { layers } = this.intervals.network;
    for (let tensor = this.top; tensor > 0; tensor--) {
      const window = this.windows[tensor];
      if (window === undefined) continue;
      this.through(layers[tensor - 1]!, tensor, window);
      this.wipe(tensor, window);
    }
  }

  clear(): void {
    const window = this.windows[0];
    if (window !== undefined) this.wipe(0, window);
    this.constant = 0;
    this.mass = 0;
    this.top = 0;
  }

  private through(layer: Layer, tensor: number, window: Window): void {
    const a = this.coefficients[tensor]!;
    const into = this.coefficients[layer.input]!;
    this.pay(tensor, window);
    switch (layer.kind) {
      case "linear":
        this.spend(tensor, window, (c) => layer.bias[c]!);
        coefficientsBackward(layer, a, window, into);
        this.widenAs(layer, seenThrough(layer.kernel, layer.from, window));
        return;
      case "sum": {
        const other = this.coefficients[layer.other]!;
        this.eachPlace(tensor, window, (i) => {
          into[i]! += a[i]!;
          other[i]! += a[i]!;
        });
        this.widenAs(layer, window);
        this.widenAs({ ...layer, input: layer.other }, window);
        return;
      }
      case "relu":
        this.throughActivation(layer, tensor, window, lineUnderRelu, lineOverRelu);
        return;
      case "tanh":
        this.throughActivation(layer, tensor, window, lineUnderTanh, lineOverTanh);
        return;
      case "max":
        this.throughMaxima(layer, a, into);
        this.widenAs(layer, wholeOf(layer.from));
        return;
      default:
        unreachable(layer);
    }
  }

  private throughActivation(
    layer: Layer,
    tensor: number,
    window: Window,
    under: (l: number, u: number, line: Line) => void,
    over: (l: number, u: number, line: Line) => void,
  ): void {
    const a = this.coefficients[tensor]!;
    const into = this.coefficients[layer.input]!;
    const lower = this.intervals.lower[layer.input]!;
    const upper = this.intervals.upper[layer.input]!;
    const line: Line = { slope: 0, offset: 0 };
    this.eachPlace(tensor, window, (i) => {
      const own = a[i]!;
      if (own === 0) return;
      (own > 0 ? under : over)(lower[i]!, upper[i]!, line);
      into[i]! += own * line.slope;
      this.put(own * line.offset);
    });
    this.widenAs(layer, window);
  }

  /** A maximum is at least the number that is sure to be largest, and at most that one, or else a constant. */
  private throughMaxima(layer: MaxLayer, a: Float64Array, into: Float64Array): void {
    const lower = this.intervals.lower[layer.input]!;
    const upper = this.intervals.upper[layer.input]!;
    const best = new Int32Array(a.length).fill(-1);
    const most = new Float64Array(a.length).fill(Number.NEGATIVE_INFINITY);
    forEachPlace(layer, (o, i) => {
      if (best[o]! < 0 || lower[i]! > lower[best[o]!]!) best[o] = i;
      most[o] = Math.max(most[o]!, upper[i]!);
    });
    const isAlone = new Uint8Array(a.length).fill(1);
    forEachPlace(layer, (o, i) => {
      if (i !== best[o] && upper[i]! > lower[best[o]!]!) isAlone[o] = 0;
    });
    for (let o = 0; o < a.length; o++) {
      const own = a[o]!;
      if (own > 0 || (own < 0 && isAlone[o] === 1)) into[best[o]!]! += own;
      else if (own < 0) this.put(own * most[o]!);
    }
  }

  /** What rounding in this layer may take away. */
  private pay(tensor: number, window: Window): void {
    const slack = this.intervals.slack[tensor];
    if (slack === undefined) return;
    const a = this.coefficients[tensor]!;
    let sum = 0;
    this.eachPlace(tensor, window, (i) => {
      sum += Math.abs(a[i]!) * slack[i]!;
    });
    this.put(-sum);
  }

  private spend(tensor: number, { y0, y1, x0, x1 }: Window, ofChannel: (c: number) => number): void {
    const a = this.coefficients[tensor]!;
    const { channels, height, width } = shapeOf(this.intervals.network, tensor);
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      let mass = 0;
      for (let y = y0; y < y1; y++) {
        const row = (c * height + y) * width;
        for (let i = row + x0; i < row + x1; i++) {
          sum += a[i]!;
          mass += Math.abs(a[i]!);
        }
      }
      const bias = ofChannel(c);
      this.constant += sum * bias;
      this.mass += mass * Math.abs(bias);
    }
  }

  private put(amount: number): void {
    this.constant += amount;
    this.mass += Math.abs(amount);
  }

  private eachPlace(tensor: number, { y0, y1, x0, x1 }: Window, visit: (i: number) => void): void {
    const { channels, height, width } = shapeOf(this.intervals.network, tensor);
    for (let c = 0; c < channels; c++) {
      for (let y = y0; y < y1; y++) {
        const row = (c * height + y) * width;
        for (let i = row + x0; i < row + x1; i++) visit(i);
      }
    }
  }

  private wipe(tensor: number, { y0, y1, x0, x1 }: Window): void {
    const a = this.coefficients[tensor]!;
    const { channels, height, width } = shapeOf(this.intervals.network, tensor);
    for (let c = 0; c < channels; c++) {
      for (let y = y0; y < y1; y++) {
        const row = (c * height + y) * width;
        a.fill(0, row + x0, row + x1);
      }
    }
    this.windows[tensor] = undefined;
  }

  /** A layer may see its input in another shape than the layer that gave it: then all of it. */
  private widenAs({ input, from }: Pick<Layer, "input" | "from">, window: Window): void {
    const own = shapeOf(this.intervals.network, input);
    this.widen(input, isSameShape(own, from) ? window : wholeOf(own));
  }

  private widen(tensor: number, window: Window): void {
    this.windows[tensor] = unionOf(this.windows[tensor], window);
  }
}

function unreachable(layer: never): never {
  throw new Error(`no such layer: ${JSON.stringify(layer)}`);
}
