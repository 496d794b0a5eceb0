/** What audits say of the risk of what passes: per question, in the order of drawing, and valid at every look. */

import type { PassedParts } from "./audit.ts";
import { betaBinomialSequence } from "./statistics/beta-binomial.ts";
import { type AuditTally, bettingUpperBound, EMPTY_TALLY, withTalliedRun } from "./statistics/betting.ts";
import {
  type AuditedPart,
  type AuditTotals,
  horvitzThompson,
  NO_AUDITS,
  type RiskEstimate,
  withAuditedRun,
} from "./statistics/horvitz-thompson.ts";
import { evidenceOf } from "./statistics/restarts.ts";
import { nextRiskTestRun, type RiskPromise, type RiskTest, startRiskTest } from "./statistics/risk-test.ts";

/** What an audit came to by its answer or its deadline; `unanswered` counts as bad, and is counted apart. */
export type AuditFinding = "good" | "bad" | "unanswered";

/** All of one revision's audits that the estimates need, for one question; plain JSON of bounded length. */
export interface AuditSequence {
  readonly totals: AuditTotals;
  /** Of the drawn parts; `drawn` of the totals is their sum. */
  readonly findings: Readonly<Record<AuditFinding, number>>;
  /** The pi of every part so far: null before the first, "unequal" from the first that had another. */
  readonly pi: number | "unequal" | null;
  readonly tally: AuditTally;
  /** The evidence that more than alpha of what passes is bad; null where no alpha is promised. */
  readonly test: { readonly promise: RiskPromise; readonly state: RiskTest } | null;
}

export interface AuditReport {
  readonly parts: number;
  readonly drawn: number;
  readonly findings: AuditSequence["findings"];
  /** Unbiased for the share of bad or unanswered ones among these parts; undefined while none has passed. */
  readonly estimate: RiskEstimate | undefined;
  /** Above the risk at every look with probability at least 1 - eta; 1 while nothing is known. */
  readonly upperBound: number;
  /** Which sequence the bound is of. */
  readonly method: "beta-binomial" | "betting";
  readonly eta: number;
  /** Of the risk test; undefined where no alpha is promised. */
  readonly evidence: number | undefined;
}

/** Failure probability of one question's bound at one station and revision, over all looks. */
export const ETA_AUDIT = 0.05;
/**
 * Of eta, what the beta-binomial sequence may spend, which serves while every part has the same pi; the rest is for
 * the bet that takes over when one has not. Shared out beforehand: which of the two is reported is decided by what
 * was seen, so that both must hold.
 */
const EQUAL_SHARE = 0.8;

/**
 * Before the first passed part of a revision.
 * @param promise the risk that is promised; null where the question is under no promise
 */
export function startAuditSequence(promise: RiskPromise | null): AuditSequence {
  return {
    totals: NO_AUDITS,
    findings: { good: 0, bad: 0, unanswered: 0 },
    pi: null,
    tally: EMPTY_TALLY,
    test: promise && { promise, state: startRiskTest() },
  };
}

/**
 * Takes the next settled parts of the revision, in the order of drawing. What waits for its answer holds up all
 * behind it, however long: to go on without it would let slow answers out of the estimate, and those may be the bad
 * ones.
 * @returns the sequence after them; cost and length do not grow with what came before
 * @throws RangeError unless 0 < piMin <= pi <= 1, or if a count or the alpha is none; the sequence given stays
 */
export function nextAuditSequence(before: AuditSequence, parts: PassedParts): AuditSequence {
  const part = auditedPartOf(parts);
  const count = parts.isDrawn ? 1 : parts.count;
  const { findings, test } = before;
  const finding = findingOf(parts);
  return {
    totals: withAuditedRun(before.totals, part, count),
    findings: finding === undefined ? findings : { ...findings, [finding]: findings[finding] + 1 },
    pi: before.pi === null || before.pi === parts.pi ? parts.pi : "unequal",
    tally: withTalliedRun(before.tally, part, count),
    test: test && { ...test, state: nextRiskTestRun(test.state, part, test.promise, count) },
  };
}

function auditedPartOf(parts: PassedParts): AuditedPart {
  const { pi, piMin } = parts;
  return { pi, piMin, drawn: parts.isDrawn, unfaithful: findingOf(parts) === "good" ? 0 : 1 };
}

/** Good is what must be shown. */
export function findingOf(parts: PassedParts): AuditFinding | undefined {
  if (!parts.isDrawn) return undefined;
  if (!parts.isAnswered) return "unanswered";
  return parts.isBad === false ? "good" : "bad";
}

/** Evidence, against the promise, that more than alpha of what passes is bad; undefined where none is promised. */
export function auditEvidence({ test }: AuditSequence): number | undefined {
  return test === null ? undefined : evidenceOf(test.state);
}

/**
 * What the audits say by now. The bound holds at every look where each part's risk given the past is at least the
 * one that is bounded, as where it stays the same; where it has risen, the bound follows.
 * @param eta failure probability over all looks, in (0, 1)
 */
export function auditReport(sequence: AuditSequence, eta = ETA_AUDIT): AuditReport {
  const { totals, findings, pi, tally } = sequence;
  const isEqual = pi !== "unequal";
  return {
    parts: totals.parts,
    drawn: totals.drawn,
    findings,
    estimate: horvitzThompson(totals),
    upperBound: isEqual
      ? betaBinomialSequence(findings.bad + findings.unanswered, totals.drawn, eta * EQUAL_SHARE).upper
      : bettingUpperBound(tally, eta * (1 - EQUAL_SHARE)),
    method: isEqual ? "beta-binomial" : "betting",
    eta,
    evidence: auditEvidence(sequence),
  };
}
