/** The baseline: the same certificate on plain max-softmax, without band and novelty, so that the gain is honest. */

import { softmax } from "../confidence.ts";
import { certifyCounts, sizesOf } from "./certificate.ts";
import { countPasses } from "./counts.ts";
import { cutFit, partsOf } from "./cut.ts";
import { fixFamily } from "./family.ts";
import { outcomesOf, type PartOutcomes } from "./outcomes.ts";
import type { Certificate, CertifyOptions, Evidence, FittedEnvelope } from "./types.ts";
import { finiteArgmax } from "./unfaithful.ts";

/** Certifies the score 1 - p1 with the splits, eta shares and grids that the envelope has. */
export function certifyBaseline(
  evidence: Evidence,
  fitted: FittedEnvelope,
  options: CertifyOptions,
): Certificate {
  const { seed, delta } = fitted;
  const classes = evidence.classes.length;
  const calParts = partsOf(evidence, "cal");
  const selection = baselineOutcomes(evidence, delta, cutFit(evidence, seed).c);
  const family = fixFamily(selection, { ...options, seed, classes, calParts: calParts.length });
  const cal = baselineOutcomes(evidence, delta, calParts);
  return certifyCounts(family, countPasses(cal, classes, family.lambdas), options, sizesOf(evidence));
}

/** Outcomes of the parts named when the score is 1 - p1 and nothing else is checked. */
export function baselineOutcomes(evidence: Evidence, delta: number, parts: Int32Array): PartOutcomes {
  const classes = evidence.classes.length;
  const p = new Float64Array(classes);
  return outcomesOf(evidence, parts, delta, (row) => {
    const classIndex = finiteArgmax(evidence.studentLogits, row, classes);
    if (classIndex < 0) return { classIndex, score: Number.POSITIVE_INFINITY };
    softmax(evidence.studentLogits, row, classes, 1, p);
    let score = 0;
    // Summed over the others, since 1 - p1 loses its digits where p1 is near 1.
    for (let c = 0; c < classes; c++) if (c !== classIndex) score += p[c]!;
    return { classIndex, score };
  });
}
