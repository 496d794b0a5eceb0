/** Looks back through the decisions in slices so small that no frame waits long for one. */

import { setImmediate, setTimeout } from "node:timers/promises";
import type { DecisionsFilter, DecisionView } from "../api-schemas.ts";

export interface Slice {
  readonly decisions: readonly DecisionView[];
  /** There may be more before this id. */
  readonly next?: number;
}

/** One slice: newest first, out of so many rows. */
export type LookBack = (
  filter: DecisionsFilter & { readonly before?: number; readonly limit: number; readonly rowsMax: number },
) => Slice;

/** About a millisecond of the gateway's thread. */
const ROWS_PER_SLICE = 250;
/** What one page goes through. */
const SLICES_PER_PAGE = 80;
/** A long export rests for so many times as long as it works. */
const REST = 4;

/** A page: as many as asked for, or what 20,000 rows have of them. */
export async function pageOf(
  lookBack: LookBack,
  filter: DecisionsFilter,
  limit: number,
  before: number | undefined,
): Promise<Slice> {
  const decisions: DecisionView[] = [];
  let next = before;
  for (let slice = 0; slice < SLICES_PER_PAGE; slice++) {
    if (slice > 0) await setImmediate(); // Frames first.
    const found = lookBack({
      ...filter,
      ...(next !== undefined && { before: next }),
      ...{ limit: limit - decisions.length, rowsMax: ROWS_PER_SLICE },
    });
    decisions.push(...found.decisions);
    next = found.next;
    if (next === undefined) return { decisions };
    if (decisions.length === limit) break;
  }
  return { decisions, ...(next !== undefined && { next }) };
}

/** All of them, slice by slice; the reader sets the pace, and the gateway's own work goes before. */
export async function* allOf(
  lookBack: LookBack,
  filter: DecisionsFilter,
  monotonicMs: () => number,
): AsyncGenerator<readonly DecisionView[]> {
  let before: number | undefined;
  do {
    const startMs = monotonicMs();
    const { decisions, next } = lookBack({
      ...filter,
      ...(before !== undefined && { before }),
      ...{ limit: ROWS_PER_SLICE, rowsMax: ROWS_PER_SLICE },
    });
    yield decisions;
    before = next;
    await setTimeout(REST * (monotonicMs() - startMs));
  } while (before !== undefined);
}
