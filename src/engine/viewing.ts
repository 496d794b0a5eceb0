/** What a person is shown of a frame: decoded, drawn anew, with what the student says and the recorded frames nearest. */

import { argmax, softmax } from "../core/confidence.ts";
import { createProjector } from "../core/envelope/projection.ts";
import { frameLength } from "../core/frame.ts";
import { type Drawn, lookOf } from "../core/frame-view.ts";
import { decimated, spectrumOf } from "../core/signal-view.ts";
import type { EngineFrame } from "../gateway/ports.ts";
import { decode } from "./decode.ts";
import { type FramedStudent, openFramedStudent } from "./golden-frames.ts";
import type { Values } from "./preprocess.ts";
import type { Gallery, Neighbour, Viewed, ViewerTask } from "./viewer-channel.ts";

export interface Viewing {
  /** Total: no payload makes it reject. */
  view(frame: EngineFrame): Promise<Viewed>;
}

/** Pixels of a picture's longer side, of the frame itself and of a frame beside it. */
const SIDE_MAX = { frame: 1024, neighbour: 192 } as const;
/** Of the student's class, and of its second one. */
const NEIGHBOURS_EACH = 3;

export function createViewing(task: ViewerTask): Viewing {
  const { spec, preprocessing, gallery } = task;
  let opening: Promise<FramedStudent | string> | undefined;
  /** Opened with the first frame; of a student that cannot be run, why: the frame is shown all the same. */
  const student = (): Promise<FramedStudent | string> => {
    opening ??= openFramedStudent(task.student, task.model, spec, preprocessing).catch(
      (error: Error) => error.message,
    );
    return opening;
  };

  return {
    async view(frame) {
      const decoded = await decode(frame, spec, preprocessing);
      if (decoded.kind === "reject") return { reject: decoded.reason, neighbours: [], images: [] };
      const images: Uint8Array[] = [];
      const shown = await draw(decoded.values, task, SIDE_MAX.frame, images);
      const opened = await student();
      const problem = typeof opened === "string" ? opened : undefined;
      const said = typeof opened === "string" ? undefined : await ask(opened, decoded.values, task);
      const near = said && gallery ? nearestOf(said, gallery, task.projection.outputs) : [];
      const neighbours: Neighbour[] = [];
      for (const { index, distance } of near) {
        const length = frameLength(spec);
        const values = gallery!.frames.subarray(index * length, (index + 1) * length);
        neighbours.push({
          classIndex: gallery!.classIndex[index]!,
          confidenceTeacher: gallery!.confidenceTeacher[index]!,
          confidenceStudent: gallery!.confidenceStudent[index]!,
          distance,
          ...(await draw(values, task, SIDE_MAX.neighbour, images)),
        });
      }
      return {
        ...shown,
        ...(said && { confidence: [...said.p] }),
        ...(problem && { problem }),
        neighbours,
        images,
      };
    },
  };
}

interface Said {
  readonly p: Float64Array;
  /** Undefined where a number on the way is not finite. */
  readonly place: Float64Array | undefined;
}

async function ask(framed: FramedStudent, values: Values, task: ViewerTask): Promise<Said | undefined> {
  const row = new Float32Array(framed.preprocessor.length);
  framed.preprocessor.write(values, row, 0);
  const { logits, features } = await framed.student.run(row, 1);
  const p = new Float64Array(task.model.classes);
  softmax(logits, 0, task.model.classes, task.temperature, p);
  if (argmax(p) < 0) return undefined;
  const place = new Float64Array(task.projection.outputs);
  const isPlaced = createProjector(task.projection)(p, features, 0, place);
  return { p, place: isPlaced ? place : undefined };
}

/** The nearest of the first class, and then those of the second. */
function nearestOf({ p, place }: Said, gallery: Gallery, outputs: number) {
  if (place === undefined) return [];
  const first = argmax(p);
  const second = argmax(p.map((value, c) => (c === first ? -1 : value)));
  return [...new Set([first, second])].flatMap((wanted) =>
    Array.from(gallery.classIndex, (c, index) => ({ c, index }))
      .filter(({ c }) => c === wanted)
      .map(({ index }) => ({ index, distance: distanceTo(gallery.places, index, place, outputs) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, NEIGHBOURS_EACH),
  );
}

function distanceTo(places: Float32Array, index: number, place: Float64Array, outputs: number): number {
  let sum = 0;
  for (let d = 0; d < outputs; d++) sum += (places[index * outputs + d]! - place[d]!) ** 2;
  return Math.sqrt(sum);
}

async function draw(
  values: Values,
  { spec }: ViewerTask,
  sideMax: number,
  images: Uint8Array[],
): Promise<{ readonly drawn: Drawn; readonly image?: number }> {
  const look = lookOf(spec);
  if (look.kind === "numbers") return { drawn: { numbers: Array.from(values) } };
  if (look.kind === "signal") {
    const { signals, length } = look;
    const [samples, spectrum] = [decimated(values, 0, length), spectrumOf(values, 0, length)];
    return { drawn: { signal: { samples, spectrum, signals, length } } };
  }
  // Loaded with the first picture, as for decoding: a gateway of signals needs no libvips.
  const { drawPng } = await import("./draw-png.ts");
  const { bytes, width, height } = await drawPng(values, look, spec.kind === "image", sideMax);
  return { drawn: { picture: { width, height } }, image: images.push(bytes) - 1 };
}
