/** How a station's thresholds stand, for whoever is to change them without the files at hand. */

import type { ActRow } from "../../gateway/ports.ts";
import type { ThresholdsLogQuery, ThresholdsStanding } from "../../http/thresholds-schemas.ts";
import type { Thresholds } from "../../thresholds/file.ts";
import { type Acts, lastAccepted } from "../revisions.ts";
import type { StationSetup } from "../station-setup.ts";
import { pendingOf } from "../thresholds-desk.ts";

const KINDS = ["revision", "refused", "promoted"] as const;

/** @param setup the station as it judges */
export function standingOf(
  setup: StationSetup,
  acts: Acts,
  { limit, before }: ThresholdsLogQuery,
): ThresholdsStanding {
  const { name, thresholds, bundle, trust } = setup;
  const last = lastAccepted(acts, name)?.document;
  const rows = acts.list({ station: name, kinds: KINDS, limit: limit + 1, before });
  const shown = rows.slice(0, limit);
  return {
    station: name,
    envelope: bundle.manifest.envelope!.sha256,
    revision: thresholds.revision,
    nextRevision: (last?.revision ?? thresholds.revision) + 1,
    base: last ?? (thresholds.revision > 0 ? thresholds : null),
    pending: pendingOf(setup, acts) ?? null,
    signers: trust === undefined ? null : [...new Set(trust.keys.map(({ person }) => person))],
    log: shown.map(entryOf),
    ...(rows.length > limit && { next: shown.at(-1)!.seq }),
  };
}

/** What bodies of these acts may hold. */
interface Told {
  readonly via?: string;
  readonly persons?: string[];
  readonly certified?: boolean;
  readonly loosens?: string[];
  readonly reasons?: string[];
  readonly document?: Thresholds;
}

function entryOf({ seq, kind, revision, atMs, body }: ActRow): ThresholdsStanding["log"][number] {
  const { via, persons, certified, loosens, reasons, document } = JSON.parse(body) as Told;
  return {
    ...{ seq, kind: kind as (typeof KINDS)[number], revision, at: new Date(atMs).toISOString() },
    ...(via !== undefined && { via }),
    ...(persons !== undefined && { persons }),
    ...(certified !== undefined && { certified }),
    ...(loosens !== undefined && { loosens }),
    ...(reasons !== undefined && { reasons }),
    ...(document !== undefined && { document }),
  };
}
