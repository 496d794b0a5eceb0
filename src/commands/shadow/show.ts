/** `sekisho shadow show`: what the bundle in shadow would do otherwise, from the ledger. */

import { differ } from "../../core/shadow.ts";
import type { PairCount, ShadowStanding } from "../../gateway/shadow-ports.ts";
import { readShadow as readStanding } from "../../ledger/shadow.ts";
import { formatJson } from "../../schema/format-json.ts";
import type { ShadowState } from "../kept-shadows.ts";
import { oneStation } from "../one-station.ts";
import { grouped, layOut, paragraph, percent } from "../prose.ts";
import type { Surroundings } from "../run.ts";
import { readShadow } from "../shadow-setup.ts";
import type { Terminal } from "../terminal.ts";
import { viewOf } from "./view.ts";

export interface ShadowOptions {
  readonly config: string;
  readonly ledger?: string;
  readonly json?: boolean;
}

export function showShadow(
  station: string,
  options: ShadowOptions,
  terminal: Terminal,
  environment: Surroundings["environment"],
): void {
  const { config, setup } = oneStation(station, options.config, environment);
  const read = readShadow(setup, new Date());
  const state: ShadowState =
    read.kind === "shadow"
      ? { state: "running", bundle: read.setup.bundle.digest }
      : read.kind === "refused"
        ? { state: "refused", reason: read.reason }
        : { state: read.kind };
  const found = readStanding(options.ledger ?? config.ledger.path, station);
  const view = viewOf(station, state, found);
  if (options.json) {
    const examples = found?.pairs.filter(differ).map(({ examples }) => examples);
    terminal.out(formatJson({ ...view, ...(examples !== undefined && { examples }) }));
    return;
  }
  const { columns } = terminal.screen();
  const blocks = [
    stateText(station, state),
    ...(found === undefined ? [] : foundText(found, state, columns)),
  ];
  terminal.out(`${blocks.map((block) => block.join("\n")).join("\n\n")}\n`);
}

function stateText(station: string, { state, reason }: ShadowState): string[] {
  switch (state) {
    case "none":
      return [`Station ${station}: no bundle is configured to run in shadow.`];
    case "promoted":
      return [`Station ${station}: the bundle that was in shadow is in force.`];
    case "refused":
      return [`Station ${station}: nothing can run in shadow: ${reason}`];
    case "running":
      return [`Station ${station}: a bundle is configured to run in shadow beside the live one.`];
    default:
      return unreachable(state);
  }
}

function foundText(found: ShadowStanding, { bundle }: ShadowState, columns: number): string[][] {
  const { comparison, judged, dropped, lost, beganAtMs, lastAtMs, pairs } = found;
  const differing = pairs.filter(differ);
  const count = differing.reduce((sum, { frames }) => sum + frames, 0);
  const rate = judged === 0 ? "" : `, ${percent(count / judged)}`;
  const head = [
    `Live:    bundle ${comparison.liveBundle.slice(0, 12)}, thresholds revision ${comparison.liveRevision}`,
    `Shadow:  bundle ${comparison.shadowBundle.slice(0, 12)}, thresholds revision ${comparison.shadowRevision}${bundle === undefined || bundle === comparison.shadowBundle ? "" : " (not what is configured now)"}`,
    `From ${new Date(beganAtMs).toISOString()} to ${new Date(lastAtMs).toISOString()}: ${grouped(judged)} frames judged by both, ${grouped(count)} differ${rate}.`,
    ...(dropped + lost > 0
      ? paragraph(
          `The shadow did not judge ${grouped(dropped)} frames for want of time, and lost ${grouped(lost)} with its engines; the live bundle judged them all.`,
          columns,
        )
      : []),
  ];
  if (differing.length === 0) return [head];
  const rows = differing.map((pair) => [
    ...[words(pair.live), words(pair.shadow), grouped(pair.frames)],
    pair.examples.map(({ source, frame }) => `${source}/${frame}`).join(" "),
  ]);
  // The examples are to be looked up, and so are not cut.
  return [head, layOut([["live", "shadow", "frames", "such as"], ...rows], Number.POSITIVE_INFINITY)];
}

function words({ decision, className }: PairCount["live"]): string {
  return className === undefined ? decision : `${decision} ${className}`;
}

function unreachable(value: never): never {
  throw new Error(`no such state: ${String(value)}`);
}
