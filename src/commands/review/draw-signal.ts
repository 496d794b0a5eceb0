/** Draws a signal with characters: the curve in dots of braille, eight to a cell, or in plain characters. */

export interface Curve {
  readonly values: ArrayLike<number>;
  /** First of its numbers, and how many there are. */
  readonly from: number;
  readonly length: number;
}

/** Dots of a braille cell, left and right, from above; their bits are those of Unicode's block. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;
const BRAILLE = 0x2800;

/**
 * The curve in exactly so many rows and at most so many columns, its extremes named at the left. Where there are more
 * numbers than places, each place shows all that its numbers reach, so that no peak is lost.
 */
export function drawSignal(curve: Curve, columns: number, rows: number, ink: "braille" | "ascii"): string[] {
  const { low, high } = extremes(curve);
  const labels = [numeral(high), numeral(low)];
  const margin = Math.max(...labels.map(({ length }) => length)) + 1;
  const width = Math.max(1, columns - margin);
  const dots = ink === "braille" ? { across: 2, down: 4 } : { across: 1, down: 1 };
  const grid = plot(curve, low, high, width * dots.across, rows * dots.down);
  return Array.from({ length: rows }, (_, row) => {
    const label = row === 0 ? labels[0]! : row === rows - 1 ? labels[1]! : "";
    const cells = Array.from({ length: width }, (_, column) =>
      ink === "braille" ? brailleOf(grid, column, row) : grid[row]![column]! ? "*" : " ",
    );
    return `${label.padStart(margin - 1)} ${cells.join("")}`.trimEnd();
  });
}

function brailleOf(grid: readonly Uint8Array[], column: number, row: number): string {
  let bits = 0;
  DOTS.forEach((pair, y) => {
    pair.forEach((bit, x) => {
      if (grid[4 * row + y]![2 * column + x]! !== 0) bits |= bit;
    });
  });
  return bits === 0 ? " " : String.fromCodePoint(BRAILLE + bits);
}

/** Marks of the curve on a grid, from above. */
function plot(curve: Curve, low: number, high: number, across: number, down: number): readonly Uint8Array[] {
  const grid = Array.from({ length: down }, () => new Uint8Array(across));
  const span = high - low;
  const rowOf = (value: number): number =>
    span > 0 ? Math.round(((high - value) / span) * (down - 1)) : Math.floor((down - 1) / 2);
  for (let x = 0; x < across; x++) {
    const { least, most } = reach(curve, x, across);
    for (let y = rowOf(most); y <= rowOf(least); y++) grid[y]![x] = 1;
  }
  return grid;
}

/** What the curve reaches at one of so many places: between the numbers it is a straight line. */
function reach({ values, from, length }: Curve, x: number, places: number): { least: number; most: number } {
  const at = (place: number): number => {
    const before = Math.min(length - 1, Math.floor(place));
    const after = Math.min(length - 1, before + 1);
    const share = place - before;
    return values[from + before]! * (1 - share) + values[from + after]! * share;
  };
  const [start, end] = [(x * (length - 1)) / places, ((x + 1) * (length - 1)) / places];
  let least = Math.min(at(start), at(end));
  let most = Math.max(at(start), at(end));
  for (let i = Math.ceil(start); i <= Math.floor(end); i++) {
    least = Math.min(least, values[from + i]!);
    most = Math.max(most, values[from + i]!);
  }
  return { least, most };
}

function extremes({ values, from, length }: Curve): { low: number; high: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = from; i < from + length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  return { low, high };
}

function numeral(value: number): string {
  return String(Number(value.toPrecision(3)));
}
