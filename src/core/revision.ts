/** The guard over changes: whether the next revision of a station's thresholds may take the place of the one in force. */

import type { Certificate } from "./envelope/types.ts";
import { type Shortfall, type Support, supportOf } from "./guard.ts";
import type { MonitorState } from "./judge.ts";
import { isStop, loosenings, type Revision, strongerPromises } from "./loosening.ts";

/** A change that is asked for, with everything that the guard may know of it. */
export interface Change {
  /** What judges now; undefined where nothing that can be verified does, and everything is reviewed. */
  readonly inForce: { readonly revision: Revision; readonly certified: boolean } | undefined;
  /** The revision accepted last, in force or not. Undefined: none is known, and the next may have any number. */
  readonly last: Pick<Revision, "revision" | "envelope"> | undefined;
  /** The last certified revision for this envelope that let anything pass: what a stop may be lifted to. */
  readonly beforeStop: Revision | undefined;
  readonly next: Revision;
  /** Whether `next` says of itself that it is certified; undefined where it says nothing. */
  readonly claimsCertified: boolean | undefined;
  /** Who signed it, each person once. */
  readonly persons: readonly string[];
  /** Whether these persons are vouched for by keys. Without, the first thresholds need no second name. */
  readonly signed: boolean;
  readonly certificate: Certificate;
  /** SHA-256 of the envelope.json that the certificate is in. */
  readonly envelope: string;
  readonly classNames: readonly string[];
  readonly monitor: MonitorState;
}

export type Ruling =
  | {
      readonly outcome: "accepted";
      /** False: no bound may be published. */
      readonly certified: boolean;
      /** Lambda of each class as the judge reads it [K]; NaN where the class is always reviewed. */
      readonly lambda: Float64Array;
      readonly bounds: Pick<Extract<Support, { supported: true }>, "station" | "classes">;
      /** In what it is looser than what was in force. */
      readonly loosens: readonly string[];
      /** Why it is not certified. */
      readonly reasons: readonly string[];
    }
  | { readonly outcome: "needs-second-person"; readonly why: readonly string[] }
  | {
      readonly outcome: "refused";
      readonly reasons: readonly string[];
      readonly shortfalls: readonly Shortfall[];
    };

/**
 * Judges a change. Every way in goes through here: command line, API, MQTT, and files found.
 *
 * - It counts up by one, and is for the envelope that judges.
 * - Everything to a person (lambda null): one person, at once, whatever else stands in it.
 * - Tightening: one person. Where the certificate does not support it, it is accepted as not certified, unless it
 *   promises more than what was in force did.
 * - Loosening, and the first thresholds of an envelope: supported by the certificate, two persons; loosening a
 *   monitor that is green, or off, as well.
 * - A stop is lifted to no more than what was in force before it.
 */
export function judgeRevision(change: Change): Ruling {
  const { inForce, last, next, persons, certificate, classNames } = change;
  const formal = formalFaults(change);
  if (formal.length > 0) return refused(formal);
  const support = supportOf(next, certificate, classNames);
  if (isStop(next)) return ruledOn(support, []);
  const isFirst = inForce === undefined || inForce.revision.envelope !== next.envelope;
  const loosens = isFirst ? [] : loosenings(inForce.revision, next, classNames);
  const isTightening = !isFirst && loosens.length === 0;

  // What is not proven may pass less, and may not promise more.
  const mayBeUncertified = isTightening && strongerPromises(inForce.revision, next).length === 0;
  if (!support.supported && !(mayBeUncertified && support.lambda !== undefined)) {
    return refused(support.reasons, support.shortfalls);
  }
  if (change.claimsCertified !== undefined && change.claimsCertified !== support.supported) {
    const reasons = support.supported ? ["the certificate supports it"] : support.reasons;
    return refused([`certified: it says ${change.claimsCertified}, which is not so`, ...reasons]);
  }
  if (isTightening) return ruledOn(support, []);

  // Another envelope starts afresh; of one that was in force before, the monitor has a say.
  const monitorCounts = last !== undefined && last.envelope === next.envelope;
  const faults = [...(monitorCounts ? monitorFaults(change) : []), ...liftingFaults(change)];
  if (faults.length > 0) return refused(faults);
  const why = isFirst ? ["these are the first thresholds for what judges now"] : loosens;
  const personsNeeded = isFirst && !change.signed ? 1 : 2;
  if (new Set(persons).size < personsNeeded) return { outcome: "needs-second-person", why };
  return ruledOn(support, loosens);
}

/** What has to be right whatever the change is. */
function formalFaults({ last, next, persons, envelope }: Change): string[] {
  const faults: string[] = [];
  if (persons.length === 0) faults.push("nobody signed it");
  if (next.envelope !== envelope) {
    faults.push(`envelope: it is for ${next.envelope}, the bundle's is ${envelope}`);
  }
  if (!(Number.isSafeInteger(next.revision) && next.revision >= 1)) {
    faults.push(`revision: expected a whole number from 1, found ${next.revision}`);
  } else if (last !== undefined && next.revision !== last.revision + 1) {
    faults.push(
      next.revision <= last.revision
        ? `revision: ${last.revision} was accepted already, the next is ${last.revision + 1}, found ${next.revision}`
        : `revision: expected ${last.revision + 1}, the one after the last, found ${next.revision}`,
    );
  }
  return faults;
}

function monitorFaults({ monitor }: Change): string[] {
  if (monitor === "green" || monitor === "off") return [];
  return [`the monitor is ${monitor}: nothing may be loosened until it is green`];
}

/** A stop is lifted back to what was in force before it, or stricter. */
function liftingFaults({ inForce, beforeStop, next, classNames }: Change): string[] {
  if (inForce === undefined || !isStop(inForce.revision) || beforeStop === undefined) return [];
  if (inForce.revision.envelope !== next.envelope) return [];
  return loosenings(beforeStop, next, classNames).map(
    (what) => `a stop is lifted to no more than revision ${beforeStop.revision}, in force before it: ${what}`,
  );
}

function ruledOn(support: Support, loosens: readonly string[]): Ruling {
  if (support.supported) {
    const { station, classes, lambda } = support;
    return {
      outcome: "accepted",
      certified: true,
      lambda,
      bounds: { station, classes },
      loosens,
      reasons: [],
    };
  }
  const { lambda, reasons } = support;
  if (lambda === undefined) return refused(reasons);
  const bounds = { station: undefined, classes: [] };
  return { outcome: "accepted", certified: false, lambda, bounds, loosens, reasons };
}

function refused(reasons: readonly string[], shortfalls: readonly Shortfall[] = []): Ruling {
  return { outcome: "refused", reasons, shortfalls };
}
