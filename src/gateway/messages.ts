/** The bodies of published decisions; numbers that are not finite are null. */

import type { DecisionRecord } from "../core/record.ts";

type DecisionFields = Pick<
  DecisionRecord,
  | "frame"
  | "part"
  | "source"
  | "station"
  | "decision"
  | "reason"
  | "would"
  | "className"
  | "classIndex"
  | "confidence"
  | "score"
  | "lambda"
  | "bandLow"
  | "bandHigh"
  | "mode"
  | "revision"
  | "frames"
>;

/**
 * A decision as consumers see it, by the MQTT contract. JSON leaves out members that are undefined: one literal of
 * one shape is written twice as fast as one that is put together.
 * @param at the time of the decision, as text
 */
export function decisionBody(d: DecisionFields, at: string) {
  return {
    frame: d.frame,
    part: d.part ?? undefined,
    frames: d.frames ?? undefined,
    source: d.source,
    station: d.station,
    decision: d.decision,
    reason: d.reason,
    would: d.would ?? undefined,
    class: d.className,
    classIndex: d.classIndex,
    confidence: d.confidence,
    score: d.score,
    lambda: d.lambda,
    band: d.bandLow === null || d.bandHigh === null ? null : [d.bandLow, d.bandHigh],
    mode: d.mode,
    revision: d.revision,
    at,
  };
}

/** RFC 3339, UTC, with milliseconds. Remembers the last time it wrote: the decisions of a batch share theirs. */
export function timeWriter(): (ms: number) => string {
  let lastMs = Number.NaN;
  let last = "";
  return (ms) => {
    if (ms !== lastMs) {
      last = new Date(ms).toISOString();
      lastMs = ms;
    }
    return last;
  };
}
