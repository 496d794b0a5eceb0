/** What clears a red monitor: a person's word for one red, and new evidence that the certificate holds again. */

import type { Monitor } from "./monitor.ts";
import { binomialUpperBound } from "./statistics/binomial.ts";

/** Media type of an act that is signed. */
export const CLEARING_TYPE = "application/vnd.sekisho.clearing+json";

/** What a signed act says. Who signed has been verified before it comes here. */
export interface Clearing {
  readonly station: string;
  /** Since when the monitor is red that it clears: it serves for no later one. */
  readonly redSince: string;
  readonly ground:
    | { readonly kind: "envelope"; readonly envelope: string }
    /** Parts that would pass but for the red monitor, drawn after it turned red, and the teacher's word on each. */
    | { readonly kind: "audit"; readonly parts: number; readonly unfaithful: number };
  /** Who signed. */
  readonly persons: readonly string[];
  readonly why: string;
}

/** What is in force at the station now. */
export interface ClearingContext {
  readonly station: string;
  /** Digest of the envelope. */
  readonly envelope: string;
  readonly alpha: number;
  /** Failure probability that the thresholds claim. */
  readonly eta: number;
}

/**
 * Why an act does not clear this monitor, or undefined if it does. An audit clears it where its parts prove the risk to
 * be at most alpha, by the exact binomial bound; a new envelope by being in force and another than the one that drifted.
 */
export function clearingProblem(
  monitor: Monitor,
  { station, redSince, ground, persons, why }: Clearing,
  inForce: ClearingContext,
): string | undefined {
  if (station !== inForce.station) return `the act is for station ${station}, not for ${inForce.station}`;
  if (monitor.state !== "red") return `the monitor is ${monitor.state}: there is nothing to clear`;
  const since = new Date(monitor.sinceMs).toISOString();
  if (redSince !== since) return `the act clears the red of ${redSince}; the monitor is red since ${since}`;
  if (persons.length === 0) return "nobody has signed it";
  if (why.trim() === "") return "it does not say why";
  return ground.kind === "envelope"
    ? envelopeProblem(monitor, ground.envelope, inForce)
    : auditProblem(ground, inForce);
}

function envelopeProblem(monitor: Monitor, envelope: string, inForce: ClearingContext): string | undefined {
  if (envelope !== inForce.envelope)
    return `the act names the envelope ${envelope}, in force is ${inForce.envelope}`;
  return envelope === monitor.envelope
    ? "the envelope is the one that the monitor turned red with; certify on fresh parts, or audit"
    : undefined;
}

function auditProblem(
  { parts, unfaithful }: { readonly parts: number; readonly unfaithful: number },
  { alpha, eta }: ClearingContext,
): string | undefined {
  const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
  if (!(isCount(parts) && isCount(unfaithful) && unfaithful <= parts))
    return `expected counts of an audit, found ${unfaithful} unfaithful of ${parts} parts`;
  const bound = binomialUpperBound(unfaithful, parts, eta);
  if (bound <= alpha) return undefined;
  return `${unfaithful} unfaithful of ${parts} audited parts prove a risk of at most ${(100 * bound).toPrecision(3)}%, needed is ${(100 * alpha).toPrecision(3)}%`;
}
