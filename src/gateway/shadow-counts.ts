/** What has been found of the bundles in shadow since it was last noted in the ledger. */

import type { Compared, Comparison } from "../core/shadow.ts";
import type { PairCount, ShadowBook, ShadowExample } from "./shadow-ports.ts";

interface Counting {
  readonly comparison: Comparison;
  judged: number;
  dropped: number;
  lost: number;
  readonly pairs: Map<string, PairCount>;
}

/** Frames of each pair that are named; the ledger keeps as many in all. */
export const EXAMPLES_MAX = 5;

export function openCounts(book: ShadowBook) {
  const counting = new Map<string, Counting>();

  function of(comparison: Comparison): Counting {
    const key = JSON.stringify(comparison);
    const known = counting.get(key) ?? { comparison, judged: 0, dropped: 0, lost: 0, pairs: new Map() };
    counting.set(key, known);
    return known;
  }

  return {
    of,

    add(comparison: Comparison, { live, shadow }: Compared, example: ShadowExample): void {
      const counts = of(comparison);
      const key = JSON.stringify([live.decision, live.className, shadow.decision, shadow.className]);
      const before = counts.pairs.get(key);
      const examples = before?.examples ?? [];
      counts.judged++;
      counts.pairs.set(key, {
        ...{ live, shadow },
        frames: (before?.frames ?? 0) + 1,
        examples: examples.length < EXAMPLES_MAX ? [...examples, example] : examples,
      });
    },

    /** @throws what the book throws; what is not noted then is noted with what comes */
    flush(atMs: number): void {
      for (const [key, { comparison, judged, dropped, lost, pairs }] of counting) {
        book.note(comparison, { judged, dropped, lost, pairs: [...pairs.values()] }, atMs);
        counting.delete(key);
      }
    },
  };
}
