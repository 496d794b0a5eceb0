/** Which held-out frames the evidence holds already: frames that were seen prove nothing of those never seen. */

import type { Evidence } from "../envelope/types.ts";

/** What both models said of the same frame differs by rounding alone, whatever the machine and the batch. */
const ROUNDING = 1e-5;

type Recorded = Pick<Evidence, "classes" | "studentLogits" | "teacherLogits" | "features" | "featureCount">;

/**
 * Rows of `fresh` that are the same frame as some row of `known`: logits of both models and features agree up to
 * rounding. Rows that hold what is not finite are nobody's twin.
 * @param fresh of the same student and teacher as `known`
 * @returns row numbers, rising
 */
export function seenRows(known: Recorded, fresh: Recorded): number[] {
  const classes = known.classes.length;
  const knownRows = known.studentLogits.length / classes;
  const first = Float64Array.from({ length: knownRows }, (_, row) => known.studentLogits[row * classes]!);
  const order = Array.from(first.keys())
    .filter((row) => Number.isFinite(first[row]))
    .sort((a, b) => first[a]! - first[b]!);
  const seen: number[] = [];
  for (let row = 0; row < fresh.studentLogits.length / classes; row++) {
    const value = fresh.studentLogits[row * classes]!;
    for (let at = firstFrom(order, first, value - margin(value)); at < order.length; at++) {
      const twin = order[at]!;
      if (!(first[twin]! <= value + margin(value))) break;
      if (!isSame(known, twin, fresh, row)) continue;
      seen.push(row);
      break;
    }
  }
  return seen;
}

function isSame(known: Recorded, twin: number, fresh: Recorded, row: number): boolean {
  const k = known.classes.length;
  if (!rowsAgree(known.studentLogits, twin, fresh.studentLogits, row, k)) return false;
  if (!rowsAgree(known.teacherLogits, twin, fresh.teacherLogits, row, k)) return false;
  if (known.features === undefined || fresh.features === undefined) return true;
  return rowsAgree(known.features, twin, fresh.features, row, known.featureCount);
}

function rowsAgree(a: Float32Array, rowOfA: number, b: Float32Array, rowOfB: number, width: number): boolean {
  for (let i = 0; i < width; i++) {
    const value = b[rowOfB * width + i]!;
    if (!(Math.abs(a[rowOfA * width + i]! - value) <= margin(value))) return false;
  }
  return true;
}

function margin(value: number): number {
  return ROUNDING * Math.max(1, Math.abs(value));
}

/** The first place in `order` whose value is at least `least`. */
function firstFrom(order: readonly number[], values: Float64Array, least: number): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[order[middle]!]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
