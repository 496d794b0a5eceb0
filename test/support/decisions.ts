/** Decisions in a ledger, many of them. */

import type { Ledger } from "../../src/ledger/ledger.ts";
import { aJudged } from "./builders.ts";

/** Appends passed frames, in batches, each of the source that is named for its number. */
export function appendMany(ledger: Ledger, count: number, sourceOf: (n: number) => string): void {
  for (let n = 0; n < count; n += 500) {
    ledger.append(
      Array.from({ length: Math.min(500, count - n) }, (_, i) =>
        aJudged({ id: `many-${n + i}`, source: sourceOf(n + i) }),
      ),
    );
  }
}
