/** Which revision of a station's thresholds is in force: what the ledger accepted, what is found, and the guard between. */

import type { MonitorState } from "../core/judge.ts";
import type { Revision } from "../core/loosening.ts";
import { judgeRevision, type Ruling } from "../core/revision.ts";
import type { ActBook, ActRow } from "../gateway/ports.ts";
import { parseThresholds, type Thresholds } from "../thresholds/file.ts";
import { revisionOf } from "../thresholds/proposal.ts";
import { isSameDocument } from "../thresholds/signed.ts";
import { type Looked, lookAt, type Place } from "./thresholds-look.ts";

/** By which way a revision came. */
export type Via = "file" | "command" | "api" | "mqtt";

/** What an act of kind "revision" holds. */
export interface RevisionBody {
  readonly document: Thresholds;
  readonly certified: boolean;
  readonly persons: readonly string[];
  readonly loosens: readonly string[];
  readonly via: Via;
}

/** Thresholds that the guard let through, not yet in the ledger. */
export interface Admitted {
  readonly looked: Looked;
  readonly act: Omit<ActRow, "seq">;
  /** Number of the revision accepted last when it was judged; it holds for that past only. */
  readonly after: number;
}

export type Judged =
  | { readonly outcome: "accepted"; readonly admitted: Admitted; readonly ruling: Ruling }
  | { readonly outcome: "needs-second-person"; readonly why: readonly string[] }
  | { readonly outcome: "refused"; readonly reasons: readonly string[] };

export type Acts = Pick<ActBook, "latest" | "list">;

/** Revisions that are looked through for what was in force before a stop. */
const HISTORY_MAX = 1000;

/** The revision accepted last, as the ledger has it; undefined where it has none. */
export function lastAccepted(acts: Acts, station: string): RevisionBody | undefined {
  const row = acts.latest(station, "revision");
  return row === undefined ? undefined : bodyOf(row);
}

/** @throws SyntaxError if the row holds no JSON, which the chain would have told */
export function bodyOf({ body }: Pick<ActRow, "body">): RevisionBody {
  return JSON.parse(body) as RevisionBody;
}

/**
 * What the revision accepted last says of itself now: schema, envelope, signatures by keys that are trusted now, and
 * the certificate. What was accepted once is not believed for that alone.
 */
export function verifiedLast(
  last: RevisionBody,
  place: Place,
): { readonly ok: true; readonly looked: Looked } | { readonly ok: false; readonly reason: string } {
  const parsed = parseThresholds(JSON.stringify(last.document), "ledger");
  if (!parsed.ok) return { ok: false, reason: parsed.problems.map(({ message }) => message).join("; ") };
  const look = lookAt(parsed.value, place, parsed.locate);
  if (!look.ok) return { ok: false, reason: look.problems.map(({ message }) => message).join("; ") };
  return look;
}

/** Judges thresholds that one look has nothing against, by what the ledger knows of their station. */
export function judgeLooked(
  looked: Looked,
  place: Place,
  acts: Acts,
  ask: { readonly monitor: MonitorState; readonly via: Via; readonly atMs: number },
): Judged {
  const { thresholds, revision, persons } = looked;
  const last = lastAccepted(acts, place.name);
  const names = place.envelope.fitted.classes;
  const rollback = rollbackFault(thresholds, place.name, acts);
  if (rollback !== undefined) return { outcome: "refused", reasons: [rollback] };
  const kept = last && verifiedLast(last, place);
  const inForce = kept?.ok === true ? kept.looked : undefined;
  const ruling = judgeRevision({
    inForce: inForce && { revision: inForce.revision, certified: inForce.certified },
    last: last?.document,
    beforeStop: beforeStop(place, acts, names),
    next: revision,
    claimsCertified: thresholds.certified,
    persons,
    signed: place.trust !== undefined,
    certificate: place.envelope.certificate,
    envelope: place.envelopeSha256,
    classNames: names,
    monitor: ask.monitor,
  });
  if (ruling.outcome !== "accepted") return ruling;
  const body: RevisionBody = {
    document: thresholds,
    ...{ certified: ruling.certified, persons, loosens: ruling.loosens, via: ask.via },
  };
  const act: Admitted["act"] = {
    station: place.name,
    kind: "revision",
    revision: revision.revision,
    atMs: ask.atMs,
    body: JSON.stringify(body),
  };
  return {
    outcome: "accepted",
    admitted: {
      looked: { ...looked, certified: ruling.certified },
      act,
      after: last?.document.revision ?? 0,
    },
    ruling,
  };
}

/**
 * Writes what was admitted into the ledger; from then on it is the revision accepted last.
 * @throws Error if another was accepted since it was judged, or the ledger cannot be written
 */
export function commitAdmitted({ act, after }: Admitted, acts: Acts & Pick<ActBook, "append">): void {
  const now = lastAccepted(acts, act.station)?.document.revision ?? 0;
  if (now !== after) throw new Error(`revision ${now} came into force meanwhile; propose anew`);
  acts.append([act]);
}

/** What is said of a file that is not the revision accepted last, and no next one. */
export function olderFault(found: Thresholds, last: Thresholds): string | undefined {
  if (found.revision > last.revision || isSameDocument(found, last)) return undefined;
  if (found.revision < last.revision) {
    return `an older revision was put back by hand: found ${found.revision}, revision ${last.revision} was accepted; use \`sekisho thresholds rollback\``;
  }
  return `revision: expected one above ${last.revision}, which is in force, found ${found.revision} with other content; it was changed by hand: put it back, or propose a change`;
}

/** A roll-back says whose content it has, and has it. */
function rollbackFault(next: Thresholds, station: string, acts: Acts): string | undefined {
  if (next.rollbackOf === undefined) return undefined;
  const row = acts
    .list({ station, kinds: ["revision"], limit: HISTORY_MAX })
    .find(({ revision }) => revision === next.rollbackOf);
  if (row === undefined) return `rollbackOf: revision ${next.rollbackOf} was never accepted here`;
  const of = bodyOf(row).document;
  return isSameDocument(contentOf(of), contentOf(next))
    ? undefined
    : `rollbackOf: it is not what revision ${next.rollbackOf} was`;
}

/** What of a document stays when it comes back under another number. */
export function contentOf(document: Thresholds): Thresholds {
  const { signatures: _s, rollbackOf: _r, certified: _c, ...rest } = document;
  return { ...rest, revision: 1, proposedBy: "", approvedBy: "", at: "", why: "" };
}

/** The last certified revision for this envelope that let anything pass. */
function beforeStop(place: Place, acts: Acts, names: readonly string[]): Revision | undefined {
  for (const row of acts.list({ station: place.name, kinds: ["revision"], limit: HISTORY_MAX })) {
    const { document, certified } = bodyOf(row);
    if (document.envelope !== place.envelopeSha256) return undefined;
    if (certified && document.lambda !== null) return revisionOf(document, names);
  }
  return undefined;
}
