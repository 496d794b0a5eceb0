/** The window of a convolution or pooling, as its attributes give it. */

import type { Kernel, Shape } from "../../core/bounds/network.ts";
import type { OnnxNode } from "./graph.ts";
import { UnsupportedGraph } from "./unsupported.ts";

/** @param sides of the kernel, where a stored tensor has them */
export function kernelOf(node: OnnxNode, from: Shape, to: Shape, sides?: readonly number[]): Kernel {
  const own = (name: string): readonly number[] | undefined => node.attributes.get(name)?.integers;
  const autoPad = node.attributes.get("auto_pad")?.text ?? "NOTSET";
  if (autoPad !== "NOTSET" && autoPad !== "VALID" && autoPad !== "") {
    throw new UnsupportedGraph(node, `expected pads as numbers, found auto_pad ${autoPad}: export with pads`);
  }
  const shape = sides ?? own("kernel_shape") ?? [];
  if (shape.length !== 1 && shape.length !== 2) {
    throw new UnsupportedGraph(node, `expected a kernel over one axis or two, found ${shape.length}`);
  }
  const pair = (numbers: readonly number[] | undefined, plain: number): readonly [number, number] =>
    shape.length === 1 ? [plain, numbers?.[0] ?? plain] : [numbers?.[0] ?? plain, numbers?.[1] ?? plain];
  const [height, width] = shape.length === 1 ? [1, shape[0]!] : [shape[0]!, shape[1]!];
  const [strideY, strideX] = pair(own("strides"), 1);
  const [dilationY, dilationX] = pair(own("dilations"), 1);
  const [padY, padX] = pair(own("pads"), 0);
  const kernel = { height, width, strideY, strideX, padY, padX, dilationY, dilationX };
  // The pads at the end count by the size that they give; a window that reaches past them sees nothing there.
  const past = (size: number, stride: number, pad: number, extent: number, places: number, end: number) =>
    (places - 1) * stride - pad + extent > size + end;
  const ends = own("pads") ?? [];
  const endY = shape.length === 1 ? 0 : (ends[2] ?? 0);
  const endX = (shape.length === 1 ? ends[1] : ends[3]) ?? 0;
  if (
    past(from.height, strideY, padY, (height - 1) * dilationY + 1, to.height, endY) ||
    past(from.width, strideX, padX, (width - 1) * dilationX + 1, to.width, endX)
  ) {
    throw new UnsupportedGraph(
      node,
      "expected windows that end within the pads, found ceil_mode: export without it",
    );
  }
  return kernel;
}
