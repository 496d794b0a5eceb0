/** The book of audits in the ledger: what waits for an answer, what was answered, and what estimators are handed. */

import type { Audit, AuditAnswer, AuditQuestion, KnownAnswers, PassedParts } from "../core/audit.ts";
import type { AuditBook, AuditSeed } from "../gateway/ports.ts";
import type { Database } from "../sqlite/database.ts";
import { type AuditLog, type Entry, openAuditLog } from "./audit-log.ts";
import { type AuditRow, type Handed, prepareAudits, type Standing } from "./audit-statements.ts";
import type { Chain } from "./chain.ts";
import { type Drawing, digestOf } from "./drawing.ts";
import type { KeptFrames } from "./kept-frames.ts";
import { wellFormed } from "./well-formed.ts";

/** Audits that one call marks, so that frames do not wait for thousands. */
const EXPIRED_AT_ONCE_MAX = 128;

/** The book, but for what it does on a full disk; and what is settled within the batch of a review's answer. */
export type Audits = AuditBook & {
  /** Settles the person's question of the audit of a review, inside the transaction of its answer. */
  answeredByReview(id: string, isBad: boolean | undefined, atMs: number, details: string): void;
  /** Whether there is anything to expire: what is not written must not count as a write. */
  hasDue(nowMs: number): boolean;
};

export function openAudits(db: Database, chain: Chain, frames: KeptFrames, drawing: Drawing): Audits {
  const log = openAuditLog(db, chain);
  const statements = prepareAudits(db);
  const find = (id: string): AuditRow | undefined => statements.find.get(id) as AuditRow | undefined;

  const inBatch = db.transaction(<T>(atMs: number, work: () => T) => {
    const { last } = chain.head();
    chain.begin(atMs);
    const done = work();
    return { done, end: chain.end(last + 1, last, atMs) };
  });

  /** Does work that adds entries to the log, in a batch of its own. */
  function commit<T>(atMs: number, work: () => T): T {
    try {
      const { done, end } = inBatch(atMs, work) as { done: T; end: Parameters<Chain["committed"]>[0] };
      chain.committed(end);
      frames.committed();
      return done;
    } catch (error) {
      frames.rolledBack();
      throw error;
    }
  }

  /** Settles a question, or notes an answer that comes too late to be counted. */
  function settle(
    row: AuditRow,
    question: AuditQuestion,
    isBad: boolean | undefined,
    atMs: number,
    details: string,
  ) {
    const isWaiting = row[question] === "waiting";
    const isInTime = isWaiting && (isBad === undefined || atMs < row.deadlineAtMs);
    const kind = !isInTime ? "late" : isBad === undefined ? "unanswered" : "answered";
    log.add(entryOf(row, kind, question, isBad, atMs, details));
    if (!isInTime) return;
    const standing: Standing = isBad === undefined ? "unanswered" : isBad ? "bad" : "good";
    statements.settle[question].run(standing, atMs, row.decision);
    if (question === "teacher") frames.removeOfPart(row.decision);
  }

  /** Notes what a reviewer made of a known frame. */
  function seen(review: string, isMissed: boolean, at: number, details: string): void {
    const known = statements.known.get(review) as { station: string; revision: number } | undefined;
    if (known === undefined) return;
    const isBad = isMissed ? 1 : 0;
    log.add({ ...known, kind: "seen", at, audit: review, isBad, details: wellFormed(details) });
    statements.seen.run(1 - isBad, review);
  }

  return {
    waitingForTeacher(nowMs, limit, { after, isWanted } = { after: 0, isWanted: () => true }) {
      const found: (Audit & { readonly frames: ReturnType<KeptFrames["readAll"]> })[] = [];
      for (const row of statements.waiting.iterate(nowMs, after) as IterableIterator<AuditRow>) {
        if (found.length >= limit) break;
        if (!isWanted(row)) continue;
        const kept = frames.readAll(row.decision);
        if (kept.length !== row.frames) continue;
        // What is not as it was written must not answer for what was.
        if (!digestOf(kept).equals(row.framesDigest!)) continue;
        found.push({ ...auditOf(row), frames: kept });
      }
      return found;
    },

    answer(id, question, isBad, atMs, details) {
      const row = find(id);
      if (row === undefined) return "unknown";
      if (row[question] === (isBad ? "bad" : "good")) return "noted";
      const isLate = row[question] !== "waiting" || atMs >= row.deadlineAtMs;
      commit(atMs, () => settle(row, question, isBad, atMs, details));
      return isLate ? "late" : "noted";
    },

    answeredByReview(id, isBad, atMs, details) {
      const row = find(id);
      if (row !== undefined) settle(row, "person", isBad, atMs, details);
      else seen(id, isBad !== false, atMs, details);
    },

    hasDue: (nowMs) => statements.due.get(nowMs, 1) !== undefined,

    expire(nowMs) {
      const due = statements.due.all(nowMs, EXPIRED_AT_ONCE_MAX) as AuditRow[];
      if (due.length === 0) return [];
      commit(nowMs, () => {
        for (const row of due) {
          for (const question of ["teacher", "person"] as const)
            if (row[question] === "waiting") settle(row, question, undefined, nowMs, "past its deadline");
        }
      });
      return due.map(({ id }) => auditOf(find(id)!));
    },

    find(id) {
      const row = find(id);
      return row && auditOf(row);
    },

    list({ station, limit, before }) {
      const from = before === undefined ? Number.MAX_SAFE_INTEGER : (find(before)?.decision ?? 0);
      return (statements.list.all({ station: station ?? null, from, limit }) as AuditRow[]).map(auditOf);
    },

    settledAfter(station, revision, question, cursor, limit) {
      const parts: PassedParts[] = [];
      let at = cursor;
      for (const one of entries(station, revision, at, limit)) {
        if (parts.length === limit) break;
        if (one.audit === null) {
          const { count, pi, piMin } = one;
          // A cursor within a run takes what is left of it.
          const left = one.ordinal + count - at;
          parts.push({ isDrawn: false, count: left, pi, piMin });
          at += left;
          continue;
        }
        const standing = find(one.audit)![question];
        if (standing === "waiting") break;
        const { audit: id, pi, piMin } = one;
        const isAnswered = standing !== "unanswered";
        parts.push({ isDrawn: true, id, pi, piMin, isBad: standing !== "good", isAnswered });
        at++;
      }
      return { parts, cursor: at };
    },

    standing: (station) => statements.standing.get({ station }) as ReturnType<AuditBook["standing"]>,

    knownAnswers: (station) => statements.knownAnswers.get(station) as KnownAnswers,

    keepSeed: ({ commitment, station, revision, seed }) =>
      void statements.keepSeed.run(commitment, station, revision, seed),
    seeds: () => statements.seeds.all() as AuditSeed[],
    forgetSeed: (commitment) => void statements.forgetSeed.run(commitment),
  };

  /** Runs and audits behind a place, in order; the run that goes on is the last of them. */
  function* entries(station: string, revision: number, from: number, limit: number): Generator<Handed> {
    let next = from;
    for (const one of statements.entries.all({ station, revision, from, limit }) as Handed[]) {
      yield one;
      next = one.ordinal + (one.audit === null ? one.count : 1);
    }
    const run = drawing.openRun(station, revision);
    // The log may have more than this page.
    if (run !== undefined && run.count > 0 && run.ordinal <= next && run.ordinal + run.count > next)
      yield { ...run, audit: null };
  }
}

function entryOf(
  { station, revision, id, decision }: AuditRow,
  kind: Entry["kind"],
  question: AuditQuestion,
  isBad: boolean | undefined,
  at: number,
  details: string,
): Parameters<AuditLog["add"]>[0] {
  return {
    ...{ kind, station, revision, at, audit: id, decision, question },
    isBad: isBad === undefined ? null : isBad ? 1 : 0,
    details: wellFormed(details),
  };
}

function auditOf({
  teacher,
  teacherAt,
  person,
  personAt,
  frames: _,
  framesDigest: __,
  ...row
}: AuditRow): Audit {
  return { ...row, teacher: answerOf(teacher, teacherAt), person: answerOf(person, personAt) };
}

function answerOf(standing: Standing, at: number | null): AuditAnswer {
  switch (standing) {
    case "waiting":
      return { kind: "waiting" };
    case "unanswered":
      return { kind: "unanswered" };
    default:
      return { kind: "answered", bad: standing !== "good", atMs: at ?? 0 };
  }
}
