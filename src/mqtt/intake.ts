/** The intake: frames from the broker, acknowledged only when the gateway says that they are safe. */
import { createNumberWindow } from "../core/number-window.ts";
import type { Random } from "../core/random.ts";
import type { Delivery, Intake } from "../gateway/ports.ts";
import { DEFERRED, type Link } from "./attempt.ts";
import type { ConnectionOptions } from "./client-options.ts";
import { type ConnectionEvent, createConnection, waitMs } from "./connection.ts";
import { frameProperties, type IgnoredProperty } from "./frame-properties.ts";
import { createSession, type Session } from "./intake-session.ts";
import type { PublishPacket } from "./publish-packet.ts";
import { createSlabs, type Slab, type Slabs } from "./slabs.ts";
import { subscribe } from "./subscribe.ts";

export interface IntakeOptions {
  /** `clientId` names the session that the broker keeps: the same one after a restart. */
  readonly connection: Omit<ConnectionOptions, "clean" | "will" | "receiveMaximum">;
  readonly filters: readonly string[];
  /** Bound of the frames that are delivered and not acknowledged, at QoS 0 too; 1 to 65,535, default 1,000. */
  readonly receiveMaximum?: number | undefined;
  readonly nowMs: () => number;
  readonly random: Random;
  readonly onEvent: (event: IntakeEvent) => void;
  /** Where frames are read to. */
  readonly slabs?: Slabs | undefined;
}

export type IntakeEvent =
  | ConnectionEvent
  /** A retained frame is an old one: acknowledged, not delivered. */
  | { readonly kind: "retained-dropped"; readonly topic: string }
  | { readonly kind: "property-ignored"; readonly topic: string; readonly property: IgnoredProperty }
  /** Came after `pause`, or while leaving. At QoS 1 the broker delivers it again; at QoS 0 it is gone. */
  | { readonly kind: "paused-dropped"; readonly topic: string; readonly qos: 0 | 1 | 2 }
  /**
   * `receiveMaximum` frames wait for their acknowledgement, and one more came: nothing is read until there is
   * room. On MQTT 5 only QoS 0 frames can bring it about; the broker counts the others itself.
   */
  | { readonly kind: "window-full"; readonly receiveMaximum: number }
  /** A frame came while the gateway has no room for more: nothing is read until there is. */
  | { readonly kind: "backlog-full" }
  /** Asked for again, also at the start: who mends the access list finds the gateway there. Other filters go on. */
  | { readonly kind: "subscription-refused"; readonly problem: string; readonly retryInMs: number }
  /** What was refused is granted now. */
  | { readonly kind: "subscribed" };

const RECEIVE_MAXIMUM = 1_000;

/** Of a message that mqtt.js has read: its memory is its own. */
const NO_SLAB = { release() {}, abandon() {} };

/** @throws Error on options that can never work */
export function createIntake(options: IntakeOptions): Intake {
  const { onEvent } = options;
  const receiveMaximum = checkedWindow(options.receiveMaximum ?? RECEIVE_MAXIMUM);
  const filters = [...new Set(options.filters)];
  if (filters.length === 0) throw new Error("the intake needs a topic filter to subscribe to, found none");
  let session: Session | undefined;
  let lastTicket = 0;
  let deliver: ((delivery: Delivery) => void) | undefined;
  let resumed: (() => void) | undefined;
  let paused = false;
  let isHolding = false;
  let isAway = false;
  // Delivered, and the gateway is not done with them: of this connection, of which the window bounds them, and of those
  // before.
  const open = createNumberWindow<Pick<Slab, "release" | "abandon">>();
  const older = new Map<number, Pick<Slab, "release" | "abandon">>();
  let starting: { resolve(): void; reject(error: Error): void } | undefined;
  let refusals = 0;
  let askAgain: NodeJS.Timeout | undefined;

  function receive(current: Session, packet: PublishPacket, proceed: Proceed): void {
    const { topic, qos, slab } = packet;
    if (deliver === undefined || paused || current !== session) {
      slab?.release();
      onEvent({ kind: "paused-dropped", topic, qos });
    } else if (isHolding || current.unacknowledged >= receiveMaximum) {
      onEvent(isHolding ? { kind: "backlog-full" } : { kind: "window-full", receiveMaximum });
      current.hold(() => receive(current, packet, proceed));
      return;
    } else {
      const ticket = ++lastTicket;
      current.open(ticket, qos === 1 ? packet.messageId : undefined);
      if (!packet.retain) {
        open.set(ticket, slab ?? NO_SLAB);
        deliver(deliveryOf(packet, ticket, options));
      } else {
        slab?.release();
        onEvent({ kind: "retained-dropped", topic });
        current.acknowledge([ticket], isHolding);
      }
    }
    // QoS 2 is not subscribed to; where it comes all the same, mqtt.js acknowledges it as it comes.
    proceed(qos === 2 ? undefined : DEFERRED);
  }

  function ask(link: Link): void {
    subscribe(link, filters, (problem) => {
      if (problem !== undefined) {
        const retryInMs = waitMs(options.connection, ++refusals, options.random);
        onEvent({ kind: "subscription-refused", problem, retryInMs });
        if (!paused) askAgain = setTimeout(() => ask(link), retryInMs);
      } else if (refusals > 0) {
        refusals = 0;
        onEvent({ kind: "subscribed" });
      }
      starting?.resolve();
      starting = undefined;
    });
  }

  /** What the gateway has is judged meanwhile; half of it done, there is a point in coming back. */
  function leave(): void {
    isAway = true;
    const left = session;
    session = undefined;
    left?.release();
    connection.leave();
    comeBack();
  }

  function comeBack(): void {
    if (!isAway || paused || isHolding || open.size + older.size > receiveMaximum / 2) return;
    isAway = false;
    connection.open();
  }

  /** The gateway may drop what comes again without a word, or judge it yet: its memory is left to it. */
  function forget(): void {
    for (const slab of [...open.values(), ...older.values()]) slab.abandon();
    open.clear();
    older.clear();
  }

  const settings = { ...options.connection, clean: false, receiveMaximum };
  const connection = createConnection(settings, options.random, {
    onEvent,
    slabs: options.slabs ?? createSlabs(),
    onAttempt(client) {
      session = createSession(client, receiveMaximum, leave);
    },
    onAccepted(sessionPresent) {
      if (!sessionPresent) {
        for (const [ticket, slab] of open.entries()) older.set(ticket, slab);
        open.clear();
        return;
      }
      forget();
      resumed?.();
    },
    onMessage(packet, proceed) {
      if (session !== undefined) receive(session, packet, proceed);
    },
    // Each time: the broker may have lost the session, and the filters may be new ones.
    onUp: ask,
    onDown() {
      clearTimeout(askAgain);
      const gone = session;
      session = undefined;
      gone?.release();
    },
  });

  return {
    async start(onDelivery, onResume) {
      if (deliver !== undefined || paused) throw new Error("the intake has been started already, or closed");
      deliver = onDelivery;
      resumed = onResume;
      await new Promise<void>((resolve, reject) => {
        starting = { resolve, reject };
        connection.open();
      });
    },
    acknowledge(tickets) {
      for (const ticket of tickets) {
        (open.get(ticket) ?? older.get(ticket))?.release();
        open.delete(ticket);
        older.delete(ticket);
      }
      session?.acknowledge(tickets, isHolding);
      comeBack();
    },
    hold() {
      isHolding = true;
    },
    resume() {
      isHolding = false;
      session?.acknowledge([], false);
      comeBack();
    },
    pause() {
      paused = true;
      session?.release();
    },
    async close() {
      paused = true;
      clearTimeout(askAgain);
      starting?.reject(new Error("the intake was closed before it had subscribed"));
      starting = undefined;
      await connection.close();
    },
  };
}

type Proceed = (error?: Error) => void;

function checkedWindow(receiveMaximum: number): number {
  if (Number.isInteger(receiveMaximum) && receiveMaximum >= 1 && receiveMaximum <= 65_535)
    return receiveMaximum;
  throw new RangeError(`receiveMaximum must be an integer from 1 to 65535, found ${receiveMaximum}`);
}

function deliveryOf(packet: PublishPacket, ticket: number, { onEvent, nowMs }: IntakeOptions): Delivery {
  const { topic } = packet;
  const { ignored, contentType, correlation, frameId, partId, partCount } = frameProperties(
    packet.properties,
  );
  for (const property of ignored) onEvent({ kind: "property-ignored", topic, property });
  const payload = packet.payload as Buffer;
  const qos = packet.qos === 0 ? 0 : 1;
  const responseTopic = packet.properties?.responseTopic;
  // One literal: an object that is spread and then grows costs more than all else that is done for a frame here.
  return {
    ticket,
    topic,
    payload,
    contentType,
    correlation,
    responseTopic,
    frameId,
    partId,
    partCount,
    qos,
    receivedAtMs: nowMs(),
  };
}
