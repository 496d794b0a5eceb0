/** How long one looks at a review before answering it. */

import { signal } from "@preact/signals";

/** Beyond that somebody was away, and did not look. */
const LOOK_MS_MAX = 300_000;
const KEPT_MAX = 1000;

export const looksMs = signal<readonly number[]>([]);

export function looked(ms: number): void {
  if (ms <= LOOK_MS_MAX) looksMs.value = [...looksMs.value, ms].slice(-KEPT_MAX);
}

/** Undefined of nothing. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)];
  return sorted.length === 0 ? undefined : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
