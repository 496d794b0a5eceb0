/** Replay: what a rule would have decided on frames and parts whose predictions are on record. */

import {
  type GuardedDecision,
  judgeGuarded,
  lambdasOf,
  type MonitorState,
  REVIEW_REASONS,
  type Rule,
} from "./judge.ts";
import { decidePart, type PartFrame, withFrame } from "./part.ts";
import { type DecisionRecord, guardedOf } from "./record.ts";

/** A decision as the ledger has it, with what is needed to come to it again. */
export interface ReplayRow extends DecisionRecord {
  /** Digest of the bundle that judged. */
  readonly bundle: string;
  readonly identified: boolean;
  /** Whether the row is of a part that is put together. */
  readonly isOfPart: boolean;
  /** Frames that its part has, as it says. */
  readonly partCount: number | undefined;
  /** Whether a review opened with it. */
  readonly opensReview: boolean;
}

/** The rule to decide by, and the one in force, by which the monitor's state at the time is known again. */
export interface ReplayRules {
  readonly rule: Rule;
  readonly inForce: Rule;
}

/** What a frame or a part came to on its evidence, whatever the mode; undefined for a reject. */
export function guardedOfRow(row: ReplayRow): GuardedDecision | undefined {
  if (row.decision === "reject") return undefined;
  if (row.decision === "held" || row.reason === "shadow") return guardedOf(row.would);
  return guardedOf(`${row.decision}:${row.reason}`);
}

/**
 * The decision on one frame by another rule. The monitor's red, and what else was found out about the frame beside
 * its prediction, are as they were.
 */
export function replayFrame(row: ReplayRow, { rule, inForce }: ReplayRules): GuardedDecision | undefined {
  const recorded = guardedOfRow(row);
  if (recorded === undefined) return undefined;
  // That it came behind its part's decision no rule changes.
  if (recorded.reason === "late-frame") return recorded;
  const guarded = judgeGuarded(predictionOf(row), rule, monitorAt(row, recorded, inForce));
  if (guarded.kind === "review" || row.isOfPart) return guarded;
  // Of a frame that is judged without the rest of its part, only its own pass says that there was no rest.
  const mayHaveMore = recorded.reason === "part-incomplete" || row.part !== null;
  return mayHaveMore && recorded.kind !== "pass" ? { kind: "review", reason: "part-incomplete" } : guarded;
}

export interface PartReplay {
  /** Most frames that one part of the evidence had. */
  readonly framesPerPartMax: number;
  /** How long a part waits for its frames. */
  readonly windowMs: number;
}

/**
 * The decision on a part by another rule.
 * @param deciding the row that decides it
 * @param rows of its frames, in the order in which they were written
 * @returns undefined where the frames are not those by which it was decided: some are no longer on record
 */
export function replayPart(
  deciding: ReplayRow,
  rows: readonly ReplayRow[],
  rules: ReplayRules,
  { framesPerPartMax, windowMs }: PartReplay,
): GuardedDecision | undefined {
  let held: ReadonlyMap<string, PartFrame> = new Map();
  for (const row of rows) held = withFrame(held, partFrameOf(row, rules));
  const frames = [...held.values()];
  const recorded = guardedOfRow(deciding);
  if (recorded === undefined || frames.length !== deciding.frames) return undefined;
  const { bundle, revision } = deciding;
  const { stopped } = rules.rule;
  const monitor = monitorAtPart(recorded, rows);
  const lambda = lambdasOf(rules.rule, monitor);
  const isCut = wasCut(deciding, rows, recorded, windowMs);
  return decidePart(frames, { bundle, revision, stopped, monitor, lambda, framesPerPartMax }, isCut).guarded;
}

function partFrameOf(row: ReplayRow, rules: ReplayRules): PartFrame {
  return {
    source: row.source,
    id: row.frame,
    identified: row.identified,
    guarded: replayFrame(row, rules),
    prediction: row.decision === "reject" ? undefined : predictionOf(row),
    className: row.className ?? undefined,
    bundle: row.bundle,
    revision: row.revision,
    partCount: row.partCount,
  };
}

/**
 * Whether a part had to be decided before its time, which no row says: the reason does, where no other came before it;
 * else that its window was not over, where no count of its frames could have completed it.
 */
function wasCut(
  { decidedAtMs }: ReplayRow,
  rows: readonly ReplayRow[],
  recorded: GuardedDecision,
  windowMs: number,
): boolean {
  if (recorded.kind === "pass") return false;
  const hides = REVIEW_REASONS.indexOf("part-incomplete") - REVIEW_REASONS.indexOf(recorded.reason);
  if (hides <= 0) return hides === 0;
  const isCounted = rows.some(({ partCount }) => partCount !== undefined);
  return !isCounted && decidedAtMs - rows[0]!.decidedAtMs < windowMs;
}

/** No row says how the monitor stood: red does by its reason, amber by the lambda that applied. */
function monitorAt(row: ReplayRow, { reason }: GuardedDecision, inForce: Rule): MonitorState {
  if (reason === "monitor-red") return "red";
  if (row.revision !== inForce.revision) return "off";
  const applied = row.lambda ?? Number.NaN;
  const at = row.classIndex ?? -1;
  const isGreen = Object.is(applied, inForce.lambda[at] ?? Number.NaN);
  return !isGreen && Object.is(applied, inForce.lambdaAmber[at] ?? Number.NaN) ? "amber" : "off";
}

/** A part whose score was too high where none of its frames' was came to be decided in amber. */
function monitorAtPart({ reason }: GuardedDecision, rows: readonly ReplayRow[]): MonitorState {
  if (reason === "monitor-red") return "red";
  return reason === "score" && !rows.some((row) => guardedOfRow(row)?.reason === "score") ? "amber" : "off";
}

function predictionOf({ classIndex, confidence, score, bandLow, bandHigh, novelty }: ReplayRow) {
  const number = (value: number | null): number => value ?? Number.NaN;
  return {
    classIndex: classIndex ?? -1,
    confidence: number(confidence),
    score: number(score),
    bandLow: number(bandLow),
    bandHigh: number(bandHigh),
    novelty: number(novelty),
  };
}
