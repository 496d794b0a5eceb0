/** A gateway among fakes that do what a test tells them, on a clock that moves when asked. */

import type { Prediction } from "../../src/core/judge.ts";
import {
  type Committed,
  type DecisionRecord,
  type Judged,
  type PendingAlert,
  recordOf,
} from "../../src/core/record.ts";
import type { BacklogBounds } from "../../src/gateway/backlog.ts";
import { createGateway, type Gateway, type GatewayOptions } from "../../src/gateway/gateway.ts";
import {
  type Clock,
  type Delivery,
  type Engine,
  type EngineFrame,
  EngineLost,
  type Intake,
  type Ledger,
  type Log,
  type Message,
  type Metrics,
  type Outcome,
  type Publisher,
  type PublishFailed,
} from "../../src/gateway/ports.ts";
import { createRelay, type Relay } from "../../src/gateway/relay.ts";
import type { StationOptions } from "../../src/gateway/station.ts";
import { anAuditsBook, type FakeAuditsBook } from "./audits-book.ts";
import { aPrediction, aRule } from "./builders.ts";
import { aPartsBook } from "./parts-book.ts";
import { EACH_ANNOUNCED } from "./reviews.ts";

/** Lets everything run that waits for nothing but its turn. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

export interface FakeClock extends Clock {
  /** Moves time on and calls what is due, in order. */
  pass(ms: number): Promise<void>;
}

export function aClock(): FakeClock {
  let now = 1_000_000;
  let timers: { at: number; call: () => void }[] = [];
  return {
    nowMs: () => now,
    monotonicMs: () => now,
    after(ms, call) {
      const timer = { at: now + ms, call };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    async pass(ms) {
      const end = now + ms;
      for (;;) {
        const due = timers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        now = Math.max(now, due.at);
        timers = timers.filter((one) => one !== due);
        due.call();
        await turn();
      }
      now = end;
      await turn();
    },
  };
}

/** What happened, in order: `commit a,b`, `acknowledge 1,2`, `publish a`, `alert r`. */
export type Trace = string[];

const DEDUPE_WINDOW_MS = 86_400_000;

export interface FakeLedger extends Ledger {
  readonly audits: FakeAuditsBook;
  readonly records: DecisionRecord[];
  /** Every alert ever written, delivered or not. */
  readonly alertsWritten: string[];
  /** Called before each append; may throw. */
  beforeAppend: () => void;
}

/** Held to the same contract as the real one, by test/contract/ledger.test.ts. */
export function aLedger(trace: Trace): FakeLedger {
  const records: DecisionRecord[] = [];
  const identified = new Set<number>();
  const reviews = new Set<string>();
  const alerts: PendingAlert[] = [];
  const book = aPartsBook();
  const audits = anAuditsBook();
  let published = 0;
  const earlierOf = ({ frame, decidedAtMs }: Judged): DecisionRecord | undefined =>
    records.findLast(
      (one) =>
        frame.identified &&
        identified.has(one.id) &&
        one.frame === frame.id &&
        one.source === frame.source &&
        one.station === frame.station &&
        one.decidedAtMs >= decidedAtMs - DEDUPE_WINDOW_MS,
    );
  const ledger: FakeLedger = {
    records,
    audits,
    alertsWritten: [],
    beforeAppend: () => {},
    append(batch, left) {
      ledger.beforeAppend();
      const opening = batch.flatMap(({ review }) => review?.id ?? []);
      if (opening.some((id) => reviews.has(id)) || new Set(opening).size < opening.length) {
        throw new Error("a review id is taken");
      }
      const committed = batch.map((judged): Committed => {
        const earlier = earlierOf(judged);
        if (earlier !== undefined) return { record: earlier, isRedelivery: true, alert: undefined };
        const record = recordOf(judged, records.length + 1);
        records.push(record);
        if (judged.frame.identified) identified.add(record.id);
        book.note(record, judged);
        audits.note(record, judged);
        if (judged.review !== undefined) {
          reviews.add(judged.review.id);
        }
        const body = judged.review?.alert;
        const extent = judged.prediction?.extent;
        if (body === undefined) return { record, isRedelivery: false, alert: undefined, extent };
        const alert = { id: record.id, station: record.station, body };
        alerts.push(alert);
        ledger.alertsWritten.push(body);
        return { record, isRedelivery: false, alert, extent };
      });
      if (left !== undefined) ledger.settle(left.publishedUpTo, left.alertIds);
      trace.push(`commit ${batch.map((judged) => judged.frame.id)}`);
      return committed;
    },
    isRecorded: (judged) => earlierOf(judged) !== undefined,
    partStanding: (station, part, atMs) => book.standing(station, part, atMs - DEDUPE_WINDOW_MS),
    openPartRows: () => book.open(),
    decisionsAfter: (id, limit) => records.filter((record) => record.id > id).slice(0, limit),
    alertsAfter: (id, limit) => alerts.filter((alert) => alert.id > id).slice(0, limit),
    publishedUpTo: () => published,
    settle(upTo, ids) {
      published = upTo;
      for (const id of ids) {
        const at = alerts.findIndex((alert) => alert.id === id);
        if (at >= 0) alerts.splice(at, 1);
      }
    },
  };
  return ledger;
}

export interface FakePublisher extends Publisher {
  connected: boolean;
  readonly sent: Message[];
  /** Answers of the broker that are still out, oldest first. */
  readonly open: ((error?: PublishFailed) => void)[];
  /** Whether messages are acknowledged at once. */
  answers: boolean;
  connect(): void;
  disconnect(): void;
}

/** Publishes several as a fake may that has a wire of its own for each. */
export function oneByOne(
  publisher: Pick<Publisher, "publish">,
  messages: readonly Message[],
  done: (error: PublishFailed | undefined, index: number) => void,
): void {
  for (const [index, message] of messages.entries())
    publisher.publish(message, (error) => done(error, index));
}

export function aPublisher(trace: Trace): FakePublisher {
  const listeners: (() => void)[] = [];
  const publisher: FakePublisher = {
    connected: true,
    sent: [],
    open: [],
    answers: true,
    onConnect: (listener) => void listeners.push(listener),
    publish(message, done) {
      if (!publisher.connected)
        return done(Object.assign(new Error("offline"), { failure: "offline" as const }));
      publisher.sent.push(message);
      trace.push(`publish ${message.topic} ${String(message.payload)}`);
      if (publisher.answers) queueMicrotask(() => done());
      else publisher.open.push(done);
    },
    publishAll: (messages, done) => oneByOne(publisher, messages, done),
    connect() {
      publisher.connected = true;
      for (const listener of listeners) listener();
    },
    disconnect() {
      publisher.connected = false;
      for (const done of publisher.open.splice(0))
        done(Object.assign(new Error("lost"), { failure: "lost" as const }));
    },
  };
  return publisher;
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

export interface World {
  readonly gateway: Gateway;
  readonly relay: Relay;
  readonly clock: FakeClock;
  readonly ledger: FakeLedger;
  readonly publisher: FakePublisher;
  readonly trace: Trace;
  readonly acknowledged: number[];
  /** Batches as the engine got them, by their first payload byte. */
  readonly batches: number[][];
  /** What the engine does with a batch; by default every frame gets `prediction`. */
  judge: (frames: readonly EngineFrame[]) => Promise<readonly Outcome[]>;
  readonly counted: string[];
  readonly isPaused: () => boolean;
  readonly isHolding: () => boolean;
  /** The broker's session is found again as it was. */
  resume(): void;
  deliver(ticket: number, is?: Partial<Delivery>): void;
}

export const EVERY_FRAME = (prediction: Prediction) => async (frames: readonly EngineFrame[]) =>
  frames.map((): Outcome => ({ kind: "prediction", prediction }));

/** @param before what is left of an earlier run: its ledger, and its clock */
export async function aWorld(
  station: Partial<StationOptions> = {},
  backlogMax: BacklogBounds = { frames: 1000, bytes: 1_000_000 },
  before?: Pick<World, "ledger" | "clock" | "trace">,
  auditorOf?: (ledger: FakeLedger, clock: FakeClock) => GatewayOptions["auditor"],
  shadows?: GatewayOptions["shadows"],
): Promise<World> {
  const trace: Trace = before?.trace ?? [];
  const clock = before?.clock ?? aClock();
  const ledger = before?.ledger ?? aLedger(trace);
  const publisher = aPublisher(trace);
  const acknowledged: number[] = [];
  const lent = new Map<number, Uint8Array>();
  const batches: number[][] = [];
  const counted: string[] = [];
  let paused = false;
  let holding = false;
  let onDelivery: (delivery: Delivery) => void = () => {};
  let onResume: () => void = () => {};
  const intake: Intake = {
    async start(deliver, resume) {
      onDelivery = deliver;
      onResume = resume;
    },
    hold: () => {
      holding = true;
    },
    resume: () => {
      holding = false;
    },
    acknowledge(tickets) {
      // What is done with may be overwritten by other frames, and the real intake's is.
      for (const ticket of tickets) lent.get(ticket)?.fill(0xdb);
      acknowledged.push(...tickets);
      trace.push(`acknowledge ${tickets}`);
    },
    pause: () => {
      paused = true;
    },
    close: async () => {},
  };
  const engine: Engine = {
    judge(frames) {
      batches.push(frames.map((frame) => frame.payload[0]!));
      return world.judge(frames);
    },
  };
  const metrics: Metrics = {
    decided({ of, decision, reason }, count) {
      const said = `${of === "part" ? "part " : ""}${decision} ${reason}`;
      counted.push(...Array<string>(count).fill(said));
    },
    latency: () => {},
    wouldBe: (_, decision, reason) => void counted.push(`would ${decision} ${reason}`),
    partCut: () => void counted.push("part cut"),
    redelivered: () => void counted.push("redelivered"),
    unrouted: () => void counted.push("unrouted"),
    publishRefused: (what) => void counted.push(`refused ${what}`),
    stage: () => {},
  };
  const relay = createRelay({
    publisher,
    ledger,
    clock,
    metrics,
    log: silent,
    decisionMessage: (record) => ({ topic: "decisions", payload: record.frame, qos: 1 }),
    alertMessage: (_, body) => ({
      topic: "reviews",
      payload: (JSON.parse(body) as { frame: string }).frame,
      qos: 1,
    }),
  });
  const gateway = createGateway({
    stations: [
      {
        name: "press",
        match: (topic) => ({ source: topic, valid: true, frame: undefined }),
        encodings: ["raw"],
        sources: undefined,
        frameBytesMax: 1000,
        classes: ["good", "bad"],
        bundle: "b".repeat(64),
        rule: aRule(),
        engine,
        overload: "hold",
        reviewDeadlineMs: 60_000,
        framesPerPartMax: 4,
        parts: { windowMs: 10_000, openMax: 100 },
        ...station,
      },
    ],
    intake,
    ledger,
    relay,
    clock,
    metrics,
    log: silent,
    review: { classCosts: {} },
    reviews: EACH_ANNOUNCED,
    auditor: auditorOf?.(ledger, clock),
    shadows,
    idPrefix: before === undefined ? "1" : "2",
    batchMax: 4,
    backlogMax,
  });
  const world: World = {
    gateway,
    relay,
    clock,
    ledger,
    publisher,
    trace,
    acknowledged,
    batches,
    counted,
    judge: EVERY_FRAME(aPrediction()),
    isPaused: () => paused,
    isHolding: () => holding,
    resume() {
      lent.clear();
      onResume();
    },
    deliver(ticket, is = {}) {
      // As the intake gives it: a Buffer, whose own slice is a view.
      const payload = Buffer.from(is.payload ?? Uint8Array.of(ticket));
      lent.set(ticket, payload);
      onDelivery({
        ticket,
        topic: "cam-1",
        contentType: undefined,
        correlation: undefined,
        frameId: `f${ticket}`,
        partId: undefined,
        partCount: undefined,
        qos: 1,
        receivedAtMs: clock.nowMs(),
        ...is,
        payload,
      });
    },
  };
  await gateway.start();
  publisher.connect();
  await turn();
  return world;
}

/** An engine that ends while it has the frame with this first payload byte. */
export function dyingOf(culprit: number) {
  return async (frames: readonly EngineFrame[]): Promise<readonly Outcome[]> => {
    if (frames.some((frame) => frame.payload[0] === culprit)) throw new EngineLost("the engine ended");
    return EVERY_FRAME(aPrediction())(frames);
  };
}
