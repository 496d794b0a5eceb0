/** The reviews in the ledger: as they are, and every transition that made them so, in one transaction with its message. */

import { hash } from "node:crypto";
import type { PendingAlert } from "../core/record.ts";
import type { ReviewRecord, ReviewState } from "../core/review-record.ts";
import type { ReviewBook, ReviewChange, ReviewFilter } from "../gateway/ports.ts";
import type { Database } from "../sqlite/database.ts";
import type { Audits } from "./audits.ts";
import type { Chain } from "./chain.ts";
import { LedgerDamaged } from "./errors.ts";
import type { KeptFrames } from "./kept-frames.ts";
import { prepareReviews, type ReviewStatements, reviewOf } from "./review-statements.ts";
import type { Statements } from "./statements.ts";
import { wellFormed } from "./well-formed.ts";

/** The book, but for what it does on a full disk. */
export function openReviews(
  db: Database,
  statements: Statements,
  chain: Chain,
  frames: KeptFrames,
  audits: Pick<Audits, "answeredByReview">,
): ReviewBook {
  const own = prepareReviews(db);
  const all = (rows: readonly unknown[]): readonly ReviewRecord[] => rows.map(reviewOf);
  const one = (row: unknown): ReviewRecord | undefined => (row === undefined ? undefined : reviewOf(row));

  const write = db.transaction((changes: readonly ReviewChange[]) => {
    const messages: PendingAlert[] = [];
    const { last } = chain.head();
    const atMs = changes.at(-1)!.atMs;
    chain.begin(atMs);
    for (const change of changes) {
      const message = writeChange(change, own, chain, frames);
      const { after, finding, atMs } = change;
      if (finding !== undefined) {
        const isBad = finding === "unusable" ? undefined : finding === "wrong";
        audits.answeredByReview(after.id, isBad, atMs, after.verdictClass ?? "unusable");
      }
      if (message !== undefined) messages.push(message);
    }
    if (messages.length > 0) statements.addToCounter("alerts", messages.length);
    return { messages, head: chain.end(last + 1, last, atMs) };
  });

  return {
    find: (id) => one(own.find.get(id)),
    list: (filter) => all(listed(own, filter)),
    frameOf: (id) => frames.read(id),
    expectedOf(id) {
      const found = own.expected.get(id) as { class: string | null; isKnown: number } | undefined;
      return { class: found?.class ?? null, isKnown: found?.isKnown === 1 };
    },

    change(changes) {
      if (changes.length === 0) return [];
      try {
        const { messages, head } = write(changes);
        chain.committed(head);
        frames.committed();
        return messages;
      } catch (error) {
        frames.rolledBack();
        throw error;
      }
    },

    overdue: (nowMs, limit) => all(own.overdue.all(nowMs, limit)),
    lapsed: (nowMs, limit) => all(own.lapsed.all(nowMs, limit)),
    nextDeadlineMs: () => own.nextDeadline.get() as number | null,
    nextLapseMs: () => own.nextLapse.get() as number | null,
    topHeld: ({ station, source, reason }) => one(own.topHeld.get(station, source, reason)),
    leastHeld: ({ station, source, reason }, limit) => all(own.leastHeld.all(station, source, reason, limit)),
    leastUnresolved: (station, limit) => all(own.leastUnresolved.all(station, limit)),
    oldestAtMs: (station) => own.oldest.get(station) as number | null,
    standing: () => own.standing.all() as ReturnType<ReviewBook["standing"]>,
    leads: () => own.leads.all() as ReturnType<ReviewBook["leads"]>,
    announcedSince: (ms) => own.announcedSince.all(ms) as ReturnType<ReviewBook["announcedSince"]>,
  };
}

/** Writes one transition inside a transaction; returns its message where it has one. */
function writeChange(
  { before, after, by, transaction, atMs, message }: ReviewChange,
  own: ReviewStatements,
  chain: Chain,
  frames: KeptFrames,
): PendingAlert | undefined {
  const event = {
    review: after.id,
    revision: after.revision,
    at: atMs,
    state: after.state,
    overdue: after.overdue ? 1 : 0,
    count: after.count,
    announcedAt: after.announcedAtMs,
    claimedUntil: after.claimedUntilMs,
    person: by === undefined ? null : wellFormed(by.name),
    via: by?.via ?? null,
    vouched: by === undefined ? null : by.vouched ? 1 : 0,
    verdict: after.verdict,
    class: after.verdictClass,
    transactionId: transaction === undefined ? null : wellFormed(transaction),
    digest: message === undefined ? null : hash("sha256", message, "buffer"),
  };
  const { lastInsertRowid: seq } = own.event.run(event);
  chain.addEvent({ ...event, seq: Number(seq) });
  const { changes } = own.update.run({
    id: after.id,
    before: before.revision,
    revision: after.revision,
    actedRevision: after.actedRevision,
    state: after.state,
    overdue: event.overdue,
    count: after.count,
    announcedAt: after.announcedAtMs,
    claimedBy: after.claimedBy,
    claimedUntil: after.claimedUntilMs,
    verdict: after.verdict,
    class: after.verdictClass,
    reviewer: after.reviewer,
    vouched: after.vouched === null ? null : after.vouched ? 1 : 0,
    resolvedAt: after.resolvedAtMs,
  });
  if (changes !== 1) {
    throw new LedgerDamaged(
      `review ${after.id} is not at revision ${before.revision} any more: another program writes the ledger; restart`,
    );
  }
  // Nobody will look at it, and those that still wait need the room.
  if (after.state === "expired") frames.remove(own.decisionOf.get(after.id) as number);
  if (message === undefined) return undefined;
  const { lastInsertRowid: id } = own.message.run(after.id, after.station, message, after.revision);
  return { id: Number(id), station: after.station, body: message };
}

type Rank = Pick<ReviewRecord, "priority" | "openedAtMs" | "id">;

function byRank(a: Rank, b: Rank): number {
  return b.priority - a.priority || a.openedAtMs - b.openedAtMs || (a.id < b.id ? -1 : 1);
}

function listed(own: ReviewStatements, { after, ...filter }: ReviewFilter): readonly unknown[] {
  const given = {
    station: filter.station ?? null,
    source: filter.source ?? null,
    reason: filter.reason ?? null,
    states: JSON.stringify(filter.states),
    limit: filter.limit,
    // Below every priority there is where it is the first page.
    priority: after?.priority ?? Number.MAX_VALUE,
    openedAt: after?.openedAtMs ?? 0,
    id: after?.id ?? "",
  };
  const isClosed = (state: ReviewState): boolean => state === "resolved" || state === "expired";
  const waiting = filter.states.every(isClosed) ? [] : own.listWaiting.all(given);
  const closed = filter.states.some(isClosed) ? own.listClosed.all(given) : [];
  if (waiting.length === 0 || closed.length === 0) return [...waiting, ...closed];
  // Each of the two is in its index's order.
  return ([...waiting, ...closed] as Rank[]).sort(byRank).slice(0, filter.limit);
}
