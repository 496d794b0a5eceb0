/** What `evaluate --bounds` was asked for: which frames, how large a ball, how much work. */

import type { EvidenceDescription } from "../../bundle/evidence-description.ts";
import { epsilonMost, epsilonUnit } from "../../core/bounds/ball.ts";
import type { FrameSpec } from "../../core/frame.ts";
import type { Nuisance } from "../../core/nuisance.ts";
import type { TeacherOptions } from "../teacher.ts";
import { Refusal } from "../terminal.ts";

export interface BoundsOptions extends TeacherOptions {
  /** N, rows, or true where neither was said. */
  readonly bounds?: string | true;
  readonly epsilon?: string;
  readonly gradientSearch?: string;
  /** Thousand millions of multiplications a frame. */
  readonly boundsWork: string;
}

const FRAMES_USUAL = 10;
const WORK_MOST = 1000;

/** Before the long work: options that go only with --bounds, and a teacher that can be asked. */
export function checkBoundsOptions(options: BoundsOptions): void {
  if (options.bounds === undefined) {
    const stray = options.epsilon !== undefined ? "--epsilon" : "--gradient-search";
    if (options.epsilon === undefined && options.gradientSearch === undefined) return;
    throw new Refusal(`evaluate: ${stray} goes with --bounds`);
  }
  if (options.teacher === undefined) {
    throw new Refusal(
      "evaluate: --bounds asks the teacher about frames that are not in any file; give it by --teacher",
    );
  }
  workOf(options);
}

/**
 * The rows whose balls are bounded: a number alone is how many, spread evenly; numbers and ranges between commas are
 * rows (`3,17,40-49`; a comma behind a single one).
 */
export function rowsOf({ bounds }: BoundsOptions, frames: number): readonly number[] {
  const text = bounds === true || bounds === undefined ? String(FRAMES_USUAL) : bounds.trim();
  if (/^\d+$/.test(text)) {
    const count = Math.min(frames, Number(text));
    if (count === 0) throw new Refusal("--bounds: expected at least one frame, found 0");
    return Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * frames) / count));
  }
  const rows = new Set<number>();
  for (const piece of text.replace(/,$/, "").split(",")) {
    const range = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(piece);
    const [first, last] = [Number(range?.[1]), Number(range?.[2] ?? range?.[1])];
    if (!(first <= last && last < frames)) {
      throw new Refusal(
        `--bounds: expected how many frames, or rows from 0 to ${frames - 1} as 3,17,40-49, found "${piece.trim()}"`,
      );
    }
    for (let row = first; row <= last; row++) rows.add(row);
  }
  return [...rows].sort((a, b) => a - b);
}

/** As given, or the noise of the neighbourhood that the evidence was recorded over. */
export function epsilonOf(
  { epsilon }: BoundsOptions,
  spec: FrameSpec,
  { neighbourhood }: EvidenceDescription,
): number {
  const most = epsilonMost(spec);
  if (epsilon === undefined) {
    const { nuisances = [] } = neighbourhood as { readonly nuisances?: readonly Nuisance[] };
    const noise = nuisances.find(({ kind }) => kind === "noise" || kind === "tensor-noise");
    if (noise !== undefined) return noise.magnitude;
    throw new Refusal(
      `--bounds: the evidence was recorded without noise among its nuisances; give --epsilon, in ${epsilonUnit(spec)}`,
    );
  }
  const value = Number(epsilon);
  if (epsilon.trim() !== "" && value > 0 && value <= most) return value;
  throw new Refusal(
    `--epsilon: expected a number above 0 and at most ${most}, in ${epsilonUnit(spec)}, found "${epsilon}"`,
  );
}

/** Multiplications a frame. */
export function workOf({ boundsWork }: BoundsOptions): number {
  const value = Number(boundsWork);
  if (boundsWork.trim() !== "" && value >= 0 && value <= WORK_MOST) return value * 1e9;
  throw new Refusal(
    `--bounds-work: expected thousand millions of multiplications a frame, 0 to ${WORK_MOST}, found "${boundsWork}"`,
  );
}
