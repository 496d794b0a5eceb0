/**
 * What a batch does to the parts: planned right before its commit, from what has been committed, and put into memory
 * only after it. Two batches under way cannot complete a part by frames that never reach the disk.
 */

import type { Encoding } from "../core/frame.ts";
import { inMode } from "../core/judge.ts";
import { frameKey, isComplete } from "../core/part.ts";
import type { Judged, PartStanding } from "../core/record.ts";
import { draftReview } from "./alert.ts";
import { decisionRow, type OpenPart, type RowOptions, withJudged } from "./open-part.ts";
import type { Ledger } from "./ports.ts";
import type { Station } from "./station.ts";

/** Parts whose time is over that one commit decides, so that thousands after a long outage do not hold up frames. */
const DECIDED_AT_ONCE_MAX = 256;

/** Open parts of each station, by part id, in the order in which they were opened and are over. */
type OpenParts = ReadonlyMap<string, ReadonlyMap<string, OpenPart>>;

export interface PlanOptions extends RowOptions {
  readonly open: OpenParts;
  readonly stations: ReadonlyMap<string, Station>;
  readonly ledger: Pick<Ledger, "isRecorded" | "partStanding">;
  readonly monotonicMs: () => number;
}

export interface Plan {
  /** The batch's own rows in their order; behind them those that are of parts. */
  readonly rows: readonly Judged[];
  /** Parts as they are once the rows are committed. */
  readonly after: readonly OpenPart[];
  readonly decided: readonly OpenPart[];
  /** Those of them that had to make room. */
  readonly cut: ReadonlySet<OpenPart>;
}

/** @param encodingOf how the payload of each row of the batch is to be read */
export function planParts(
  batch: readonly Judged[],
  encodingOf: (index: number) => Encoding,
  options: PlanOptions,
): Plan {
  const { rows, behind, touched } = assign(batch, encodingOf, options);
  const { decided, cut, after } = sortOut(touched, options);
  const decisions = decided.map((part) => decisionRow(part, cut.has(part), options));
  return { rows: [...rows, ...behind, ...decisions], after, decided, cut };
}

/** Gives each frame to its part, or what is due to a frame that comes late. */
function assign(batch: readonly Judged[], encodingOf: (index: number) => Encoding, options: PlanOptions) {
  const { open, stations, ledger } = options;
  const touched = new Map<string, OpenPart>();
  const seen = new Set<string>();
  const reviewed = new Set<string>();
  const behind: Judged[] = [];

  const assigned = (judged: Judged, i: number): Judged => {
    const { frame, decidedAtMs } = judged;
    const isSeen = sees(judged, seen);
    // The ledger writes nothing of a frame that it has: nothing of it may be counted either.
    if (judged.part === undefined || isSeen || ledger.isRecorded(judged)) return judged;
    const [station, part, encoding] = [stations.get(frame.station)!, frame.part!, encodingOf(i)];
    const key = partKey(station.name, part);
    const known = touched.get(key) ?? open.get(station.name)!.get(part);
    const standing = known === undefined ? ledger.partStanding(station.name, part, decidedAtMs) : undefined;
    if (standing === undefined) {
      touched.set(key, withJudged(known ?? opened(station, part, judged, options), judged, encoding));
      return judged;
    }
    const isAlready = isReviewed(standing) || reviewed.has(key);
    const [row, ...rest] = lateRows(judged, station, encoding, isAlready, options);
    if ([row, ...rest].some(({ review }) => review !== undefined)) reviewed.add(key);
    behind.push(...rest);
    return row;
  };

  const hasParts = batch.some(({ part }) => part !== undefined);
  return { rows: hasParts ? batch.map(assigned) : batch, behind, touched };
}

function opened(
  station: Station,
  part: string,
  { frame }: Judged,
  { monotonicMs, auditor }: PlanOptions,
): OpenPart {
  const dueAtMs = monotonicMs() + station.parts!.windowMs;
  const coin = auditor?.coinOf(station.name, station.inForce, frame);
  return { station, part, dueAtMs, frames: new Map(), picture: undefined, coin, kept: new Map() };
}

function partKey(station: string, part: string): string {
  return `${station}\0${part}`;
}

/** Whether an earlier frame of the batch is the same; notes it otherwise. */
function sees({ frame }: Judged, seen: Set<string>): boolean {
  if (!frame.identified) return false;
  const key = `${frame.station}\0${frameKey(frame)}`;
  if (seen.has(key)) return true;
  seen.add(key);
  return false;
}

/** Which parts are decided now: complete, over their time, or the oldest where too many would be open. */
function sortOut(touched: ReadonlyMap<string, OpenPart>, { open, stations, monotonicMs }: PlanOptions) {
  const nowMs = monotonicMs();
  const asTouched = (part: OpenPart): OpenPart => touched.get(partKey(part.station.name, part.part)) ?? part;
  const isOver = ({ dueAtMs }: OpenPart): boolean => dueAtMs <= nowMs;
  const isFull = ({ frames, station }: OpenPart): boolean =>
    isComplete([...frames.values()], station.inForce.framesPerPartMax);
  const decided = new Set([...touched.values()].filter((part) => isOver(part) || isFull(part)));
  const cut = new Set<OpenPart>();
  for (const [name, { parts }] of stations) {
    const before = open.get(name)!;
    // In the order in which they were opened, which is that in which they are over.
    for (const part of before.values()) {
      if (!isOver(part) || decided.size >= DECIDED_AT_ONCE_MAX) break;
      decided.add(asTouched(part));
    }
    const fresh = [...touched.values()].filter(
      ({ station, part }) => station.name === name && !before.has(part),
    );
    if (before.size + fresh.length <= (parts?.openMax ?? 0)) continue;
    const staying = [...before.values(), ...fresh].map(asTouched).filter((part) => !decided.has(part));
    for (const part of staying.slice(0, Math.max(0, staying.length - (parts?.openMax ?? 0)))) cut.add(part);
  }
  for (const part of cut) decided.add(part);
  return { decided: [...decided], cut, after: [...touched.values()].filter((part) => !decided.has(part)) };
}

function isReviewed({ decision, late }: PartStanding): boolean {
  return [decision, late].some((one) => one?.decision === "review" && one.reason !== "shadow");
}

/**
 * The row of a frame that comes behind its part's decision, and what is written beside it. A reject stands as it is; a
 * part that had passed goes to a person for either.
 */
function lateRows(
  judged: Judged,
  station: Station,
  encoding: Encoding,
  isReviewed: boolean,
  { nextId, review }: RowOptions,
): readonly [Judged, ...Judged[]] {
  const { reviewDeadlineMs } = station.inForce;
  const entry = { frames: undefined, isOpen: false };
  const isGuarded = judged.mode === "guarded";
  const late: Judged = {
    ...judged,
    decision: inMode({ kind: "review", reason: "late-frame" }, judged.mode),
    part: entry,
  };
  const opened = (): Judged => {
    const id = `${station.name}-${nextId()}`;
    return { ...late, review: draftReview(id, late, encoding, reviewDeadlineMs, review) };
  };
  const opens = isGuarded && !isReviewed;
  if (judged.decision.kind !== "reject") return [opens ? opened() : late];
  const reject: Judged = { ...judged, part: entry };
  if (!opens) return [reject];
  const of = opened();
  return [reject, { ...of, frame: { ...of.frame, identified: false } }];
}
