/** The refusal of a graph that bounds cannot be carried through. */

import type { OnnxNode } from "./graph.ts";

export class UnsupportedGraph extends Error {
  override readonly name = "UnsupportedGraph";

  constructor(node: OnnxNode | undefined, problem: string) {
    super(node === undefined ? problem : `node "${node.name}" (${node.operator}): ${problem}`);
  }
}
