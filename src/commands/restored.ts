/** What a restored ledger means for its stations: everything goes to a person until somebody answers for it. */

import type { ActBook, ActRow } from "../gateway/ports.ts";
import type { Thresholds } from "../thresholds/file.ts";
import { bodyOf } from "./revisions.ts";
import type { StationReread, StationSetup } from "./station-setup.ts";

/** What an act of kind "restored" says. */
export interface RestoredBody {
  readonly backupAt: string;
  readonly chainHead: string;
  /** A person's word that the stations may judge, where no signatures are demanded. */
  readonly accepted?: string;
}

/** Since when a station waits for an answer, and as of when its ledger is. */
export interface RestoredView {
  readonly at: string;
  readonly backupAt: string;
}

type Acts = Pick<ActBook, "latest" | "list">;

/** Revisions behind a restore that are looked through for its answer. */
const REVISIONS_MAX = 1000;

/** The act that keeps a station in review: its ledger has forgotten decisions, latches and revisions since. */
export function restoredUnanswered(acts: Acts, station: string): ActRow | undefined {
  const restored = acts.latest(station, "restored");
  if (restored === undefined) return undefined;
  if ((JSON.parse(restored.body) as RestoredBody).accepted !== undefined) return undefined;
  const revisions = acts.list({ station, kinds: ["revision"], limit: REVISIONS_MAX });
  const isAnswered = revisions.some(
    (row) => row.seq > restored.seq && isAnswer(bodyOf(row).document, restored),
  );
  return isAnswered ? undefined : restored;
}

/**
 * Whether the document was made after the restore, by its own word, which is signed. One that was made before, a file
 * that the disk kept or a message that is sent again, is put on record like any other, but says nothing of the restore.
 * A cleared monitor says nothing of it either: what is signed there has no time of its own.
 */
function isAnswer({ at }: Thresholds, restored: ActRow): boolean {
  return Date.parse(at) > restored.atMs;
}

export function restoredView(acts: Acts, station: string): RestoredView | undefined {
  const restored = restoredUnanswered(acts, station);
  if (restored === undefined) return undefined;
  const { backupAt } = JSON.parse(restored.body) as RestoredBody;
  return { at: new Date(restored.atMs).toISOString(), backupAt };
}

/** The station as it may judge by this ledger. */
export function heldAfterRestore(acts: Acts, setup: StationSetup): StationSetup {
  return restoredUnanswered(acts, setup.name) === undefined ? setup : held(setup);
}

/** A revision that comes into force with it, and was made since, is the signed act that is waited for. */
export function rereadAfterRestore(acts: Acts, read: StationReread): StationReread {
  if (!read.ok) return read;
  const { setup, commit } = read;
  const restored = restoredUnanswered(acts, setup.name);
  const isAnswered = restored === undefined || (commit !== undefined && isAnswer(setup.thresholds, restored));
  if (isAnswered) return read;
  return commit === undefined ? { ok: true, setup: held(setup) } : { ok: true, setup: held(setup), commit };
}

function held(setup: StationSetup): StationSetup {
  return { ...setup, rule: { ...setup.rule, stopped: true } };
}
