/** The audits of a ledger in memory; both such ledgers are built on it, and it is held to the contract of the real one. */

import type { Audit, AuditAnswer, AuditQuestion, PassedParts } from "../../src/core/audit.ts";
import type { DecisionRecord, Judged, KeptFrame } from "../../src/core/record.ts";
import type { AuditBook, AuditSeed } from "../../src/gateway/ports.ts";

type Passed = Pick<Audit, "station" | "revision" | "pi" | "piMin"> & { readonly audit: string | undefined };

export interface FakeAuditsBook extends AuditBook {
  /** Notes a row just written; of a passed part or not. */
  note(record: DecisionRecord, judged: Judged): void;
  /** Every part that passed where parts are drawn, in the order of its decision. */
  readonly passed: readonly (Passed & { readonly decision: number })[];
  /** Decisions with a review of reason audit: of an audit, or of a known frame. */
  readonly reviewed: ReadonlySet<number>;
}

const WAITING: AuditAnswer = { kind: "waiting" };
const QUESTIONS = ["teacher", "person"] as const;

/** As a ledger keeps a frame: what becomes of the memory that it came in does not matter any more. */
function copied({ contentType, payload }: KeptFrame): KeptFrame {
  return { contentType, payload: new Uint8Array(payload) };
}

export function anAuditsBook(): FakeAuditsBook {
  const passed: (Passed & { readonly decision: number })[] = [];
  const audits = new Map<string, Audit & { readonly frames: readonly KeptFrame[] }>();
  const reviewed = new Set<number>();
  const seeds = new Map<string, AuditSeed>();
  const waits = (audit: Audit): boolean => QUESTIONS.some((question) => audit[question].kind === "waiting");
  const publicOf = ({ frames: _, ...audit }: Audit & { readonly frames: readonly KeptFrame[] }): Audit =>
    audit;
  const set = (id: string, question: AuditQuestion, answer: AuditAnswer): void => {
    audits.set(id, { ...audits.get(id)!, [question]: answer });
  };
  const placeOf = (station: string, revision: number): readonly Passed[] =>
    passed.filter((one) => one.station === station && one.revision === revision);

  return {
    passed,
    reviewed,

    note(record, { passed: entry, bundle, frame, review }) {
      if (entry === undefined) return;
      const { pi, piMin, audit } = entry;
      const { id: decision, station, source, part, revision } = record;
      const ordinal = placeOf(station, revision).length;
      passed.push({ station, revision, pi, piMin, audit: audit && review!.id, decision });
      if (review !== undefined) reviewed.add(decision);
      if (audit === undefined) return;
      const own =
        frame.payload.length > 0 ? [{ contentType: review!.contentType, payload: frame.payload }] : [];
      audits.set(review!.id, {
        ...{
          id: review!.id,
          station,
          source,
          frame: record.frame,
          part,
          decision,
          revision,
          bundle,
          ordinal,
        },
        ...{ pi, piMin, drawnAtMs: record.decidedAtMs, deadlineAtMs: audit.deadlineAtMs },
        ...{ teacher: WAITING, person: WAITING, frames: (audit.frames ?? own).map(copied) },
      });
    },

    waitingForTeacher: (nowMs, limit, { after, isWanted } = { after: 0, isWanted: () => true }) =>
      [...audits.values()]
        .filter((audit) => {
          const { teacher, deadlineAtMs, frames } = audit;
          if (audit.decision <= after) return false;
          return teacher.kind === "waiting" && deadlineAtMs > nowMs && frames.length > 0 && isWanted(audit);
        })
        .slice(0, limit),

    answer(id, question, isBad, atMs) {
      const audit = audits.get(id);
      if (audit === undefined) return "unknown";
      const now = audit[question];
      if (now.kind === "answered" && now.bad === isBad) return "noted";
      if (now.kind !== "waiting" || atMs >= audit.deadlineAtMs) return "late";
      set(id, question, { kind: "answered", bad: isBad, atMs });
      return "noted";
    },

    expire(nowMs) {
      const due = [...audits.values()].filter((audit) => waits(audit) && audit.deadlineAtMs <= nowMs);
      for (const { id, ...audit } of due)
        for (const question of QUESTIONS)
          if (audit[question].kind === "waiting") set(id, question, { kind: "unanswered" });
      return due.map(({ id }) => publicOf(audits.get(id)!));
    },

    find(id) {
      const audit = audits.get(id);
      return audit && publicOf(audit);
    },

    list({ station, limit, before }) {
      const all = [...audits.values()]
        .reverse()
        .filter((one) => station === undefined || one.station === station);
      const from = before === undefined ? 0 : all.findIndex(({ id }) => id === before) + 1;
      return all.slice(from, from + limit).map(publicOf);
    },

    settledAfter(station, revision, question, cursor, limit) {
      const parts: PassedParts[] = [];
      let at = cursor;
      for (const { pi, piMin, audit: id } of placeOf(station, revision).slice(cursor)) {
        const last = parts.at(-1);
        if (id === undefined) {
          const joins = last !== undefined && !last.isDrawn && last.pi === pi && last.piMin === piMin;
          if (joins) parts[parts.length - 1] = { ...last, count: last.count + 1 };
          else if (parts.length === limit) break;
          else parts.push({ isDrawn: false, count: 1, pi, piMin });
        } else {
          const answer = audits.get(id)![question];
          if (answer.kind === "waiting" || parts.length === limit) break;
          const isAnswered = answer.kind === "answered";
          parts.push({ isDrawn: true, id, pi, piMin, isAnswered, isBad: !isAnswered || answer.bad });
        }
        at++;
      }
      return { parts, cursor: at };
    },

    standing(station) {
      const own = [...audits.values()].filter((one) => one.station === station && waits(one));
      const count = (question: AuditQuestion) => own.filter((one) => one[question].kind === "waiting").length;
      const deadlines = own.map(({ deadlineAtMs }) => deadlineAtMs);
      return {
        teacher: count("teacher"),
        person: count("person"),
        nextDeadlineMs: own.length === 0 ? null : Math.min(...deadlines),
      };
    },

    // Answers come through reviews, which no fake has.
    knownAnswers: () => ({ answered: 0, found: 0 }),

    keepSeed: ({ station, revision, seed, commitment }) =>
      void seeds.set(commitment, { station, revision, seed, commitment }),
    seeds: () => [...seeds.values()],
    forgetSeed: (commitment) => void seeds.delete(commitment),
  };
}
