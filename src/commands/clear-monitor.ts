/** Clears a red monitor by a document: signed where keys are trusted, else in the name of who hands it in. */

import { CLEARING_TYPE, type Clearing } from "../core/monitor-clearing.ts";
import type { Monitors } from "../gateway/monitors.ts";
import type { ClearingBody } from "../http/monitor-route.ts";
import { verify } from "../signing/dsse.ts";
import type { StationSetup } from "./station-setup.ts";

/**
 * @param by who hands it in; counts only where no keys are trusted
 * @returns why the monitor is not cleared, or undefined
 * @throws what the ledger throws
 */
export function clearMonitor(
  monitors: Pick<Monitors, "clear">,
  { name, thresholds, trust }: Pick<StationSetup, "name" | "thresholds" | "trust">,
  body: ClearingBody,
  by: string,
): string | undefined {
  const read = readClearing(body, trust, by);
  if (typeof read === "string") return read;
  const { alpha, eta, envelope } = thresholds;
  return monitors.clear(name, read, { station: name, alpha, eta, envelope }, body);
}

function readClearing(body: ClearingBody, trust: StationSetup["trust"], by: string): Clearing | string {
  if (trust === undefined) {
    return "signatures" in body
      ? "the configuration trusts no keys, by which a signature could be checked: send the document alone"
      : { ...body, persons: [by] };
  }
  if (!("signatures" in body)) return `expected a signed ${CLEARING_TYPE}: the configuration trusts keys`;
  const verified = verify(body, CLEARING_TYPE, trust.keys);
  if (!verified.ok) return verified.reason;
  const document = clearingIn(verified.payload);
  if (document === undefined) return "what is signed is no clearing: station, redSince, ground and why";
  return { ...document, persons: verified.signers.map(({ person }) => person) };
}

function clearingIn(payload: Buffer): Omit<Clearing, "persons"> | undefined {
  try {
    const found = JSON.parse(payload.toString("utf8")) as Omit<Clearing, "persons">;
    const isOne = [found.station, found.redSince, found.why, found.ground.kind].every(
      (member) => typeof member === "string",
    );
    return isOne ? found : undefined;
  } catch {
    return undefined;
  }
}
