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
  | "decidedAtMs"
  | "frames"
>;

/** A decision as consumers see it, by the MQTT contract. */
export function decisionBody(d: DecisionFields) {
  return {
    frame: d.frame,
    ...(d.part !== null && { part: d.part }),
    ...(d.frames !== null && { frames: d.frames }),
    source: d.source,
    station: d.station,
    decision: d.decision,
    reason: d.reason,
    ...(d.would !== null && { would: d.would }),
    class: d.className,
    classIndex: d.classIndex,
    confidence: d.confidence,
    score: d.score,
    lambda: d.lambda,
    band: d.bandLow === null || d.bandHigh === null ? null : [d.bandLow, d.bandHigh],
    mode: d.mode,
    revision: d.revision,
    at: new Date(d.decidedAtMs).toISOString(),
  };
}
