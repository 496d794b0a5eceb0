/** What the balls of a report look like: the frame and the worst input found, and both models between them. */

import type { Manifest } from "../../bundle/manifest.ts";
import type { AskBoth } from "../../core/bounds/search.ts";
import { argmax, gap, softmax } from "../../core/confidence.ts";
import type { FrameSpec } from "../../core/frame.ts";
import { seededRandom } from "../../core/random.ts";
import type { Answer, BallPicture, Direction } from "../../report/data.ts";
import type { SeenBall } from "./bounds.ts";
import { lookOf } from "./looks.ts";

const BALLS_MAX = 6;
/** Steps from the frame to the end of a direction, either way. */
const STEPS = 20;
/** Cells from the middle of a map to its edge. */
const CELLS = 8;

interface Pictured {
  readonly spec: FrameSpec;
  readonly preprocessing: Manifest["preprocessing"];
  readonly classes: number;
  readonly ask: AskBoth;
}

/** The balls in which the models part most. */
export async function ballPictures(balls: readonly SeenBall[], pair: Pictured): Promise<BallPicture[]> {
  const worst = balls.toSorted((a, b) => b.bounds.lower - a.bounds.lower).slice(0, BALLS_MAX);
  const pictures: BallPicture[] = [];
  for (const ball of worst) pictures.push(await pictureOf(ball, pair));
  return pictures;
}

async function pictureOf({ bounds, found, box, middle }: SeenBall, pair: Pictured): Promise<BallPicture> {
  const random = seededRandom(bounds.row + 1);
  const target = found.disagreement ?? found.row;
  const brighter = box.upper;
  const corner = box.lower.map((l, i) => (random.next() < 0.5 ? l : box.upper[i]!));
  /** So far along two directions, drawn into the ball. */
  const at = (a: number, b: number): Float32Array =>
    middle.map((x, i) =>
      Math.min(box.upper[i]!, Math.max(box.lower[i]!, x + a * (target[i]! - x) + b * (corner[i]! - x))),
    );
  const answers = async (rows: readonly Float32Array[]): Promise<Answers[]> => answersOf(rows, pair);
  const [own, there] = (await answers([middle, target])) as [Answers, Answers];
  const shown = argmax(own.student);
  const along = async (name: string, end: Float32Array): Promise<Direction> => {
    const rows = steps(STEPS).map((t) =>
      middle.map((x, i) => Math.min(box.upper[i]!, Math.max(box.lower[i]!, x + t * (end[i]! - x)))),
    );
    const said = await answers(rows);
    return {
      name,
      student: said.map(({ student }) => student[shown]!),
      teacher: said.map(({ teacher }) => teacher[shown]!),
    };
  };
  const map: BallPicture["map"][number][] = [];
  for (const b of steps(CELLS)) {
    const said = await answers(steps(CELLS).map((a) => at(a, b)));
    map.push(
      said.map(({ teacher, student }) => ({
        gap: gap(teacher, student),
        differs: argmax(teacher) !== argmax(student),
      })),
    );
  }
  return {
    bounds,
    shownClass: shown,
    frame: { look: await lookOf(unprocessed(middle, pair), pair.spec), ...answer(own) },
    worst: { look: await lookOf(unprocessed(target, pair), pair.spec), ...answer(there) },
    directions: [
      await along("towards the worst input found", target),
      await along("all numbers up or down", brighter),
      await along("towards a corner drawn at random", corner),
    ],
    map,
  };
}

interface Answers {
  readonly teacher: Float64Array;
  readonly student: Float64Array;
}

async function answersOf(rows: readonly Float32Array[], { ask, classes }: Pictured): Promise<Answers[]> {
  const length = rows[0]!.length;
  const batch = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    batch.set(row, i * length);
  });
  const { teacher, student } = await ask(batch, rows.length);
  return rows.map((_, i) => {
    const [p, q] = [new Float64Array(classes), new Float64Array(classes)];
    softmax(teacher, i, classes, 1, p);
    softmax(student, i, classes, 1, q);
    return { teacher: p, student: q };
  });
}

function answer({ teacher, student }: Answers): { readonly teacher: Answer; readonly student: Answer } {
  const of = (p: Float64Array): Answer => ({ class: argmax(p), confidence: Math.max(...p) });
  return { teacher: of(teacher), student: of(student) };
}

/** From -1 to 1. */
function steps(each: number): number[] {
  return Array.from({ length: 2 * each + 1 }, (_, i) => (i - each) / each);
}

/** A row of the student's input as the frame that it would have come from. */
function unprocessed(row: Float32Array, { spec, preprocessing }: Pictured): Float32Array {
  const { layout, scale, mean, std } = preprocessing;
  const channels = spec.kind === "image" ? spec.channels : 1;
  const places = row.length / channels;
  return row.map((_, i) => {
    const channel = i % channels;
    const place = Math.floor(i / channels);
    const x = row[spec.kind === "image" && layout === "CHW" ? channel * places + place : i]!;
    const value = (x * (std[channel] ?? std[0]!) + (mean[channel] ?? mean[0]!)) / scale;
    return spec.kind === "image" ? Math.min(255, Math.max(0, value)) : value;
  });
}
