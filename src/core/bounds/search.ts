/** The search for the worst gap in a box: what it finds is a lower bound, since both models were asked there. */

import { argmax, gap, softmax } from "../confidence.ts";
import type { Random } from "../random.ts";
import { type Shape, sizeOf } from "./network.ts";

/** Both models' logits of some rows [count, K]. */
export type AskBoth = (
  rows: Float32Array,
  count: number,
) => Promise<{ readonly teacher: Float32Array; readonly student: Float32Array }>;

export const FOUND_BY = ["frame", "nuisance", "random", "gradient-free", "gradient"] as const;
export type FoundBy = (typeof FOUND_BY)[number];

/** Where a search begins besides at random: rows inside or outside the box, which are drawn into it. */
export interface Start {
  readonly by: FoundBy;
  readonly row: Float32Array;
}

export interface SearchOptions {
  readonly classes: number;
  /** How the numbers of a row lie beside each other. */
  readonly shape: Shape;
  /** Rows asked about at once. */
  readonly batch: number;
  /** Batches of changed copies of the worst row so far. */
  readonly rounds: number;
}

export interface Found {
  /** The largest gap found. */
  readonly gap: number;
  readonly by: FoundBy;
  /** Where. */
  readonly row: Float32Array;
  /** A row for which the models give different classes, the first that came. */
  readonly disagreement: Float32Array | undefined;
  /** Rows that both models were asked about. */
  readonly asked: number;
}

interface Box32 {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
}

/**
 * Looks at the starts, at random rows and corners, and then changes ever smaller patches of the worst row to one end of
 * the box or the other, and keeps what is worse (after Andriushchenko et al. 2020, Square Attack: no gradient needed).
 * @param starts the frame itself first
 */
export async function searchWorstGap(
  box: Box32,
  starts: readonly Start[],
  ask: AskBoth,
  random: Random,
  options: SearchOptions,
): Promise<Found> {
  const { classes, batch, rounds } = options;
  const length = box.lower.length;
  const [p, q] = [new Float64Array(classes), new Float64Array(classes)];
  let worst: { gap: number; by: FoundBy; row: Float32Array } = {
    ...{ gap: Number.NEGATIVE_INFINITY, by: "frame", row: starts[0]!.row },
  };
  let disagreement: Float32Array | undefined;
  let asked = 0;
  const look = async (candidates: readonly Start[]): Promise<void> => {
    const rows = new Float32Array(candidates.length * length);
    candidates.forEach(({ row }, i) => {
      drawInto(row, box, rows.subarray(i * length, (i + 1) * length));
    });
    const { teacher, student } = await ask(rows, candidates.length);
    asked += candidates.length;
    for (const [i, { by }] of candidates.entries()) {
      softmax(teacher, i, classes, 1, p);
      softmax(student, i, classes, 1, q);
      const found = gap(p, q);
      const row = (): Float32Array => rows.slice(i * length, (i + 1) * length);
      if (found > worst.gap) worst = { gap: found, by, row: row() };
      if (disagreement === undefined && argmax(p) !== argmax(q)) disagreement = row();
    }
  };
  for (let i = 0; i < starts.length; i += batch) await look(starts.slice(i, i + batch));
  await look(
    Array.from({ length: batch }, (_, i) => ({ by: "random", row: randomRow(box, random, i % 2 === 0) })),
  );
  for (let round = 0; round < rounds; round++) {
    const share = 0.5 * 0.01 ** (round / rounds);
    const from = worst.row;
    await look(
      Array.from({ length: batch }, () => ({
        by: "gradient-free",
        row: patched(from, box, options.shape, share, random),
      })),
    );
  }
  return { ...worst, disagreement, asked };
}

function drawInto(row: Float32Array, { lower, upper }: Box32, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.min(upper[i]!, Math.max(lower[i]!, row[i]!));
}

/** A corner of the box, or anywhere in it. */
function randomRow({ lower, upper }: Box32, random: Random, isCorner: boolean): Float32Array {
  return lower.map((l, i) => {
    const share = isCorner ? Math.round(random.next()) : random.next();
    return l + share * (upper[i]! - l);
  });
}

/** A copy with one patch, of each channel, at one end of the box. */
function patched(
  row: Float32Array,
  { lower, upper }: Box32,
  shape: Shape,
  share: number,
  random: Random,
): Float32Array {
  const { channels, height, width } = shape;
  const side = Math.sqrt(share);
  const tall = height === 1 ? 1 : Math.max(1, Math.round(side * height));
  const wide = Math.max(1, Math.round((height === 1 ? share : side) * width));
  const top = Math.floor(random.next() * (height - tall + 1));
  const left = Math.floor(random.next() * (width - wide + 1));
  const copy = row.slice(0, sizeOf(shape));
  for (let c = 0; c < channels; c++) {
    const end = random.next() < 0.5 ? lower : upper;
    for (let y = top; y < top + tall; y++) {
      const start = (c * height + y) * width + left;
      copy.set(end.subarray(start, start + wide), start);
    }
  }
  return copy;
}
