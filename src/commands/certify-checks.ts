/** What `certify` refuses before it looks at cal, so that nothing is half-written and no part is used up. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Bundle } from "../bundle/bundle.ts";
import { type Envelope, readEnvelope } from "../bundle/envelope-file.ts";
import { type RecordedEvidence, readEvidence } from "../bundle/evidence.ts";
import type { DeltaRange } from "../core/envelope/delta-range.ts";
import { fewestParts } from "../core/envelope/recording.ts";
import type { CertifyOptions, Evidence } from "../core/envelope/types.ts";
import { finiteArgmax } from "../core/envelope/unfaithful.ts";
import { onnxruntimeVersion } from "../engine/student.ts";
import { isName } from "../mqtt/topics.ts";
import { chosenPercent, grouped, rounded } from "./prose.ts";
import { Refusal } from "./terminal.ts";

export const ENVELOPE_FILE = "envelope.json";

/** What is to be certified. */
export interface Settings extends CertifyOptions {
  readonly delta: number;
  /** Failure probability of the bounds that labels allow, beside eta. */
  readonly etaLabels: number;
}

/** A rate given as an option. */
export function rateOf(option: string, text: string): number {
  const value = Number(text);
  if (value > 0 && value < 1) return value;
  throw new Refusal(`${option}: expected a number between 0 and 1, found "${text}"`);
}

/** The first thresholds of a station go where there is none. */
export function checkThresholdsPlace(thresholds: string | undefined, station: string | undefined): void {
  if ((thresholds === undefined) !== (station === undefined)) {
    throw new Refusal("certify: --thresholds and --station go together");
  }
  if (thresholds === undefined || station === undefined) return;
  if (!isName(station)) {
    throw new Refusal(`--station: expected 1 to 64 letters, digits, _ or -, found "${station}"`);
  }
  if (existsSync(thresholds)) {
    throw new Refusal(
      `${thresholds} exists and may be in force; move it away first if a new revision 1 is what you want`,
    );
  }
  if (!existsSync(dirname(thresholds))) {
    throw new Refusal(`--thresholds: there is no folder ${dirname(thresholds)}; make it first`);
  }
}

/** The bundle's evidence, if it was recorded with this very student, preprocessing, classes and runtime. */
export function evidenceOf({ folder, manifest }: Bundle): RecordedEvidence {
  if (manifest.evidence === undefined) {
    throw new Refusal(
      `${folder} has no evidence; make it with \`sekisho record ${folder} --frames ... --teacher ...\``,
    );
  }
  const file = join(folder, manifest.evidence.file);
  const recorded = readEvidence(file);
  const { studentSha256, preprocessing, classes, onnxruntime } = recorded.description;
  const compared: readonly (readonly [what: string, found: unknown, expected: unknown])[] = [
    ["a student with SHA-256", studentSha256, manifest.student.sha256],
    ["preprocessing", preprocessing, manifest.preprocessing],
    ["classes", classes, manifest.classes],
    ["ONNX Runtime", onnxruntime, onnxruntimeVersion],
  ];
  const others = compared
    .map(([what, found, expected]) => [what, JSON.stringify(found), JSON.stringify(expected)] as const)
    .filter(([, found, expected]) => found !== expected)
    .map(([what, found, expected]) => `${what} ${found}, which is ${expected} now`);
  if (others.length > 0) {
    throw new Refusal(
      `${file} was recorded with ${others.join("; with ")}: it is no evidence of what will run; ` +
        `record again with \`sekisho record ${folder} --replace ...\``,
    );
  }
  return recorded;
}

/** Trying other settings on the same parts until one passes would void the promise. */
export function refuseRetest({ folder, manifest }: Bundle, settings: Settings): void {
  const envelope = previousEnvelope(join(folder, ENVELOPE_FILE));
  if (envelope === undefined || envelope.evidence.sha256 !== manifest.evidence?.sha256) return;
  const { fitted, certificate, teacherReliability } = envelope;
  const { delta, alpha, alphaClass, eta, etaLabels } = settings;
  const isSame =
    fitted.delta === delta &&
    certificate.alpha === alpha &&
    certificate.alphaClass === alphaClass &&
    certificate.etaTarget === eta &&
    (teacherReliability === undefined || teacherReliability.etaTarget === etaLabels);
  if (isSame) return;
  const labels =
    teacherReliability === undefined ? "" : `, eta of the labels ${teacherReliability.etaTarget}`;
  throw new Refusal(
    `this evidence has certified delta ${fitted.delta}, alpha ${certificate.alpha}, alphaClass ${certificate.alphaClass}, eta ${certificate.etaTarget}${labels} already; ` +
      "testing the same parts again until something passes is no proof: record fresh frames, or look another alpha up in the tables of envelope.json",
  );
}

/** The envelope that is there, whether or not bundle.json names it: a run may have been interrupted in between. */
function previousEnvelope(file: string): Envelope | undefined {
  if (!existsSync(file)) return undefined;
  const read = readEnvelope(readFileSync(file, "utf8"), file);
  return read.ok ? read.envelope : undefined;
}

/** Parts of cal so few that no rule could hold, were they all to pass and none unfaithful. */
export function refuseTooFew({ classes, splitOfPart }: Evidence, settings: Settings): void {
  const cal = splitOfPart.filter((split) => split === "cal").length;
  const { station, class: ofClass } = fewestParts(settings, classes.length);
  const needed = Math.max(station, ofClass);
  if (cal >= needed) return;
  const { alpha, alphaClass, eta, revision } = settings;
  const share = cal / splitOfPart.length;
  const inAll = share > 0 ? `, some ${grouped(Math.ceil(needed / share))} parts in all` : "";
  const targets = `at alpha ${chosenPercent(alpha)}, alphaClass ${chosenPercent(alphaClass)} and eta ${chosenPercent(eta)}`;
  const isFirst = revision === 1;
  throw new Refusal(
    `the evidence has ${grouped(cal)} ${isFirst ? "parts of cal" : `fresh parts of cal for revision ${revision}`}, with which nothing could be certified: ${targets} ` +
      `a station needs at least ${grouped(station)} that pass, and each class at least ${grouped(ofClass)}, without an unfaithful one among them; ` +
      (isFirst
        ? `record at least ${grouped(needed)} parts of cal${inAll}`
        : `${grouped(needed - cal)} are missing: add them with \`record --as-cal ${revision}\``),
  );
}

/** Where the teacher knows only one class, agreeing with it shows nothing. */
export function refuseSingleClass(evidence: Evidence): void {
  const { classes, part, splitOfPart, teacherLogits } = evidence;
  const taught = new Set<number>();
  part.forEach((of, row) => {
    if (splitOfPart[of] === "fit") taught.add(finiteArgmax(teacherLogits, row, classes.length));
  });
  taught.delete(-1);
  if (taught.size >= 2) return;
  const only = [...taught].map((c) => `says "${classes[c]}" to every part of fit`);
  throw new Refusal(
    `the teacher ${only[0] ?? "says nothing finite of any part of fit"}: with one class alone nothing shows that the student can tell it from another; ` +
      "record parts of two classes or more",
  );
}

/** No delta can be chosen where the teacher moves further by itself than its answer can bear. */
export function refuseUnsteadyTeacher({ agreeing, steady, floor, ceiling }: DeltaRange, parts: number): void {
  if (floor <= ceiling) return;
  const advice =
    "perturb the frames less, no more than the line does by itself, or take a steadier teacher, and record again";
  if (agreeing === 0) {
    throw new Refusal(
      `teacher and student agree on none of the ${grouped(parts)} parts of fit, so nothing could be certified; ` +
        "check that both have the same classes in the same order and take the same input",
    );
  }
  if (steady === 0) {
    throw new Refusal(
      `on none of the ${grouped(agreeing)} parts of fit that both models agree on does the teacher hold its own class over the recorded copies, so no delta says anything; ${advice}`,
    );
  }
  const [low, high] = [rounded(floor, 2, "up"), rounded(ceiling, 2, "down")];
  throw new Refusal(
    `the teacher is too unsteady for any delta: its floor ${low} lies above its ceiling ${high}. ` +
      `On half of the ${grouped(steady)} parts of fit on which it keeps its class, slight changes of the frame move its confidence by the floor or so; ` +
      `on one in twenty of them, a difference of the ceiling is enough for another class; ${advice}`,
  );
}
