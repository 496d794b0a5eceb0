/** What a restored ledger means for its stations: everything goes to a person until somebody answers for it. */

import type { ActBook, ActRow } from "../gateway/ports.ts";
import type { StationReread, StationSetup } from "./station-setup.ts";

/** What an act of kind "restored" says. */
export interface RestoredBody {
  readonly backupAt: string;
  readonly chainHead: string;
  /** A person's word that the stations may judge, where no signatures are demanded. */
  readonly accepted?: string;
}

/** Acts of people who knew, when they signed, that the ledger had been restored. */
const ANSWERS = ["revision", "monitor-cleared"] as const;

/** The act that keeps a station in review: its ledger has forgotten decisions, latches and revisions since. */
export function restoredUnanswered(acts: ActBook, station: string): ActRow | undefined {
  const restored = acts.latest(station, "restored");
  if (restored === undefined) return undefined;
  if ((JSON.parse(restored.body) as RestoredBody).accepted !== undefined) return undefined;
  const isAnswered = ANSWERS.some((kind) => (acts.latest(station, kind)?.seq ?? 0) > restored.seq);
  return isAnswered ? undefined : restored;
}

/** The station as it may judge by this ledger. */
export function heldAfterRestore(acts: ActBook, setup: StationSetup): StationSetup {
  if (restoredUnanswered(acts, setup.name) === undefined) return setup;
  return { ...setup, rule: { ...setup.rule, stopped: true } };
}

/** A revision that comes into force with it is the signed act that is waited for. */
export function rereadAfterRestore(acts: ActBook, read: StationReread): StationReread {
  if (!read.ok || read.commit !== undefined) return read;
  return { ok: true, setup: heldAfterRestore(acts, read.setup) };
}
