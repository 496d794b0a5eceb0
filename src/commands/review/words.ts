/** Numbers of a review as a person reads them. */

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** A span of time in its largest unit, rounded down. */
export function span(ms: number): string {
  for (const [unit, unitMs] of UNITS) if (ms >= unitMs) return `${Math.floor(ms / unitMs)} ${unit}`;
  return "0 s";
}

/** A soft confidence, a score or a bound of them. */
export function fraction(value: number): string {
  return value.toFixed(2);
}
