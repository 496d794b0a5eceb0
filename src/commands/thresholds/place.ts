/** A station's thresholds as a command finds them: files, ledger, and where the running gateway is asked. */

import { existsSync } from "node:fs";
import { readConfig } from "../../config/config.ts";
import type { Config } from "../../config/schema.ts";
import { stateOnRecord } from "../../gateway/monitor-restore.ts";
import { openActsOf } from "../../ledger/read-acts.ts";
import type { SigningKey } from "../../signing/dsse.ts";
import { readSigningKey } from "../../signing/keys.ts";
import { readThresholds, type Thresholds } from "../../thresholds/file.ts";
import { type Acts, lastAccepted } from "../revisions.ts";
import type { Surroundings } from "../run.ts";
import { settle } from "../settle.ts";
import { readStations, type StationSetup } from "../station-setup.ts";
import { Refusal, refuse } from "../terminal.ts";
import { pendingOf } from "../thresholds-desk.ts";
import { readTrust } from "../trust.ts";

export interface ThresholdsPlace {
  readonly config: Config;
  /** As it judges, or would at the next start. */
  readonly setup: StationSetup;
  /** Why the thresholds file is not what judges. */
  readonly refused: readonly string[];
  readonly acts: Acts;
  /** What a change starts from; undefined where there is neither a revision nor a file. */
  readonly base: Thresholds | undefined;
  /** Number of the next revision. */
  readonly nextRevision: number;
  readonly pending: Thresholds | undefined;
  close(): void;
}

const NO_ACTS: Acts = { latest: () => undefined, list: () => [] };

/** @throws Refusal with every problem of configuration and bundles */
export function openThresholdsPlace(
  configFile: string,
  station: string,
  environment: Surroundings["environment"],
  nowMs: number,
): ThresholdsPlace {
  const parsed = readConfig(configFile, environment);
  if (!parsed.ok) return refuse(parsed.problems);
  const config = parsed.value;
  const known = Object.keys(config.stations);
  if (!known.includes(station)) {
    throw new Refusal(`${configFile}: there is no station ${station}; it has ${known.join(", ")}`);
  }
  const trusted = readTrust(config, parsed.locate);
  if (!trusted.ok) return refuse(trusted.problems);
  const only = { ...config, stations: { [station]: config.stations[station]! } };
  const setups = readStations(only, parsed.locate, trusted.trust);
  if (!setups.ok) return refuse(setups.problems);
  const ledger = existsSync(config.ledger.path) ? openActsOf(config.ledger.path) : undefined;
  const acts = ledger ?? NO_ACTS;
  const { setup, refused } = settle(setups.stations[0]!, acts, stateOnRecord(acts, station), nowMs);
  const last = lastAccepted(acts, station)?.document;
  const file = readThresholds(setup.config.thresholds);
  const found = file.ok ? file.value : undefined;
  return {
    ...{ config, setup, acts },
    refused: (refused ?? []).map(({ message }) => message),
    base: last ?? found,
    nextRevision: last === undefined ? (found?.revision ?? 1) : last.revision + 1,
    pending: pendingOf(setup, acts),
    close: () => ledger?.close(),
  };
}

/** Who acts: the owner of a key, or where none are trusted whoever says so. */
export type Signer =
  | { readonly person: string; readonly key: SigningKey }
  | { readonly person: string; readonly key: undefined };

export function signerOf(
  { key: file, as }: { readonly key?: string; readonly as?: string },
  { setup }: ThresholdsPlace,
): Signer {
  if (file === undefined) {
    if (setup.trust !== undefined) {
      throw new Refusal(
        "the configuration trusts keys: sign with --key FILE, as `sekisho keys new` wrote it",
      );
    }
    if (as === undefined) throw new Refusal("say who you are with --as NAME, or sign with --key FILE");
    return { person: as, key: undefined };
  }
  const read = readSigningKey(file);
  if (!read.ok) throw new Refusal(`${file}: ${read.reason}`);
  return { person: read.key.person, key: setup.trust === undefined ? undefined : read.key };
}
