/** `sekisho review export`: answered reviews as labelled frames for `record`, and as tasks for Label Studio. */

import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, readBundle } from "../../bundle/bundle.ts";
import { openResolvedReviews, type ResolvedReviews } from "../../ledger/resolved-reviews.ts";
import { formatJson } from "../../schema/format-json.ts";
import type { Surroundings } from "../run.ts";
import { Refusal, refuse, type Terminal } from "../terminal.ts";
import { timeOf } from "../times.ts";
import { type ExportPlaces, placesOf } from "./export-places.ts";
import { type Exported, exportStation, type Targets } from "./export-station.ts";
import { IN_WORDS, LEFT_OUT } from "./labels.ts";

export interface ExportOptions {
  readonly config: string;
  readonly ledger?: string;
  readonly bundle?: string;
  readonly station?: string;
  readonly since?: string;
  readonly replace?: boolean;
  readonly json?: boolean;
}

export async function exportReviews(
  to: string,
  options: ExportOptions,
  terminal: Terminal,
  { environment }: Surroundings,
): Promise<void> {
  const sinceMs = timeOf("--since", options.since) ?? 0;
  const places = placesOf(options, environment);
  const reviews = openResolvedReviews(places.ledger);
  try {
    const stations = stationsOf(reviews, places, options, terminal);
    const targets = targetsOf(to, stations, options.replace === true);
    const bundles = stations.map((station) => readOrRefuse(places.bundleOf(station)!));
    const exported: Exported[] = [];
    for (const [i, station] of stations.entries()) {
      const bundle = bundles[i]!;
      exported.push(
        await exportStation({ reviews, station, bundle, sinceMs, targets: targets[i]!, terminal }),
      );
    }
    if (exported.every(({ labels }) => labels === 0)) {
      const said = exported.map((one) => `${one.station}: ${whyNone(one)}`).join("; ");
      throw new Refusal(`${places.ledger}: no review gives a label${since(options)}; ${said}`);
    }
    if (options.json) {
      terminal.out(formatJson({ ledger: places.ledger, since: options.since ?? null, stations: exported }));
      return;
    }
    for (const one of exported) terminal.out(`${inWords(one)}\n`);
    terminal.out(
      "these frames are no random sample of the line: train and fit with them, and certify with others (docs/reviews.md)\n",
    );
  } finally {
    reviews.close();
  }
}

/** The stations whose answers are written; those that no bundle is known of are told. */
function stationsOf(
  reviews: ResolvedReviews,
  places: ExportPlaces,
  { station: asked }: ExportOptions,
  terminal: Terminal,
): readonly string[] {
  const answered = reviews.stations();
  if (answered.length === 0) {
    throw new Refusal(`${places.ledger}: none of its reviews has been answered yet; nothing was written`);
  }
  const names = answered.map(({ station }) => station);
  if (asked !== undefined && !names.includes(asked)) {
    throw new Refusal(
      `${places.ledger}: no review of station "${asked}" has been answered; there are answers at ${names.join(", ")}`,
    );
  }
  const wanted = asked === undefined ? names : [asked];
  const known = wanted.filter((name) => places.bundleOf(name) !== undefined);
  const missing = wanted.filter((name) => !known.includes(name));
  const advice = "name its bundle with --bundle, and it with --station";
  if (known.length === 0) throw new Refusal(`${missing.join(", ")}: no bundle is known of it; ${advice}`);
  for (const name of missing)
    terminal.err(`warning: ${name} is in no configuration and left out; ${advice}\n`);
  if (places.isOneBundle && known.length > 1) {
    throw new Refusal(
      `--bundle: is the bundle of one station, and there are answers at ${known.join(", ")}; choose with --station`,
    );
  }
  return known;
}

function readOrRefuse(folder: string): Bundle {
  const read = readBundle(folder, []); // What it was certified by does not matter here.
  return read.ok ? read.bundle : refuse(read.problems);
}

/** The files of each station. */
function targetsOf(to: string, stations: readonly string[], replace: boolean): readonly Targets[] {
  const ending = /\.(npz|json)$/.exec(to)?.[1];
  if (ending !== undefined && stations.length > 1) {
    throw new Refusal(
      `${to}: one file holds the frames of one station, and there are answers at ${stations.join(", ")}; choose with --station, or name a folder`,
    );
  }
  const tasksOf = (json: string) => ({ tasks: json, labelling: json.replace(/json$/, "xml") });
  const targets = stations.map((station): Targets => {
    if (ending === "npz") return { frames: to };
    if (ending === "json") return tasksOf(to);
    return { frames: join(to, `${station}.npz`), ...tasksOf(join(to, `${station}.label-studio.json`)) };
  });
  const taken = targets.flatMap((files) => Object.values(files)).filter((file) => existsSync(file));
  if (taken.length > 0 && !replace) {
    throw new Refusal(`${taken.join(", ")}: exists; choose another place, or --replace`);
  }
  if (ending === undefined) mkdirSync(to, { recursive: true });
  return targets;
}

function since({ since: text }: ExportOptions): string {
  return text === undefined ? "" : ` since ${text}`;
}

function whyNone({ answered, leftOut, bundle, otherBundles }: Exported): string {
  if (answered === 0) return "nothing was answered";
  const isForeign = leftOut["unknown-class"] + leftOut["frame-unfit"] > 0 && otherBundles > 0;
  return `${leftOutInWords(leftOut)}${isForeign ? `; they were judged by another bundle than ${bundle.folder}: name that one with --bundle` : ""}`;
}

function leftOutInWords(leftOut: Exported["leftOut"]): string {
  return LEFT_OUT.flatMap((why) => (leftOut[why] > 0 ? [`${leftOut[why]} ${IN_WORDS[why]}`] : [])).join(", ");
}

function inWords(one: Exported): string {
  const { station, labels, classes, files, leftOut, otherBundles } = one;
  if (labels === 0) return `${station}: no label; ${whyNone(one)}`;
  const counts = Object.entries(classes)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
  const left = leftOutInWords(leftOut);
  const foreign =
    otherBundles > 0
      ? `; ${otherBundles} were judged by another version of the bundle, and fit this one`
      : "";
  return `${station}: ${labels} labelled frames (${counts}) -> ${Object.values(files).join(", ")}${left === "" ? "" : `; left out: ${left}`}${foreign}`;
}
