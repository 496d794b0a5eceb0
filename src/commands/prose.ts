/** Text for a terminal: columns that fit its width, paragraphs that wrap, numbers that a person can read. */

const GAP = 2;
/** A name is cut to no less than this. */
const NAME_COLUMNS_MIN = 8;
/** Lines longer than this are hard to read, however wide the terminal. */
const PARAGRAPH_COLUMNS_MAX = 100;

/**
 * Lays rows out in columns: the first, a name, to the left and cut where the rest would not fit; words to the left,
 * numbers to the right; what is empty below its head is left out.
 * @param table cells of each row, the first row being the heads
 * @param columns width of the terminal
 */
export function layOut(table: readonly (readonly string[])[], columns: number): string[] {
  const rows = table.map((row) => row.filter((_, at) => table.slice(1).some((cells) => cells[at] !== "")));
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const rest = widths.slice(1).reduce((sum, width) => sum + width + GAP, 0);
  widths[0] = Math.min(widths[0] ?? 0, Math.max(NAME_COLUMNS_MIN, columns - rest));
  return rows.map((row) =>
    row
      .map((cell, at) => {
        const width = widths[at]!;
        if (at === 0) return (cell.length > width ? `${cell.slice(0, width - 1)}…` : cell).padEnd(width);
        return isWord(rows, at) ? cell.padEnd(width) : cell.padStart(width);
      })
      .join(" ".repeat(GAP))
      .trimEnd(),
  );
}

/** Breaks one paragraph between words. */
export function paragraph(text: string, columns: number): string[] {
  const width = Math.min(columns, PARAGRAPH_COLUMNS_MAX);
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A rate in per cent, with two decimals. */
export function percent(rate: number): string {
  return `${(100 * rate).toFixed(2)}%`;
}

/** A bound in per cent, with two decimals; rounded up, so that no more is claimed than was proven. */
export function boundPercent(bound: number): string {
  return `${(Math.ceil(10_000 * bound - 1e-6) / 100).toFixed(2)}%`;
}

/** A rate that somebody chose, in per cent, with no more decimals than it has. */
export function chosenPercent(rate: number): string {
  return `${Number((100 * rate).toPrecision(10))}%`;
}

/** A whole number with its thousands set apart. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A positive number to this many significant digits, rounded to the side named; 0 stays 0. */
export function rounded(value: number, digits: number, side: "up" | "down"): string {
  if (!(value > 0)) return "0";
  const unit = 10 ** (Math.floor(Math.log10(value)) + 1 - digits);
  // A value that is such a number already is not moved by the last bit of the division.
  const count = value / unit;
  const whole = side === "up" ? Math.ceil(count - 1e-9) : Math.floor(count + 1e-9);
  return String(Number((whole * unit).toPrecision(digits)));
}

/** A column is one of words if no cell below its head begins with a digit or a sign. */
function isWord(rows: readonly (readonly string[])[], at: number): boolean {
  return rows.slice(1).every((row) => !/^[-\d]/.test(row[at] ?? ""));
}
