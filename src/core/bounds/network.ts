/** A network as bounds see it: one row without a batch axis, in few kinds of layers, each named after its ONNX node. */

/** Numbers in row-major order; what is flat has height and width 1. */
export interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * A convolution, and with it every other linear layer: a matrix is one of height and width 1, a batch
 * normalization one of a single place in each channel, a mean one of equal weights.
 */
export interface LinearLayer {
  readonly kind: "linear";
  readonly name: string;
  readonly input: number;
  readonly from: Shape;
  readonly to: Shape;
  /** [to.channels, from.channels / groups, kernel.height, kernel.width] */
  readonly weights: Float64Array;
  /** [to.channels] */
  readonly bias: Float64Array;
  /** Sum of the magnitudes that the bias was made from, where they may cancel: rounding goes by these [to.channels]. */
  readonly biasMass: Float64Array;
  readonly groups: number;
  readonly kernel: Kernel;
}

/** A window that goes over height and width; places outside count as 0 in sums, and not at all in maxima. */
export interface Kernel {
  readonly height: number;
  readonly width: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padY: number;
  readonly padX: number;
  readonly dilationY: number;
  readonly dilationX: number;
}

export interface MaxLayer {
  readonly kind: "max";
  readonly name: string;
  readonly input: number;
  readonly from: Shape;
  readonly to: Shape;
  readonly kernel: Kernel;
}

export interface ActivationLayer {
  readonly kind: "relu" | "tanh";
  readonly name: string;
  readonly input: number;
  readonly from: Shape;
  readonly to: Shape;
}

/** The sum of two tensors, place by place. */
export interface SumLayer {
  readonly kind: "sum";
  readonly name: string;
  readonly input: number;
  readonly other: number;
  readonly from: Shape;
  readonly to: Shape;
}

export type Layer = LinearLayer | MaxLayer | ActivationLayer | SumLayer;

/** Tensor 0 is the input, tensor i + 1 what layer i gives; a layer takes tensors before its own. */
export interface Network {
  readonly input: Shape;
  readonly layers: readonly Layer[];
  /** The tensor of the logits. */
  readonly output: number;
}

/** Every input at once: lower <= x <= upper, number by number. */
export interface Box {
  readonly lower: ArrayLike<number>;
  readonly upper: ArrayLike<number>;
}

export const POINT_KERNEL: Kernel = {
  height: 1,
  width: 1,
  strideY: 1,
  strideX: 1,
  padY: 0,
  padX: 0,
  dilationY: 1,
  dilationX: 1,
};

export function sizeOf({ channels, height, width }: Shape): number {
  return channels * height * width;
}

export function flat(size: number): Shape {
  return { channels: size, height: 1, width: 1 };
}

export function shapeOf(network: Network, tensor: number): Shape {
  return tensor === 0 ? network.input : network.layers[tensor - 1]!.to;
}

export function isSameShape(a: Shape, b: Shape): boolean {
  return a.channels === b.channels && a.height === b.height && a.width === b.width;
}

/** Places o of an axis for which o * stride + offset lies in 0 .. size - 1, cut to from .. to - 1. */
export function placesWithin(
  offset: number,
  stride: number,
  size: number,
  from: number,
  to: number,
): readonly [from: number, to: number] {
  return [
    Math.max(from, Math.ceil(-offset / stride)),
    Math.min(to, Math.floor((size - 1 - offset) / stride) + 1),
  ];
}
