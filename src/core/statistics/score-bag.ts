/** All scores seen so far, kept sorted so that the next one's rank among them is found at once. */

/** A full chunk is split: a score then costs a search, and a move within one chunk. */
const CHUNK_MAX = 1024;

/** Scores in chunks, rising within and between them; plain JSON. What is not finite is kept as the largest double. */
export interface ScoreBag {
  size: number;
  readonly chunks: number[][];
}

export interface Rank {
  /** How many scores in the bag are larger. */
  readonly larger: number;
  readonly equal: number;
}

export function emptyBag(): ScoreBag {
  return { size: 0, chunks: [] };
}

/**
 * How the score ranks among those in the bag, by binary search in at most two chunks and a walk over the
 * lengths of the others.
 * @param score what is not finite ranks as the largest, and as equal to another such
 */
export function rankAmong(bag: ScoreBag, score: number): Rank {
  const value = finite(score);
  const larger = bag.size - countBelow(bag, (other) => other <= value);
  return { larger, equal: bag.size - larger - countBelow(bag, (other) => other < value) };
}

/** Puts the score into the bag, which is changed in place: a copy would cost its whole size. */
export function addScore(bag: ScoreBag, score: number): void {
  const value = finite(score);
  bag.size++;
  if (bag.chunks.length === 0) bag.chunks.push([]);
  const found = bag.chunks.findIndex((chunk) => chunk.at(-1)! >= value);
  const at = found < 0 ? bag.chunks.length - 1 : found;
  const chunk = bag.chunks[at]!;
  chunk.splice(
    firstNot(chunk, (other) => other < value),
    0,
    value,
  );
  if (chunk.length > CHUNK_MAX) bag.chunks.splice(at + 1, 0, chunk.splice(CHUNK_MAX / 2));
}

/** How many lie below, for a property that all scores up to some point have and none beyond it. */
function countBelow({ chunks }: ScoreBag, isBelow: (score: number) => boolean): number {
  let count = 0;
  for (const chunk of chunks) {
    if (!isBelow(chunk.at(-1)!)) return count + firstNot(chunk, isBelow);
    count += chunk.length;
  }
  return count;
}

function firstNot(sorted: readonly number[], isBelow: (score: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBelow(sorted[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function finite(score: number): number {
  return Number.isFinite(score) ? score : Number.MAX_VALUE;
}
