/** `sekisho certify`: fits the envelope on the evidence, counts on cal, and writes what that proves. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { type Bundle, MANIFEST_FILE, readBundle, sha256 } from "../bundle/bundle.ts";
import { type Envelope, writeEnvelope } from "../bundle/envelope-file.ts";
import { certify } from "../core/envelope/certificate.ts";
import { type DeltaRange, deltaFacts, deltaRange } from "../core/envelope/delta-range.ts";
import { fitEnvelope } from "../core/envelope/fit.ts";
import { driftReference } from "../core/envelope/reference.ts";
import { teacherReliability } from "../core/envelope/teacher-reliability.ts";
import type { Evidence } from "../core/envelope/types.ts";
import { writeFileAtomically } from "../schema/atomic-file.ts";
import { formatJson } from "../schema/format-json.ts";
import { adviceOf, adviceText } from "./certify-advice.ts";
import {
  checkThresholdsPlace,
  ENVELOPE_FILE,
  evidenceOf,
  rateOf,
  refuseRetest,
  refuseSingleClass,
  refuseTooFew,
  refuseUnsteadyTeacher,
  type Settings,
} from "./certify-checks.ts";
import { summaryOf } from "./certify-report.ts";
import { refuseOtherRevision, revisionOf } from "./certify-revision.ts";
import { staffingOf, staffingText } from "./certify-staffing.ts";
import { tableOf } from "./certify-table.ts";
import { thresholdsFor } from "./first-thresholds.ts";
import { rounded } from "./prose.ts";
import { Refusal, refuse, type Terminal } from "./terminal.ts";

interface CertifyOptions {
  readonly delta: string;
  readonly alpha: string;
  readonly alphaClass: string;
  readonly eta: string;
  readonly etaLabels: string;
  readonly revision?: string;
  readonly thresholds?: string;
  readonly station?: string;
  readonly advise?: boolean;
  readonly reviewShare?: string;
  readonly json?: boolean;
}

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
    .option(
      "--eta-labels <rate>",
      "failure probability, beside eta, of what labels say of the teacher",
      "0.05",
    )
    .option(
      "--revision <number>",
      "of the certificate, which spends its own share of eta on parts of cal of its own; the newest that is recorded where left out",
    )
    .option("--thresholds <file>", "also write the certified rule as the first thresholds of a station")
    .option("--station <name>", "the station that those thresholds are for")
    .option(
      "--advise",
      "only say which delta suits the teacher and how many parts it takes; certifies nothing",
    )
    .option(
      "--review-share <rate>",
      "with --advise: the share of parts that people can look at; says which delta leaves them no more, and why",
    )
    .option("--json", "print one JSON document")
    .action((dir: string, options: CertifyOptions) => run(dir, options, terminal));
}

function run(dir: string, options: CertifyOptions, terminal: Terminal): void {
  checkThresholdsPlace(options.thresholds, options.station);
  const read = readBundle(dir, ["evidence"]); // The envelope is about to be replaced.
  if (!read.ok) refuse(read.problems);
  const { bundle } = read;
  const { description, evidence, revisions } = evidenceOf(bundle);
  const settings: Settings = {
    delta: rateOf("--delta", options.delta),
    alpha: rateOf("--alpha", options.alpha),
    alphaClass: rateOf("--alpha-class", options.alphaClass),
    eta: rateOf("--eta", options.eta),
    etaLabels: rateOf("--eta-labels", options.etaLabels),
    revision: revisionOf(options.revision, revisions.newest),
  };
  const facts = deltaFacts(evidence);
  const range = deltaRange(facts);
  if (options.advise) {
    const advice = adviceOf(facts, range, settings, evidence.classes.length);
    const staffing =
      options.reviewShare === undefined
        ? undefined
        : staffingOf(
            { evidence, description, range, reviewShare: rateOf("--review-share", options.reviewShare) },
            { ...settings, seed: FIT_SEED },
            terminal,
          );
    const { columns } = terminal.screen();
    const text =
      adviceText(advice, settings, columns) +
      (staffing === undefined ? "" : `\n${staffingText(staffing, range, columns)}`);
    terminal.out(options.json ? formatJson({ ...advice, ...staffing }) : text);
    return;
  }
  if (options.reviewShare !== undefined) throw new Refusal("certify: --review-share goes with --advise");
  refuseOtherRevision(dir, settings, revisions, evidence.classes.length);
  refuseRetest(bundle, settings);
  refuseTooFew(evidence, settings);
  refuseSingleClass(evidence);
  refuseUnsteadyTeacher(range, facts.parts);
  warnOutside(range, settings.delta, terminal);

  const { fitted, certificate, reliability, reference } = certified(evidence, settings);
  const envelope: Envelope = {
    schema: "sekisho.envelope/1",
    student: { sha256: bundle.manifest.student.sha256 },
    onnxruntime: description.onnxruntime,
    evidence: { sha256: bundle.manifest.evidence!.sha256 },
    preprocessing: bundle.manifest.preprocessing,
    neighbourhood: description.neighbourhood,
    fitted,
    certificate,
    ...(reliability !== undefined && { teacherReliability: reliability }),
    ...(reference !== undefined && { reference }),
  };
  const digest = bindEnvelope(bundle, writeEnvelope(envelope));
  if (options.thresholds !== undefined) {
    const thresholds = thresholdsFor(options.station!, digest, envelope, new Date());
    writeFileAtomically(options.thresholds, formatJson(thresholds));
  }
  const isFrameOnly = "kind" in description.neighbourhood && description.neighbourhood.kind === "frame-only";
  const neighbourhood = isFrameOnly ? "frame-only" : "recorded";
  const summary = summaryOf({ fitted, certificate, reliability, range, neighbourhood });
  terminal.out(options.json ? formatJson(summary) : tableOf(summary, terminal.screen().columns));
}

/** A delta outside its range is the user's to choose, but not without knowing. */
function warnOutside({ floor, ceiling, suggested }: DeltaRange, delta: number, terminal: Terminal): void {
  if (floor <= delta && delta <= ceiling) return;
  const side =
    delta < floor
      ? `below its floor ${rounded(floor, 2, "up")}: the teacher itself moves further on half of the parts it is steady on, so that little will pass`
      : `above its ceiling ${rounded(ceiling, 2, "down")}: a student within it could give another class than the teacher, so that "faithful" says little`;
  const instead = Number.isFinite(suggested) ? `; ${suggested} would suit this teacher` : "";
  terminal.err(`warning: delta ${delta} is ${side}${instead}\n`);
}

function certified(evidence: Evidence, settings: Settings) {
  try {
    const fitted = fitEnvelope(evidence, { delta: settings.delta, seed: FIT_SEED });
    const certificate = certify(evidence, fitted, settings);
    const reliability = teacherReliability(evidence, fitted, certificate, settings.etaLabels);
    return { fitted, certificate, reliability, reference: driftReference(evidence, fitted) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Refusal(
      `the evidence cannot be certified: ${error.message}; record more parts, or record again`,
    );
  }
}

/** Writes the envelope and names it in bundle.json; returns its digest. */
function bindEnvelope({ folder, manifest }: Bundle, text: string): string {
  writeFileAtomically(join(folder, ENVELOPE_FILE), text);
  const digest = sha256(readFileSync(join(folder, ENVELOPE_FILE)));
  const bound = { ...manifest, envelope: { file: ENVELOPE_FILE, sha256: digest } };
  writeFileAtomically(join(folder, MANIFEST_FILE), formatJson(bound));
  return digest;
}
