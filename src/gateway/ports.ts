/** The ports of the gateway: what the main path asks of broker, engine and ledger. Adapters implement them. */

import type { Finding } from "../core/audit.ts";
import type { Encoding, FrameMembers, RejectReason } from "../core/frame.ts";
import type { Prediction } from "../core/judge.ts";
import type {
  Committed,
  DecisionRecord,
  Judged,
  KeptFrame,
  Left,
  OpenPartRow,
  PartStanding,
  PendingAlert,
} from "../core/record.ts";
import type { Reviewer, ReviewRecord, ReviewState } from "../core/review-record.ts";

export type {
  AuditBook,
  AuditCoins,
  AuditMetrics,
  AuditSeed,
  Coin,
  CoinSubject,
  RiskListener,
  WaitingAudit,
} from "./audit-ports.ts";
export type { MonitorBook } from "./monitor-ports.ts";
export type { PairCount, ShadowBook, ShadowStanding } from "./shadow-ports.ts";

/** One message from the broker, not yet acknowledged. */
export interface Delivery {
  /** By which it is acknowledged; rising in the order of receipt. */
  readonly ticket: number;
  readonly topic: string;
  /** Other frames' memory once this one has been acknowledged: what is to be kept longer is copied. */
  readonly payload: Uint8Array;
  /** MQTT 5 properties; all undefined on 3.1.1. */
  readonly contentType: string | undefined;
  readonly correlation: Uint8Array | undefined;
  /** Where an answer is wished for; not looked into. */
  readonly responseTopic?: string | undefined;
  readonly frameId: string | undefined;
  readonly partId: string | undefined;
  readonly partCount: number | undefined;
  /** 0: the broker forgets it once sent. 1: it comes again until acknowledged. */
  readonly qos: 0 | 1;
  readonly receivedAtMs: number;
}

export interface Intake {
  /**
   * Subscribes and begins to deliver, a resumed session's backlog included.
   * @param onResume a new connection has found the broker's session as it was: all deliveries so far at QoS 1
   *   that are not acknowledged come again, under new tickets, unless the broker crashed and has forgotten them.
   *   Called ahead of them.
   */
  start(onDelivery: (delivery: Delivery) => void, onResume: () => void): Promise<void>;
  /**
   * Acknowledges to the broker. Acknowledgements leave in the order of receipt: one whose predecessors are
   * still open waits for them. Tickets of a connection that is gone are dropped; the broker delivers again.
   */
  acknowledge(tickets: readonly number[]): void;
  /**
   * Stops reading, from the next message on, and delivers nothing until `resume`. Where that takes too long for
   * the keepalive, it leaves the broker in good order, and comes back after `resume`.
   */
  hold(): void;
  resume(): void;
  /** Delivers no more, and still acknowledges. */
  pause(): void;
  /** Ends the connection; the broker keeps the session. */
  close(): Promise<void>;
}

/** One message to publish. */
export interface Message {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly qos: 0 | 1;
  readonly retain?: boolean;
  readonly correlation?: Uint8Array | undefined;
  readonly expirySeconds?: number;
}

export interface Publisher {
  readonly connected: boolean;
  /** Called after each connect, also the first. */
  onConnect(listener: () => void): void;
  /**
   * Publishes now or fails; nothing is queued while disconnected. `done` is called once: without an error
   * when the broker has acknowledged (QoS 1) or the bytes are written (QoS 0).
   */
  publish(message: Message, done: (error?: PublishFailed) => void): void;
  /** Publishes several, in this order and together. `done` is called once for each, with its place among them. */
  publishAll(
    messages: readonly Message[],
    done: (error: PublishFailed | undefined, index: number) => void,
  ): void;
}

/**
 * `offline`, `lost`: there was no connection, or it went before the answer. `full`: too much waits. `refused`: the
 * broker said no to this message. `unsendable`: it can never be sent to this broker as it is.
 */
export interface PublishFailed extends Error {
  readonly failure: "offline" | "lost" | "full" | "refused" | "unsendable";
}

/** One frame as the engine takes it. */
export interface EngineFrame {
  readonly encoding: Encoding;
  readonly payload: Uint8Array;
}

/** What the engine says of one frame. */
export type Outcome =
  | { readonly kind: "prediction"; readonly prediction: Prediction; readonly members?: FrameMembers }
  | { readonly kind: "reject"; readonly reason: RejectReason; readonly members?: FrameMembers };

export interface Engine {
  /** Processes behind it, of which each may have two batches under way; 1 where left out. */
  readonly processes?: number;
  /**
   * Judges a batch; outcomes in the order of the frames.
   * @throws EngineLost if the process ends before it answers; the batch may be given to another
   */
  judge(frames: readonly EngineFrame[]): Promise<readonly Outcome[]>;
}

/**
 * How far an engine's end speaks against the batch that was lost with it. `none`: it had not begun on it. `slight`:
 * it was killed from outside, by an operator, or by a system short of memory, which a frame may have brought about.
 * `strong`: it crashed, hung, or made no sense.
 */
export type Suspicion = "none" | "slight" | "strong";

export class EngineLost extends Error {
  override readonly name = "EngineLost";
  readonly suspicion: Suspicion;

  constructor(message: string, suspicion: Suspicion = "strong") {
    super(message);
    this.suspicion = suspicion;
  }
}

/** The durable record. Every call returns when what it wrote is on disk, or throws. */
export interface Ledger {
  /** Commits a batch, and notes with it what has left: one sync for both. Nothing of either is written if it throws. */
  append(batch: readonly Judged[], left?: Left): readonly Committed[];
  decisionsAfter(id: number, limit: number): readonly DecisionRecord[];
  alertsAfter(id: number, limit: number): readonly PendingAlert[];
  publishedUpTo(): number;
  /** Notes what has left, where no batch comes that it could go with. */
  settle(publishedUpTo: number, alertIds: readonly number[]): void;
  /** Whether `append` would take this for a frame that has its row already. */
  isRecorded(judged: Judged): boolean;
  /** What stands of a part that has been decided within the dedupe window before `atMs`. */
  partStanding(station: string, part: string, atMs: number): PartStanding | undefined;
  /** Rows of parts without a decision, in the order in which they were written. */
  openPartRows(): readonly OpenPartRow[];
}

/** Reviews of one source for one reason: what belongs together. */
export interface ReviewKey {
  readonly station: string;
  readonly source: string;
  readonly reason: string;
}

/** One transition of a review, and the message that tells of it. */
export interface ReviewChange {
  readonly before: ReviewRecord;
  readonly after: ReviewRecord;
  /** Who did it; undefined where nobody did. */
  readonly by: Reviewer | undefined;
  readonly transaction: string | undefined;
  readonly atMs: number;
  /** JSON; undefined where it is not published. */
  readonly message: string | undefined;
  /** What an answer says of the part that is audited; undefined where it says nothing. */
  readonly finding?: Finding | undefined;
}

/** Which reviews to list; what is undefined does not matter. */
export interface ReviewFilter {
  readonly station: string | undefined;
  readonly source: string | undefined;
  readonly reason: string | undefined;
  readonly states: readonly ReviewState[];
  readonly limit: number;
  /** The last one of the page before. */
  readonly after: Pick<ReviewRecord, "priority" | "openedAtMs" | "id"> | undefined;
}

/** What an audit's answer is held against. */
export interface ExpectedAnswer {
  /** The class that its part passed as; or what the known frame shows. */
  readonly class: string | null;
  /** A known frame is asked about: no part is right or wrong by its answer. */
  readonly isKnown: boolean;
}

/** The reviews in the ledger. Every call returns when what it wrote is on disk, or throws. */
export interface ReviewBook {
  find(id: string): ReviewRecord | undefined;
  /** By priority, highest first, then by age, oldest first. */
  list(filter: ReviewFilter): readonly ReviewRecord[];
  frameOf(id: string): KeptFrame | undefined;
  /** What the answer to an audit is weighed by: kept back from `find` while it waits, and never to be shown before. */
  expectedOf(id: string): ExpectedAnswer;
  /**
   * Commits transitions and their messages, all or none.
   * @returns the messages that are to be delivered
   */
  change(changes: readonly ReviewChange[]): readonly PendingAlert[];
  /** Those whose deadline has passed and that are not marked yet. */
  overdue(nowMs: number, limit: number): readonly ReviewRecord[];
  /** Those whose claim has run out. */
  lapsed(nowMs: number, limit: number): readonly ReviewRecord[];
  /** When the next one is; null where there is none. */
  nextDeadlineMs(): number | null;
  nextLapseMs(): number | null;
  /** The held review of this key that comes first. */
  topHeld(key: ReviewKey): ReviewRecord | undefined;
  /** The held reviews of this key that come last, lowest priority and oldest first. */
  leastHeld(key: ReviewKey, limit: number): readonly ReviewRecord[];
  /** Of all that wait at a station, whether announced or not. */
  leastUnresolved(station: string, limit: number): readonly ReviewRecord[];
  oldestAtMs(station: string): number | null;
  /** What waits, counted; takes as long as there is much of it. */
  standing(): readonly (ReviewKey & {
    readonly held: number;
    readonly announced: number;
    readonly overdue: number;
    /** Highest priority of those held. */
    readonly top: number;
  })[];
  /** Announced reviews that wait, each with how many stand behind it and when the last of them opened. */
  leads(): readonly (ReviewKey & {
    readonly lead: string;
    readonly count: number;
    readonly lastAtMs: number;
  })[];
  /** When alerts were written, oldest first. */
  announcedSince(ms: number): readonly { readonly station: string; readonly atMs: number }[];
}

/**
 * `revision`: thresholds came into force. `refused`: what would have changed a station's judging was not taken.
 * `monitor`: its monitor's state changed. `monitor-cleared`: a person cleared it. `audit-policy`: how passed parts are
 * drawn from then on. `promoted`: a bundle that ran in shadow became the live one.
 */
export type ActKind =
  | "revision"
  | "refused"
  | "monitor"
  | "monitor-cleared"
  | "audit-policy"
  | "promoted"
  | "restored";

/** What was done to a station's judging, and by whom: written once, in the chain, never deleted by retention. */
export interface ActRow {
  /** Counts up from 1, over all stations. */
  readonly seq: number;
  readonly station: string;
  readonly kind: ActKind;
  /** Of the thresholds that it is about; null where it is about none. */
  readonly revision: number | null;
  readonly atMs: number;
  /** JSON: a signed document in full, or what happened in words and numbers. */
  readonly body: string;
}

/** The acts in the ledger. Every call returns when what it wrote is on disk, or throws. */
export interface ActBook {
  /** Commits acts, all or none, as a batch of the chain. */
  append(acts: readonly Omit<ActRow, "seq">[]): readonly ActRow[];
  latest(station: string, kind: ActKind): ActRow | undefined;
  /** Newest first. */
  list(filter: {
    readonly station?: string | undefined;
    readonly kinds?: readonly ActKind[] | undefined;
    readonly limit: number;
    /** Only those with a smaller number. */
    readonly before?: number | undefined;
  }): readonly ActRow[];
}

export interface ReviewMetrics {
  verdict(station: string, verdict: string): void;
  reviewOverdue(station: string): void;
  reviewExpired(station: string): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Milliseconds that never step back, from any origin. */
  monotonicMs(): number;
  /** Calls once after a time; the returned function calls it off. */
  after(ms: number, call: () => void): () => void;
}

/** What decisions have in common that are counted as one. */
export interface Alike {
  readonly station: string;
  /** On a frame, or on a part; a frame of a part is held. */
  readonly of: "frame" | "part";
  readonly decision: string;
  readonly reason: string;
  /** What the student took it for; null where it gave no class. */
  readonly className: string | null;
}

/** What the gateway counts and times. */
export interface Metrics {
  /** Decisions of a batch that are alike. */
  decided(alike: Alike, count: number): void;
  /** From the receipt of a frame until its decision is on disk and handed to the broker. */
  latency(station: string, seconds: number): void;
  redelivered(station: string): void;
  /** A frame or part decided in mode shadow: what would have been decided. */
  wouldBe(station: string, decision: string, reason: string): void;
  /** A part that was decided before its time, since too many were open. */
  partCut(station: string): void;
  /** A message on a topic that no station takes. */
  unrouted(): void;
  /** A message that the broker does not take, as opposed to one lost with the connection. */
  publishRefused(what: "decision" | "alert"): void;
  /** Time spent by one batch in a stage of the main path. */
  stage(stage: "engine" | "commit" | "acknowledge" | "publish", seconds: number): void;
}

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
