/** A child process's output, line by line, with the last lines kept for whoever must explain its end. */

import type { Readable } from "node:stream";

export interface ChildOutput {
  /** The last lines, oldest first. */
  lastLines(): readonly string[];
}

const LINES_KEPT = 20;
/** Lines that are told of one process; what it says after that is only kept for its end. */
const LINES_TOLD_MAX = 1_000;
const LINE_LENGTH_MAX = 1000;

/** Reads the streams, as far as there are any, to their ends; `onLine` gets each line, cut at 1,000 characters. */
export function captureOutput(
  streams: readonly (Readable | null | undefined)[],
  onLine: (line: string) => void,
): ChildOutput {
  const kept: string[] = [];
  let told = 0;
  const emit = (line: string): void => {
    if (line === "") return;
    kept.push(line);
    if (kept.length > LINES_KEPT) kept.shift();
    if (told++ < LINES_TOLD_MAX) onLine(line);
  };
  for (const stream of streams) {
    if (!stream) continue;
    let partial = "";
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      const lines = (partial + text).split("\n");
      // What is beyond the bound of a line without end is dropped.
      partial = lines.pop()!.slice(0, LINE_LENGTH_MAX);
      for (const line of lines) emit(line.slice(0, LINE_LENGTH_MAX).trimEnd());
    });
    stream.on("end", () => emit(partial));
    stream.on("error", () => {});
  }
  return { lastLines: () => [...kept] };
}
