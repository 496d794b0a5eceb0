/** What `evaluate --bounds` says to a person at a terminal. */

import type { BoundsSummary, FrameBounds } from "../../core/bounds/summary.ts";

export function boundsTable(summary: BoundsSummary): string {
  const { epsilon, unit, delta, frames, faithful, unfaithful, open } = summary;
  return `${[
    "",
    `Worst gap within epsilon ${epsilon} (${unit}) of ${frames.length} frames, delta ${delta}:`,
    `${faithful} certified faithful in the whole ball, ${unfaithful} with an input found that is not, ${open} open.`,
    `Covered are ${summary.covers}.`,
    "",
    line("frame", "found", "by", "certified", "by intervals", "classes", "verdict"),
    ...frames.map(lineOf),
  ].join("\n")}\n`;
}

function lineOf({ row, lower, foundBy, upper, upperByIntervals, verdict, ...of }: FrameBounds): string {
  const classes = of.classesDiffer
    ? "differ"
    : of.teacherClass !== null && of.teacherClass === of.studentClass
      ? of.teacherClass
      : "may differ";
  // Rounded away from what they bound, so that the printed numbers bound it too.
  const found = (Math.floor(1e4 * lower) / 1e4).toFixed(4);
  const certified = (value: number): string =>
    value >= 1 ? "none" : (Math.ceil(1e4 * value) / 1e4).toFixed(4);
  return line(String(row), found, foundBy, certified(upper), certified(upperByIntervals), classes, verdict);
}

function line(
  row: string,
  found: string,
  by: string,
  certified: string,
  intervals: string,
  classes: string,
  verdict: string,
): string {
  return [
    row.padStart(7),
    found.padStart(9),
    `  ${by.padEnd(13)}`,
    certified.padStart(10),
    intervals.padStart(14),
    `   ${classes.slice(0, 16).padEnd(17)}`,
    verdict,
  ].join("");
}
