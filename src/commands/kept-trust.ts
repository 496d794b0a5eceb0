/**
 * The trusted keys while the gateway runs, read again at SIGHUP: who is added may sign from then on, and what only keys
 * answer for that were taken out judges no more.
 */

import type { ActBook, Clock, Log } from "../gateway/ports.ts";
import { formatProblems } from "../schema/document.ts";
import type { StationsInForce } from "./in-force.ts";
import { lastAccepted, verifiedLast } from "./revisions.ts";
import { placeOf, type StationSetup } from "./station-setup.ts";
import { everythingReviewed } from "./thresholds-look.ts";
import type { ReadTrust, Trust } from "./trust.ts";

export interface KeptTrustOptions {
  /** As read at the start. */
  readonly first: Trust | undefined;
  /** Reads configuration and keys again. */
  readonly read: () => ReadTrust;
  readonly inForce: Pick<StationsInForce, "setups" | "trust">;
  readonly acts: Pick<ActBook, "latest" | "list">;
  /** Puts a station in force that judges otherwise. */
  readonly apply: (setup: StationSetup) => void;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Log;
}

export function keepTrust({ first, read, inForce, acts, apply, clock, log }: KeptTrustOptions) {
  let current = first;

  /** As at a start: a revision that nobody trusted answers for lets nothing pass. */
  function reviewUnverified(setup: StationSetup): void {
    const place = placeOf(setup);
    const last = lastAccepted(acts, setup.name);
    const kept = last && verifiedLast(last, place);
    if (last === undefined || kept === undefined || kept.ok) return;
    const why = `revision ${last.document.revision} cannot be verified by the keys that are trusted now: ${kept.reason}`;
    log.error({ station: setup.name, reason: why }, "everything is reviewed until others sign a revision");
    const looked = everythingReviewed(place, why, new Date(clock.nowMs()).toISOString());
    apply({ ...setup, ...looked, faults: [] });
  }

  return {
    current: (): Trust | undefined => current,

    /** Never throws for what the files hold: the keys of before then go on to count. */
    reload(): void {
      const found = read();
      if (!found.ok) {
        const reason = formatProblems(found.problems);
        log.error({ reason }, "the trusted keys could not be read again; those of before count");
        return;
      }
      if ((found.trust === undefined) !== (current === undefined)) {
        log.error({}, "whether signatures are demanded changes at a restart only; it stays as it was");
        return;
      }
      if (found.trust === undefined || isSame(found.trust, current)) return;
      current = found.trust;
      log.info({ keys: idsOf(current) }, "other keys are trusted");
      inForce.trust(current);
      for (const setup of inForce.setups()) reviewUnverified(setup);
    },
  };
}

function isSame(a: Trust, b: Trust | undefined): boolean {
  return a.bundles === b?.bundles && idsOf(a).sort().join() === idsOf(b).sort().join();
}

function idsOf({ keys }: Trust): string[] {
  return keys.map(({ person, keyId }) => `${person} ${keyId}`);
}
