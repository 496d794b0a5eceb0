/** Builders of the things that tests speak of; each says only what it is about. */

import type { KnownFrame, PassedEntry } from "../../src/core/audit.ts";
import type { Frame } from "../../src/core/frame.ts";
import { type Decision, FAITHFUL, type Prediction, type Rule } from "../../src/core/judge.ts";
import type { Judged, KeptFrame } from "../../src/core/record.ts";

export function aFrame(is: Partial<Frame> = {}): Frame {
  return {
    station: "press",
    source: "cam-1",
    id: "frame-1",
    identified: true,
    part: undefined,
    partCount: undefined,
    contentType: undefined,
    correlation: undefined,
    payload: new Uint8Array(4),
    receivedAtMs: 0,
    ...is,
  };
}

/** A prediction that passes `aRule`. */
export function aPrediction(is: Partial<Prediction> = {}): Prediction {
  return { classIndex: 0, confidence: 0.9, score: 0.1, bandLow: 0.85, bandHigh: 0.95, novelty: 1, ...is };
}

/** Two classes; the first may pass up to a score of 0.2, the second is always reviewed. */
export function aRule(is: Partial<Rule> = {}): Rule {
  return {
    mode: "guarded",
    revision: 1,
    delta: 0.1,
    lambda: Float64Array.of(0.2, Number.NaN),
    noveltyMax: Float64Array.of(2, 2),
    stopped: false,
    ...is,
  };
}

export interface JudgedSketch {
  readonly id?: string;
  readonly identified?: boolean;
  readonly station?: string;
  readonly source?: string;
  readonly score?: number;
  readonly correlation?: Uint8Array;
  readonly decidedAtMs?: number;
  /** Id of the review that opens. */
  readonly review?: string | undefined;
  /** Without an alert of its own. */
  readonly held?: boolean;
  readonly lead?: string;
  readonly priority?: number;
  /** Of the frame that is kept; a PNG where left out. */
  readonly contentType?: string;
  readonly part?: string;
  readonly partCount?: number;
  /** Frames by which its part is decided: the row is the part's. Without, a part's frame is held. */
  readonly frames?: number;
  /** It passed where parts are drawn, with this probability; with a review, it was drawn. */
  readonly pi?: number;
  readonly piMin?: number;
  /** Asked about with the review, in the part's name. */
  readonly known?: KnownFrame;
  readonly auditDeadlineAtMs?: number;
  readonly auditFrames?: readonly KeptFrame[];
  readonly revision?: number;
  readonly className?: string;
  readonly lambda?: number;
  readonly prediction?: Partial<Prediction>;
}

function decisionOf({ review, part, frames, pi }: JudgedSketch): Decision {
  if (pi !== undefined) return FAITHFUL;
  if (review !== undefined) return { kind: "review", reason: "score" };
  if (part !== undefined && frames === undefined)
    return { kind: "held", reason: "part-open", would: FAITHFUL };
  return FAITHFUL;
}

export function aJudged(is: JudgedSketch = {}): Judged {
  const { review, score = 0.1, decidedAtMs = 1000 } = is;
  return {
    frame: aFrame({
      id: is.id ?? "frame-1",
      identified: is.identified ?? true,
      station: is.station ?? "press",
      source: is.source ?? "cam-1",
      correlation: is.correlation,
      part: is.part,
      partCount: is.partCount,
    }),
    ...(is.part !== undefined && { part: { frames: is.frames, isOpen: is.frames === undefined } }),
    decision: decisionOf(is),
    prediction: aPrediction({ score, ...is.prediction }),
    className: is.className ?? "good",
    lambda: is.lambda ?? 0.2,
    mode: "guarded",
    revision: is.revision ?? 1,
    bundle: "b".repeat(64),
    decidedAtMs,
    ...(is.pi !== undefined && { passed: passedOf(is, is.pi, decidedAtMs) }),
    review:
      review === undefined
        ? undefined
        : {
            id: review,
            deadlineAtMs: decidedAtMs + 1,
            priority: is.priority ?? 1,
            alert: is.held === true ? undefined : JSON.stringify({ review }),
            lead: is.lead,
            contentType: is.contentType ?? "image/png",
          },
  };
}

function passedOf(is: JudgedSketch, pi: number, decidedAtMs: number): PassedEntry {
  const { review, piMin = pi, auditDeadlineAtMs = decidedAtMs + 60_000, auditFrames } = is;
  const audit = { deadlineAtMs: auditDeadlineAtMs, frames: auditFrames };
  const isDrawn = review !== undefined && is.known === undefined;
  return { pi, piMin, known: is.known, audit: isDrawn ? audit : undefined };
}
