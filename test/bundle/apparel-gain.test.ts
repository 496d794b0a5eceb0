/** What the envelope gains over certified max-softmax on real evidence, cut anew twenty times. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readEvidence } from "../../src/bundle/evidence.ts";
import { baselineOutcomes, certifyBaseline } from "../../src/core/envelope/baseline.ts";
import { certify } from "../../src/core/envelope/certificate.ts";
import { partsOf } from "../../src/core/envelope/cut.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import { classLambdas } from "../../src/core/envelope/lookup.ts";
import { type PartOutcomes, partOutcomes, passingParts } from "../../src/core/envelope/outcomes.ts";
import type { Certificate, Evidence } from "../../src/core/envelope/types.ts";
import { cutSplits, SPLIT_SHARES } from "../../src/core/split.ts";

const SPLITS = 20;
const DELTA = 0.1;
const OPTIONS = { alpha: 0.01, alphaClass: 0.05, eta: 0.05, revision: 1 };
const file = join(import.meta.dirname, "../../models/apparel/evidence.sqlite");

/** Of the held-out parts: how many pass under the rule chosen, and how many of those are unfaithful. */
function passed(certificate: Certificate, heldOut: PartOutcomes): { n: number; k: number } {
  const { chosen, coarse } = certificate;
  if (chosen === null) return { n: 0, k: 0 };
  const lambda = classLambdas(certificate, chosen.chain, coarse.indexOf(chosen.lambdaIndex));
  let n = 0;
  let k = 0;
  passingParts(heldOut, lambda).forEach((passes, part) => {
    n += passes;
    k += passes * heldOut.unfaithful[part]!;
  });
  return { n, k };
}

describe("over 20 random cuts of the apparel evidence at alpha 1%, delta 0.1", () => {
  const { evidence } = readEvidence(file);
  const parts = evidence.splitOfPart.map((_, part) => String(part));
  const results = Array.from({ length: SPLITS }, (_, i) => {
    const cut: Evidence = { ...evidence, splitOfPart: cutSplits(parts, SPLIT_SHARES, 7919 * (i + 1)) };
    const fitted = fitEnvelope(cut, { delta: DELTA, seed: 1 });
    const ref = partsOf(cut, "ref");
    return {
      parts: ref.length,
      envelope: passed(certify(cut, fitted, OPTIONS), partOutcomes(cut, fitted, ref)),
      baseline: passed(certifyBaseline(cut, fitted, OPTIONS), baselineOutcomes(cut, DELTA, ref)),
    };
  });
  const total = (of: "envelope" | "baseline", count: "n" | "k"): number =>
    results.reduce((sum, result) => sum + result[of][count], 0);

  test("the envelope passes at least four points more of all held-out parts", ({ annotate }) => {
    const gains = results.map(({ envelope, baseline, parts }) => (envelope.n - baseline.n) / parts);
    const all = results.reduce((sum, { parts }) => sum + parts, 0);
    const percent = (rate: number): string => `${(100 * rate).toFixed(2)}%`;
    annotate(
      `envelope ${percent(total("envelope", "n") / all)}, max-softmax ${percent(total("baseline", "n") / all)}, ` +
        `gain: median ${percent(gains.toSorted((a, b) => a - b)[SPLITS / 2]!)}, from ${percent(Math.min(...gains))} to ${percent(Math.max(...gains))}`,
    );
    expect((total("envelope", "n") - total("baseline", "n")) / all).toBeGreaterThan(0.04);
    expect(gains.filter((gain) => gain > 0).length).toBeGreaterThanOrEqual(18);
  });

  test("of what either lets pass, at most alpha is unfaithful on the average", ({ annotate }) => {
    for (const of of ["envelope", "baseline"] as const) {
      const rate = total(of, "k") / total(of, "n");
      annotate(`${of}: ${(100 * rate).toFixed(2)}% of what passes is unfaithful`);
      expect(rate).toBeLessThanOrEqual(OPTIONS.alpha);
    }
  });
});
