/** From the history's counts to stacked shares: which names get an area of their own, and how high each stands. */

import type { HistoryPoint } from "../../contract.ts";

export type By = "reason" | "class";

export interface Layer {
  /** Reason or class; undefined: all others together. */
  readonly name: string | undefined;
  /** Counts, one a point. */
  readonly counts: readonly number[];
  readonly total: number;
}

export interface Stack {
  /** Seconds since the epoch, one a point. */
  readonly times: readonly number[];
  readonly frames: readonly number[];
  /** The largest first; it lies at the bottom. */
  readonly layers: readonly Layer[];
  readonly reviews: number;
  readonly decided: number;
  readonly rejects: number;
}

/** Names with an area of their own; more colours nobody can tell apart. */
const LAYERS_MAX = 7;

export function stackOf(points: readonly HistoryPoint[], by: By): Stack {
  const countsOf = (point: HistoryPoint): Readonly<Record<string, number>> =>
    by === "reason" ? point.byReason : point.byClass;
  const totals = new Map<string, number>();
  for (const point of points) {
    for (const [name, count] of Object.entries(countsOf(point)))
      totals.set(name, (totals.get(name) ?? 0) + count);
  }
  const ranked = [...totals].filter(([, total]) => total > 0).sort(([, a], [, b]) => b - a);
  const shown = ranked.slice(0, ranked.length > LAYERS_MAX + 1 ? LAYERS_MAX : LAYERS_MAX + 1);
  const layers = shown.map(
    ([name, total]): Layer => ({
      name,
      total,
      counts: points.map((point) => countsOf(point)[name] ?? 0),
    }),
  );
  if (ranked.length > shown.length) {
    const rest = ranked.slice(shown.length);
    layers.push({
      name: undefined,
      total: rest.reduce((sum, [, total]) => sum + total, 0),
      counts: points.map((point) => rest.reduce((sum, [name]) => sum + (countsOf(point)[name] ?? 0), 0)),
    });
  }
  const sumOf = (count: (point: HistoryPoint) => number): number =>
    points.reduce((sum, point) => sum + count(point), 0);
  return {
    times: points.map(({ at }) => Date.parse(at) / 1000),
    frames: points.map(({ frames }) => frames),
    layers,
    reviews: sumOf(({ review }) => review),
    decided: sumOf(({ frames }) => frames),
    rejects: sumOf(({ reject }) => reject),
  };
}

/** Share of the frames of point i that layers 0..m make up; null where nothing was decided. */
export function heights({ layers, frames }: Stack): (number | null)[][] {
  const sums = frames.map(() => 0);
  return layers.map(({ counts }) =>
    counts.map((count, i) => {
      sums[i]! += count;
      return frames[i]! > 0 ? sums[i]! / frames[i]! : null;
    }),
  );
}
