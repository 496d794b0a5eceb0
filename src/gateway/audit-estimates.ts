/** Keeps each station's estimates from its audits: rebuilt from the ledger at the start, fed as audits are settled. */

import type { AuditQuestion, PassedParts } from "../core/audit.ts";
import {
  type AuditReport,
  type AuditSequence,
  auditEvidence,
  auditReport,
  findingOf,
  nextAuditSequence,
  startAuditSequence,
} from "../core/audit-estimates.ts";
import type { AuditBook, AuditMetrics, Clock, Log, RiskListener } from "./ports.ts";

/** What is audited at a station at present. */
export interface AuditedStation {
  readonly name: string;
  /** Of the thresholds: estimates begin anew with each. */
  readonly revision: number;
  readonly alpha: number;
  /** Passed parts in a row that are one step of the risk test. */
  readonly windowParts: number;
}

export interface EstimatesOptions {
  readonly book: Pick<AuditBook, "settledAfter" | "standing">;
  /** Those where parts are drawn. */
  readonly stations: () => readonly AuditedStation[];
  /** Whether anyone is asked the teacher's question; where not, nothing is estimated of it. */
  readonly asksTeacher: boolean;
  /** So many audits may pass their deadline in turn before the monitor is told that they do. */
  readonly backlogMax: number;
  readonly listener: RiskListener;
  readonly metrics: Pick<AuditMetrics, "settled">;
  readonly clock: Clock;
  readonly log: Log;
}

export interface QuestionStanding extends AuditReport {
  readonly question: AuditQuestion;
  /** Drawn, and neither answered nor past their deadline. */
  readonly waiting: number;
}

export interface StationEstimates extends AuditedStation {
  readonly questions: readonly QuestionStanding[];
}

const ROUND_MS = 1000;
const PAGE = 256;
/** Pages of one question that are read before frames have their turn again. */
const PAGES_MAX = 8;
const NEXT_MS = 1;

/** One question of one station and revision. */
interface Feed {
  readonly question: AuditQuestion;
  readonly revision: number;
  sequence: AuditSequence;
  cursor: number;
  unansweredInTurn: number;
  /** All that was settled before the start has been read. */
  isCaughtUp: boolean;
  report: AuditReport | undefined;
}

export function keepEstimates(options: EstimatesOptions) {
  const { book, stations, asksTeacher, backlogMax, listener, metrics, clock, log } = options;
  const feeds = new Map<string, readonly Feed[]>();
  const questions: readonly AuditQuestion[] = asksTeacher ? ["teacher", "person"] : ["person"];
  let cancel: (() => void) | undefined;
  let isClosed = false;
  let isFailing = false;

  function feedsOf({ name, revision, alpha, windowParts }: AuditedStation): readonly Feed[] {
    const found = feeds.get(name);
    if (found?.[0]?.revision === revision) return found;
    const begun = questions.map((question): Feed => {
      // What is promised is faithfulness.
      const sequence = startAuditSequence(question === "teacher" ? { alpha, windowParts } : null);
      const none = { cursor: 0, unansweredInTurn: 0, isCaughtUp: false, report: undefined };
      return { question, revision, sequence, ...none };
    });
    feeds.set(name, begun);
    return begun;
  }

  /** @returns whether there is more to read */
  function read(station: AuditedStation, feed: Feed): boolean {
    const before = feed.cursor;
    let hasMore = true;
    for (let page = 0; page < PAGES_MAX && hasMore; page++) {
      const { parts, cursor } = book.settledAfter(
        station.name,
        feed.revision,
        feed.question,
        feed.cursor,
        PAGE,
      );
      // Both at once: what is refused half-way must not be counted twice.
      feed.sequence = parts.reduce((so, one) => nextAuditSequence(so, one), feed.sequence);
      feed.cursor = cursor;
      for (const one of parts) note(station.name, feed, one);
      hasMore = parts.length >= PAGE;
    }
    if (feed.cursor > before) feed.report = undefined;
    if (hasMore) return true;
    if (feed.cursor > before) tell(station, feed);
    feed.isCaughtUp = true;
    return false;
  }

  function note(station: string, feed: Feed, parts: PassedParts): void {
    const finding = findingOf(parts);
    if (finding === undefined) return;
    if (feed.isCaughtUp) metrics.settled(station, feed.question, finding);
    const before = feed.unansweredInTurn;
    feed.unansweredInTurn = finding === "unanswered" ? before + 1 : 0;
    if (before === backlogMax && feed.unansweredInTurn > before) {
      log.error(
        { station, question: feed.question, unanswered: feed.unansweredInTurn },
        "audits pass their deadline unanswered, one after the other; the monitor is told",
      );
      listener.fail(station, "audit-backlog");
    }
  }

  function tell(station: AuditedStation, feed: Feed): void {
    const evidence = auditEvidence(feed.sequence);
    if (evidence !== undefined) listener.observeRisk(station.name, evidence, wordsOf(station, feed.sequence));
  }

  function look(): boolean {
    let hasMore = false;
    const audited = stations();
    for (const station of audited) {
      for (const feed of feedsOf(station)) hasMore = read(station, feed) || hasMore;
    }
    for (const name of feeds.keys()) if (!audited.some((one) => one.name === name)) feeds.delete(name);
    return hasMore;
  }

  function tryToLook(): boolean {
    try {
      const hasMore = look();
      isFailing = false;
      return hasMore;
    } catch (error) {
      // Said once, not at every round.
      if (!isFailing) log.error({ error: (error as Error).stack }, "audits cannot be estimated; tried again");
      isFailing = true;
      return false;
    }
  }

  function round(): void {
    const hasMore = tryToLook();
    if (!isClosed) cancel = clock.after(hasMore ? NEXT_MS : ROUND_MS, round);
  }

  return {
    start: round,

    /** Takes what was settled since the last round. */
    look(): void {
      tryToLook();
    },

    /** Of each station where parts are drawn. */
    all: (): readonly StationEstimates[] =>
      stations().map((station) => {
        const standing = book.standing(station.name);
        return {
          ...station,
          questions: feedsOf(station).map((feed) => {
            feed.report ??= auditReport(feed.sequence);
            return { question: feed.question, waiting: standing[feed.question], ...feed.report };
          }),
        };
      }),

    close(): void {
      isClosed = true;
      cancel?.();
    },
  };
}

function wordsOf({ alpha }: AuditedStation, { totals, findings }: AuditSequence): { en: string; ja: string } {
  const { drawn } = totals;
  const { bad, unanswered } = findings;
  return {
    en: `Of ${drawn} audited parts, ${bad} were unfaithful and ${unanswered} stayed unanswered; ${alpha} is allowed.`,
    ja: `監査した部品 ${drawn} 個のうち、不忠実 ${bad} 個、未回答 ${unanswered} 個。許容率は ${alpha}。`,
  };
}
