/** The first thresholds of a station: the rule that the certificate chose. */

import type { Envelope } from "../bundle/envelope-file.ts";
import { classLambdas } from "../core/envelope/lookup.ts";
import type { Thresholds } from "../thresholds/file.ts";

/** Where nothing is certified, everything goes to a person. */
export function thresholdsFor(
  station: string,
  envelopeSha256: string,
  { fitted, certificate }: Envelope,
  at: Date,
): Thresholds {
  const { chosen, coarse, alpha, alphaClass, etaTarget } = certificate;
  const lambdas =
    chosen === null ? [] : [...classLambdas(certificate, chosen.chain, coarse.indexOf(chosen.lambdaIndex))];
  const passing = fitted.classes.map((name, c) => ({ name, lambda: lambdas[c] ?? Number.NaN }));
  const certified = passing.filter(({ lambda }) => !Number.isNaN(lambda));
  const stricter = certified.filter(({ lambda }) => lambda !== chosen?.lambda);
  return {
    schema: "sekisho.thresholds/1",
    station,
    revision: 1,
    envelope: envelopeSha256,
    mode: "guarded",
    alpha,
    alphaClass,
    eta: etaTarget,
    lambda: chosen?.lambda ?? null,
    classes: certified.map(({ name }) => name),
    classLambdas: Object.fromEntries(stricter.map(({ name, lambda }) => [name, lambda])),
    reviewDeadlineSeconds: 900,
    proposedBy: "sekisho certify",
    approvedBy: "sekisho certify",
    at: at.toISOString(),
    why:
      chosen === null
        ? "nothing is certified: everything goes to a person"
        : "the rule that the certificate chose",
  };
}
