/** `sekisho certify`: fits the envelope on the evidence, counts on cal, and writes what that proves. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { type Bundle, MANIFEST_FILE, readBundle, sha256 } from "../bundle/bundle.ts";
import { type Envelope, readEnvelope, writeEnvelope } from "../bundle/envelope-file.ts";
import { type RecordedEvidence, readEvidence } from "../bundle/evidence.ts";
import { certify } from "../core/envelope/certificate.ts";
import { fitEnvelope } from "../core/envelope/fit.ts";
import type { Evidence } from "../core/envelope/types.ts";
import { deltaFloor } from "../core/envelope/unfaithful.ts";
import { writeFileAtomically } from "../schema/atomic-file.ts";
import { formatJson } from "../schema/format-json.ts";
import { summaryOf, tableOf } from "./certify-report.ts";
import { thresholdsFor } from "./first-thresholds.ts";
import { Refusal, refuse, type Terminal } from "./terminal.ts";

interface CertifyOptions {
  readonly delta: string;
  readonly alpha: string;
  readonly alphaClass: string;
  readonly eta: string;
  readonly thresholds?: string;
  readonly station?: string;
  readonly json?: boolean;
}

type Settings = Parameters<typeof certify>[2];

const ENVELOPE_FILE = "envelope.json";
/** Seed of the cut of fit and of the choice of prototypes. */
const FIT_SEED = 1;

export function registerCertify(program: Command, terminal: Terminal): void {
  program
    .command("certify <dir>")
    .description("fit the envelope and certify its thresholds; writes envelope.json")
    .option("--delta <gap>", "tolerance on the gap between teacher and student", "0.1")
    .option("--alpha <rate>", "highest rate of unfaithful parts among those that pass", "0.01")
    .option("--alpha-class <rate>", "the same within each class that passes", "0.05")
    .option("--eta <rate>", "failure probability of the whole certificate", "0.05")
    .option("--thresholds <file>", "also write the certified rule as the first thresholds of a station")
    .option("--station <name>", "the station that those thresholds are for")
    .option("--json", "print one JSON document")
    .action((dir: string, options: CertifyOptions) => run(dir, options, terminal));
}

function run(dir: string, options: CertifyOptions, terminal: Terminal): void {
  const delta = rate("--delta", options.delta);
  const settings = {
    alpha: rate("--alpha", options.alpha),
    alphaClass: rate("--alpha-class", options.alphaClass),
    eta: rate("--eta", options.eta),
    revision: 1,
  };
  if ((options.thresholds === undefined) !== (options.station === undefined)) {
    throw new Refusal("certify: --thresholds and --station go together");
  }
  if (options.thresholds !== undefined && existsSync(options.thresholds)) {
    throw new Refusal(
      `${options.thresholds} exists and may be in force; move it away first if a new revision 1 is what you want`,
    );
  }
  const read = readBundle(dir, ["evidence"]); // The envelope is about to be replaced.
  if (!read.ok) refuse(read.problems);
  const { bundle } = read;
  const { description, evidence } = evidenceOf(bundle);
  refuseRetest(bundle, delta, settings);

  const { fitted, certificate } = certified(evidence, delta, settings);
  const envelope: Envelope = {
    schema: "sekisho.envelope/1",
    student: { sha256: bundle.manifest.student.sha256 },
    onnxruntime: description.onnxruntime,
    evidence: { sha256: bundle.manifest.evidence!.sha256 },
    preprocessing: bundle.manifest.preprocessing,
    neighbourhood: description.neighbourhood,
    fitted,
    certificate,
  };
  const isFrameOnly = "kind" in description.neighbourhood && description.neighbourhood.kind === "frame-only";
  const digest = bindEnvelope(bundle, writeEnvelope(envelope));
  const summary = summaryOf(
    fitted,
    certificate,
    deltaFloor(evidence),
    isFrameOnly ? "frame-only" : "recorded",
  );
  if (options.thresholds !== undefined) {
    const thresholds = thresholdsFor(options.station!, digest, envelope, new Date());
    writeFileAtomically(options.thresholds, formatJson(thresholds));
  }
  terminal.out(options.json ? formatJson(summary) : tableOf(summary));
}

function certified(evidence: Evidence, delta: number, settings: Settings) {
  try {
    const fitted = fitEnvelope(evidence, { delta, seed: FIT_SEED });
    return { fitted, certificate: certify(evidence, fitted, settings) };
  } catch (error) {
    if (error instanceof RangeError) throw new Refusal(`the evidence cannot be certified: ${error.message}`);
    throw error;
  }
}

/** The bundle's evidence, if it was recorded with this very student and preprocessing. */
export function evidenceOf({ folder, manifest }: Bundle): RecordedEvidence {
  if (manifest.evidence === undefined) {
    throw new Refusal(
      `${folder} has no evidence; make it with \`sekisho record ${folder} --frames ... --teacher ...\``,
    );
  }
  const file = join(folder, manifest.evidence.file);
  const recorded = readEvidence(file);
  const { studentSha256, preprocessing, classes } = recorded.description;
  const isOwn =
    studentSha256 === manifest.student.sha256 &&
    JSON.stringify(preprocessing) === JSON.stringify(manifest.preprocessing) &&
    classes.join() === manifest.classes.join();
  if (!isOwn)
    throw new Refusal(`${file} was recorded with another student, preprocessing or classes; record again`);
  return recorded;
}

/** Trying other settings on the same parts until one passes would void the promise. */
function refuseRetest({ folder, manifest }: Bundle, delta: number, settings: Settings): void {
  const envelope = previousEnvelope(join(folder, ENVELOPE_FILE));
  if (envelope === undefined || envelope.evidence.sha256 !== manifest.evidence?.sha256) return;
  const { fitted, certificate } = envelope;
  const { alpha, alphaClass, eta } = settings;
  const isSame =
    fitted.delta === delta &&
    certificate.alpha === alpha &&
    certificate.alphaClass === alphaClass &&
    certificate.etaTarget === eta;
  if (isSame) return;
  throw new Refusal(
    `this evidence has certified delta ${fitted.delta}, alpha ${certificate.alpha}, alphaClass ${certificate.alphaClass}, eta ${certificate.etaTarget} already; ` +
      "testing the same parts again until something passes is no proof: record fresh frames, or look another alpha up in the tables of envelope.json",
  );
}

/** The envelope that is there, whether or not bundle.json names it: a run may have been interrupted in between. */
function previousEnvelope(file: string): Envelope | undefined {
  if (!existsSync(file)) return undefined;
  const read = readEnvelope(readFileSync(file, "utf8"), file);
  return read.ok ? read.envelope : undefined;
}

/** Writes the envelope and names it in bundle.json; returns its digest. */
function bindEnvelope({ folder, manifest }: Bundle, text: string): string {
  writeFileAtomically(join(folder, ENVELOPE_FILE), text);
  const digest = sha256(readFileSync(join(folder, ENVELOPE_FILE)));
  const bound = { ...manifest, envelope: { file: ENVELOPE_FILE, sha256: digest } };
  writeFileAtomically(join(folder, MANIFEST_FILE), formatJson(bound));
  return digest;
}

function rate(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1))
    throw new Refusal(`${option}: expected a number between 0 and 1, found "${text}"`);
  return value;
}
