/** `sekisho record`: what teacher and student say of the calibration frames, into evidence.sqlite. */

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { type Bundle, MANIFEST_FILE, readBundle, sha256 } from "../bundle/bundle.ts";
import { openEvidenceWriter, type PartRow, readEvidence } from "../bundle/evidence.ts";
import type { EvidenceDescription } from "../bundle/evidence-description.ts";
import { type CalibrationFrames, readFrames } from "../bundle/frames.ts";
import { frameSpecOf } from "../bundle/manifest.ts";
import type { TeacherOutputs } from "../bundle/teacher-outputs.ts";
import type { Split } from "../core/envelope/types.ts";
import type { FrameSpec } from "../core/frame.ts";
import { IMAGE_NUISANCES, type NeighbourhoodRecipe, TENSOR_NUISANCES } from "../core/nuisance.ts";
import { cutSplits, SPLIT_SHARES } from "../core/split.ts";
import { createPreprocessor } from "../engine/preprocess.ts";
import { onnxruntimeVersion, openStudent, type Student } from "../engine/student.ts";
import { writeFileAtomically } from "../schema/atomic-file.ts";
import { formatJson } from "../schema/format-json.ts";
import { studentSpec } from "./models.ts";
import { indexParts, recordFrames } from "./recorder.ts";
import { openTeacher, type TeacherOptions, teacherDigest, teacherFileOf } from "./teacher.ts";
import { Refusal, refuse, showProgress, type Terminal } from "./terminal.ts";

interface RecordOptions extends TeacherOptions {
  readonly frames: string;
  readonly copies: string;
  readonly seed: string;
  readonly replace?: boolean;
  readonly json?: boolean;
}

export const EVIDENCE_FILE = "evidence.sqlite";

export function registerRecord(program: Command, terminal: Terminal): void {
  program
    .command("record <dir>")
    .description(
      "run teacher and student over calibration frames and write evidence.sqlite; goes on where it was interrupted",
    )
    .requiredOption("--frames <file>", "frames.npz: frames, and where known labels, parts, lots, split")
    .option("--teacher <file>", "the teacher, an ONNX file with the student's input")
    .option("--teacher-outputs <file>", "outputs.npz with teacher_logits made elsewhere")
    .option("--copies <n>", "J, perturbed copies of each frame", "5")
    .option("--seed <n>", "seed of splits and copies", "1")
    .option(
      "--replace",
      "replace evidence recorded of other frames, models or settings; voids the certificate",
    )
    .option("--json", "print one JSON document")
    .action((dir: string, options: RecordOptions) => record(dir, options, terminal));
}

async function record(dir: string, options: RecordOptions, terminal: Terminal): Promise<void> {
  const teacherFile = teacherFileOf("record", options);
  const copies = whole("--copies", options.copies, 64);
  const seed = whole("--seed", options.seed, 0xffffffff);
  const read = readBundle(dir, []); // Evidence and envelope are about to be replaced.
  if (!read.ok) return refuse(read.problems);
  const { bundle } = read;
  const { manifest } = bundle;
  const spec = frameSpecOf(manifest.frame);
  const frames = await readFrames(options.frames, spec, manifest.classes);
  const student = await openStudent(bundle.studentBytes, studentSpec(manifest));
  const teacher = await openTeacher(options, manifest, spec, frames.count);
  const recipe = recipeOf(teacher, spec, copies, seed);
  const { parts, partOf } = partsOf(frames, seed);
  const file = join(dir, EVIDENCE_FILE);
  const teacherSha256 = teacherDigest(teacherFile, options, bundle);
  const description: EvidenceDescription = {
    schema: "sekisho.evidence/1",
    classes: manifest.classes,
    studentSha256: manifest.student.sha256,
    teacherSha256,
    framesSha256: sha256(readFileSync(options.frames)),
    preprocessing: manifest.preprocessing,
    onnxruntime: onnxruntimeVersion,
    featureCount: manifest.student.featureCount,
    doubtCount: manifest.student.doubtCount ?? 0,
    neighbourhood: neighbourhoodOf(teacher, recipe),
    splitSeed: seed,
    frames: frames.count,
  };
  if (existsSync(file)) {
    const recorded = readEvidence(file).description;
    if (JSON.stringify(recorded) === JSON.stringify(description)) {
      terminal.err("this evidence is recorded already; nothing was done\n");
      return report(parts, frames.count, file, options, terminal);
    }
    if (options.replace !== true) {
      throw new Refusal(
        `${file} holds evidence of other frames, models or settings; recording would replace it and void the certificate made from it: ` +
          "use a new folder, or --replace",
      );
    }
  }
  const writer = openEvidenceWriter(file, description, parts);
  if (writer.recorded > 0) terminal.err(`going on behind ${writer.recorded} frames of an interrupted run\n`);
  const progress = showProgress(terminal, "recording", frames.count, Date.now);
  try {
    const preprocessor = createPreprocessor(spec, manifest.preprocessing);
    await recordFrames({
      frames,
      partOf,
      spec,
      preprocessor,
      student,
      teacher,
      recipe,
      sink: writer,
      progress,
    });
  } catch (error) {
    writer.close();
    throw error;
  }
  progress.end();
  writer.finish();
  bindEvidence(bundle, file);
  report(parts, frames.count, file, options, terminal);
}

function recipeOf(
  teacher: Student | TeacherOutputs,
  spec: FrameSpec,
  copies: number,
  seed: number,
): NeighbourhoodRecipe {
  const nuisances = spec.kind === "image" ? IMAGE_NUISANCES : TENSOR_NUISANCES;
  return { nuisances, copies: "logitsOf" in teacher ? teacher.copies : copies, seed };
}

/** What is recorded of the copies; evidence without any judges U at the frame alone, and is marked so. */
function neighbourhoodOf(teacher: Student | TeacherOutputs, recipe: NeighbourhoodRecipe): object {
  if (recipe.copies === 0) return { kind: "frame-only" };
  return "logitsOf" in teacher
    ? { kind: "made-elsewhere", copies: recipe.copies }
    : { kind: "recipe", ...recipe };
}

function whole(option: string, text: string, largest: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= largest) return value;
  throw new Refusal(`${option}: expected a whole number from 0 to ${largest}, found "${text}"`);
}

/** The parts that the frames show, each with its split: the file's own, or cut by lot where there are lots. */
function partsOf(frames: CalibrationFrames, seed: number): { parts: readonly PartRow[]; partOf: Int32Array } {
  const { names, partOf } = indexParts(frames.parts);
  const first = new Int32Array(names.length).fill(-1);
  for (let i = 0; i < frames.count; i++) {
    const part = partOf[i]!;
    if (first[part] === -1) first[part] = i;
    const splits = frames.splits;
    if (splits !== undefined && splits[i] !== splits[first[part]!]) {
      throw new Refusal(
        `part "${frames.parts[i]}" is in two splits (${splits[first[part]!]} and ${splits[i]}); give all its frames one split`,
      );
    }
  }
  const lotOf = (part: number): string | null => frames.lots?.[first[part]!] ?? null;
  const groups = names.map((name, part) =>
    frames.lots === undefined ? `part ${name}` : `lot ${lotOf(part)}`,
  );
  const splits: readonly Split[] = frames.splits
    ? names.map((_, part) => frames.splits![first[part]!]!)
    : cutSplits(groups, SPLIT_SHARES, seed);
  return { parts: names.map((name, part) => ({ name, lot: lotOf(part), split: splits[part]! })), partOf };
}

/** Names the new evidence in bundle.json; an envelope made from other evidence is unbound. */
function bindEvidence({ folder, manifest }: Bundle, file: string): void {
  const { envelope: _, ...rest } = manifest;
  const bound = { ...rest, evidence: { file: EVIDENCE_FILE, sha256: sha256(readFileSync(file)) } };
  writeFileAtomically(join(folder, MANIFEST_FILE), formatJson(bound));
  rmSync(join(folder, "envelope.json"), { force: true });
}

function report(
  parts: readonly PartRow[],
  frames: number,
  file: string,
  options: RecordOptions,
  terminal: Terminal,
): void {
  const count = (split: Split): number => parts.filter((part) => part.split === split).length;
  const counts = { fit: count("fit"), cal: count("cal"), ref: count("ref") };
  terminal.out(
    options.json
      ? formatJson({ evidence: file, frames, parts: counts })
      : `${file}: ${frames} frames of ${parts.length} parts; fit ${counts.fit}, cal ${counts.cal}, ref ${counts.ref}\n`,
  );
}
