/** Parts: from the frames that show one physical thing to the one decision on it. */

import { type Extent, extentOfAll } from "./extent.ts";
import { NO_PART_COUNT } from "./frame.ts";
import {
  FAITHFUL,
  type GuardedDecision,
  type MonitorState,
  type Prediction,
  REVIEW_REASONS,
  type ReviewReason,
} from "./judge.ts";

/** What a part's decision needs of each of its frames. */
export interface PartFrame {
  readonly source: string;
  readonly id: string;
  readonly identified: boolean;
  /** What the frame came to on its own evidence; undefined where it could not be judged. */
  readonly guarded: GuardedDecision | undefined;
  readonly prediction: Prediction | undefined;
  readonly className: string | undefined;
  /** Digest of the bundle, and revision of the thresholds, that judged it. */
  readonly bundle: string;
  readonly revision: number;
  /** Frames that the part has, as this one says; NO_PART_COUNT where it says nonsense. */
  readonly partCount: number | undefined;
}

/** What is in force when the part is decided. */
export interface PartRule {
  readonly bundle: string;
  readonly revision: number;
  readonly stopped: boolean;
  readonly monitor: MonitorState;
  /** Score threshold of each class, as the monitor leaves it. */
  readonly lambda: ArrayLike<number>;
  /** Most frames that one part of the evidence had: the certificate says nothing of parts with more. */
  readonly framesPerPartMax: number;
}

export interface PartDecision<F extends PartFrame> {
  readonly guarded: GuardedDecision;
  /** The frame by which it was decided: the worst. */
  readonly leading: F;
  /** The largest of its frames'; NaN where one has none. */
  readonly score: number;
  readonly novelty: number;
  /** Undefined where a frame's is not known: it could not be judged, or was judged before a restart. */
  readonly extent: Extent | undefined;
}

/** The same for a frame that is delivered again. */
export function frameKey({ source, id }: Pick<PartFrame, "source" | "id">): string {
  return `${source}\0${id}`; // No id has a control character.
}

/** The frames with another. One that is known already stays as it is, unless it passed and now does not. */
export function withFrame<F extends PartFrame>(
  frames: ReadonlyMap<string, F>,
  frame: F,
): ReadonlyMap<string, F> {
  const key = frameKey(frame);
  const known = frames.get(key);
  const isWorse = known?.guarded?.kind === "pass" && frame.guarded?.kind !== "pass";
  return known !== undefined && !isWorse ? frames : new Map(frames).set(key, frame);
}

/** The frame by which a part of these frames is decided, and which a person is shown. */
export function leadingOf<F extends PartFrame>(frames: readonly F[]): F {
  return frames.reduce((first, frame) => (leads(frame, first) ? frame : first));
}

/** Whether a part is to be decided now: all its frames are there, or so many that what else comes cannot help. */
export function isComplete(frames: readonly PartFrame[], framesPerPartMax: number): boolean {
  if (!(frames.length <= framesPerPartMax)) return true;
  const counts = countsOf(frames);
  return counts.size > 0 && frames.length >= Math.max(...counts);
}

/**
 * The decision on a part. Total but for a part without frames; the order of the frames makes no difference. It passes
 * only if every frame passes, as one class that all agree on, and all are there; else the first reason applies, in the
 * order of REVIEW_REASONS.
 * @param isCut the part had to be decided before its time
 */
export function decidePart<F extends PartFrame>(
  frames: readonly F[],
  rule: PartRule,
  isCut: boolean,
): PartDecision<F> {
  if (frames.length === 0) throw new RangeError("a part has at least one frame, found none");
  const leading = leadingOf(frames);
  const score = largest(frames, "score");
  const extent = extentOfAll(frames.map(({ prediction }) => prediction?.extent));
  const worst = { leading, score, novelty: largest(frames, "novelty"), extent };
  const found = new Set([
    ...frames.flatMap((frame) => reasonsOf(frame, rule)),
    ...reasonsOfAll(frames, rule),
  ]);
  if (isCut) found.add("part-incomplete");
  const reason = REVIEW_REASONS.find((one) => found.has(one));
  if (reason !== undefined) {
    return { guarded: { kind: "review", reason }, ...worst };
  }
  // Test the positive, so that NaN fails safe.
  const passes = Number.isFinite(score) && frames.every(({ guarded }) => guarded?.kind === "pass");
  return { guarded: passes ? FAITHFUL : { kind: "review", reason: "not-finite" }, ...worst };
}

/** NaN where a frame has none, or no frame could be judged. */
function largest(frames: readonly PartFrame[], of: "score" | "novelty"): number {
  const found = frames.flatMap(({ prediction }) => (prediction === undefined ? [] : [prediction[of]]));
  return found.length === 0 ? Number.NaN : Math.max(...found);
}

function reasonsOf(
  { guarded, prediction, identified, bundle, revision }: PartFrame,
  rule: PartRule,
): ReviewReason[] {
  const reasons: ReviewReason[] = [];
  if (guarded === undefined) reasons.push("frame-rejected");
  else if (guarded.kind === "review") reasons.push(guarded.reason);
  // It may have passed before the monitor turned amber.
  if (guarded?.kind === "pass" && isAbove(prediction, rule)) reasons.push("score");
  // It may be one that came before and was delivered again.
  if (!identified) reasons.push("frame-without-id");
  // One certificate speaks of a part, or none.
  if (!(bundle === rule.bundle && revision === rule.revision)) reasons.push("rule-changed");
  return reasons;
}

/** A score that is no number has a reason of its own. */
function isAbove(prediction: Prediction | undefined, { lambda }: PartRule): boolean {
  if (prediction === undefined || Number.isNaN(prediction.score)) return false;
  return !(prediction.score <= (lambda[prediction.classIndex] ?? Number.NaN));
}

function reasonsOfAll(frames: readonly PartFrame[], rule: PartRule): ReviewReason[] {
  const reasons: ReviewReason[] = [];
  if (rule.stopped) reasons.push("stopped");
  if (rule.monitor === "red") reasons.push("monitor-red");
  const counts = countsOf(frames);
  const [count = frames.length] = counts;
  if (counts.size > 1 || count === NO_PART_COUNT || frames.length > count)
    reasons.push("part-count-conflict");
  if (frames.length < Math.max(count, ...counts)) reasons.push("part-incomplete");
  if (!(frames.length <= rule.framesPerPartMax)) reasons.push("too-many-frames");
  const [{ className } = { className: undefined }] = frames;
  const agree = className !== undefined && frames.every((frame) => frame.className === className);
  if (!agree) reasons.push("classes-disagree");
  return reasons;
}

function countsOf(frames: readonly PartFrame[]): ReadonlySet<number> {
  return new Set(frames.flatMap(({ partCount }) => (partCount === undefined ? [] : [partCount])));
}

/** Whether a frame stands before another: by its own reason, then by its score, where none is the largest. */
function leads(frame: PartFrame, other: PartFrame): boolean {
  const [rank, otherRank] = [rankOf(frame), rankOf(other)];
  if (rank !== otherRank) return rank < otherRank;
  const [score, otherScore] = [scoreRank(frame), scoreRank(other)];
  if (score !== otherScore) return score > otherScore;
  return frameKey(frame) < frameKey(other);
}

/** Frames that cannot be judged come last: there is nothing on them to decide by. */
function rankOf({ guarded }: PartFrame): number {
  if (guarded === undefined) return REVIEW_REASONS.length + 1;
  return guarded.kind === "review" ? REVIEW_REASONS.indexOf(guarded.reason) : REVIEW_REASONS.length;
}

function scoreRank({ prediction }: PartFrame): number {
  const score = prediction?.score ?? Number.NaN;
  return Number.isNaN(score) ? Number.POSITIVE_INFINITY : score;
}
