/** A time given as an option. */

import { Refusal } from "./terminal.ts";

/** @returns milliseconds since the epoch; undefined where nothing is given */
export function timeOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const isDate = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const ms = isDate ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new Refusal(
    `${option}: expected a day or a time with its zone, such as 2026-03-01 or 2026-03-01T06:00:00Z, found "${text}"`,
  );
}
