/** `sekisho record --as-cal`: fresh parts become the cal of the next revision; the envelope in force is not touched. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, MANIFEST_FILE, readBundle, sha256 } from "../../bundle/bundle.ts";
import type { RecordedEvidence } from "../../bundle/evidence.ts";
import { openEvidenceAppender } from "../../bundle/evidence-appender.ts";
import type { CalibrationFrames } from "../../bundle/frames.ts";
import { frameSpecOf } from "../../bundle/manifest.ts";
import { fewestParts } from "../../core/envelope/recording.ts";
import type { NeighbourhoodRecipe } from "../../core/nuisance.ts";
import { createPreprocessor } from "../../engine/preprocess.ts";
import { openStudent } from "../../engine/student.ts";
import { writeFileAtomically } from "../../schema/atomic-file.ts";
import { formatJson } from "../../schema/format-json.ts";
import { evidenceOf } from "../certify-checks.ts";
import { openFrames } from "../frames.ts";
import { studentSpec } from "../models.ts";
import { grouped } from "../prose.ts";
import { recordFrames } from "../recorder.ts";
import { type NamedTeacher, openTeacher, type TeacherOptions, teacherFileOf } from "../teacher.ts";
import { Refusal, refuse, showProgress, type Terminal } from "../terminal.ts";
import { USUAL } from "./checks.ts";
import { lastCertified, someOf } from "./history.ts";
import { indexParts } from "./parts.ts";

export interface FreshOptions extends TeacherOptions {
  readonly frames: string;
  readonly asCal: string;
  readonly nuisances?: string;
  readonly repeats?: string;
  readonly replace?: boolean;
  readonly json?: boolean;
}

export async function recordFresh(dir: string, options: FreshOptions, terminal: Terminal): Promise<void> {
  teacherFileOf("record", options);
  for (const option of ["nuisances", "repeats", "replace"] as const) {
    if (options[option] !== undefined)
      throw new Refusal(
        `record: --${option} does not go with --as-cal; fresh parts are recorded as the others were`,
      );
  }
  const read = readBundle(dir, ["evidence"]);
  if (!read.ok) return refuse(read.problems);
  const { bundle } = read;
  const recorded = evidenceOf(bundle);
  const { revision, certified } = nextRevision(dir, options.asCal, recorded);
  const { manifest } = bundle;
  const frames = await openFrames(options.frames, manifest, terminal);
  if (frames.splits?.some((split) => split !== "cal"))
    throw new Refusal(
      `${options.frames}: array "split" names another split than 1 (cal), which --as-cal makes of all its frames; leave it out`,
    );
  const named = await openTeacher("record", options, bundle, frames.count);
  const recipe = recipeOf(recorded, named);
  const { names, partOf, lots } = freshParts(frames, revision, recorded, options.frames);
  const student = await openStudent(bundle.studentBytes, studentSpec(manifest));
  const file = join(dir, manifest.evidence!.file);
  const parts = names.map((name, part) => ({ name, lot: lots[part]! }));
  const writer = openEvidenceAppender(file, { revision, certified, parts, frames: frames.count });
  try {
    const progress = showProgress(terminal, "recording", frames.count, Date.now);
    const spec = frameSpecOf(manifest.frame);
    await recordFrames({
      ...{ frames, partOf, spec, student, recipe, progress },
      preprocessor: createPreprocessor(spec, manifest.preprocessing),
      teacher: named.teacher,
      sink: { recorded: 0, append: writer.append },
    });
    progress.end();
    refuseRepeated(writer.repeated());
    writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
  bindEvidence(bundle, file);
  report(terminal, options, recorded, { file, revision, frames: frames.count, parts: names.length });
}

/** What is certified next, after what. */
function nextRevision(dir: string, text: string, { revisions }: RecordedEvidence) {
  const certified = lastCertified(dir, revisions.certified);
  if (certified === undefined) {
    throw new Refusal(
      `--as-cal: nothing has been certified from this evidence yet; run \`sekisho certify ${dir}\` first, or record these frames together with the others`,
    );
  }
  const revision = certified.revision + 1;
  if (text === String(revision)) return { revision, certified };
  throw new Refusal(
    `--as-cal: revision ${certified.revision} is certified, so fresh parts are for revision ${revision}, found "${text}"`,
  );
}

/** Copies made just as those of the evidence were. */
function recipeOf(
  { description }: RecordedEvidence,
  { file, sha256: digest, teacher }: NamedTeacher,
): NeighbourhoodRecipe {
  const described = description.neighbourhood as Partial<NeighbourhoodRecipe> & { readonly kind?: string };
  const copies = described.copies ?? 0;
  if ("logitsOf" in teacher) {
    if (described.kind === "recipe" || teacher.copies !== copies)
      throw new Refusal(
        `${file}: has ${teacher.copies} copies of each frame, made elsewhere; the evidence was recorded with ${copies}${described.kind === "recipe" ? " made here, by its teacher" : ""}: record the fresh parts the same way`,
      );
    return { nuisances: [], copies, seed: 0 };
  }
  if (digest !== description.teacherSha256) {
    throw new Refusal(
      `${file} is not the teacher that the evidence was recorded with (SHA-256 ${description.teacherSha256}); U would mean something else`,
    );
  }
  return { nuisances: described.nuisances ?? [], copies, seed: described.seed ?? 0 };
}

/** Parts that the evidence does not know by name. Those without ids get names that no other revision gives. */
function freshParts(
  frames: CalibrationFrames,
  revision: number,
  { partNames }: RecordedEvidence,
  file: string,
) {
  const { partOf, names, first } = indexParts(frames);
  const known = new Set(partNames);
  const own = frames.partsKnown
    ? names
    : names.map((name) => `revision ${revision}, ${partNames.length} + ${name}`);
  const repeated = own.filter((name) => known.has(name));
  if (repeated.length > 0) {
    throw new Refusal(
      `${file}: ${repeated.length} parts are in the evidence already: ${someOf(repeated)}; only parts that no split and no revision has seen are fresh`,
    );
  }
  return { partOf, names: own, lots: first.map((frame) => frames.lots?.[frame] ?? null) };
}

function refuseRepeated(repeated: readonly string[]): void {
  if (repeated.length === 0) return;
  throw new Refusal(
    `${repeated.length} parts show a frame that the evidence has already, by another name: ${someOf(repeated)}; ` +
      "testing the same parts again is no proof: leave them out. The evidence is as it was",
  );
}

/** Names the evidence as it is now; the envelope in force was made of its earlier parts, and stays. */
function bindEvidence({ folder, manifest }: Bundle, file: string): void {
  const bound = { ...manifest, evidence: { ...manifest.evidence!, sha256: sha256(readFileSync(file)) } };
  writeFileAtomically(join(folder, MANIFEST_FILE), formatJson(bound));
}

function report(
  terminal: Terminal,
  { json }: FreshOptions,
  { evidence, revisions }: RecordedEvidence,
  {
    file,
    revision,
    frames,
    parts,
  }: { readonly file: string; readonly revision: number; readonly frames: number; readonly parts: number },
): void {
  const before =
    revisions.newest === revision ? evidence.splitOfPart.filter((split) => split === "cal").length : 0;
  const fewest = fewestParts({ ...USUAL, revision }, evidence.classes.length);
  const cal = before + parts;
  const cleanPartsNeeded = { station: fewest.station, class: fewest.class };
  if (json) {
    terminal.out(formatJson({ evidence: file, revision, frames, parts, cal, cleanPartsNeeded }));
    return;
  }
  terminal.out(
    `${file}: ${grouped(frames)} frames of ${grouped(parts)} fresh parts; revision ${revision} has ${grouped(cal)} parts of cal, ` +
      `and needs at least ${grouped(fewest.station)} that pass at alpha 1%, and ${grouped(fewest.class)} of a class at alphaClass 5%, none of them unfaithful\n`,
  );
}
