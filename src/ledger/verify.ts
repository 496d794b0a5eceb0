/** Verifies a ledger against its chain, batch by batch, in bounded memory. */

import { hash } from "node:crypto";
import type { Database } from "../sqlite/database.ts";
import { type ChainRow, chainReader, eventReader } from "./chain.ts";
import { createChainHasher, endOfBatch } from "./chain-encoding.ts";
import { actReader, checkActs } from "./check-acts.ts";
import { auditReader, checkAudits } from "./check-audits.ts";
import { checkParts, heldRowChecker } from "./parts.ts";

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
  readonly events: number;
}

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
    events += checked.events;
    yield { seq: row.seq, batches, decisions, reviews, ofParts, events };
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
    for (const event of eventsOf(before.events, row.events)) hasher.addEvent(event);
    const events = hasher.events();
    const ofRows = hasher.end();
    const base = row.base ?? Number.NaN;
    const expected = lastAct === undefined ? ofRows : endOfBatch(ofRows, lastAct, base, lastAudit);
    if (!expected.equals(row.hash)) return "its hash does not match";
    if (estranged !== undefined) return `the review of decision ${estranged} is of another kind than it`;
    return { decisions, reviews, ofParts, events };
  };
}

function isHash(value: unknown): boolean {
  return value instanceof Uint8Array && value.length === 32;
}

/**
 * Verifies the whole ledger: every batch, that there is nothing beside them, and what lies outside of the chain.
 * @returns the first fault, or undefined
 */
export function verifyLedger(db: Database): ChainFault | undefined {
  const walk = walkChain(db);
  let verified: Verified = { seq: 0, batches: 0, decisions: 0, reviews: 0, ofParts: 0, events: 0 };
  for (;;) {
    const step = walk.next();
    if (!step.done) {
      verified = step.value;
      continue;
    }
    if (step.value !== undefined) return step.value;
    break;
  }
  const count = (table: string): number =>
    db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  const outside = (found: string): ChainFault => ({ seq: undefined, found });
  if (count("decisions NOT INDEXED") !== verified.decisions) {
    return outside("there are decisions that no batch has");
  }
  if (count("reviews") !== verified.reviews) return outside("there are reviews that no decision opened");
  if (count("review_events") !== verified.events) {
    return outside("there are transitions of reviews that no batch has");
  }
  const found =
    checkBase(db) ??
    checkActs(db) ??
    checkAudits(db) ??
    checkReviews(db) ??
    checkCounters(db) ??
    checkOutbox(db) ??
    checkParts(db, verified.ofParts);
  return found === undefined ? undefined : outside(found);
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

/** What is wrong with the counters, or undefined. */
export function checkCounters(db: Database): string | undefined {
  const counters = new Map(
    (
      db.prepare("SELECT name, value, mirror FROM counters").raw().all() as [string, number, number][]
    ).flatMap(([name, value, mirror]) => (mirror === -1 - value ? [[name, value] as const] : [])),
  );
  const missing = ["published", "session", "epoch", "alerts"].filter((name) => !counters.has(name));
  if (missing.length > 0) return `the counter ${missing[0]} is damaged`;
  const head = db.prepare("SELECT last FROM chain ORDER BY seq DESC LIMIT 1").pluck().get() as number;
  const largest = db.prepare("SELECT max(id) FROM decisions").pluck().get() as number | null;
  const given = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'decisions'").pluck().get();
  if ((largest ?? 0) > head) return `decision ${largest} is in no batch`;
  if (((given as number | undefined) ?? 0) !== head) return "the count of decisions does not match the chain";
  if (counters.get("published")! > head) return "more is marked as published than was decided";
  return undefined;
}

/** What is wrong with the reviews as they are, by what the chain says has become of them; undefined if nothing is. */
function checkReviews(db: Database): string | undefined {
  const strange = db
    .prepare(
      `SELECT r.id FROM reviews r LEFT JOIN review_events e ON e.review = r.id AND e.revision = r.revision
       WHERE CASE WHEN r.revision = 1
         THEN r.state IS NOT CASE WHEN r.announced_at IS NULL THEN 'held' ELSE 'open' END OR r.overdue OR r.verdict
         ELSE e.state IS NOT r.state OR e.overdue IS NOT r.overdue OR e.announced_at IS NOT r.announced_at
           OR e.claimed_until IS NOT r.claimed_until OR e.verdict IS NOT r.verdict OR e.class IS NOT r.class
           OR (r.state = 'resolved' AND (e.person IS NOT r.reviewer OR e.vouched IS NOT r.vouched))
       END OR (r.resolved_at IS NULL) IS NOT (r.state IN ('held', 'open', 'claimed')) LIMIT 1`,
    )
    .pluck()
    .get();
  if (strange !== undefined) return `review ${String(strange)} is not what its last transition made it`;
  return checkReviewIndexes(db);
}

/** Whether each index has as many reviews as it should. */
export function checkReviewIndexes(db: Database): string | undefined {
  const sums = REVIEW_INDEXES.map(([, rows]) => `coalesce(sum(${rows}), 0)`).join(", ");
  const there = db.prepare(`SELECT ${sums} FROM reviews NOT INDEXED`).raw().get() as readonly number[];
  for (const [i, [index, rows]] of REVIEW_INDEXES.entries()) {
    const known = db.prepare(`SELECT count(*) FROM reviews INDEXED BY ${index} WHERE ${rows}`).pluck().get();
    if (known !== there[i]) return `the index ${index} does not match`;
  }
  return undefined;
}

/** A review that one of them does not know would wait for ever. */
const REVIEW_INDEXES = [
  ["reviews_waiting", "resolved_at IS NULL"],
  ["reviews_ranked", "resolved_at IS NULL"],
  ["reviews_due", "resolved_at IS NULL AND overdue = 0"],
  ["reviews_claimed", "claimed_until IS NOT NULL"],
  ["reviews_held", "state = 'held'"],
] as const;

const ALERTS_PER_READ = 64;

/** What is wrong with the alerts that are still to be delivered, or undefined. */
export function checkOutbox(db: Database): string | undefined {
  const read = db.prepare(
    `SELECT o.id, o.body, o.station, r.station AS reviewStation,
       CASE o.revision WHEN 1 THEN r.alert_digest ELSE coalesce(e.digest, x'') END AS digest
     FROM outbox o LEFT JOIN reviews r ON r.id = o.review
     LEFT JOIN review_events e ON e.review = o.review AND e.revision = o.revision WHERE o.id > ? ORDER BY o.id LIMIT ${ALERTS_PER_READ}`,
  );
  let alerts = 0;
  for (let after = 0; ; ) {
    const rows = read.all(after) as {
      readonly id: number;
      readonly body: string;
      readonly station: string;
      readonly reviewStation: string | null;
      readonly digest: Uint8Array | null;
    }[];
    for (const { id, body, station, reviewStation, digest } of rows) {
      if (station !== reviewStation) return `alert ${id} is of no review`;
      if (typeof body !== "string") return `alert ${id} is no text`;
      if (digest !== null && !hash("sha256", body, "buffer").equals(digest)) {
        return `alert ${id} is not as it was written`;
      }
    }
    alerts += rows.length;
    if (rows.length < ALERTS_PER_READ) break;
    after = rows.at(-1)!.id;
  }
  const expected = db.prepare("SELECT value FROM counters WHERE name = 'alerts'").pluck().get();
  return alerts === expected ? undefined : `${alerts} alerts wait, ${String(expected)} should`;
}
