/** The broker's session of the intake, and the intake on it: delivers again what was not acknowledged, and checks. */

import type { Random } from "../../src/core/random.ts";
import type { Delivery, Intake } from "../../src/gateway/ports.ts";
import { type Acknowledgements, createAcknowledgements } from "../../src/mqtt/acknowledgements.ts";
import type { Journal } from "./journal.ts";
import { between, type Life, outlives, type VirtualTime } from "./life.ts";
import type { SensorMessage } from "./plant.ts";

interface Queued {
  readonly message: SensorMessage;
  /** Sent before: comes with DUP. */
  wasSent: boolean;
}

interface Connection {
  readonly pending: Acknowledgements;
  /** Sent and not acknowledged, in the order sent, by message id. */
  readonly inFlight: Map<number, Queued>;
  lastMessageId: number;
}

export interface Session {
  readonly queued: number;
  publish(message: SensorMessage): void;
  /** Sends up to so many of what waits. */
  deliver(count: number): void;
  drop(): void;
  /** The broker has lost all that it kept. */
  forget(): void;
  /** It crashed, and knows its session as it was before the last of its messages: these, some of them delivered. */
  forgetLatest(count: number): readonly { readonly message: SensorMessage; readonly wasDelivered: boolean }[];
  /** Takes connections again; the intake comes back of itself. */
  isReachable: boolean;
  intakeFor(life: Life): Intake;
}

export interface SessionOptions {
  readonly receiveMaximum: number;
  readonly holdMaxMs: number;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly journal: Journal;
  /** Whether there is a reason to hold the intake from then until now. */
  readonly mayHoldSince: (ms: number) => boolean;
  /** A payload is overwritten once its frame is done with, as the real intake's may be. */
  readonly overwrites?: boolean;
  /** Whether this message may be acknowledged by now. */
  readonly isDecided: (message: SensorMessage) => boolean;
}

export function aSession(options: SessionOptions): Session {
  const { receiveMaximum, time, random, journal } = options;
  let queue: Queued[] = [];
  let connection: Connection | undefined;
  let isFresh = true;
  let lastTicket = 0;
  /** Payloads of frames that the gateway is not done with. */
  const lent = new Map<number, Uint8Array>();
  let held = false;
  let paused = false;
  let deliverTo: ((queued: Queued, current: Connection) => void) | undefined;
  let reconnect: (() => void) | undefined;

  const drop = (): void => {
    connection = undefined;
    reconnect?.();
  };

  function puback(current: Connection, messageId: number): void {
    const first = current.inFlight.entries().next().value;
    const queued = current.inFlight.get(messageId);
    if (queued === undefined) {
      journal.violate(`PUBACK for ${messageId}, which is not in flight`);
      return;
    }
    if (first?.[0] !== messageId)
      journal.violate(`PUBACK out of the order of receipt: ${queued.message.seq}`);
    if (!options.isDecided(queued.message)) {
      journal.violate(`message ${queued.message.seq} was acknowledged without a decision on disk`);
    }
    current.inFlight.delete(messageId);
    queue = queue.filter((one) => one !== queued);
    journal.note("puback", queued.message.seq);
  }

  function intakeFor(life: Life): Intake {
    const clock = time.clockOf(life);
    let isAway = false;
    let cancelLeave: (() => void) | undefined;
    let isClosed = false;
    held = false;
    paused = false;

    const connectLater = (): void => {
      clock.after(between(random, 10, 400), () => {
        if (isClosed || isAway || connection !== undefined) return;
        if (!session.isReachable) return connectLater();
        connection = { pending: createAcknowledgements(), inFlight: new Map(), lastMessageId: 0 };
        journal.note("intake-connected", isFresh ? "fresh" : "resumed");
        if (!isFresh) {
          lent.clear();
          onResume();
        }
        isFresh = false;
      });
    };
    let onResume: () => void = () => {};

    return {
      async start(onDelivery, resumed) {
        onResume = resumed;
        deliverTo = (queued, current) => {
          const { message } = queued;
          if (message.qos === 1) current.inFlight.set(++current.lastMessageId, queued);
          const ticket = ++lastTicket;
          current.pending.open(ticket, message.qos === 1 ? current.lastMessageId : undefined);
          journal.note(queued.wasSent ? "redeliver" : "deliver", message.seq);
          queued.wasSent = true;
          const payload = message.payload.slice();
          lent.set(ticket, payload);
          onDelivery({ ...deliveryOf(message, ticket, time.clock.nowMs()), payload });
        };
        reconnect = connectLater;
        connectLater();
      },
      acknowledge(tickets) {
        life.passes("before-puback");
        for (const ticket of tickets) {
          if (options.overwrites) lent.get(ticket)?.fill(0xdb);
          lent.delete(ticket);
        }
        if (connection === undefined) return;
        connection.pending.close(tickets);
        for (const messageId of connection.pending.release()) puback(connection, messageId);
        life.passes("after-puback");
      },
      hold() {
        if (!life.alive) return;
        held = true;
        journal.note("hold");
        cancelLeave = clock.after(options.holdMaxMs, () => {
          isAway = true;
          connection = undefined;
          journal.note("leave");
          if (!options.mayHoldSince(time.clock.monotonicMs() - options.holdMaxMs)) {
            journal.violate("every station sheds, the disk is sound, and yet the intake was held up");
          }
        });
      },
      resume() {
        if (!life.alive) return;
        held = false;
        cancelLeave?.();
        if (isAway) connectLater();
        isAway = false;
      },
      pause() {
        if (life.alive) paused = true;
      },
      async close() {
        isClosed = true;
        if (life.alive) connection = undefined;
      },
    };
  }

  const session: Session = {
    isReachable: true,
    get queued() {
      return queue.length;
    },
    publish(message) {
      queue.push({ message, wasSent: false });
    },
    deliver(count) {
      for (let i = 0; i < count; i++) {
        const current = connection;
        if (current === undefined || held || paused || current.pending.size >= receiveMaximum) return;
        const inFlight = new Set(current.inFlight.values());
        const next = queue.find((one) => !inFlight.has(one));
        if (next === undefined) return;
        if (next.message.qos === 0) queue = queue.filter((one) => one !== next);
        outlives(() => deliverTo?.(next, current));
      }
    },
    drop,
    forget() {
      queue = [];
      isFresh = true;
      drop();
    },
    forgetLatest(count) {
      const delivered = new Set(connection?.inFlight.values());
      const lost = queue.splice(Math.max(0, queue.length - count));
      drop();
      return lost.map((one) => ({ message: one.message, wasDelivered: delivered.has(one) }));
    },
    intakeFor(life) {
      connection = undefined;
      return intakeFor(life);
    },
  };
  return session;
}

function deliveryOf(
  { topic, payload, frameId, qos, partId, partCount }: SensorMessage,
  ticket: number,
  nowMs: number,
): Delivery {
  return {
    ticket,
    topic,
    payload,
    frameId,
    qos,
    contentType: undefined,
    correlation: undefined,
    partId,
    partCount,
    receivedAtMs: nowMs,
  };
}
