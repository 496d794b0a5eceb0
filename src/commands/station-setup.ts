/** What a station needs before it can run: bundle, envelope, thresholds and topic, checked against each other. */

import { type Bundle, readBundle } from "../bundle/bundle.ts";
import type { Envelope } from "../bundle/envelope-file.ts";
import type { Config, StationConfig } from "../config/schema.ts";
import { type Support, supportOf } from "../core/guard.ts";
import type { Rule } from "../core/judge.ts";
import { filtersOverlap, parseTopicPattern, type TopicPattern } from "../mqtt/topics.ts";
import type { Locate, Problem } from "../schema/document.ts";
import { readThresholds, type Thresholds } from "../thresholds/file.ts";
import { runtimeProblem } from "./models.ts";
import type { Trust } from "./trust.ts";

export interface StationSetup {
  readonly name: string;
  readonly config: StationConfig;
  readonly pattern: TopicPattern;
  /** Undefined where no signatures are demanded. */
  readonly trust: Trust | undefined;
  readonly bundle: Bundle;
  readonly envelope: Envelope;
  readonly thresholds: Thresholds;
  readonly rule: Rule;
  readonly support: Extract<Support, { supported: true }>;
}

export type Setups =
  | { readonly ok: true; readonly stations: readonly StationSetup[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Sets up every station of a configuration, or says all that stands in the way, file by file. */
export function setUpStations(config: Config, locate: Locate, trust: Trust | undefined): Setups {
  const problems: Problem[] = [];
  const stations: StationSetup[] = [];
  const taken: { readonly station: string; readonly filter: string }[] = [];
  for (const [name, station] of Object.entries(config.stations)) {
    const at = ["stations", name, "frames", "topic"];
    const pattern = parseTopicPattern(station.frames.topic);
    if ("problem" in pattern) {
      problems.push(locate(at, `${at.join(".")}: ${pattern.problem}`));
      continue;
    }
    if (station.frames.sources !== undefined && !station.frames.topic.includes("{source}")) {
      const message = `${at.join(".")}: frames.sources are given, but the topic has no {source} to tell them by`;
      problems.push(locate(at, message));
    }
    if (/[+#]/.test(pattern.filter) && !/\{source\}/.test(station.frames.topic)) {
      const message = `${at.join(".")}: has a wildcard but no {source}, so that all its sources would count as one; write {source} for the level that tells them apart`;
      problems.push(locate(at, message));
    }
    const rival = taken.find(({ filter }) => filtersOverlap(filter, pattern.filter));
    if (rival !== undefined) {
      const message = `${at.join(".")}: takes frames that station ${rival.station} takes too; make the topics distinct`;
      problems.push(locate(at, message));
    }
    taken.push({ station: name, filter: pattern.filter });
    const setup = setUp({ name, config: station, pattern, trust }, locate, problems);
    if (setup !== undefined) stations.push(setup);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, stations };
}

export type StationReread =
  | { readonly ok: true; readonly setup: StationSetup }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads a station's bundle and thresholds again, from where its configuration has them. */
export function setUpAgain(station: StationSetup, locate: Locate): StationReread {
  const problems: Problem[] = [];
  const setup = setUp(station, locate, problems);
  return setup === undefined ? { ok: false, problems } : { ok: true, setup };
}

/** One station; undefined where something was added to the problems. */
function setUp(
  { name, config, pattern, trust }: Pick<StationSetup, "name" | "config" | "pattern" | "trust">,
  locate: Locate,
  problems: Problem[],
): StationSetup | undefined {
  const before = problems.length;
  const trusted = trust?.bundles === "signed" ? trust.keys : undefined;
  const read = readBundle(config.bundle, ["envelope"], trusted); // Evidence and teacher are not needed to run.
  if (!read.ok) problems.push(...read.problems);
  const envelope = read.ok ? read.bundle.envelope : undefined;
  if (read.ok && envelope === undefined) {
    const message = `stations.${name}.bundle: ${config.bundle} has no envelope; run \`sekisho record\` and \`sekisho certify\` first`;
    problems.push(locate(["stations", name, "bundle"], message));
  }
  const foreign = envelope && runtimeProblem(envelope);
  if (foreign !== undefined)
    problems.push(locate(["stations", name, "bundle"], `${config.bundle}: ${foreign}`));
  const thresholds = readThresholds(config.thresholds);
  if (!thresholds.ok) problems.push(...thresholds.problems);
  if (!read.ok || envelope === undefined || !thresholds.ok) return undefined;

  const { value } = thresholds;
  const pictures = config.frames.encodings.filter((encoding) => encoding === "png" || encoding === "jpeg");
  if (read.bundle.manifest.frame.kind === "tensor" && pictures.length > 0) {
    const message = `stations.${name}.frames.encodings: ${pictures.join(", ")} cannot carry this bundle's frames, which are tensors; use raw or json`;
    problems.push(locate(["stations", name, "frames", "encodings"], message));
  }
  if (value.station !== name) {
    const message = `station: these thresholds are for "${value.station}", not for "${name}"`;
    problems.push(thresholds.locate(["station"], message));
  }
  const digest = read.bundle.manifest.envelope!.sha256;
  if (value.envelope !== digest) {
    const message = `envelope: these thresholds are for envelope ${value.envelope}, the bundle's is ${digest}; certify again with --thresholds, or put the right envelope back`;
    problems.push(thresholds.locate(["envelope"], message));
    return undefined;
  }
  const support = guarded(value, envelope, thresholds.locate, problems);
  if (support === undefined || problems.length > before) return undefined;
  const rule = ruleOf(value, envelope, support);
  return { name, config, pattern, trust, bundle: read.bundle, envelope, thresholds: value, rule, support };
}

/** Asks the guard; what it refuses becomes a problem of the file. */
function guarded(
  thresholds: Thresholds,
  envelope: Envelope,
  locate: Locate,
  problems: Problem[],
): StationSetup["support"] | undefined {
  const names = envelope.fitted.classes;
  const before = problems.length;
  for (const [i, name] of thresholds.classes.entries()) {
    if (!names.includes(name))
      problems.push(
        locate(["classes", i], `classes: the bundle has no class "${name}"; it has ${names.join(", ")}`),
      );
  }
  for (const name of Object.keys(thresholds.classLambdas)) {
    if (!names.includes(name))
      problems.push(locate(["classLambdas", name], `classLambdas: the bundle has no class "${name}"`));
  }
  if (problems.length > before) return undefined;
  const support = supportOf(
    {
      alpha: thresholds.alpha,
      alphaClass: thresholds.alphaClass,
      eta: thresholds.eta,
      lambda: thresholds.lambda,
      classes: thresholds.classes.map((name) => names.indexOf(name)),
      classLambdas: new Map(
        Object.entries(thresholds.classLambdas).map(([name, own]) => [names.indexOf(name), own]),
      ),
    },
    envelope.certificate,
    names,
  );
  if (support.supported) return support;
  problems.push(
    ...support.reasons.map((reason) =>
      locate(["lambda"], `the evidence does not support these thresholds: ${reason}`),
    ),
  );
  return undefined;
}

function ruleOf(
  { mode, revision }: Thresholds,
  { fitted }: Envelope,
  { lambda }: StationSetup["support"],
): Rule {
  return {
    mode,
    revision,
    delta: fitted.delta,
    lambda,
    noveltyMax: Float64Array.from(fitted.noveltyMax),
    stopped: false,
  };
}
