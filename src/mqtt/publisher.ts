/** The publisher: decisions, alerts and state to the broker, each with an answer to whether it arrived. */
import type { Random } from "../core/random.ts";
import type { Message, Publisher } from "../gateway/ports.ts";
import { CLOSE_TIMEOUT_MS, type ConnectionOptions } from "./client-options.ts";
import { type ConnectionEvent, createConnection } from "./connection.ts";
import { createSender, type Done, PublishError, type Sender, settle } from "./sender.ts";
import { createSlabs } from "./slabs.ts";
import { baseTopics } from "./topics.ts";

export interface PublisherOptions {
  readonly connection: Omit<ConnectionOptions, "clean" | "sessionExpirySeconds" | "will" | "receiveMaximum">;
  /** The gateway's name; its state topic carries the will. */
  readonly gateway: string;
  /** Number of this run, so that the will of an earlier one can be told. */
  readonly session: number;
  /** Bound of what waits for the broker: unacknowledged messages, and those behind its receive maximum. Default 4,096. */
  readonly pendingMax?: number | undefined;
  /** Bound of the bytes that the socket has not taken yet. Default 16 MiB. */
  readonly unwrittenBytesMax?: number | undefined;
  readonly random: Random;
  readonly onEvent: (event: PublisherEvent) => void;
}

export type PublisherEvent =
  | ConnectionEvent
  /** The last messages could not be published before the connection ended. */
  | { readonly kind: "final-messages-lost"; readonly count: number; readonly reason: string };

export { PublishError } from "./sender.ts";

export interface BrokerPublisher extends Publisher {
  /** Resolves at the first connection, and goes on trying until then and after each loss. */
  connect(): Promise<void>;
  /**
   * Publishes the last messages behind those that wait, then says goodbye, so that no will is published.
   * What has no answer by the timeout fails as `lost`.
   */
  close(finalMessages?: readonly Message[]): Promise<void>;
}

const PENDING_MAX = 4_096;
const UNWRITTEN_BYTES_MAX = 16 * 1024 * 1024;

/** @throws Error on options that can never work */
export function createPublisher(options: PublisherOptions): BrokerPublisher {
  const { onEvent, gateway, session } = options;
  const listeners: (() => void)[] = [];
  let sender: Sender | undefined;
  let connecting:
    | { readonly promise: Promise<void>; resolve(): void; reject(error: Error): void }
    | undefined;
  let closed: Promise<void> | undefined;

  const will = {
    topic: baseTopics(gateway).state,
    payload: JSON.stringify({ state: "offline", session }),
    qos: 1,
    retain: true,
  } as const;
  const settings = { ...options.connection, clean: true, sessionExpirySeconds: 0, will };
  const connection = createConnection(settings, options.random, {
    onEvent,
    onUp(link) {
      sender = createSender(link, {
        pendingMax: options.pendingMax ?? PENDING_MAX,
        unwrittenBytesMax: options.unwrittenBytesMax ?? UNWRITTEN_BYTES_MAX,
      });
      connecting?.resolve();
      for (const listener of listeners) listener();
    },
    slabs: createSlabs(),
    onPuback(messageId, reasonCode) {
      sender?.acknowledged(messageId, reasonCode);
    },
    onDown(reason) {
      const lost = sender;
      // First, so that a message that is published again from within `done` is not taken.
      sender = undefined;
      lost?.lose(reason);
    },
  });

  async function finish(messages: readonly Message[]): Promise<void> {
    const last = sender;
    const answers = messages.map((message) => answerTo(last, message));
    await last?.idle(options.connection.closeTimeoutMs ?? CLOSE_TIMEOUT_MS);
    // What is still open fails as lost here.
    await connection.close();
    const failures = (await Promise.all(answers)).filter((error) => error !== undefined);
    if (failures.length === 0) return;
    onEvent({ kind: "final-messages-lost", count: failures.length, reason: failures[0]!.message });
  }

  function sendAll(messages: readonly Message[], done: Done): void {
    if (sender !== undefined && closed === undefined) {
      sender.send(messages, done);
      return;
    }
    const error = new PublishError("offline", closed ? "the publisher is closed" : "not connected");
    for (const index of messages.keys()) settle(done, error, index);
  }

  return {
    get connected() {
      return sender !== undefined && closed === undefined;
    },
    onConnect(listener) {
      listeners.push(listener);
    },
    publish: (message, done) => sendAll([message], done),
    publishAll: sendAll,
    connect() {
      connecting ??= promiseOf();
      connection.open();
      return connecting.promise;
    },
    close(finalMessages = []) {
      closed ??= Promise.resolve().then(() => finish(finalMessages));
      connecting ??= promiseOf();
      connecting.reject(new Error("the publisher was closed before it had connected"));
      return closed;
    },
  };
}

function promiseOf(): { readonly promise: Promise<void>; resolve(): void; reject(error: Error): void } {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever awaits it sees the failure; whoever connects in the background must not crash of it.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

function answerTo(sender: Sender | undefined, message: Message): Promise<Error | undefined> {
  if (sender === undefined) return Promise.resolve(new PublishError("offline", "not connected"));
  return new Promise((resolve) => sender.send([message], resolve));
}
