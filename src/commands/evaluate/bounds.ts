/** `evaluate --bounds`: between which numbers the worst gap around recorded frames lies. */

import type { CalibrationFrames } from "../../bundle/frames.ts";
import type { GradientSearch } from "../../bundle/gradient-search.ts";
import { ballAround, epsilonUnit } from "../../core/bounds/ball.ts";
import { boundGap } from "../../core/bounds/gap-bound.ts";
import type { Network, Shape } from "../../core/bounds/network.ts";
import { type AskBoth, type Found, type Start, searchWorstGap } from "../../core/bounds/search.ts";
import {
  type BoundsSummary,
  boundsSummary,
  type FrameBounds,
  frameBounds,
} from "../../core/bounds/summary.ts";
import type { FrameSpec } from "../../core/frame.ts";
import { type NeighbourhoodRecipe, writeNeighbourhood } from "../../core/nuisance.ts";
import { seededRandom } from "../../core/random.ts";
import type { Preprocessor } from "../../engine/preprocess.ts";
import type { Student } from "../../engine/student.ts";
import { Refusal, showProgress, type Terminal } from "../terminal.ts";

/** Rows of a batch in the search, and batches of it. */
const BATCH = 32;
const ROUNDS = 30;
const SEED = 1;

/** The models that are compared, and how frames come to them. */
export interface BoundedPair {
  readonly frames: CalibrationFrames;
  readonly spec: FrameSpec;
  readonly preprocessor: Preprocessor;
  readonly recipe: NeighbourhoodRecipe;
  readonly classes: readonly string[];
  readonly delta: number;
  readonly student: Student;
  readonly teacher: Student;
}

export interface BoundsRequest {
  readonly rows: readonly number[];
  readonly epsilon: number;
  readonly multiplicationsMax: number;
  /** Inputs found elsewhere, and the file that they come from. */
  readonly gradient: GradientSearch;
  readonly gradientFile: string;
}

/** One frame's ball as it was gone through, for the pictures of a report. */
export interface SeenBall {
  readonly bounds: FrameBounds;
  readonly found: Found;
  /** In the student's input. */
  readonly box: { readonly lower: Float32Array; readonly upper: Float32Array };
  readonly middle: Float32Array;
}

export interface BoundedFrames {
  readonly summary: BoundsSummary;
  readonly balls: readonly SeenBall[];
}

export async function boundFrames(
  pair: BoundedPair,
  networks: { readonly student: Network; readonly teacher: Network },
  request: BoundsRequest,
  terminal: Terminal,
): Promise<BoundedFrames> {
  const { frames, spec, delta, classes } = pair;
  const { rows, epsilon, multiplicationsMax } = request;
  const ask = askerOf(pair);
  const progress = showProgress(terminal, "bounding", rows.length, Date.now);
  const balls: SeenBall[] = [];
  for (const [done, row] of rows.entries()) {
    await frames.load(row, 1);
    const values = frames.values(row).slice();
    const box = boxOf(values, pair, epsilon);
    const starts = startsOf(values, row, pair, request.gradient.get(row) ?? []);
    refuseStray(starts, box, row, request.gradientFile);
    const found = await searchWorstGap(box, starts, ask, seededRandom(SEED + row), {
      ...{ classes: classes.length, shape: rowShape(pair.student), batch: BATCH, rounds: ROUNDS },
    });
    const bound = boundGap(networks.teacher, networks.student, box, { multiplicationsMax });
    const bounds = frameBounds(row, found, bound, delta, classes);
    balls.push({ bounds, found, box, middle: starts[0]!.row });
    progress.at(done + 1);
  }
  progress.end();
  const of = balls.map(({ bounds }) => bounds);
  return { summary: boundsSummary(of, { epsilon, unit: epsilonUnit(spec), delta }), balls };
}

/** Both models, asked about the same rows. */
export function askerOf({ student, teacher }: Pick<BoundedPair, "student" | "teacher">): AskBoth {
  return async (rows, count) => ({
    teacher: (await teacher.run(rows, count)).logits,
    student: (await student.run(rows, count)).logits,
  });
}

/** The ball as the student's input: preprocessing never turns the order of two numbers of one place into another. */
function boxOf(
  values: Float32Array,
  { spec, preprocessor }: BoundedPair,
  epsilon: number,
): { readonly lower: Float32Array; readonly upper: Float32Array } {
  const ball = ballAround(values, spec, epsilon);
  const [one, other] = [ball.lower, ball.upper].map((end) => preprocessed(end, preprocessor)) as [
    Float32Array,
    Float32Array,
  ];
  return {
    lower: one.map((value, i) => Math.min(value, other[i]!)),
    upper: one.map((value, i) => Math.max(value, other[i]!)),
  };
}

/** The frame, its recorded copies, and what was found by gradients. */
function startsOf(
  values: Float32Array,
  row: number,
  { spec, preprocessor, recipe }: BoundedPair,
  gradient: readonly Float32Array[],
): readonly Start[] {
  const copies = new Float32Array(recipe.copies * values.length);
  writeNeighbourhood(values, spec, recipe, row, copies);
  return [
    { by: "frame", row: preprocessed(values, preprocessor) },
    ...Array.from({ length: recipe.copies }, (_, j) => ({
      by: "nuisance" as const,
      row: preprocessed(copies.subarray(j * values.length, (j + 1) * values.length), preprocessor),
    })),
    ...gradient.map((input) => ({ by: "gradient" as const, row: input })),
  ];
}

/** An input far outside the ball was found with another epsilon, other preprocessing, or for another frame. */
function refuseStray(
  starts: readonly Start[],
  { lower, upper }: { readonly lower: Float32Array; readonly upper: Float32Array },
  row: number,
  file: string,
): void {
  for (const start of starts.filter(({ by }) => by === "gradient")) {
    const place = start.row.findIndex((value, i) => {
      const room = 0.01 * (upper[i]! - lower[i]!) + 1e-6;
      return !(value >= lower[i]! - room && value <= upper[i]! + room);
    });
    if (place < 0) continue;
    throw new Refusal(
      `${file}: an input for row ${row} has ${start.row[place]} at [${place}], the ball reaches from ${lower[place]} to ${upper[place]}: ` +
        "search with the same --epsilon, around the same frames, after the bundle's preprocessing",
    );
  }
}

function preprocessed(values: Float32Array, preprocessor: Preprocessor): Float32Array {
  const row = new Float32Array(preprocessor.length);
  preprocessor.write(values, row, 0);
  return row;
}

function rowShape({ spec: { inputShape } }: Student): Shape {
  const [first = 1, second = 1, ...rest] = inputShape;
  if (inputShape.length === 1) return { channels: 1, height: 1, width: first };
  if (inputShape.length === 2) return { channels: first, height: 1, width: second };
  return { channels: first, height: second, width: rest.reduce((a, b) => a * b, 1) };
}
