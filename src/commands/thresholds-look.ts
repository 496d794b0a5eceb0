/** One look at a document of thresholds, without its history: who answers for it, and what the certificate says. */

import type { Envelope } from "../bundle/envelope-file.ts";
import { type Support, supportOf } from "../core/guard.ts";
import type { Rule } from "../core/judge.ts";
import type { Revision } from "../core/loosening.ts";
import type { Locate, Problem } from "../schema/document.ts";
import type { Thresholds } from "../thresholds/file.ts";
import { revisionOf } from "../thresholds/proposal.ts";
import { answeringFor } from "../thresholds/signed.ts";
import type { Trust } from "./trust.ts";

/** What thresholds are looked up in. */
export interface Place {
  readonly name: string;
  readonly envelope: Envelope;
  readonly envelopeSha256: string;
  readonly trust: Trust | undefined;
}

/** Thresholds that could judge, as far as one look can tell. */
export interface Looked {
  readonly thresholds: Thresholds;
  readonly revision: Revision;
  readonly persons: readonly string[];
  /** False: nothing is proven of it, and no bound may be published. */
  readonly certified: boolean;
  readonly support: Extract<Support, { supported: true }>;
  readonly rule: Rule;
}

export type Look =
  | { readonly ok: true; readonly looked: Looked }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Looks at a document. That it is stricter than what was in force, where it says that it is not certified, is for
 * its history to show.
 */
export function lookAt(thresholds: Thresholds, place: Place, locate: Locate): Look {
  const problems: Problem[] = [];
  const { name, envelope, envelopeSha256, trust } = place;
  const names = envelope.fitted.classes;
  if (thresholds.station !== name) {
    const message = `station: these thresholds are for "${thresholds.station}", not for "${name}"`;
    problems.push(locate(["station"], message));
  }
  if (thresholds.envelope !== envelopeSha256) {
    const message = `envelope: these thresholds are for envelope ${thresholds.envelope}, the bundle's is ${envelopeSha256}; certify again with --thresholds, or put the right envelope back`;
    return { ok: false, problems: [...problems, locate(["envelope"], message)] };
  }
  for (const [i, one] of thresholds.classes.entries()) {
    if (!names.includes(one))
      problems.push(
        locate(["classes", i], `classes: the bundle has no class "${one}"; it has ${names.join(", ")}`),
      );
  }
  for (const one of Object.keys(thresholds.classLambdas)) {
    if (!names.includes(one))
      problems.push(locate(["classLambdas", one], `classLambdas: the bundle has no class "${one}"`));
  }
  const answering = answeringFor(thresholds, trust?.keys);
  if (!answering.ok) problems.push(locate(["signatures"], `signatures: ${answering.reason}`));
  if (problems.length > 0 || !answering.ok) return { ok: false, problems };

  const revision = revisionOf(thresholds, names);
  const support = supportOf(revision, envelope.certificate, names);
  const lambda = support.lambda;
  const mayBeUncertified = thresholds.certified === false && lambda !== undefined;
  if (!support.supported && !mayBeUncertified) {
    const reasons = support.reasons.map((reason) =>
      locate(["lambda"], `the evidence does not support these thresholds: ${reason}`),
    );
    return { ok: false, problems: reasons };
  }
  const bounds: Looked["support"] = support.supported
    ? support
    : // In amber the strictest that is proven judges, and here nothing is.
      {
        supported: true,
        station: undefined,
        classes: [],
        lambda: lambda!,
        lambdaAmber: nothingPasses(names),
      };
  const rule = ruleOf(thresholds, envelope, bounds);
  const { persons } = answering;
  return {
    ok: true,
    looked: { thresholds, revision, persons, certified: support.supported, support: bounds, rule },
  };
}

/** What judges where no thresholds may: everything goes to a person, under a revision that no file can have. */
export function everythingReviewed(
  { name, envelope, envelopeSha256 }: Place,
  why: string,
  at: string,
): Looked {
  const { certificate, fitted } = envelope;
  const thresholds: Thresholds = {
    ...{ schema: "sekisho.thresholds/1", station: name, revision: 0, envelope: envelopeSha256 },
    ...{ mode: "guarded", alpha: certificate.alpha, alphaClass: certificate.alphaClass },
    ...{ eta: certificate.etaTarget, lambda: null, classes: [], classLambdas: {} },
    ...{ reviewDeadlineSeconds: 900, proposedBy: "sekisho", approvedBy: "sekisho", at, why },
  };
  const lambda = nothingPasses(fitted.classes);
  const support: Looked["support"] = {
    ...{ supported: true, station: undefined, classes: [], lambda, lambdaAmber: lambda },
  };
  return {
    thresholds,
    revision: revisionOf(thresholds, fitted.classes),
    persons: [],
    certified: true,
    support,
    rule: { ...ruleOf(thresholds, envelope, support), stopped: true },
  };
}

function nothingPasses(classes: readonly string[]): Float64Array {
  return new Float64Array(classes.length).fill(Number.NaN);
}

/** The rule that thresholds come to with an envelope, whoever answers for them; or why they come to none. */
export function ruleFor(thresholds: Thresholds, envelope: Envelope): Rule | string {
  const { station: name, envelope: envelopeSha256 } = thresholds;
  const locate: Locate = (_, message) => ({ file: "", line: 1, column: 1, message });
  const look = lookAt(thresholds, { name, envelope, envelopeSha256, trust: undefined }, locate);
  return look.ok ? look.looked.rule : look.problems.map(({ message }) => message).join("; ");
}

function ruleOf(
  { mode, revision, lambda: asked }: Thresholds,
  { fitted }: Envelope,
  { lambda, lambdaAmber }: Looked["support"],
): Rule {
  return {
    mode,
    revision,
    delta: fitted.delta,
    lambda,
    lambdaAmber,
    noveltyMax: Float64Array.from(fitted.noveltyMax),
    stopped: asked === null,
  };
}
