/** Where the frames of a part lie in the projection: what the drift test sees of a part beside its score and novelty. */

/** Coordinates that are watched; projections with more are watched by their first. */
export const COORDINATES_MAX = 16;

/** Each coordinate at its lowest and its highest over the part's frames; NaN where a frame has none. */
export interface Extent {
  readonly lowest: ArrayLike<number>;
  readonly highest: ArrayLike<number>;
}

/** The extent of a part of one frame. */
export function extentOf(place: ArrayLike<number>): Extent {
  return { lowest: place, highest: place };
}

/** The extent of a part of these; undefined where that of any is not known. */
export function extentOfAll(extents: readonly (Extent | undefined)[]): Extent | undefined {
  const [first, ...others] = extents;
  if (first === undefined || others.includes(undefined)) return undefined;
  if (others.length === 0) return first;
  const lowest = Float64Array.from(first.lowest);
  const highest = Float64Array.from(first.highest);
  for (const other of others) {
    // Math.min and Math.max keep NaN.
    lowest.forEach((value, i) => {
      lowest[i] = Math.min(value, other!.lowest[i]!);
      highest[i] = Math.max(highest[i]!, other!.highest[i]!);
    });
  }
  return { lowest, highest };
}
