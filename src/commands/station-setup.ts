/** What a station needs before it can run: bundle, envelope, thresholds and topic, checked against each other. */

import { type Bundle, readBundle } from "../bundle/bundle.ts";
import type { Envelope } from "../bundle/envelope-file.ts";
import type { Config, StationConfig } from "../config/schema.ts";
import { filtersOverlap, parseTopicPattern, type TopicPattern } from "../mqtt/topics.ts";
import type { Locate, Problem } from "../schema/document.ts";
import { readThresholds } from "../thresholds/file.ts";
import { folderInForce } from "./folder-in-force.ts";
import { runtimeProblem } from "./models.ts";
import { everythingReviewed, type Look, type Looked, lookAt, type Place } from "./thresholds-look.ts";
import { bundleKeys, type Trust } from "./trust.ts";

export interface StationSetup extends Looked {
  readonly name: string;
  readonly config: StationConfig;
  readonly pattern: TopicPattern;
  /** Undefined where no signatures are demanded. */
  readonly trust: Trust | undefined;
  readonly bundle: Bundle;
  readonly envelope: Envelope;
  /** What speaks against the thresholds file; everything is reviewed then, unless the ledger knows better. */
  readonly faults: readonly Problem[];
}

export function placeOf({
  name,
  envelope,
  bundle,
  trust,
}: Pick<StationSetup, "name" | "envelope" | "bundle" | "trust">): Place {
  return { name, envelope, envelopeSha256: bundle.manifest.envelope!.sha256, trust };
}

export type Setups =
  | { readonly ok: true; readonly stations: readonly StationSetup[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Sets up every station of a configuration, or says all that stands in the way, file by file. */
export function setUpStations(config: Config, locate: Locate, trust: Trust | undefined): Setups {
  const setups = readStations(config, locate, trust);
  if (!setups.ok) return setups;
  const problems = setups.stations.flatMap(({ faults }) => faults);
  return problems.length > 0 ? { ok: false, problems } : setups;
}

/** The same where thresholds that may not judge are no obstacle, since the ledger may know others. */
export function readStations(config: Config, locate: Locate, trust: Trust | undefined): Setups {
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
  if (problems.length === 0) return { ok: true, stations };
  // Whoever has to mend one thing is told of all.
  return { ok: false, problems: [...problems, ...stations.flatMap(({ faults }) => faults)] };
}

export type StationReread =
  | {
      readonly ok: true;
      readonly setup: StationSetup;
      /** Puts on record that it is in force; called right before it is. @throws if that cannot be */
      readonly commit?: () => void;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads a station's bundle and thresholds again, from where its configuration has them. */
export function setUpAgain(
  station: Pick<StationSetup, "name" | "config" | "pattern" | "trust">,
  locate: Locate,
): StationReread {
  const problems: Problem[] = [];
  const setup = setUp(station, locate, problems);
  if (setup === undefined) return { ok: false, problems };
  return setup.faults.length > 0 ? { ok: false, problems: setup.faults } : { ok: true, setup };
}

/** One station; undefined where something was added to the problems. */
function setUp(
  { name, config, pattern, trust }: Pick<StationSetup, "name" | "config" | "pattern" | "trust">,
  locate: Locate,
  problems: Problem[],
): StationSetup | undefined {
  const before = problems.length;
  const thresholds = readThresholds(config.thresholds);
  const folder = thresholds.ok ? folderInForce(config, thresholds.value.envelope) : config.bundle;
  const read = readBundle(folder, ["envelope"], bundleKeys(trust)); // Evidence and teacher are not needed to run.
  if (!read.ok) problems.push(...read.problems);
  const envelope = read.ok ? read.bundle.envelope : undefined;
  if (read.ok && envelope === undefined) {
    const message = `stations.${name}.bundle: ${folder} has no envelope; run \`sekisho record\` and \`sekisho certify\` first`;
    problems.push(locate(["stations", name, "bundle"], message));
  }
  const foreign = envelope && runtimeProblem(envelope);
  if (foreign !== undefined) problems.push(locate(["stations", name, "bundle"], `${folder}: ${foreign}`));
  if (!read.ok || envelope === undefined) {
    if (!thresholds.ok) problems.push(...thresholds.problems);
    return undefined;
  }
  const pictures = config.frames.encodings.filter((encoding) => encoding === "png" || encoding === "jpeg");
  if (read.bundle.manifest.frame.kind === "tensor" && pictures.length > 0) {
    const message = `stations.${name}.frames.encodings: ${pictures.join(", ")} cannot carry this bundle's frames, which are tensors; use raw or json`;
    problems.push(locate(["stations", name, "frames", "encodings"], message));
  }
  if (problems.length > before) return undefined;
  const station = { name, config, pattern, trust, bundle: read.bundle, envelope };
  const place = placeOf(station);
  const look: Look = thresholds.ok ? lookAt(thresholds.value, place, thresholds.locate) : thresholds;
  if (look.ok) return { ...station, ...look.looked, faults: [] };
  const why = "the thresholds file may not judge";
  return { ...station, ...everythingReviewed(place, why, NEVER), faults: look.problems };
}

/** No thresholds were ever set then. */
const NEVER = "1970-01-01T00:00:00Z";
