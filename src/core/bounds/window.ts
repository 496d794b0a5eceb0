/** The part of a tensor's height and width on which something depends, in all its channels. */

import type { Kernel, Shape } from "./network.ts";

export interface Window {
  readonly y0: number;
  readonly y1: number;
  readonly x0: number;
  readonly x1: number;
}

export function wholeOf({ height, width }: Shape): Window {
  return { y0: 0, y1: height, x0: 0, x1: width };
}

export function unionOf(a: Window | undefined, b: Window): Window {
  if (a === undefined) return b;
  return {
    y0: Math.min(a.y0, b.y0),
    y1: Math.max(a.y1, b.y1),
    x0: Math.min(a.x0, b.x0),
    x1: Math.max(a.x1, b.x1),
  };
}

/** What a kernel looks at to give the places of a window; perhaps empty, where it sees padding only. */
export function seenThrough(kernel: Kernel, from: Shape, { y0, y1, x0, x1 }: Window): Window {
  const [fromY, toY] = span(
    y0,
    y1,
    kernel.strideY,
    kernel.padY,
    kernel.dilationY,
    kernel.height,
    from.height,
  );
  const [fromX, toX] = span(x0, x1, kernel.strideX, kernel.padX, kernel.dilationX, kernel.width, from.width);
  return { y0: fromY, y1: toY, x0: fromX, x1: toX };
}

export function areaOf({ y0, y1, x0, x1 }: Window): number {
  return Math.max(0, y1 - y0) * Math.max(0, x1 - x0);
}

function span(
  from: number,
  to: number,
  stride: number,
  pad: number,
  dilation: number,
  kernel: number,
  size: number,
): readonly [number, number] {
  const first = Math.min(size, Math.max(0, from * stride - pad));
  const last = Math.min(size, Math.max(first, (to - 1) * stride - pad + (kernel - 1) * dilation + 1));
  return [first, last];
}
