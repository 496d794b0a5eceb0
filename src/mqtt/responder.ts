/**
 * The responder: questions from the broker, each answered over the connection that it came on.
 *
 * Nothing is kept for it while it is away: who asks asks again. So a question is acknowledged as it comes, and what
 * holds the flood back is the bound of who takes the questions.
 */
import { ReasonCodes } from "mqtt";
import type { Random } from "../core/random.ts";
import type { Message } from "../gateway/ports.ts";
import type { Link } from "./attempt.ts";
import { CLOSE_TIMEOUT_MS, type ConnectionOptions } from "./client-options.ts";
import { type ConnectionEvent, createConnection } from "./connection.ts";
import type { ProtocolVersion } from "./packets.ts";
import type { PublishPacket } from "./publish-packet.ts";
import { createSender, type Sender } from "./sender.ts";

export interface Question {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** MQTT 5; to be given back with the answer. */
  readonly correlation: Uint8Array | undefined;
}

export interface ResponderOptions {
  readonly connection: Omit<ConnectionOptions, "clean" | "sessionExpirySeconds" | "will" | "receiveMaximum">;
  /** What to subscribe to, on a broker of this version. */
  readonly filters: (version: ProtocolVersion) => readonly string[];
  readonly random: Random;
  readonly onEvent: (event: ConnectionEvent) => void;
  /** After a reconnect the broker refuses the subscription. At the start it fails `connect` instead. */
  readonly onRefused: (problem: string) => void;
  readonly onQuestion: (question: Question) => void;
}

export interface Responder {
  /** Resolves when it hears questions; rejects if the broker refuses the subscription. */
  connect(): Promise<void>;
  /** Sends an answer, or reports why it did not leave; nothing is queued while disconnected. */
  send(message: Message, done: (error?: Error) => void): void;
  /** Waits for the answers that are out, and ends the connection. */
  close(): Promise<void>;
}

/** Answers that the broker has not acknowledged, and their bytes. */
const PENDING_MAX = 256;
const UNWRITTEN_BYTES_MAX = 4 * 1024 * 1024;
/** Questions that the broker may send ahead. */
const RECEIVE_MAXIMUM = 16;

/** @throws Error on options that can never work */
export function createResponder(options: ResponderOptions): Responder {
  let sender: Sender | undefined;
  let isClosing = false;
  let whenHeard: { resolve(): void; reject(error: Error): void } | undefined;
  const settings = {
    ...options.connection,
    ...{ clean: true, sessionExpirySeconds: 0, receiveMaximum: RECEIVE_MAXIMUM },
  };
  const connection = createConnection(settings, options.random, {
    onEvent: options.onEvent,
    onMessage(packet, proceed) {
      if (!isClosing && !packet.retain) options.onQuestion(questionOf(packet));
      proceed();
    },
    onPuback(messageId, reasonCode) {
      sender?.acknowledged(messageId, reasonCode);
    },
    onUp(link) {
      sender = createSender(link, { pendingMax: PENDING_MAX, unwrittenBytesMax: UNWRITTEN_BYTES_MAX });
      subscribe(link, options.filters(link.version), (problem) => {
        if (problem === undefined) whenHeard?.resolve();
        else if (whenHeard === undefined) options.onRefused(problem);
        else whenHeard.reject(new Error(problem));
        whenHeard = undefined;
      });
    },
    onDown(reason) {
      const lost = sender;
      sender = undefined;
      lost?.lose(reason);
    },
  });
  return {
    connect: () =>
      new Promise((resolve, reject) => {
        whenHeard = { resolve, reject };
        connection.open();
      }),
    send(message, done) {
      if (sender === undefined) done(new Error("not connected"));
      else sender.send([message], (error) => done(error));
    },
    async close() {
      isClosing = true;
      whenHeard?.reject(new Error("closed before it had subscribed"));
      whenHeard = undefined;
      await sender?.idle(options.connection.closeTimeoutMs ?? CLOSE_TIMEOUT_MS);
      await connection.close();
    },
  };
}

function questionOf(packet: PublishPacket): Question {
  return {
    topic: packet.topic,
    payload: packet.payload as Buffer,
    correlation: packet.properties?.correlationData,
  };
}

function subscribe(
  { client }: Link,
  filters: readonly string[],
  done: (problem: string | undefined) => void,
): void {
  client.subscribe([...filters], { qos: 1, rh: 2 }, (error, granted) => {
    // A connection that went first is made again, and subscribes again.
    if (!client.connected) return;
    const refused = (granted ?? []).filter(({ qos }) => qos >= 0x80);
    if (error === null && refused.length === 0) return done(undefined);
    const why = refused.map(({ topic, qos }) => {
      return `${topic} (${(ReasonCodes as Record<number, string>)[qos] ?? "no reason given"})`;
    });
    done(
      `the broker refuses to subscribe to ${why.join(", ") || filters.join(", ")}: ${error?.message ?? ""}`,
    );
  });
}
