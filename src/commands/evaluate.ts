/** `sekisho evaluate`: what would have passed of frames never seen, and how often that was unfaithful or wrong. */

import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Command } from "commander";
import { type Bundle, readBundle } from "../bundle/bundle.ts";
import type { Envelope } from "../bundle/envelope-file.ts";
import { frameSpecOf } from "../bundle/manifest.ts";
import { certifyBaseline } from "../core/envelope/baseline.ts";
import type { Certificate, Evidence } from "../core/envelope/types.ts";
import { evaluate } from "../core/evaluation/evaluate.ts";
import { createPreprocessor } from "../engine/preprocess.ts";
import { openStudent } from "../engine/student.ts";
import { reportPage } from "../report/page.ts";
import { writeFileAtomically } from "../schema/atomic-file.ts";
import { formatJson } from "../schema/format-json.ts";
import { evidenceOf } from "./certify-checks.ts";
import { boundingOf } from "./evaluate/bounding.ts";
import { type BoundsOptions, checkBoundsOptions } from "./evaluate/bounds-options.ts";
import { boundsTable } from "./evaluate/bounds-table.ts";
import { comparabilityOf, recordHeldOut } from "./evaluate/held-out.ts";
import { shownFrames } from "./evaluate/looks.ts";
import { notesOn } from "./evaluate/notes.ts";
import { tableOf } from "./evaluate/table.ts";
import { openFrames } from "./frames.ts";
import { studentSpec } from "./models.ts";
import { openTeacher, teacherFileOf } from "./teacher.ts";
import { Refusal, refuse, type Terminal } from "./terminal.ts";

interface EvaluateOptions extends BoundsOptions {
  readonly frames: string;
  readonly report?: string;
  readonly json?: boolean;
}

type CertifiedBundle = Bundle & { readonly envelope: Envelope };

export function registerEvaluate(program: Command, terminal: Terminal): void {
  program
    .command("evaluate <dir>")
    .description(
      "on frames never seen: what would have passed, how often that was unfaithful or wrong, and plain max-softmax beside it",
    )
    .requiredOption(
      "--frames <file>",
      "test.npz: frames, and where known labels, parts; or a folder of images, one folder a class",
    )
    .option("--teacher <file>", "the teacher that the evidence was recorded with")
    .option("--teacher-outputs <file>", "outputs.npz with teacher_logits made elsewhere, as for the evidence")
    .option("--report <file>", "also write the pictures, as one HTML page that needs no network")
    .option(
      "--bounds [which]",
      "also bound the worst gap within epsilon of frames: how many (10), or rows as 3,17,40-49; see docs/bounds.md",
    )
    .option(
      "--epsilon <e>",
      "of --bounds, as the noises of the neighbourhood; the evidence's noise where not given",
    )
    .option("--gradient-search <file>", "found.npz: inputs that a search by gradients found, tried as well")
    .option("--bounds-work <n>", "thousand millions of multiplications that tightening may take a frame", "4")
    .option("--json", "print one JSON document")
    .action((dir: string, options: EvaluateOptions) => run(dir, options, terminal));
}

async function run(dir: string, options: EvaluateOptions, terminal: Terminal): Promise<void> {
  teacherFileOf("evaluate", options);
  checkBoundsOptions(options);
  if (options.report !== undefined) checkReport(options.report);
  const bundle = certifiedBundle(dir);
  const { description, evidence, partNames } = evidenceOf(bundle);
  const { manifest } = bundle;
  const spec = frameSpecOf(manifest.frame);
  const frames = await openFrames(options.frames, manifest, terminal);
  if (frames.sha256 === description.framesSha256) {
    throw new Refusal(
      `${options.frames} is what the evidence was recorded from; an evaluation is of frames never seen: give others`,
    );
  }
  const { teacher, sha256: teacherSha256 } = await openTeacher("evaluate", options, bundle, frames.count);
  const { recipe, neighbourhood } = comparabilityOf(description, options, teacherSha256, teacher);
  const student = await openStudent(bundle.studentBytes, studentSpec(manifest));
  const preprocessor = createPreprocessor(spec, manifest.preprocessing);
  const { fitted, certificate } = bundle.envelope;
  const bounding =
    "logitsOf" in teacher
      ? undefined
      : await boundingOf(options, description, terminal, {
          ...{ bundle, frames, spec, preprocessor, recipe, delta: fitted.delta },
          ...{ student, teacher, teacherFile: options.teacher! },
        });
  const heldOut = await recordHeldOut(
    { frames, spec, preprocessor, student, teacher, recipe },
    evidence,
    terminal,
  );
  const evaluation = evaluate({
    heldOut,
    fitted,
    certificate,
    baseline: baselineOf(evidence, bundle.envelope),
    neighbourhood,
    notes: notesOn(options, frames, partNames),
  });
  const bounded = await bounding?.();
  const summary = { ...evaluation.summary, ...(bounded && { bounds: bounded.summary }) };
  if (options.report !== undefined) {
    const page = reportPage({
      bundle: `${manifest.name} ${manifest.version}`,
      envelopeSha256: manifest.envelope!.sha256,
      framesFile: basename(options.frames),
      framesSha256: frames.sha256,
      madeAt: new Date().toISOString(),
      classes: manifest.classes,
      bands: fitted.bands,
      evaluation,
      bounds: bounded && { summary: bounded.summary, pictures: await bounded.pictures() },
      shown: await shownFrames(evaluation.facts, frames, spec),
    });
    writeFileAtomically(options.report, page);
    terminal.err(`report: ${options.report}\n`);
  }
  const table = tableOf(evaluation.summary) + (bounded === undefined ? "" : boundsTable(bounded.summary));
  terminal.out(options.json ? formatJson(summary) : table);
}

/** Before the work: a report that could not be written, or would replace something else by a slip. */
function checkReport(file: string): void {
  if (!/\.html?$/i.test(file)) {
    throw new Refusal(`--report: expected the name of an HTML file, as report.html, found ${file}`);
  }
  if (!existsSync(dirname(file))) {
    throw new Refusal(`--report: there is no folder ${dirname(file)}; make it first`);
  }
}

/** The bundle, if it has an envelope that was made from the evidence it has. */
function certifiedBundle(dir: string): CertifiedBundle {
  const read = readBundle(dir, ["envelope", "evidence"]);
  if (!read.ok) return refuse(read.problems);
  const { envelope, manifest } = read.bundle;
  if (envelope === undefined) {
    throw new Refusal(`${dir} has no envelope; make it with \`sekisho certify ${dir}\``);
  }
  if (manifest.evidence !== undefined && envelope.evidence.sha256 !== manifest.evidence.sha256) {
    throw new Refusal(
      `${dir}: the envelope was made from evidence ${envelope.evidence.sha256}, the bundle has ${manifest.evidence.sha256}; certify again`,
    );
  }
  return { ...read.bundle, envelope };
}

/** Plain max-softmax, certified on the same evidence by the same shares of eta. */
function baselineOf(evidence: Evidence, { fitted, certificate }: Envelope): Certificate {
  const { alpha, alphaClass, etaTarget: eta, revision } = certificate;
  return certifyBaseline(evidence, fitted, { alpha, alphaClass, eta, revision });
}
