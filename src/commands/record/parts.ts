/** The parts that frames show, and the split of each. */

import type { PartRow } from "../../bundle/evidence.ts";
import type { CalibrationFrames } from "../../bundle/frames.ts";
import type { Split } from "../../core/envelope/types.ts";
import { cutSplits, SPLIT_SHARES } from "../../core/split.ts";
import { Refusal } from "../terminal.ts";

export interface Parts {
  readonly parts: readonly PartRow[];
  /** Index of the part of each frame. */
  readonly partOf: Int32Array;
}

/** The parts that the frames show, each with its split: the file's own, or cut by lot where there are lots. */
export function partsOf(frames: CalibrationFrames, seed: number): Parts {
  const { partOf, names, first } = indexParts(frames);
  frames.splits?.forEach((split, i) => {
    const other = frames.splits![first[partOf[i]!]!];
    if (split === other) return;
    throw new Refusal(
      `part "${frames.parts[i]}" is in two splits (${other} and ${split}); give all its frames one split`,
    );
  });
  const lotOf = (part: number): string | null => frames.lots?.[first[part]!] ?? null;
  const groups = names.map((name, part) =>
    frames.lots === undefined ? `part ${name}` : `lot ${lotOf(part)}`,
  );
  const splits: readonly Split[] = frames.splits
    ? names.map((_, part) => frames.splits![first[part]!]!)
    : cutSplits(groups, SPLIT_SHARES, seed);
  return { parts: names.map((name, part) => ({ name, lot: lotOf(part), split: splits[part]! })), partOf };
}

/** Numbers the parts in the order of their first frames. */
export function indexParts({ parts }: CalibrationFrames): {
  readonly partOf: Int32Array;
  readonly names: readonly string[];
  /** First frame of each part. */
  readonly first: readonly number[];
} {
  const index = new Map<string, number>();
  const first: number[] = [];
  const partOf = Int32Array.from(parts, (name, i) => {
    const part = index.get(name) ?? index.size;
    if (part === index.size) first.push(i);
    index.set(name, part);
    return part;
  });
  return { partOf, names: [...index.keys()], first };
}

/** How many parts each split has. */
export function partCounts(parts: readonly PartRow[]): Readonly<Record<Split, number>> {
  const counts = { fit: 0, cal: 0, ref: 0 };
  for (const { split } of parts) counts[split]++;
  return counts;
}
