/** Verifies a ledger against its chain, batch by batch, in bounded memory. */

import type { Database } from "../sqlite/database.ts";
import { type ChainRow, chainReader, eventReader } from "./chain.ts";
import { createChainHasher, endOfBatch } from "./chain-encoding.ts";
import { actReader, checkActs } from "./check-acts.ts";
import { auditReader, checkAudits } from "./check-audits.ts";
import { checkFrames } from "./check-frames.ts";
import { checkCounters, checkOutbox } from "./check-outbox.ts";
import { checkReviews } from "./check-reviews.ts";
import { isDamage } from "./errors.ts";
import { checkParts, heldRowChecker } from "./parts.ts";
import { type ChainHead, headProblem } from "./published-head.ts";

/** The first thing found that is not as it was written. */
export interface ChainFault {
  /** Of the batch; undefined where the fault lies outside of the batches. */
  readonly seq: number | undefined;
  readonly found: string;
}

/** What has been verified so far, or the first fault. */
export interface Verified {
  readonly seq: number;
  readonly batches: number;
  readonly decisions: number;
  readonly reviews: number;
  readonly ofParts: number;
  /** Of the decisions, those that outlived the batch they were committed in. */
  readonly carried: number;
  readonly events: number;
}

const NOTHING_YET: Verified = {
  ...{ seq: 0, batches: 0, decisions: 0, reviews: 0, ofParts: 0, carried: 0, events: 0 },
};

/**
 * Walks the chain from a row that is taken for granted; one step is one batch.
 * @param fromSeq the row taken for granted: by default the first, which stands for all that retention has deleted
 * @returns the first batch that does not match, or undefined
 */
export function* walkChain(
  db: Database,
  fromSeq?: number,
): Generator<Verified, ChainFault | undefined, undefined> {
  const checkBatch = batchChecker(db);
  const next = db.prepare("SELECT * FROM chain WHERE seq >= ? ORDER BY seq LIMIT 1");
  let before = next.get(fromSeq ?? 0) as ChainRow | undefined;
  if (before === undefined) return { seq: undefined, found: "the chain has no rows" };
  let batches = 0;
  let decisions = 0;
  let reviews = 0;
  let ofParts = 0;
  let carried = 0;
  let events = 0;
  for (;;) {
    const row = next.get(before.seq + 1) as ChainRow | undefined;
    if (row === undefined) return undefined;
    const checked = checkBatch(before, row);
    if (typeof checked === "string") return { seq: row.seq, found: checked };
    batches++;
    decisions += checked.decisions;
    reviews += checked.reviews;
    ofParts += checked.ofParts;
    carried += checked.carried;
    events += checked.events;
    yield { seq: row.seq, batches, decisions, reviews, ofParts, carried, events };
    before = row;
  }
}

/** Checks one row of the chain against the one before it and against its rows; says what does not match. */
function batchChecker(db: Database) {
  const rowsOf = chainReader(db);
  const eventsOf = eventReader(db);
  const hasher = createChainHasher();
  const isCaredFor = heldRowChecker(db);
  const actAt = actReader(db);
  const auditAt = auditReader(db);
  const indexed = db
    .prepare(
      `SELECT 1 FROM decisions INDEXED BY decisions_by_frame
       WHERE source = ? AND frame = ? AND station = ? AND identified AND rowid = ?`,
    )
    .pluck();
  return (before: ChainRow, row: ChainRow): Omit<Verified, "seq" | "batches"> | string => {
    if (!isHash(before.hash) || !isHash(row.hash)) return "it has no hash";
    if (row.seq !== before.seq + 1) return `batch ${before.seq + 1} is missing`;
    if (row.first !== before.last + 1 || row.last < row.first - 1) return "its decisions do not follow";
    let reviews = 0;
    let ofParts = 0;
    let estranged: number | undefined;
    const lastAct = row.acts === null ? undefined : actAt(row.acts);
    if (before.acts !== null && !(row.acts !== null && row.acts >= before.acts))
      return "its acts do not follow";
    if (row.acts !== null && lastAct === undefined) return `act ${row.acts}, at which it ends, is missing`;
    const lastAudit = auditAt(row.audits);
    if (!(row.audits >= before.audits)) return "its audits do not follow";
    if (lastAudit === undefined)
      return `entry ${row.audits} of the log of audits, at which it ends, is missing`;
    hasher.begin(before.hash, row.seq, row.at, lastAct !== undefined);
    for (const one of rowsOf(row)) {
      hasher.add(one, one);
      if (one.ofPart !== null) ofParts++;
      if (!isCaredFor(one)) return `the held decision ${one.id} is neither open nor decided`;
      if (one.review !== null) {
        if (one.isReviewAlike !== 1) estranged ??= one.id;
        if (one.reviewOf !== one.id) return `the review of decision ${one.id} is missing`;
        reviews++;
      }
      // A frame that the index does not know would be decided a second time.
      if (one.identified && indexed.get(one.source, one.frame, one.station, one.id) !== 1) {
        return `decision ${one.id} is not in the index of frames`;
      }
    }
    const decisions = hasher.rows();
    if (row.last >= row.first && decisions !== row.last - row.first + 1) return "a decision is missing";
    let lastEvent = before.events;
    for (const event of eventsOf(before.events, row.events)) {
      hasher.addEvent(event);
      lastEvent = event.seq;
    }
    if (row.events !== lastEvent) return "its transitions of reviews do not follow";
    const events = hasher.events();
    const ofRows = hasher.end();
    const base = row.base ?? Number.NaN;
    const expected = lastAct === undefined ? ofRows : endOfBatch(ofRows, lastAct, base, lastAudit);
    if (!expected.equals(row.hash)) return "its hash does not match";
    if (estranged !== undefined) return `the review of decision ${estranged} is of another kind than it`;
    return { decisions, reviews, ofParts, carried: row.first > row.last ? decisions : 0, events };
  };
}

function isHash(value: unknown): boolean {
  return value instanceof Uint8Array && value.length === 32;
}

/** A ledger that is as it was written. */
export interface WholeLedger extends Omit<Verified, "seq"> {
  readonly acts: number;
  readonly auditEntries: number;
  /** Where the chain begins: behind what retention has deleted. */
  readonly begins: number;
  readonly head: ChainHead;
}

export type LedgerVerification =
  | { readonly ok: true; readonly whole: WholeLedger }
  | { readonly ok: false; readonly fault: ChainFault };

/**
 * Verifies the whole ledger: every batch, that there is nothing beside them, what lies outside of the chain, and that
 * heads published before are still of it.
 * @param onBatch told how many batches have been verified
 */
export function verifyWhole(
  db: Database,
  heads: readonly ChainHead[] = [],
  onBatch: (batches: number) => void = () => {},
): LedgerVerification {
  try {
    return verified(db, heads, onBatch);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { ok: false, fault: { seq: undefined, found: `it cannot be read: ${(error as Error).message}` } };
  }
}

function verified(
  db: Database,
  heads: readonly ChainHead[],
  onBatch: (batches: number) => void,
): LedgerVerification {
  const walk = walkChain(db);
  let counted: Verified = NOTHING_YET;
  for (;;) {
    const step = walk.next();
    if (!step.done) {
      counted = step.value;
      onBatch(counted.batches);
      continue;
    }
    if (step.value !== undefined) return { ok: false, fault: step.value };
    break;
  }
  const found = checkBeside(db, counted);
  if (found !== undefined) return { ok: false, fault: { seq: undefined, found } };
  for (const head of heads) {
    const problem = headProblem(db, head);
    if (problem !== undefined) return { ok: false, fault: { seq: head.seq, found: problem } };
  }
  const end = db.prepare("SELECT * FROM chain ORDER BY seq DESC LIMIT 1").get() as ChainRow;
  const { seq: _, ...counts } = counted;
  return {
    ok: true,
    whole: {
      ...counts,
      acts: end.acts ?? 0,
      auditEntries: end.audits,
      begins: db.prepare("SELECT min(seq) FROM chain").pluck().get() as number,
      head: { seq: end.seq, sha256: Buffer.from(end.hash).toString("hex") },
    },
  };
}

/** @returns the first fault, or undefined */
export function verifyLedger(db: Database): ChainFault | undefined {
  const verification = verifyWhole(db);
  return verification.ok ? undefined : verification.fault;
}

/** What is wrong beside the batches, or undefined. */
function checkBeside(db: Database, verified: Verified): string | undefined {
  const count = (table: string): number =>
    db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  if (count("decisions NOT INDEXED") !== verified.decisions) return "there are decisions that no batch has";
  if (count("reviews") !== verified.reviews) return "there are reviews that no decision opened";
  if (count("carried") !== verified.carried) return "there are decisions that no batch carries";
  if (count("review_events") !== verified.events) return "there are transitions of reviews that no batch has";
  return (
    checkBase(db) ??
    checkActs(db) ??
    checkAudits(db) ??
    checkReviews(db) ??
    checkCounters(db) ??
    checkOutbox(db) ??
    checkParts(db, verified.ofParts) ??
    checkFrames(db)
  );
}

/** Whether the chain begins where its last batch says that it does. */
export function checkBase(db: Database): string | undefined {
  const row = db
    .prepare("SELECT (SELECT min(seq) FROM chain) AS begins, base FROM chain ORDER BY seq DESC LIMIT 1")
    .get() as { readonly begins: number; readonly base: number | null };
  const { begins, base } = row;
  return base === null || base === begins
    ? undefined
    : `the chain begins at batch ${begins}, its end says at ${base}: what was between is gone`;
}
