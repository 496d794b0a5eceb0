/** Points of the certificate's grid, the document that a choice comes to, and what it would take to put it in force. */

import type { ThresholdsStanding } from "../../../../src/http/thresholds-schemas.ts";
import type { Thresholds } from "../../../../src/thresholds/file.ts";
import type { CertificateRule, CertificateView } from "../../contract.ts";

/** What a person may change of what is in force. */
export type Wish = Partial<Pick<Thresholds, "lambda" | "classes" | "classLambdas" | "mode" | "auditRate">>;

/** The document that a change starts from; undefined where nothing was ever in force. */
export function baseOf(standing: ThresholdsStanding): Thresholds | undefined {
  return standing.base === null ? undefined : (standing.base as Thresholds);
}

export function pendingOf(standing: ThresholdsStanding): Thresholds | undefined {
  return standing.pending === null ? undefined : (standing.pending as Thresholds);
}

/** The document of an act, where it has one. */
export function documentOf(entry: ThresholdsStanding["log"][number]): Thresholds | undefined {
  return entry.document as Thresholds | undefined;
}

export interface Said {
  readonly by: string;
  readonly why: string;
  readonly at: Date;
}

/**
 * The next revision: what was in force with the wish, by this person for this reason.
 * @param isProven false where the certificate does not support it; the document has to say so itself
 */
export function nextDocument(
  base: Thresholds,
  wish: Wish & Pick<Partial<Thresholds>, "rollbackOf">,
  { by, why, at }: Said,
  revision: number,
  isProven: boolean,
): Thresholds {
  const { signatures: _s, certified: _c, rollbackOf: _r, ...rest } = base;
  return {
    ...rest,
    ...wish,
    ...{ revision, proposedBy: by, approvedBy: by, at: at.toISOString(), why },
    ...(!isProven && { certified: false }),
  };
}

/** Index of the rule that is in force, or the next stricter; -1 where nothing passes. */
export function indexInForce(rules: readonly CertificateRule[], lambda: number | null): number {
  return lambda === null ? -1 : rules.findLastIndex((rule) => rule.lambda <= lambda);
}

/** What the guard would say of a rule, as far as lambda goes. */
export type Outlook = "same" | "tighter" | "uncertified" | "looser" | "monitor" | "refused";

export function outlookOf(
  rule: CertificateRule,
  { lambda }: Pick<CertificateView, "lambda">,
  monitor: "off" | "green" | "amber" | "red",
): Outlook {
  const isTighter = lambda !== null && rule.lambda < lambda;
  if (lambda === rule.lambda) return "same";
  if (!rule.allowed) return isTighter ? "uncertified" : "refused";
  if (isTighter) return "tighter";
  return monitor === "amber" || monitor === "red" ? "monitor" : "looser";
}

/** A bound that is above what is allowed, of the station (class null) or of a class. */
export interface Shortfall {
  readonly class: string | null;
  readonly n: number;
  readonly k: number;
  readonly upperBound: number;
  readonly limit: number;
}

export function shortfallsOf(
  { station, classes }: CertificateRule,
  { alpha, alphaClass }: Pick<CertificateView, "alpha" | "alphaClass">,
): Shortfall[] {
  const all = classes
    .filter(({ upperBound }) => !(upperBound <= alphaClass))
    .map((one): Shortfall => ({ ...one, limit: alphaClass }))
    .sort((a, b) => b.upperBound - a.upperBound);
  return station.upperBound <= alpha ? all : [{ class: null, ...station, limit: alpha }, ...all];
}
