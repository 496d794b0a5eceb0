/** Replays audited frames through the teacher and the student of one bundle: U, as the evidence has it. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readBundle } from "../../bundle/bundle.ts";
import type { Envelope } from "../../bundle/envelope-file.ts";
import { frameSpecOf } from "../../bundle/manifest.ts";
import { finiteArgmax, unfaithfulFrames } from "../../core/envelope/unfaithful.ts";
import { type Encoding, type FrameSpec, frameLength } from "../../core/frame.ts";
import { compareOverNeighbourhood } from "../../core/neighbourhood.ts";
import { type NeighbourhoodRecipe, writeNeighbourhood } from "../../core/nuisance.ts";
import { type Decoder, openDecoder } from "../../engine/decoder.ts";
import { createPreprocessor } from "../../engine/preprocess.ts";
import { openStudent, type Student } from "../../engine/student.ts";
import type { EngineFrame } from "../../gateway/ports.ts";
import { CONTENT_TYPE_OF } from "../../gateway/station.ts";
import type { TeacherAnswer, TeacherRequest } from "../../schema/teacher-messages.ts";
import { runtimeProblem, studentSpec, teacherSpec } from "../models.ts";
import { writeFrame } from "../recorder.ts";
import { Refusal, refuse } from "../terminal.ts";

export interface Replay {
  readonly name: string;
  /** Digest of the bundle: the only one that it answers for. */
  readonly digest: string;
  /** @throws FrameUnreadable, or what ONNX Runtime throws */
  answer(request: Pick<TeacherRequest, "audit" | "frames">): Promise<TeacherAnswer>;
  close(): Promise<void>;
}

/** A frame of a request that is none of the bundle's. */
export class FrameUnreadable extends Error {
  override readonly name = "FrameUnreadable";
}

const DECODER = new URL("../../engine/decoder-main.js", import.meta.url);

/**
 * Opens a bundle to answer for.
 * @param onStderr each line that the decoder's process writes to standard error
 * @throws Refusal if the bundle is not whole, has no teacher or envelope, or its copies cannot be made again
 */
export async function openReplay(dir: string, onStderr: (line: string) => void): Promise<Replay> {
  const read = readBundle(dir, ["teacher", "envelope"]);
  if (!read.ok) return refuse(read.problems);
  const { manifest, envelope, studentBytes, digest } = read.bundle;
  if (manifest.teacher === undefined) {
    throw new Refusal(
      `${dir}: expected a bundle with teacher.onnx, found none; make it with \`sekisho bundle new --teacher\``,
    );
  }
  if (envelope === undefined) {
    throw new Refusal(`${dir}: expected a bundle with an envelope, found none; record and certify it first`);
  }
  const foreign = runtimeProblem(envelope);
  if (foreign !== undefined) throw new Refusal(`${dir}: ${foreign}`);
  const recipe = recipeOf(dir, envelope);
  const spec = frameSpecOf(manifest.frame);
  const student = await openStudent(studentBytes, studentSpec(manifest));
  const teacher = await openStudent(readFileSync(join(dir, manifest.teacher.file)), teacherSpec(manifest));
  const { preprocessing } = manifest;
  const decoder = openDecoder({ modulePath: DECODER, spec, preprocessing, onStderr });
  const models: Models = {
    student,
    teacher,
    spec,
    recipe,
    decoder,
    write: writer(spec, recipe, preprocessing),
  };
  return {
    name: manifest.name,
    digest,
    answer: async (request) =>
      answerOf(await lookAtAll(models, request), {
        classes: manifest.classes,
        delta: envelope.fitted.delta,
        neighbourhood: recipe.copies > 0 ? "recorded" : "frame-only",
      }),
    async close() {
      await decoder.close();
      await student.release();
      await teacher.release();
    },
  };
}

/** How the copies were made when the evidence was recorded; U of other copies is another U. */
function recipeOf(dir: string, { neighbourhood }: Envelope): NeighbourhoodRecipe {
  const recorded = neighbourhood as { kind?: string } & Partial<NeighbourhoodRecipe>;
  if (recorded.kind === "frame-only") return { nuisances: [], copies: 0, seed: 0 };
  const { nuisances, copies, seed } = recorded;
  if (recorded.kind === "recipe" && nuisances !== undefined && copies !== undefined && seed !== undefined)
    return { nuisances, copies, seed };
  throw new Refusal(
    `${dir}: expected an envelope whose copies can be made again, found "${recorded.kind}": ` +
      "record with --teacher, so that audits ask the same question as the certificate",
  );
}

interface Models {
  readonly student: Student;
  readonly teacher: Student;
  readonly spec: FrameSpec;
  readonly recipe: NeighbourhoodRecipe;
  readonly decoder: Decoder;
  /** The frame and its copies as rows of the models' input. */
  readonly write: (values: Float32Array, chance: number) => Float32Array;
}

function writer(
  spec: FrameSpec,
  recipe: NeighbourhoodRecipe,
  preprocessing: Parameters<typeof createPreprocessor>[1],
): Models["write"] {
  const preprocessor = createPreprocessor(spec, preprocessing);
  const neighbourhood = new Float32Array(recipe.copies * frameLength(spec));
  const tensor = new Float32Array((1 + recipe.copies) * preprocessor.length);
  return (values, chance) => {
    writeNeighbourhood(values, spec, recipe, chance, neighbourhood);
    writeFrame(preprocessor, values, neighbourhood, tensor, 0);
    return tensor;
  };
}

/** What both models make of one frame. */
interface Look {
  readonly studentLogits: Float32Array;
  readonly teacherLogits: Float32Array;
  readonly largestGap: number;
}

async function lookAtAll(
  models: Models,
  { audit, frames }: Pick<TeacherRequest, "audit" | "frames">,
): Promise<readonly Look[]> {
  const looks: Look[] = [];
  for (const [index, frame] of frames.entries()) {
    const decoded = await models.decoder.decode(engineFrame(frame));
    if (decoded.kind === "reject")
      throw new FrameUnreadable(`frame ${index} of ${frames.length}: ${decoded.reason}`);
    looks.push(await lookAt(models, Float32Array.from(decoded.values), chanceOf(audit, index)));
  }
  return looks;
}

/** One frame at a time: between two, what came from the broker is heard. */
async function lookAt(
  { student, teacher, recipe, write }: Models,
  values: Float32Array,
  chance: number,
): Promise<Look> {
  const rows = 1 + recipe.copies;
  const tensor = write(values, chance);
  const own = (await student.run(tensor, rows)).logits;
  const taught = (await teacher.run(tensor, rows)).logits;
  const { classes } = student.spec;
  const { largestGap } = compareOverNeighbourhood(own, taught, classes, 0, recipe.copies);
  return { studentLogits: own.slice(0, classes), teacherLogits: taught.slice(0, classes), largestGap };
}

/** Fixes the copies of an audited frame by its audit: no two audits share them, and every teacher makes the same. */
function chanceOf(audit: string, index: number): number {
  return createHash("sha256").update(`${audit}\n${index}`).digest().readUInt32LE(0);
}

function engineFrame({ contentType, payload }: TeacherRequest["frames"][number]): EngineFrame {
  const encodings = Object.keys(CONTENT_TYPE_OF) as Encoding[];
  const encoding = encodings.find((one) => CONTENT_TYPE_OF[one] === contentType)!;
  return { encoding, payload: Buffer.from(payload, "base64") };
}

/** A part is unfaithful if any of its frames is. */
function answerOf(
  looks: readonly Look[],
  {
    classes,
    delta,
    neighbourhood,
  }: Pick<TeacherAnswer, "neighbourhood"> & { readonly classes: readonly string[]; readonly delta: number },
): TeacherAnswer {
  const evidence = {
    classes,
    studentLogits: joined(looks, "studentLogits", classes.length),
    teacherLogits: joined(looks, "teacherLogits", classes.length),
    largestGap: Float32Array.from(looks, ({ largestGap }) => largestGap),
  };
  const unfaithful = unfaithfulFrames(evidence, delta);
  const gapMax = Math.max(...looks.map(({ largestGap }) => largestGap));
  const worst = Math.max(0, unfaithful.indexOf(1));
  return {
    unfaithful: unfaithful.some((one) => one === 1),
    gapMax: Number.isFinite(gapMax) ? gapMax : null,
    teacherClass: classes[finiteArgmax(evidence.teacherLogits, worst, classes.length)] ?? null,
    studentClass: classes[finiteArgmax(evidence.studentLogits, worst, classes.length)] ?? null,
    neighbourhood,
  };
}

function joined(
  looks: readonly Look[],
  of: "studentLogits" | "teacherLogits",
  classes: number,
): Float32Array {
  const all = new Float32Array(looks.length * classes);
  for (const [i, look] of looks.entries()) all.set(look[of], i * classes);
  return all;
}
