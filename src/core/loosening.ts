/** What a change of thresholds lets pass, or promises, that was not so before. */

import type { Proposal } from "./guard.ts";
import type { Mode } from "./judge.ts";

/** All of a revision of thresholds that bears on what passes and on what is promised of it. */
export interface Revision extends Proposal {
  readonly revision: number;
  readonly mode: Mode;
  /** SHA-256 of the envelope.json it is for. */
  readonly envelope: string;
  /** Share of passed parts that are audited, in [0, 1]. */
  readonly auditRate: number;
  /** How long an audit may wait for its answers. */
  readonly auditDeadlineSeconds: number;
}

/** Lambda up to which a class passes; -1 where it never does. */
export function lambdaOf({ lambda, classes, classLambdas }: Proposal, classIndex: number): number {
  if (lambda === null || !classes.includes(classIndex)) return -1;
  return Math.min(lambda, classLambdas.get(classIndex) ?? lambda);
}

/** Whether everything goes to a person. */
export function isStop({ lambda }: Proposal): boolean {
  return lambda === null;
}

/**
 * In what `next` is looser than `before`; none where it only tightens. Written so that a number that cannot be
 * compared counts as looser.
 * @param classNames names of the classes [K], the same for both
 */
export function loosenings(before: Revision, next: Revision, classNames: readonly string[]): string[] {
  const found: string[] = [];
  classNames.forEach((name, c) => {
    const [was, is] = [lambdaOf(before, c), lambdaOf(next, c)];
    if (!(is <= was))
      found.push(`${name} passes up to ${is}, ${was < 0 ? "was always reviewed" : `was ${was}`}`);
  });
  for (const name of ["alpha", "alphaClass", "eta"] as const) {
    if (!(next[name] <= before[name])) found.push(`${name} ${next[name]}, was ${before[name]}`);
  }
  if (next.mode !== "shadow" && before.mode === "shadow") found.push(`mode ${next.mode}, was shadow`);
  if (!(next.auditRate >= before.auditRate)) {
    found.push(`audit rate ${next.auditRate}, was ${before.auditRate}`);
  }
  // Where nothing was audited, no answer is waited for longer than before.
  if (before.auditRate > 0 && !(next.auditDeadlineSeconds <= before.auditDeadlineSeconds)) {
    found.push(
      `audits wait ${next.auditDeadlineSeconds} s for their answers, was ${before.auditDeadlineSeconds} s`,
    );
  }
  return found;
}

/** What `next` promises beyond `before`: nothing that anybody may do to what passes makes that true. */
export function strongerPromises(before: Revision, next: Revision): string[] {
  return (["alpha", "alphaClass", "eta"] as const)
    .filter((name) => !(next[name] >= before[name]))
    .map((name) => `${name} ${next[name]}, was ${before[name]}`);
}
