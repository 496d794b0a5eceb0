/** What is said of the bounds on the gap around recorded frames. */

import type { GapBound } from "./gap-bound.ts";
import type { Found, FoundBy } from "./search.ts";

/**
 * `faithful`: certified, no input in the ball parts the models by more than delta or in their class. `unfaithful`: one
 * that does was found. `open`: neither.
 */
export type BallVerdict = "faithful" | "unfaithful" | "open";

/** One frame's ball. Members may be added, none renamed: `evaluate --json` prints them. */
export interface FrameBounds {
  /** Row number in the frames file. */
  readonly row: number;
  readonly verdict: BallVerdict;
  /** Largest gap found; the true worst is no smaller. */
  readonly lower: number;
  readonly foundBy: FoundBy;
  /** Certified; the true worst is no larger. 1 says nothing. */
  readonly upper: number;
  readonly upperByIntervals: number;
  readonly upperApart: number;
  /** Whether an input was found to which the models give different classes. */
  readonly classesDiffer: boolean;
  /** Certified to come everywhere in the ball; null where it may change. */
  readonly teacherClass: string | null;
  readonly studentClass: string | null;
  /** Inputs that both models were asked about. */
  readonly asked: number;
}

export interface BoundsSummary {
  readonly covers: string;
  readonly epsilon: number;
  readonly unit: string;
  readonly delta: number;
  readonly faithful: number;
  readonly unfaithful: number;
  readonly open: number;
  readonly frames: readonly FrameBounds[];
}

export const BOUNDS_COVER = "the balls around these recorded frames; they say nothing of new frames";

export function frameBounds(
  row: number,
  found: Found,
  bound: GapBound,
  delta: number,
  classes: readonly string[],
): FrameBounds {
  const classesDiffer = found.disagreement !== undefined;
  const { upper, upperByIntervals, upperApart, teacherClass, studentClass } = bound;
  const name = (c: number | null): string | null => (c === null ? null : classes[c]!);
  return {
    row,
    verdict: verdictOf(found, bound, delta),
    lower: found.gap,
    foundBy: found.by,
    ...{ upper, upperByIntervals, upperApart, classesDiffer },
    teacherClass: name(teacherClass),
    studentClass: name(studentClass),
    asked: found.asked,
  };
}

function verdictOf(
  found: Found,
  { upper, teacherClass, studentClass }: GapBound,
  delta: number,
): BallVerdict {
  // A gap that is no number is beyond every delta.
  if (found.disagreement !== undefined || !(found.gap <= delta)) return "unfaithful";
  return upper <= delta && teacherClass !== null && teacherClass === studentClass ? "faithful" : "open";
}

export function boundsSummary(
  frames: readonly FrameBounds[],
  ball: { readonly epsilon: number; readonly unit: string; readonly delta: number },
): BoundsSummary {
  const count = (verdict: BallVerdict): number => frames.filter((of) => of.verdict === verdict).length;
  return {
    covers: BOUNDS_COVER,
    ...ball,
    faithful: count("faithful"),
    unfaithful: count("unfaithful"),
    open: count("open"),
    frames,
  };
}
