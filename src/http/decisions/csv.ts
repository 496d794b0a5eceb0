/** Decisions as CSV: a fixed header, and no cell that a spreadsheet would run. */

import type { DecisionView } from "../api-schemas.ts";

const COLUMNS = [
  ...["id", "at", "station", "source", "frame", "part", "decision", "reason", "would", "class", "confidence"],
  ...["score", "lambda", "bandLow", "bandHigh", "mode", "revision"],
] as const;

/**
 * How cells begin that spreadsheets take for formulae, their full-width forms in Japanese input included.
 * @see OWASP, CSV Injection
 */
const FORMULA = /^[\s]*[=+\-@＝＋－＠\t\r\n]/;

export const CSV_HEADER = `${COLUMNS.join(",")}\r\n`;

export function csvLine(decision: DecisionView): string {
  const { band } = decision;
  const row = { ...decision, bandLow: band?.[0], bandHigh: band?.[1] };
  return `${COLUMNS.map((name) => cell(row[name])).join(",")}\r\n`;
}

/** @see RFC 4180; numbers are our own, and stand as they are */
function cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const harmless = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
