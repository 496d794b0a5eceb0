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

/** What passes, as thresholds and rules of the curve say it. */
export interface Passing {
  readonly lambda: number | null;
  readonly classes: string[];
  readonly classLambdas: Record<string, number>;
}

/** The rule as thresholds name it. */
export function passingOf({
  lambda,
  set,
  classLambdas,
}: CertificateRule): Passing & { readonly lambda: number } {
  return { lambda, classes: set, classLambdas };
}

/** Doubt up to which a class passes; -1 where it never does. */
function passesUpTo({ lambda, classes, classLambdas }: Passing, name: string): number {
  if (lambda === null || !classes.includes(name)) return -1;
  return Math.min(lambda, classLambdas[name] ?? lambda);
}

/**
 * Index of the rule that is in force, exactly or as far as lambda goes: the next stricter.
 * @returns -1 where nothing passes, or even the strictest rule is looser
 */
export function indexInForce({ rules, ...inForce }: Pick<CertificateView, "rules" | keyof Passing>): number {
  const exact = rules.findIndex((rule) => compare(inForce, passingOf(rule)) === "same");
  const { lambda } = inForce;
  return exact >= 0 || lambda === null ? exact : rules.findLastIndex((rule) => rule.lambda <= lambda);
}

function compare(before: Passing, next: Passing): "same" | "tighter" | "looser" {
  const names = [...new Set([...before.classes, ...next.classes])];
  const pairs = names.map((name) => [passesUpTo(before, name), passesUpTo(next, name)] as const);
  if (!pairs.every(([was, is]) => is <= was)) return "looser";
  return pairs.every(([was, is]) => is === was) ? "same" : "tighter";
}

/** What the guard would say of a rule. */
export type Outlook = "same" | "tighter" | "uncertified" | "looser" | "monitor" | "refused";

export function outlookOf(
  rule: CertificateRule,
  inForce: Passing,
  monitor: "off" | "green" | "amber" | "red",
): Outlook {
  const change = compare(inForce, passingOf(rule));
  if (change === "same") return "same";
  if (!rule.allowed) return change === "tighter" ? "uncertified" : "refused";
  if (change === "tighter") return "tighter";
  return monitor === "amber" || monitor === "red" ? "monitor" : "looser";
}
