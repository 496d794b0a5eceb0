/** `sekisho shadow promote`: makes the bundle in shadow the live one, by one write of the station's thresholds. */

import { judgeRevision } from "../../core/revision.ts";
import { writeFileAtomically } from "../../schema/atomic-file.ts";
import { formatJson } from "../../schema/format-json.ts";
import type { Thresholds } from "../../thresholds/file.ts";
import { revisionOf } from "../../thresholds/proposal.ts";
import { oneStation } from "../one-station.ts";
import type { Surroundings } from "../run.ts";
import { readShadow, type ShadowSetup } from "../shadow-setup.ts";
import type { StationSetup } from "../station-setup.ts";
import { Refusal, type Terminal } from "../terminal.ts";

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
  const refusal = refusalOf(next, setup, read.setup);
  if (refusal !== undefined) throw new Refusal(`${station}: ${refusal}`);
  writeFileAtomically(setup.config.thresholds, formatJson(next));
  const said = {
    ...{ station, revision: next.revision, mode: next.mode, thresholds: setup.config.thresholds },
    bundle: { from: setup.bundle.folder, to: read.setup.bundle.folder, sha256: read.setup.bundle.digest },
  };
  terminal.out(options.json ? formatJson(said) : inWords(said));
}

/** The document that comes into force: the shadow's own where its revision is the next, else its content as the next. */
function nextRevision(
  { name, thresholds: inForce, trust }: StationSetup,
  { thresholds: own }: ShadowSetup,
  { by, why }: PromoteOptions,
): Thresholds {
  // What several have signed is taken to the letter.
  if (own.revision > inForce.revision) return own;
  const next = inForce.revision + 1;
  if (trust !== undefined) {
    throw new Refusal(
      `${name}: signatures are demanded here, and a promotion cannot sign: put a signed revision ${next} for its envelope at stations.${name}.shadow.thresholds`,
    );
  }
  if (by === undefined || why === undefined) {
    throw new Refusal(
      `--by and --why: the thresholds of the shadow are revision ${own.revision}, ${inForce.revision} is in force; their content becomes revision ${next}, which wants to know who promotes it and why`,
    );
  }
  return {
    ...own,
    revision: next,
    ...{ proposedBy: by, approvedBy: by, why },
    at: new Date().toISOString(),
  };
}

/**
 * The one place where a promotion asks the guard. The gateway asks it again, with signatures, before anything comes
 * into force.
 */
function refusalOf(
  next: Thresholds,
  { thresholds: inForce, envelope: old, trust }: StationSetup,
  shadow: ShadowSetup,
) {
  const { envelope, bundle } = shadow;
  const classNames = envelope.fitted.classes;
  const ruling = judgeRevision({
    inForce: { revision: revisionOf(inForce, old.fitted.classes), certified: true },
    last: inForce,
    beforeStop: undefined,
    next: revisionOf(next, classNames),
    claimsCertified: undefined,
    persons: [...new Set([next.proposedBy, next.approvedBy])],
    signed: trust !== undefined,
    certificate: envelope.certificate,
    envelope: bundle.manifest.envelope!.sha256,
    classNames,
    monitor: "off", // It watched the bundle of before.
  });
  switch (ruling.outcome) {
    case "accepted":
      return undefined;
    case "needs-second-person":
      return `a second person has to approve it: ${ruling.why.join("; ")}`;
    case "refused":
      return ruling.reasons.join("; ");
    default:
      return unreachable(ruling);
  }
}

function unreachable(value: never): never {
  throw new Error(`no such ruling: ${JSON.stringify(value)}`);
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
