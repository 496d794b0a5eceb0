/** `sekisho record`: what teacher and student say of the calibration frames, into evidence.sqlite. */

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { type Bundle, MANIFEST_FILE, readBundle, sha256 } from "../bundle/bundle.ts";
import { type EvidenceWriter, openEvidenceWriter, readEvidence } from "../bundle/evidence.ts";
import type { EvidenceDescription } from "../bundle/evidence-description.ts";
import type { EvidenceHistory } from "../bundle/evidence-revisions.ts";
import type { CalibrationFrames } from "../bundle/frames.ts";
import { frameSpecOf } from "../bundle/manifest.ts";
import { createPreprocessor } from "../engine/preprocess.ts";
import { onnxruntimeVersion, openStudent } from "../engine/student.ts";
import { writeFileAtomically } from "../schema/atomic-file.ts";
import { formatJson } from "../schema/format-json.ts";
import { openFrames } from "./frames.ts";
import { studentSpec } from "./models.ts";
import { recordFresh } from "./record/as-cal.ts";
import { leastPartsNeeded, nearDuplicatesOf, warningsOf } from "./record/checks.ts";
import { historyOf, someOf } from "./record/history.ts";
import { partCounts, partsOf } from "./record/parts.ts";
import { describeNeighbourhood, type Neighbourhood, neighbourhoodOf } from "./record/recipe.ts";
import { countsInWords, planOf } from "./record/report.ts";
import { recordFrames } from "./recorder.ts";
import { type NamedTeacher, openTeacher, type TeacherOptions, teacherFileOf } from "./teacher.ts";
import { Refusal, refuse, showProgress, type Terminal } from "./terminal.ts";

interface RecordOptions extends TeacherOptions {
  readonly frames: string;
  readonly copies: string;
  readonly nuisances?: string;
  readonly repeats?: string;
  readonly seed: string;
  readonly replace?: boolean;
  readonly asCal?: string;
  readonly json?: boolean;
}

const EVIDENCE_FILE = "evidence.sqlite";

export function registerRecord(program: Command, terminal: Terminal): void {
  program
    .command("record <dir>")
    .description(
      "run teacher and student over calibration frames and write evidence.sqlite; goes on where it was interrupted",
    )
    .requiredOption(
      "--frames <path>",
      "frames.npz: frames, and where known labels, parts, lots, split; or a folder of images, one folder a class",
    )
    .option("--teacher <file>", "the teacher, an ONNX file with the student's input")
    .option("--teacher-outputs <file>", "outputs.npz with teacher_logits made elsewhere")
    .option("--copies <n>", "J, perturbed copies of each frame", "5")
    .option("--nuisances <file>", 'magnitudes of the copies\' nuisances, as {"shift": 2, "noise": 0.01}')
    .option(
      "--repeats <path>",
      "frames and parts, each part several times: magnitudes are estimated from them",
    )
    .option("--seed <n>", "seed of splits and copies", "1")
    .option(
      "--replace",
      "replace evidence recorded of other frames, models or settings; voids the certificate",
    )
    .option(
      "--as-cal <revision>",
      "add the frames, all of fresh parts, as the cal of the next revision of the certificate",
    )
    .option("--json", "print one JSON document")
    .action((dir: string, options: RecordOptions) =>
      options.asCal === undefined
        ? record(dir, options, terminal)
        : recordFresh(dir, { ...options, asCal: options.asCal }, terminal),
    );
}

async function record(dir: string, options: RecordOptions, terminal: Terminal): Promise<void> {
  teacherFileOf("record", options);
  const asked = whole("--copies", options.copies, 64);
  const seed = whole("--seed", options.seed, 0xffffffff);
  const read = readBundle(dir, []); // Evidence and envelope are about to be replaced.
  if (!read.ok) return refuse(read.problems);
  const { bundle } = read;
  const { manifest } = bundle;
  const spec = frameSpecOf(manifest.frame);
  const frames = await openFrames(options.frames, manifest, terminal);
  const student = await openStudent(bundle.studentBytes, studentSpec(manifest));
  const named = await openTeacher("record", options, bundle, frames.count);
  const { teacher } = named;
  const copies = "logitsOf" in teacher ? teacher.copies : asked;
  const neighbourhood = await neighbourhoodOf({ ...options, copies, seed }, manifest, terminal);
  const parts = partsOf(frames, seed);
  const { partOf } = parts;
  const file = join(dir, EVIDENCE_FILE);
  const description = describe(bundle, frames, named, neighbourhood);
  const isRecorded = lookAt(file, description, options.replace === true);

  terminal.err(planOf(frames, parts, neighbourhood, named, manifest.classes.length));
  const near = await nearDuplicatesOf(frames, parts, spec, neighbourhood.nuisances, seed, terminal);
  const warnings = warningsOf(frames, parts, manifest.classes, near);
  for (const warning of warnings) terminal.err(`warning: ${warning}\n`);

  if (isRecorded) {
    terminal.err("this evidence is recorded already; nothing was done\n");
  } else {
    const history = historyOf(dir, file);
    const writer = openEvidenceWriter(file, description, parts.parts, frames.names, history);
    if (writer.recorded > 0)
      terminal.err(`going on behind ${writer.recorded} frames of an interrupted run\n`);
    const progress = showProgress(terminal, "recording", frames.count, Date.now);
    try {
      const preprocessor = createPreprocessor(spec, manifest.preprocessing);
      const { recipe } = neighbourhood;
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
    refuseSpent(writer, history);
    writer.finish();
    bindEvidence(bundle, file);
  }
  const summary = {
    evidence: file,
    frames: frames.count,
    parts: partCounts(parts.parts),
    neighbourhood: description.neighbourhood,
    nearDuplicates: near ?? null,
    cleanPartsNeeded: leastPartsNeeded(manifest.classes.length),
    warnings,
  };
  const inWords = `${file}: ${frames.count} frames of ${parts.parts.length} parts; ${countsInWords(parts)}\n`;
  terminal.out(options.json ? formatJson(summary) : inWords);
}

/** Parts that a certificate has counted are no draw for another one. */
function refuseSpent(writer: EvidenceWriter, { certified }: EvidenceHistory): void {
  const spent = writer.repeated();
  if (spent.length === 0) return;
  writer.abandon();
  const revisions = certified.map(({ revision }) => revision).join(", ");
  throw new Refusal(
    `${spent.length} parts of cal were cal of revision ${revisions} already, which was certified: ${someOf(spent)}; ` +
      "testing the same parts again until something passes is no proof: bring fresh parts, or give these split 0 (fit). The evidence is as it was",
  );
}

/** What the evidence is recorded with, by which it is known again. */
function describe(
  { manifest }: Bundle,
  frames: CalibrationFrames,
  { teacher, sha256: teacherSha256 }: NamedTeacher,
  neighbourhood: Neighbourhood,
): EvidenceDescription {
  return {
    schema: "sekisho.evidence/1",
    classes: manifest.classes,
    studentSha256: manifest.student.sha256,
    teacherSha256,
    framesSha256: frames.sha256,
    preprocessing: manifest.preprocessing,
    onnxruntime: onnxruntimeVersion,
    featureCount: manifest.student.featureCount,
    doubtCount: manifest.student.doubtCount ?? 0,
    neighbourhood: describeNeighbourhood(neighbourhood, teacher),
    splitSeed: neighbourhood.recipe.seed,
    frames: frames.count,
  };
}

/** Whether this very evidence is there already; evidence of anything else is not replaced unasked. */
function lookAt(file: string, description: EvidenceDescription, replace: boolean): boolean {
  if (!existsSync(file)) return false;
  if (JSON.stringify(readEvidence(file).description) === JSON.stringify(description)) return true;
  if (replace) return false;
  throw new Refusal(
    `${file} holds evidence of other frames, models or settings; recording would replace it and void the certificate made from it: ` +
      "use a new folder, or --replace",
  );
}

function whole(option: string, text: string, largest: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= largest) return value;
  throw new Refusal(`${option}: expected a whole number from 0 to ${largest}, found "${text}"`);
}

/** Names the new evidence in bundle.json; what was made from other evidence is unbound. */
function bindEvidence({ folder, manifest }: Bundle, file: string): void {
  const { envelope: _, gallery: __, ...rest } = manifest;
  const bound = { ...rest, evidence: { file: EVIDENCE_FILE, sha256: sha256(readFileSync(file)) } };
  writeFileAtomically(join(folder, MANIFEST_FILE), formatJson(bound));
  rmSync(join(folder, "envelope.json"), { force: true });
}
