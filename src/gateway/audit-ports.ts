/** The ports of audits: the book that keeps them, and the coins by which they are drawn. */

import type { Audit, AuditQuestion, KnownAnswers, PassedParts } from "../core/audit.ts";
import type { KeptFrame } from "../core/record.ts";

/** An audit whose teacher has not answered, with every frame of its part in the order in which they came. */
export interface WaitingAudit extends Audit {
  readonly frames: readonly KeptFrame[];
}

/** The audits in the ledger; their drawing is written with the decisions, by `Ledger.append`. */
export interface AuditBook {
  /**
   * Those that the teacher has not answered and whose deadline is ahead, oldest first. One of which a frame is not
   * kept is not among them: nobody can answer it any more.
   * @param which those of decisions after this one that are wanted; of no other are frames read
   */
  waitingForTeacher(
    nowMs: number,
    limit: number,
    which?: {
      readonly after: number;
      readonly isWanted: (audit: Pick<Audit, "id" | "bundle" | "decision">) => boolean;
    },
  ): readonly WaitingAudit[];
  /**
   * Notes an answer. The first stands: the same again is `noted`, another, or one behind the deadline, is `late` and is
   * kept without being counted.
   * @param details JSON or words, kept with it
   */
  answer(
    id: string,
    question: AuditQuestion,
    isBad: boolean,
    atMs: number,
    details: string,
  ): "noted" | "late" | "unknown";
  /**
   * Marks questions past their deadline as unanswered, a bounded number at a time.
   * @returns the audits of which a question was marked
   */
  expire(nowMs: number): readonly Audit[];
  find(id: string): Audit | undefined;
  /** Newest first; `before` is the id of the last one of the page before. */
  list(filter: {
    readonly station?: string;
    readonly limit: number;
    readonly before?: string;
  }): readonly Audit[];
  /**
   * The passed parts of a station's revision in the order of drawing, as far as all of them are settled for this
   * question: an answer that came early waits for those before it.
   * @param cursor how many of them have been taken, drawn or not; 0 is the beginning
   * @returns the parts behind it, and the cursor behind those
   */
  settledAfter(
    station: string,
    revision: number,
    question: AuditQuestion,
    cursor: number,
    limit: number,
  ): { readonly parts: readonly PassedParts[]; readonly cursor: number };
  /** Audits of a station that wait for an answer, and the oldest of their deadlines. */
  standing(station: string): {
    readonly teacher: number;
    readonly person: number;
    readonly nextDeadlineMs: number | null;
  };
  /** What people answered at a station of frames that are known; those that wait or expired do not count. */
  knownAnswers(station: string): KnownAnswers;
  /** Keeps the seed of a policy that is to be revealed, by its commitment. */
  keepSeed(seed: AuditSeed): void;
  /** Seeds that are not revealed yet. */
  seeds(): readonly AuditSeed[];
  forgetSeed(commitment: string): void;
}

/** The seed of the coins of one policy, and its SHA-256, which was on record before. Both in hex. */
export interface AuditSeed {
  readonly station: string;
  readonly revision: number;
  readonly seed: string;
  readonly commitment: string;
}

/** What the coin of a part is made of: its first frame, as the ledger has it. */
export interface CoinSubject {
  readonly station: string;
  readonly source: string;
  readonly id: string;
  readonly part: string | undefined;
  readonly receivedAtMs: number;
}

/** Two numbers, each uniform in [0, 1), independent of each other and of all that is known of the part. */
export interface Coin {
  /** By which the part is drawn. */
  readonly value: number;
  /** By which its audit is ranked among the reviews: a rank that hung on the student would tell of it. */
  readonly rank: number;
}

/** Coins that nobody can foretell who does not know the seed, and that anybody can check who does. */
export interface AuditCoins {
  newSeed(): Pick<AuditSeed, "seed" | "commitment">;
  coinOf(seed: string, subject: CoinSubject): Coin;
}

/** What hears of the audits' evidence: the monitor. */
export interface RiskListener {
  /** Evidence of the risk test that more than alpha of what passes is unfaithful; E, at least 0. */
  observeRisk(station: string, evidence: number, words: { readonly en: string; readonly ja: string }): void;
  /** Audits pass their deadline unanswered, one after the other: nothing is known of the risk any more. */
  fail(station: string, cause: "audit-backlog"): void;
}

export interface AuditMetrics {
  /** A drawn part was settled, in the order of drawing. */
  settled(station: string, question: AuditQuestion, finding: "good" | "bad" | "unanswered"): void;
  /** A message on the answers' topic that answers nothing that was asked. */
  answerIgnored(): void;
}
