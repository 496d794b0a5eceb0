/** Cuts evidence into splits by part, never by frame. */

import type { Split } from "./envelope/types.ts";
import { permutation, seededRandom } from "./random.ts";

/** Shares of fit, cal and ref; what they lack of 1 is ref's. */
export interface SplitShares {
  readonly fit: number;
  readonly cal: number;
}

export const SPLIT_SHARES: SplitShares = { fit: 0.35, cal: 0.55 };

/**
 * A split for each part, drawn without replacement.
 * @param groups what is kept together: the lot of each part where it has one, else the part itself [parts]
 */
export function cutSplits(groups: readonly string[], shares: SplitShares, seed: number): Split[] {
  const names = [...new Set(groups)];
  const order = permutation(names.length, seededRandom(seed));
  const splitOf = new Map<string, Split>();
  for (const [rank, index] of order.entries()) {
    const place = (rank + 0.5) / names.length;
    splitOf.set(names[index]!, place < shares.fit ? "fit" : place < shares.fit + shares.cal ? "cal" : "ref");
  }
  return groups.map((group) => splitOf.get(group)!);
}
