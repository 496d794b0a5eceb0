/** What of a thresholds document the guard judges, with classes by their index. */

import type { Proposal } from "../core/guard.ts";
import type { Revision } from "../core/loosening.ts";
import { AUDIT_DEADLINE_SECONDS, type Thresholds } from "./file.ts";

/** @param classNames of the bundle; a class that it does not have becomes -1 */
export function proposalOf(thresholds: Thresholds, classNames: readonly string[]): Proposal {
  const { alpha, alphaClass, eta, lambda, classes, classLambdas } = thresholds;
  const indexOf = (name: string): number => classNames.indexOf(name);
  return {
    ...{ alpha, alphaClass, eta, lambda },
    classes: classes.map(indexOf),
    classLambdas: new Map(Object.entries(classLambdas).map(([name, own]) => [indexOf(name), own])),
  };
}

export function revisionOf(thresholds: Thresholds, classNames: readonly string[]): Revision {
  const { revision, envelope, mode, auditRate = 0 } = thresholds;
  const { auditDeadlineSeconds = AUDIT_DEADLINE_SECONDS } = thresholds;
  return {
    ...proposalOf(thresholds, classNames),
    ...{ revision, envelope, mode, auditRate, auditDeadlineSeconds },
  };
}
