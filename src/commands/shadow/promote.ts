/** `sekisho shadow promote`: makes the bundle in shadow the live one, by one write of the station's thresholds. */

import { writeFileAtomically } from "../../schema/atomic-file.ts";
import { formatJson } from "../../schema/format-json.ts";
import type { Thresholds } from "../../thresholds/file.ts";
import { oneStation } from "../one-station.ts";
import type { Surroundings } from "../run.ts";
import { readShadow, type ShadowSetup } from "../shadow-setup.ts";
import type { StationSetup } from "../station-setup.ts";
import { Refusal, type Terminal } from "../terminal.ts";
import { ruleFor } from "../thresholds-look.ts";

export interface PromoteOptions {
  readonly config: string;
  readonly by?: string;
  readonly why?: string;
  readonly json?: boolean;
}

/**
 * What is in force at a station is what its thresholds file names: the envelope, and with it the bundle. So the new
 * bundle and its thresholds come into force together or not at all, and stay so after a restart.
 */
export function promoteShadow(
  station: string,
  options: PromoteOptions,
  terminal: Terminal,
  environment: Surroundings["environment"],
): void {
  const { setup } = oneStation(station, options.config, environment);
  const read = readShadow(setup, new Date());
  if (read.kind === "none") {
    throw new Refusal(`${station}: no bundle runs in shadow; name one at stations.${station}.shadow first`);
  }
  if (read.kind === "promoted") throw new Refusal(`${station}: the bundle in shadow is in force already`);
  if (read.kind === "refused") throw new Refusal(`${station}: ${read.reason}`);
  const next = nextRevision(setup, read.setup, options);
  const reason = refusalOf(next, read.setup);
  if (reason !== undefined) throw new Refusal(`${station}: ${reason}`);
  writeFileAtomically(setup.config.thresholds, formatJson(next));
  const said = {
    ...{ station, revision: next.revision, mode: next.mode, thresholds: setup.config.thresholds },
    bundle: { from: setup.bundle.folder, to: read.setup.bundle.folder, sha256: read.setup.bundle.digest },
  };
  terminal.out(options.json ? formatJson(said) : inWords(said));
}

/** The document that comes into force: the shadow's own where its revision is the next, else its content as the next. */
function nextRevision(
  { thresholds: inForce }: StationSetup,
  { thresholds: own }: ShadowSetup,
  { by, why }: PromoteOptions,
): Thresholds {
  // What several have signed is taken to the letter.
  if (own.revision > inForce.revision) return own;
  if (by === undefined || why === undefined) {
    throw new Refusal(
      `--by and --why: the thresholds of the shadow are revision ${own.revision}, ${inForce.revision} is in force; their content becomes revision ${inForce.revision + 1}, which wants to know who promotes it and why`,
    );
  }
  return {
    ...own,
    revision: inForce.revision + 1,
    ...{ proposedBy: by, approvedBy: by, why },
    at: new Date().toISOString(),
  };
}

/** The one place where a promotion asks the guard. The gateway asks it again before anything comes into force. */
function refusalOf(next: Thresholds, { envelope }: ShadowSetup): string | undefined {
  const rule = ruleFor(next, envelope);
  return typeof rule === "string" ? rule : undefined;
}

function inWords(said: {
  readonly station: string;
  readonly revision: number;
  readonly mode: string;
  readonly thresholds: string;
  readonly bundle: { readonly from: string; readonly to: string };
}): string {
  const { station, revision, mode, thresholds, bundle } = said;
  return [
    `${thresholds} is revision ${revision} now, ${mode}, for the bundle in ${bundle.to}.`,
    `A running gateway takes both at its next SIGHUP (systemctl reload sekisho), a stopped one at its start; no frame is lost.`,
    `To go back, put a next revision for the envelope of ${bundle.from} in its place. Once you are sure, name ${bundle.to} as stations.${station}.bundle.`,
    "",
  ].join("\n");
}
