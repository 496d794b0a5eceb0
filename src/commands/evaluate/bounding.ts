/** `evaluate --bounds` from its options to the work: all that can be refused is, before the long work begins. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bundle } from "../../bundle/bundle.ts";
import type { EvidenceDescription } from "../../bundle/evidence-description.ts";
import { readGradientSearch } from "../../bundle/gradient-search.ts";
import type { Network } from "../../core/bounds/network.ts";
import type { BoundsSummary } from "../../core/bounds/summary.ts";
import { readNetwork } from "../../engine/onnx/network.ts";
import { UnsupportedGraph } from "../../engine/onnx/unsupported.ts";
import type { Student } from "../../engine/student.ts";
import type { BallPicture } from "../../report/data.ts";
import { Refusal, type Terminal } from "../terminal.ts";
import { ballPictures } from "./ball-pictures.ts";
import { askerOf, type BoundedPair, boundFrames } from "./bounds.ts";
import { type BoundsOptions, epsilonOf, rowsOf, workOf } from "./bounds-options.ts";

export interface Bounded {
  readonly summary: BoundsSummary;
  /** Asked for only where they are shown. */
  pictures(): Promise<readonly BallPicture[]>;
}

/** The models that are compared, and how frames come to them. */
interface Bounding extends Omit<BoundedPair, "classes"> {
  readonly bundle: Bundle;
  readonly teacherFile: string;
}

/** @returns the work itself; undefined where no bounds were asked for */
export async function boundingOf(
  options: BoundsOptions,
  description: EvidenceDescription,
  terminal: Terminal,
  { bundle, teacherFile, ...of }: Bounding,
): Promise<(() => Promise<Bounded>) | undefined> {
  if (options.bounds === undefined) return undefined;
  const { manifest, folder, studentBytes } = bundle;
  const { gradientSearch: file } = options;
  const pair: BoundedPair = { ...of, classes: manifest.classes };
  const { inputShape } = pair.student.spec;
  const request = {
    rows: rowsOf(options, pair.frames.count),
    epsilon: epsilonOf(options, pair.spec, description),
    multiplicationsMax: workOf(options),
    gradient: file === undefined ? new Map() : await readGradientSearch(file, inputShape, pair.frames.count),
    gradientFile: file ?? "",
  };
  const networks = {
    student: await networkOf(join(folder, manifest.student.file), studentBytes, pair.student),
    teacher: await networkOf(teacherFile, readFileSync(teacherFile), pair.teacher),
  };
  return async () => {
    const { summary, balls } = await boundFrames(pair, networks, request, terminal);
    const pictured = {
      ...{ spec: pair.spec, preprocessing: manifest.preprocessing, classes: pair.classes.length },
      ask: askerOf(pair),
    };
    return { summary, pictures: () => ballPictures(balls, pictured) };
  };
}

async function networkOf(file: string, bytes: Uint8Array, { spec }: Student): Promise<Network> {
  try {
    return await readNetwork(bytes, spec);
  } catch (error) {
    if (!(error instanceof UnsupportedGraph)) throw error;
    throw new Refusal(`${file}: --bounds: ${error.message}`);
  }
}
