/** Frames that were recorded before, known again by what student and teacher say of them. */

/** What both models say of N frames: [N, K] row-major each. */
export interface SaidOfFrames {
  readonly student: Float32Array;
  readonly teacher: Float32Array;
}

/** The same frame in another batch comes out this much different at the most, relative to one plus its size. */
const TOLERANCE = 1e-4;

/**
 * Rows of the fresh frames of which both models say just what they said of an earlier one: the same frame, as far as
 * anybody can tell who has only their answers. A frame that is not finite repeats none.
 * @param classes K, at least 1
 * @returns rising
 */
export function repeatedRows(earlier: SaidOfFrames, fresh: SaidOfFrames, classes: number): number[] {
  const first = (of: SaidOfFrames, row: number): number => of.teacher[row * classes]!;
  const order = Array.from({ length: earlier.teacher.length / classes }, (_, row) => row)
    .filter((row) => Number.isFinite(first(earlier, row)))
    .sort((a, b) => first(earlier, a) - first(earlier, b));
  const sorted = Float64Array.from(order, (row) => first(earlier, row));

  function isRepeated(row: number): boolean {
    const value = first(fresh, row);
    const slack = 2 * TOLERANCE * (1 + Math.abs(value));
    for (
      let at = lowerBound(sorted, value - slack);
      at < order.length && sorted[at]! <= value + slack;
      at++
    ) {
      const other = order[at]! * classes;
      if (isNear(fresh.teacher, earlier.teacher, row * classes, other, classes)) {
        if (isNear(fresh.student, earlier.student, row * classes, other, classes)) return true;
      }
    }
    return false;
  }

  return Array.from({ length: fresh.teacher.length / classes }, (_, row) => row).filter(isRepeated);
}

function isNear(a: Float32Array, b: Float32Array, fromA: number, fromB: number, count: number): boolean {
  for (let i = 0; i < count; i++) {
    const [x, y] = [a[fromA + i]!, b[fromB + i]!];
    if (!(Math.abs(x - y) <= TOLERANCE * (1 + Math.abs(x)))) return false;
  }
  return true;
}

/** The first place whose value is not below; the length where all are. */
function lowerBound(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
