/** The answered reviews of one station, frame by frame into an .npz and Label Studio's JSON, whole or not at all. */

import type { Bundle } from "../../bundle/bundle.ts";
import { frameSpecOf } from "../../bundle/manifest.ts";
import { type NpyType, type NpzWriter, openNpzWriter } from "../../bundle/npz-writer.ts";
import type { Encoding, FrameSpec } from "../../core/frame.ts";
import { type Decoder, openDecoder } from "../../engine/decoder.ts";
import { CONTENT_TYPE_OF } from "../../gateway/station.ts";
import type { ResolvedReview, ResolvedReviews } from "../../ledger/resolved-reviews.ts";
import { writeFileAtomically } from "../../schema/atomic-file.ts";
import { type GrowingFile, openGrowingFile } from "../../schema/growing-file.ts";
import { showProgress, type Terminal } from "../terminal.ts";
import { labellingConfig, taskOf } from "./label-studio.ts";
import { type Labelled, LEFT_OUT, type LeftOut, labelOf } from "./labels.ts";

/** The files asked for. */
export interface Targets {
  readonly frames?: string;
  readonly tasks?: string;
  readonly labelling?: string;
}

export interface Exported {
  readonly station: string;
  readonly bundle: { readonly folder: string; readonly sha256: string };
  readonly files: Targets;
  readonly answered: number;
  readonly labels: number;
  /** Labels of each class. */
  readonly classes: Readonly<Record<string, number>>;
  readonly leftOut: Readonly<Record<LeftOut, number>>;
  /** Of the answered, those that were judged by a bundle of another digest. */
  readonly otherBundles: number;
  /** Time of the last answer: the next `--since`. */
  readonly answeredUntil: string | null;
}

export interface StationExport {
  readonly reviews: ResolvedReviews;
  readonly station: string;
  readonly bundle: Bundle;
  readonly sinceMs: number;
  readonly targets: Targets;
  readonly terminal: Terminal;
}

const MODULE = new URL("../../engine/decoder-main.js", import.meta.url);

/** Files where there is any label; those that are there are replaced. */
export async function exportStation(job: StationExport): Promise<Exported> {
  const { reviews, station, bundle, sinceMs, targets, terminal } = job;
  const { classes, preprocessing, frame } = bundle.manifest;
  const spec = frameSpecOf(frame);
  const ids = reviews.list({ station, sinceMs });
  const decoder = openDecoder({
    ...{ modulePath: MODULE, spec, preprocessing },
    onStderr: (line) => terminal.err(`decoder: ${line}\n`),
  });
  const leftOut = Object.fromEntries(LEFT_OUT.map((why) => [why, 0])) as Record<LeftOut, number>;
  const counts = new Array<number>(classes.length).fill(0);
  let [labels, otherBundles, lastMs] = [0, 0, Number.NEGATIVE_INFINITY];
  const files = openFiles(targets, spec, classes, reviews.hasContentType(station, CONTENT_TYPE_OF.json));
  const progress = showProgress(terminal, `exporting ${station}`, ids.length, Date.now);
  try {
    for (const [i, id] of ids.entries()) {
      const review = reviews.read(id);
      if (review !== undefined) lastMs = review.resolvedAtMs;
      if (review !== undefined && review.bundle !== bundle.digest) otherBundles++;
      const label = labelOf(review, classes);
      const values = typeof label === "string" ? undefined : await valuesOf(label, decoder);
      if (typeof label === "string") leftOut[label]++;
      else if (values === undefined) leftOut["frame-unfit"]++;
      else {
        files.add(label, values);
        counts[label.classIndex]!++;
        labels++;
      }
      progress.at(i + 1);
    }
    progress.end();
    if (labels > 0) files.commit();
  } finally {
    files.abandon();
    await decoder.close();
  }
  return {
    ...{ station, labels, leftOut, otherBundles, answered: ids.length },
    bundle: { folder: bundle.folder, sha256: bundle.digest },
    files: labels > 0 ? targets : {},
    classes: Object.fromEntries(classes.map((name, c) => [name, counts[c]!])),
    answeredUntil: Number.isFinite(lastMs) ? new Date(lastMs).toISOString() : null,
  };
}

/** Undefined where it is no frame of the bundle. */
async function valuesOf({ contentType, payload }: Labelled, decoder: Decoder) {
  const encoding = (Object.keys(CONTENT_TYPE_OF) as Encoding[]).find(
    (one) => CONTENT_TYPE_OF[one] === contentType,
  );
  if (encoding === undefined) return undefined;
  const decoded = await decoder.decode({ encoding, payload });
  return decoded.kind === "values" ? decoded.values : undefined;
}

interface Files {
  add(label: Labelled, values: ArrayLike<number>): void;
  commit(): void;
  abandon(): void;
}

function openFiles(
  { frames, tasks, labelling }: Targets,
  spec: FrameSpec,
  classes: readonly string[],
  hasJson: boolean,
): Files {
  const npz = frames === undefined ? undefined : openNpzWriter(frames);
  const json = tasks === undefined ? undefined : openGrowingFile(tasks);
  const written: { readonly review: ResolvedReview; readonly classIndex: number }[] = [];
  const type = typeOf(spec, hasJson);
  npz?.array("frames", type, spec.kind === "image" ? [spec.height, spec.width, spec.channels] : spec.shape);
  return {
    add({ review, classIndex }, values) {
      npz?.append(rowOf(values, type));
      const task = json && JSON.stringify(taskOf(review, values, spec, classes));
      json?.append(`${written.length === 0 ? "[" : ","}\n${task}`);
      written.push({ review: { ...review, payload: null }, classIndex });
    },
    commit() {
      if (npz !== undefined) finish(npz, written);
      if (json !== undefined) end(json);
      if (labelling !== undefined) writeFileAtomically(labelling, labellingConfig(spec, classes));
    },
    abandon() {
      npz?.abandon();
      json?.abandon();
    },
  };
}

function end(json: GrowingFile): void {
  json.append("\n]\n");
  json.commit();
}

function finish(
  npz: NpzWriter,
  written: readonly { readonly review: ResolvedReview; readonly classIndex: number }[],
): void {
  npz.array("labels", "<i8", []);
  npz.append(new Uint8Array(BigInt64Array.from(written, ({ classIndex }) => BigInt(classIndex)).buffer));
  // Only fit: what the gateway did not pass is no random draw, and cal and ref must be one.
  npz.array("split", "|u1", []);
  npz.append(new Uint8Array(written.length));
  const isPartKnown = written.some(({ review }) => review.part !== null);
  const partOf = ({ part, id }: ResolvedReview): string => (part === null ? `review ${id}` : part);
  if (isPartKnown)
    npz.texts(
      "parts",
      written.map(({ review }) => partOf(review)),
    );
  npz.texts(
    "sources",
    written.map(({ review }) => review.source),
  );
  npz.texts(
    "reviews",
    written.map(({ review }) => review.id),
  );
  npz.finish();
}

/** The frame's own type; JSON may hold fractions where a sensor has averaged. */
function typeOf(spec: FrameSpec, hasJson: boolean): NpyType {
  if (hasJson) return "<f4";
  if (spec.kind === "image") return "|u1";
  return ({ u8: "|u1", i16: "<i2", f32: "<f4" } as const)[spec.type];
}

function rowOf(values: ArrayLike<number>, type: NpyType): Uint8Array {
  if (type === "|u1") return Uint8Array.from(values);
  const row = type === "<i2" ? Int16Array.from(values) : Float32Array.from(values);
  return new Uint8Array(row.buffer);
}
