/** From what the engine says of a frame to what is written of it: the judge's decision, and the review it opens. */

import { type Decision, judge } from "../core/judge.ts";
import type { Judged } from "../core/record.ts";
import { openReview, type ReviewOptions } from "./alert.ts";
import type { Outcome } from "./ports.ts";
import { type InForce, named, type Station, type Taken } from "./station.ts";

interface DecideOptions {
  readonly nextId: () => string;
  readonly nowMs: number;
  readonly review: ReviewOptions;
}

export function decide(
  station: Station,
  inForce: InForce,
  taken: Taken,
  outcome: Outcome,
  { nextId, nowMs, review }: DecideOptions,
): Judged {
  const { rule, bundle, classes } = inForce;
  const prediction = outcome.kind === "prediction" ? outcome.prediction : undefined;
  const frame = outcome.members === undefined ? taken.frame : named(taken, outcome.members);
  const decision: Decision =
    outcome.kind === "prediction" ? judge(outcome.prediction, rule, station.monitor) : outcome;
  const opens = decision.kind === "review" && decision.reason !== "shadow" && prediction !== undefined;
  return {
    frame,
    decision,
    prediction,
    className: classes[prediction?.classIndex ?? -1],
    lambda: rule.lambda[prediction?.classIndex ?? -1] ?? Number.NaN,
    mode: rule.mode,
    revision: rule.revision,
    bundle,
    decidedAtMs: nowMs,
    review: opens
      ? openReview(
          `${station.name}-${nextId()}`,
          station.name,
          inForce,
          { frame, encoding: taken.encoding },
          decision.reason,
          prediction,
          nowMs,
          review,
        )
      : undefined,
  };
}
