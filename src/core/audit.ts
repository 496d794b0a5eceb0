/** Audits: which passed parts are looked at again by teacher and person, with which known probability. */

import type { MonitorState } from "./judge.ts";
import type { KeptFrame } from "./record.ts";
import type { VerdictKind } from "./review-record.ts";

/** By how much more is audited while the monitor is amber. */
export const AMBER_AUDIT_FACTOR = 4;

/** What the thresholds say of audits. */
export interface AuditTerms {
  /** Share of the passed parts that is drawn, in (0, 1]. */
  readonly auditRate: number;
  /** How long both questions may wait for their answer; then they count as unanswered. */
  readonly deadlineMs: number;
  /** Undefined where reviewers are asked about nothing that is known. */
  readonly known?: KnownFrames | undefined;
}

/** A frame of which it is known what it shows, to learn how well reviewers see. */
export interface KnownFrame extends KeptFrame {
  readonly label: string;
}

export interface KnownFrames {
  /** How many of them are asked about for each audit, on average; in (0, 1]. */
  readonly perAudit: number;
  /** One at least. */
  readonly frames: readonly KnownFrame[];
}

/** How pi is made: fixed, and on record, before the first part is drawn under it. */
export interface AuditPolicy extends AuditTerms {
  /** No part is drawn with less, whatever the monitor says: estimators bet on it. */
  readonly piMin: number;
  readonly amberFactor: number;
}

/** @throws RangeError unless the rate lies in (0, 1]: a part that cannot be drawn says nothing of any risk */
export function policyOf({ auditRate, deadlineMs, known }: AuditTerms): AuditPolicy {
  if (!(auditRate > 0 && auditRate <= 1)) {
    throw new RangeError(`a rate of audits lies in (0, 1], got ${auditRate}; 0 is to have none`);
  }
  return { auditRate, deadlineMs, known, piMin: auditRate, amberFactor: AMBER_AUDIT_FACTOR };
}

/** The probability with which a part that passes now is drawn; in [piMin, 1]. */
export function piOf({ auditRate, amberFactor }: AuditPolicy, monitor: MonitorState): number {
  return monitor === "amber" ? Math.min(1, amberFactor * auditRate) : auditRate;
}

/** Above it no coin is ever drawn under this policy: what a part has need not be kept for an audit. */
export function piMaxOf(policy: AuditPolicy): number {
  return piOf(policy, "amber");
}

/** How one passed part was drawn. */
export interface Draw {
  readonly pi: number;
  readonly piMin: number;
  readonly isDrawn: boolean;
  /** Asked about in the name of this part, which is not drawn itself. */
  readonly known: KnownFrame | undefined;
}

/**
 * Draws one passed part.
 * @param coin uniform in [0, 1), fixed before anything was known of the part; NaN draws, so that a defect shows
 */
export function draw(policy: AuditPolicy, monitor: MonitorState, coin: number): Draw {
  const pi = piOf(policy, monitor);
  return { pi, piMin: policy.piMin, isDrawn: !(coin >= pi), known: knownAt(policy.known, coin - pi, pi) };
}

/** @param above how far the coin is above pi */
function knownAt(known: KnownFrames | undefined, above: number, pi: number): KnownFrame | undefined {
  if (known === undefined) return undefined;
  const share = pi * known.perAudit;
  return above >= 0 && above < share
    ? known.frames[Math.floor((above / share) * known.frames.length)]
    : undefined;
}

/** What is written of a passed part where parts are drawn; its review is the audit's, under the same id. */
export interface PassedEntry {
  readonly pi: number;
  readonly piMin: number;
  /** Undefined where it was not drawn. */
  readonly audit: OpeningAudit | undefined;
  /** What its review shows in its stead; undefined but where a known frame is asked about in the name of this part. */
  readonly known: KnownFrame | undefined;
}

/** What reviewers made of frames that are known. */
export interface KnownAnswers {
  readonly answered: number;
  /** Those of them that were seen for what they are. */
  readonly found: number;
}

/** An audit that opens with the decision on its part. */
export interface OpeningAudit {
  readonly deadlineAtMs: number;
  /**
   * Every frame of the part; undefined where the decision's own frame is all of it. Empty where one could not be kept:
   * the teacher's question then stays unanswered.
   */
  readonly frames: readonly KeptFrame[] | undefined;
}

/** The two questions: the teacher's, is it faithful; the person's, is it right. */
export type AuditQuestion = "teacher" | "person";

/** `bad`: unfaithful in answer to the teacher's question, wrong in answer to the person's. */
export type AuditAnswer =
  | { readonly kind: "waiting" }
  | { readonly kind: "answered"; readonly bad: boolean; readonly atMs: number }
  | { readonly kind: "unanswered" };

export interface Audit {
  /** That of its review, too. */
  readonly id: string;
  readonly station: string;
  readonly source: string;
  readonly frame: string;
  readonly part: string | null;
  /** Id of the decision that passed the part. */
  readonly decision: number;
  /** Of the thresholds. */
  readonly revision: number;
  /** Digest of the bundle that judged. */
  readonly bundle: string;
  /** Its place among the passed parts of its station and revision, drawn or not, from 0 on. */
  readonly ordinal: number;
  readonly pi: number;
  readonly piMin: number;
  readonly drawnAtMs: number;
  readonly deadlineAtMs: number;
  readonly teacher: AuditAnswer;
  readonly person: AuditAnswer;
}

/** Passed parts in the order of drawing, as an estimator of one question takes them; of those not drawn Z is 0. */
export type PassedParts =
  | { readonly isDrawn: false; readonly count: number; readonly pi: number; readonly piMin: number }
  | {
      readonly isDrawn: true;
      readonly id: string;
      readonly pi: number;
      readonly piMin: number;
      /** Unanswered counts as bad. */
      readonly isBad: boolean;
      readonly isAnswered: boolean;
    };

/** What a person's verdict says of a part that passed. `unusable` answers nothing. */
export type Finding = "right" | "wrong" | "unusable";

/**
 * @param own the class that the part passed as
 * @returns undefined where it is no answer: nobody vouches for the reviewer
 */
export function findingOf(
  { verdict, verdictClass, vouched }: FindingFacts,
  own: string | null,
): Finding | undefined {
  if (vouched !== true) return undefined;
  // Right is what must be shown.
  if (verdict === "label") return verdictClass !== null && verdictClass === own ? "right" : "wrong";
  return "unusable";
}

interface FindingFacts {
  readonly verdict: VerdictKind | null;
  readonly verdictClass: string | null;
  readonly vouched: boolean | null;
}
