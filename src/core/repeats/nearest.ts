/** The nearest rows of each row of a table, found in a forest of random-projection trees. */

import type { Random } from "../random.ts";

export interface NearestOptions {
  /** How many of each row's nearest are kept. */
  readonly neighbours: number;
  /** Rows farther away than this are none. */
  readonly radius: number;
  /** Whether two rows may be each other's neighbours. */
  readonly mayPair: (i: number, j: number) => boolean;
  readonly random: Random;
}

const TREES = 8;
const LEAF_ROWS = 48;
/** Rows whose median stands for a node's. */
const SAMPLE_ROWS = 63;

/**
 * Approximate nearest neighbours: rows are compared that share a leaf in any of the trees, so a pair is missed
 * with a probability that grows with its distance, and what is found is exact.
 * @param table [rows, width] row-major, finite
 * @returns [rows, neighbours] row numbers, nearest first, -1 where there is none. Time grows as
 *   rows x (log rows + leaf size) x width, whatever the rows are
 * @see Dasgupta and Freund 2008 (random-projection trees)
 */
export function nearestRows(table: Float32Array, width: number, options: NearestOptions): Int32Array {
  const rows = width === 0 ? 0 : table.length / width;
  const nearest = createNearest(table, width, rows, options);
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  const along = new Float64Array(rows);
  for (let tree = 0; tree < TREES; tree++) {
    const open: [start: number, end: number][] = [[0, rows]];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      const [start, end] = node;
      if (end - start <= LEAF_ROWS) {
        nearest.compare(order.subarray(start, end));
      } else {
        const middle = split(table, width, order.subarray(start, end), along, options.random);
        open.push([start, start + middle], [start + middle, end]);
      }
    }
  }
  return nearest.found;
}

/** Parts rows at about the median of a projection: the direction from one random row to another. */
function split(
  table: Float32Array,
  width: number,
  rows: Int32Array,
  along: Float64Array,
  random: Random,
): number {
  const drawn = (): number => rows[Math.floor(random.next() * rows.length)]! * width;
  const [from, to] = [drawn(), drawn()];
  const direction = Float64Array.from({ length: width }, (_, d) => table[to + d]! - table[from + d]!);
  const project = (row: number): number => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += direction[d]! * table[row * width + d]!;
    return sum;
  };
  for (let i = 0; i < rows.length; i++) along[i] = project(rows[i]!);
  const sample = Float64Array.from(
    { length: SAMPLE_ROWS },
    () => along[Math.floor(random.next() * rows.length)]!,
  );
  const threshold = sample.sort()[SAMPLE_ROWS >> 1]!;
  let middle = 0;
  for (let i = 0; i < rows.length; i++) {
    if (!(along[i]! < threshold)) continue;
    [rows[i], rows[middle]] = [rows[middle]!, rows[i]!];
    [along[i], along[middle]] = [along[middle]!, along[i]!];
    middle++;
  }
  // Rows that all fall on one point cannot be parted by where they lie.
  return middle === 0 || middle === rows.length ? rows.length >> 1 : middle;
}

function createNearest(
  table: Float32Array,
  width: number,
  rows: number,
  { neighbours, radius, mayPair }: NearestOptions,
): { readonly found: Int32Array; compare(leaf: Int32Array): void } {
  const found = new Int32Array(rows * neighbours).fill(-1);
  const distance = new Float32Array(rows * neighbours).fill(radius * radius);

  function keep(row: number, other: number, squared: number): void {
    const start = row * neighbours;
    let slot = start + neighbours - 1;
    if (!(squared < distance[slot]!)) return;
    for (let at = start; at <= slot; at++) if (found[at] === other) return; // Met in an earlier tree.
    while (slot > start && distance[slot - 1]! > squared) {
      distance[slot] = distance[slot - 1]!;
      found[slot] = found[slot - 1]!;
      slot--;
    }
    distance[slot] = squared;
    found[slot] = other;
  }

  return {
    found,
    compare(leaf) {
      for (let i = 1; i < leaf.length; i++) {
        const a = leaf[i]! * width;
        const farthestOfA = leaf[i]! * neighbours + neighbours - 1;
        for (let j = 0; j < i; j++) {
          const b = leaf[j]! * width;
          const limit = Math.max(distance[farthestOfA]!, distance[leaf[j]! * neighbours + neighbours - 1]!);
          let squared = 0;
          for (let d = 0; d < width && squared < limit; d++) squared += (table[a + d]! - table[b + d]!) ** 2;
          if (!(squared < limit) || !mayPair(leaf[i]!, leaf[j]!)) continue;
          keep(leaf[i]!, leaf[j]!, squared);
          keep(leaf[j]!, leaf[i]!, squared);
        }
      }
    },
  };
}
