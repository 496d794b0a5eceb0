/** From what the engine says of a frame to what is written of it: the judge's decision, and the review it opens. */

import { type Decision, inMode, judgeGuarded } from "../core/judge.ts";
import type { Judged, PartEntry } from "../core/record.ts";
import { draftReview, type ReviewOptions } from "./alert.ts";
import { type Auditor, auditReview, passedEntry } from "./auditor.ts";
import type { Outcome } from "./ports.ts";
import { CONTENT_TYPE_OF, type InForce, named, type Station, type Taken } from "./station.ts";

const WAITING: PartEntry = { frames: undefined, isOpen: true };

interface DecideOptions {
  readonly nextId: () => string;
  readonly nowMs: number;
  readonly review: ReviewOptions;
  /** Undefined where no passed part is drawn. */
  readonly auditor: Pick<Auditor, "coinOf"> | undefined;
}

export function decide(
  station: Station,
  inForce: InForce,
  taken: Taken,
  outcome: Outcome,
  { nextId, nowMs, review, auditor }: DecideOptions,
): Judged {
  const { rule, bundle, classes, reviewDeadlineMs } = inForce;
  const frame = outcome.members === undefined ? taken.frame : named(taken, outcome.members);
  const prediction = outcome.kind === "prediction" ? outcome.prediction : undefined;
  const decision = decisionOn(station, inForce, frame, outcome);
  // Fixed by the frame alone, whatever has been decided on it.
  const coin = decision.kind === "pass" ? auditor?.coinOf(station.name, inForce, frame) : undefined;
  const passed = coin && passedEntry(coin, station.monitor, nowMs, undefined);
  const isOfPart = frame.part !== undefined && station.parts !== undefined;
  const judged: Judged = {
    frame,
    decision,
    prediction,
    className: classes[prediction?.classIndex ?? -1],
    lambda: rule.lambda[prediction?.classIndex ?? -1] ?? Number.NaN,
    mode: rule.mode,
    revision: rule.revision,
    bundle,
    decidedAtMs: nowMs,
    review: undefined,
    part: isOfPart ? WAITING : undefined,
    passed,
  };
  const asked = auditReview(passed, coin, () => ({
    id: `${station.name}-${nextId()}`,
    deadlineAtMs: nowMs + reviewDeadlineMs,
    contentType: CONTENT_TYPE_OF[taken.encoding],
  }));
  if (asked !== undefined) return { ...judged, review: asked };
  if (isOfPart || decision.kind !== "review" || decision.reason === "shadow") return judged;
  const id = `${station.name}-${nextId()}`;
  return { ...judged, review: draftReview(id, judged, taken.encoding, reviewDeadlineMs, review) };
}

function decisionOn(
  { parts, monitor }: Station,
  { rule }: InForce,
  { part, partCount }: Judged["frame"],
  outcome: Outcome,
): Decision {
  if (outcome.kind === "reject") return { kind: "reject", reason: outcome.reason };
  const guarded = judgeGuarded(outcome.prediction, rule, monitor);
  if (part !== undefined && parts !== undefined) return { kind: "held", reason: "part-open", would: guarded };
  const mayPass = guarded.kind === "review" || isAlone(part, partCount);
  return inMode(mayPass ? guarded : { kind: "review", reason: "part-incomplete" }, rule.mode);
}

/**
 * Whether a frame that is put together with no others is all of its part. One is not that says there are more, be it
 * that its part's name cannot be used, or that other gateways may have got them.
 */
function isAlone(part: string | undefined, partCount: number | undefined): boolean {
  return partCount === 1 || (part === undefined && partCount === undefined);
}
