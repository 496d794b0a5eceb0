/** The certificate: counts on cal under a family that was fixed without it, and the exact bounds they prove. */

import { binomialLowerTail } from "../statistics/binomial.ts";
import { countPasses, type PassCounts, sumOver } from "./counts.ts";
import { cutFit, framesByPart, partsOf } from "./cut.ts";
import { etaShares } from "./eta.ts";
import { fineLimits, fixFamily } from "./family.ts";
import { boundsAt } from "./lookup.ts";
import { type PartOutcomes, partOutcomes } from "./outcomes.ts";
import { tablesOf } from "./tables.ts";
import type {
  Certificate,
  CertifyOptions,
  ChosenRule,
  Evidence,
  Family,
  FittedEnvelope,
  Walk,
} from "./types.ts";

/** What is counted of the evidence as a whole. */
export type Sizes = Pick<Certificate, "parts" | "framesPerPartMax">;

/**
 * Certifies a fitted envelope on the cal parts of the evidence it was fitted on.
 * @returns the certificate; its promises hold together with probability at least 1 - eta over the draw of cal,
 *   if the parts of cal are independent draws of what will be judged and no other revision has seen them
 * @throws RangeError if an option is outside its range
 */
export function certify(evidence: Evidence, fitted: FittedEnvelope, options: CertifyOptions): Certificate {
  const calParts = partsOf(evidence, "cal");
  const family = familyOf(evidence, fitted, calParts.length, options);
  // From here on cal is looked at, and nothing of the family changes.
  const counts = countPasses(
    partOutcomes(evidence, fitted, calParts),
    evidence.classes.length,
    family.lambdas,
  );
  return certifyCounts(family, counts, options, sizesOf(evidence));
}

/** The family of rules for this evidence; of cal it is told the number of parts, and nothing else. */
export function familyOf(
  evidence: Evidence,
  fitted: FittedEnvelope,
  calParts: number,
  options: CertifyOptions,
): Family {
  const selection: PartOutcomes = partOutcomes(evidence, fitted, cutFit(evidence, fitted.seed).c);
  return fixFamily(selection, { ...options, seed: fitted.seed, classes: evidence.classes.length, calParts });
}

/**
 * The certificate of a family from what was counted on cal.
 * @param counts of parts of cal, each counted once
 */
export function certifyCounts(
  family: Family,
  counts: PassCounts,
  options: CertifyOptions,
  sizes: Sizes,
): Certificate {
  const { alpha, alphaClass, eta, revision } = options;
  for (const [name, rate] of Object.entries({ alpha, alphaClass })) {
    if (!(rate > 0 && rate < 1)) throw new RangeError(`${name} lies in (0, 1), got ${rate}`);
  }
  const sets = fineLimits(family);
  const shares = etaShares(eta, revision, counts.classes, sets.length);
  const unchosen: Certificate = {
    ...family,
    revision,
    eta: shares.total,
    etaTarget: eta,
    alpha,
    alphaClass,
    walk: sets.map((set, m) => walkOver(family, counts, set, family.start[m]!, alpha, shares.walk[m]!)),
    classWalk: family.classStart.map((start, c) => {
      const alone = family.classStart.map((_, other) => (other === c ? family.lambdas.length - 1 : -1));
      return walkOver(family, counts, alone, start, alphaClass, shares.classWalk);
    }),
    ...tablesOf(family, counts, shares.cell),
    stationCellEta: shares.cell,
    classCellEta: shares.cell,
    chosen: null,
    ...sizes,
  };
  return { ...unchosen, chosen: choose(unchosen) };
}

/** Fixed-sequence test from the strictest lambda to looser ones, stopping at the first that fails. */
function walkOver(
  family: Family,
  counts: PassCounts,
  limit: readonly number[],
  start: number,
  alpha: number,
  eta: number,
): Walk {
  let certifiedTo = -1;
  let last: Walk["last"] = null;
  for (let lambdaIndex = start; lambdaIndex < family.lambdas.length; lambdaIndex++) {
    const n = sumOver(counts, "n", limit, lambdaIndex);
    const k = sumOver(counts, "k", limit, lambdaIndex);
    const p = binomialLowerTail(k, n, alpha);
    last = { lambdaIndex, n, k, p };
    if (!(p <= eta)) break;
    certifiedTo = lambdaIndex;
  }
  return { certifiedTo, eta, last };
}

/** Of all rules whose bounds hold, the one that fit expects to pass most. */
function choose(certificate: Certificate): ChosenRule | null {
  let chosen: ChosenRule | null = null;
  certificate.expectedPassRate.forEach((rates, chain) => {
    rates.forEach((expectedPassRate, coarseIndex) => {
      if (chosen !== null && !(expectedPassRate > chosen.expectedPassRate)) return;
      const { holds, lambda } = boundsAt(certificate, chain, coarseIndex);
      if (holds) chosen = { chain, lambdaIndex: certificate.coarse[coarseIndex]!, lambda, expectedPassRate };
    });
  });
  return chosen;
}

/** How many parts of each split the evidence has, and how many frames a part of cal at most. */
export function sizesOf(evidence: Evidence): Sizes {
  const count = { fit: 0, cal: 0, ref: 0 };
  for (const split of evidence.splitOfPart) count[split]++;
  const { start } = framesByPart(evidence);
  let framesPerPartMax = 0;
  for (const part of partsOf(evidence, "cal")) {
    framesPerPartMax = Math.max(framesPerPartMax, start[part + 1]! - start[part]!);
  }
  return { parts: count, framesPerPartMax };
}
