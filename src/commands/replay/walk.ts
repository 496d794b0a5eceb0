/** Walks over a station's decisions on record, and decides each again. */

import type { GuardedDecision, Rule } from "../../core/judge.ts";
import { guardedOfRow, type PartReplay, type ReplayRow, replayFrame, replayPart } from "../../core/replay.ts";
import { createTally, type FoundOut } from "../../core/replay-tally.ts";
import type { ReplayRows } from "../../ledger/replay-rows.ts";

export interface WalkOptions extends PartReplay {
  readonly station: string;
  /** Digest of the bundle whose scores the rule is for. */
  readonly bundle: string;
  readonly rule: Rule;
  readonly inForce: Rule;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Told of the ids that are done. */
  readonly progress: (id: number) => void;
}

/** Rows that say nothing of the proposal, by why. */
export interface LeftOut {
  /** Frames that could not be judged at all. */
  rejects: number;
  /** Judged by another bundle, whose scores mean something else. */
  otherBundle: number;
  /** Parts of which not all frames are on record any more. */
  incomplete: number;
}

/** How far the decisions on record are those that the rule comes to; of use where the rule is the one in force. */
export interface Agreement {
  /** Rows of the rule's own revision: frames, frames held for their part, and parts. */
  rows: number;
  differing: number;
  /** Decision ids of the first that differ. */
  readonly examples: number[];
}

export type Walked = ReturnType<typeof walk>;

/** Parts whose late frames are still waited for. */
const PARTS_REMEMBERED_MAX = 50_000;
const EXAMPLES_MAX = 5;

export function walk(rows: ReplayRows, options: WalkOptions) {
  const { station, bundle, rule, sinceMs, untilMs, progress } = options;
  const tally = createTally();
  const leftOut: LeftOut = { rejects: 0, otherBundle: 0, incomplete: 0 };
  const agreement: Agreement = { rows: 0, differing: 0, examples: [] };
  const inShadow = { decided: 0 };
  const late = lateFrames();

  function agree(row: ReplayRow, would: GuardedDecision | undefined): void {
    if (row.revision !== rule.revision) return;
    const now = guardedOfRow(row);
    agreement.rows++;
    if (now?.kind === would?.kind && now?.reason === would?.reason) return;
    agreement.differing++;
    if (agreement.examples.length < EXAMPLES_MAX) agreement.examples.push(row.id);
  }

  function take(row: ReplayRow, finding: FoundOut | undefined): void {
    if (row.decision === "reject") leftOut.rejects++;
    else if (row.bundle !== bundle) leftOut.otherBundle++;
    else if (row.decision === "held") agree(row, replayFrame(row, options));
    else decide(row, finding);
  }

  function decide(row: ReplayRow, finding: FoundOut | undefined): void {
    const now = guardedOfRow(row);
    const isPart = row.frames !== null;
    const would = isPart ? replayPart(row, rows.framesOf(row), options, options) : replayFrame(row, options);
    if (now === undefined || would === undefined) {
      leftOut.incomplete++;
      return;
    }
    agree(row, would);
    if (row.reason === "shadow") inShadow.decided++;
    if (isPart) late.decided(row.part!, now, would);
    if (now.reason === "late-frame") {
      const opens = late.opens(row);
      tally.addLate(row.decidedAtMs, opens.now, opens.would);
    } else tally.add({ atMs: row.decidedAtMs, className: row.className, now, would, finding });
  }

  for (let after: number | undefined = rows.firstSince(sinceMs) - 1; after !== undefined; ) {
    const page = rows.page(station, after);
    const last = page.rows.at(-1)?.id ?? after;
    const findings = rows.findings(station, after, last);
    for (const row of page.rows) {
      if (row.decidedAtMs >= sinceMs && row.decidedAtMs < untilMs) take(row, findings.get(row.id));
    }
    progress(page.next ?? last);
    after = page.next;
  }
  return { ...tally.result(), leftOut, agreement, inShadow: inShadow.decided };
}

/** Which late frames open a review: the first one of a part that has none. */
function lateFrames() {
  const reviewed = new Map<string, { now: boolean; would: boolean }>();
  return {
    decided(part: string, now: GuardedDecision, would: GuardedDecision): void {
      reviewed.delete(part);
      reviewed.set(part, { now: now.kind === "review", would: would.kind === "review" });
      if (reviewed.size > PARTS_REMEMBERED_MAX) reviewed.delete(reviewed.keys().next().value!);
    },
    opens(row: ReplayRow): { readonly now: boolean; readonly would: boolean } {
      const known = reviewed.get(row.part ?? "");
      if (known === undefined) return { now: row.opensReview, would: row.opensReview };
      const opens = { now: !known.now, would: !known.would };
      known.now = true;
      known.would = true;
      return opens;
    },
  };
}
