/** Parts that wait for more of their frames: what is kept of them in memory, and the row that decides one. */

import type { Encoding } from "../core/frame.ts";
import { inMode, lambdasOf } from "../core/judge.ts";
import { decidePart, frameKey, leadingOf, type PartFrame, withFrame } from "../core/part.ts";
import { guardedOf, type Judged, type KeptFrame, type OpenPartRow } from "../core/record.ts";
import { draftReview, type ReviewOptions } from "./alert.ts";
import { type Auditor, auditReview, mayBeDrawn, type PartCoin, passedEntry } from "./auditor.ts";
import { CONTENT_TYPE_OF, type Station } from "./station.ts";

/** A frame of an open part, without its payload. */
interface HeldFrame extends PartFrame {
  readonly lambda: number;
  readonly correlation: Uint8Array | undefined;
  readonly receivedAtMs: number;
}

export interface OpenPart {
  readonly station: Station;
  readonly part: string;
  /** On the monotonic clock. */
  readonly dueAtMs: number;
  readonly frames: ReadonlyMap<string, HeldFrame>;
  /** The payload of the frame that leads, for its review; undefined after a restart, or where there is no room. */
  readonly picture: Picture | undefined;
  /** By which it is drawn if it passes; undefined where none is, and for a part that was open over a restart. */
  readonly coin: PartCoin | undefined;
  /** What its frames were, by their keys, where it may be drawn; one that found no room is missing. */
  readonly kept: ReadonlyMap<string, KeptFrame>;
}

interface Picture {
  readonly frame: string;
  readonly payload: Uint8Array;
  readonly encoding: Encoding;
}

function heldFrame({ frame, decision, ...judged }: Judged): HeldFrame {
  return {
    source: frame.source,
    id: frame.id,
    identified: frame.identified,
    guarded: decision.kind === "held" ? decision.would : undefined,
    prediction: judged.prediction,
    className: judged.className,
    bundle: judged.bundle,
    revision: judged.revision,
    partCount: frame.partCount,
    lambda: judged.lambda,
    correlation: frame.correlation,
    receivedAtMs: frame.receivedAtMs,
  };
}

/** The same from the ledger, after a restart. */
export function recordedFrame({ record, ...row }: OpenPartRow): HeldFrame {
  const number = (value: number | null): number => value ?? Number.NaN;
  const { confidence, score, bandLow, bandHigh, novelty } = record;
  return {
    source: record.source,
    id: record.frame,
    identified: row.identified,
    guarded: guardedOf(record.would),
    prediction:
      record.decision === "reject"
        ? undefined
        : {
            classIndex: record.classIndex ?? -1,
            confidence: number(confidence),
            score: number(score),
            bandLow: number(bandLow),
            bandHigh: number(bandHigh),
            novelty: number(novelty),
          },
    className: record.className ?? undefined,
    bundle: row.bundle,
    revision: record.revision,
    partCount: row.partCount,
    lambda: number(record.lambda),
    correlation: record.correlation ?? undefined,
    receivedAtMs: row.receivedAtMs,
  };
}

/** The part with one more of its frames, or as it is if it has that one. */
export function withJudged(part: OpenPart, judged: Judged, encoding: Encoding): OpenPart {
  const frame = heldFrame(judged);
  const frames = withFrame(part.frames, frame);
  if (frames === part.frames) return part;
  const leads = frame.guarded !== undefined && leadingOf([...frames.values()]) === frame;
  const picture = { frame: frameKey(frame), payload: judged.frame.payload, encoding };
  const { payload } = judged.frame;
  const kept = mayBeDrawn(part.coin)
    ? new Map(part.kept).set(picture.frame, { contentType: CONTENT_TYPE_OF[encoding], payload })
    : part.kept;
  return { ...part, frames, picture: leads ? picture : part.picture, kept };
}

export interface RowOptions {
  readonly nextId: () => string;
  readonly nowMs: () => number;
  readonly review: ReviewOptions;
  readonly auditor: Pick<Auditor, "coinOf"> | undefined;
}

const NO_PAYLOAD = new Uint8Array(0);

/**
 * The row that decides a part, by what is in force now.
 * @param isCut before its time
 */
export function decisionRow(
  { station, part, frames, picture, coin, kept }: OpenPart,
  isCut: boolean,
  { nextId, nowMs, review }: RowOptions,
): Judged {
  const { inForce, monitor } = station;
  const { rule, bundle, framesPerPartMax, reviewDeadlineMs } = inForce;
  const { revision, stopped, mode } = rule;
  const { guarded, leading, score, novelty, extent } = decidePart(
    [...frames.values()],
    { bundle, revision, stopped, monitor, lambda: lambdasOf(rule, monitor), framesPerPartMax },
    isCut,
  );
  const isPictured = picture?.frame === frameKey(leading);
  const decision = inMode(guarded, mode);
  const decidedAtMs = nowMs();
  const passed =
    coin !== undefined && decision.kind === "pass"
      ? passedEntry(coin, monitor, decidedAtMs, framesOf([...frames.keys()], kept))
      : undefined;
  const judged: Judged = {
    frame: {
      station: station.name,
      source: leading.source,
      id: leading.id,
      // The row is the part's: the frame has one of its own, by which it is known when it comes again.
      identified: false,
      part,
      partCount: undefined,
      contentType: undefined,
      correlation: leading.correlation,
      payload: isPictured ? picture.payload : NO_PAYLOAD,
      receivedAtMs: leading.receivedAtMs,
    },
    decision,
    prediction: leading.prediction && { ...leading.prediction, score, novelty, extent },
    className: leading.className,
    lambda: leading.lambda,
    mode,
    revision,
    bundle,
    decidedAtMs,
    review: undefined,
    part: { frames: frames.size, isOpen: false },
    passed,
  };
  const asked = auditReview(passed, coin, () => ({
    id: `${station.name}-${nextId()}`,
    deadlineAtMs: decidedAtMs + reviewDeadlineMs,
    contentType: CONTENT_TYPE_OF[picture?.encoding ?? "raw"],
  }));
  if (asked !== undefined) return { ...judged, review: asked };
  if (judged.decision.kind !== "review" || judged.decision.reason === "shadow") return judged;
  const id = `${station.name}-${nextId()}`;
  return { ...judged, review: draftReview(id, judged, picture?.encoding ?? "raw", reviewDeadlineMs, review) };
}

/** The frames of a part; none where one of them is not kept, since what is answered must be answered of the whole. */
function framesOf(keys: readonly string[], kept: ReadonlyMap<string, KeptFrame>): readonly KeptFrame[] {
  const frames = keys.flatMap((key) => kept.get(key) ?? []);
  return frames.length === keys.length ? frames : [];
}
