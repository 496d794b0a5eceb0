/**
 * Keeps one connection to the broker: finds the MQTT version, connects again after a loss, says what happens.
 *
 * mqtt.js connects, parses and keeps alive. Its own reconnecting is not used: each attempt is a new client, so
 * that no packet id, queue or stored message of a lost connection can reach the next one.
 */
import type { MqttClient } from "mqtt";
import type { Random } from "../core/random.ts";
import { type Attempt, type AttemptEnd, beginAttempt, DEFERRED, type Link } from "./attempt.ts";
import { readBrokerUrl } from "./broker-url.ts";
import { CLOSE_TIMEOUT_MS, type ConnectionOptions, checkTls, clientOptions } from "./client-options.ts";
import { negotiateVersion } from "./protocol-version.ts";
import type { PublishPacket } from "./publish-packet.ts";
import type { Slabs } from "./slabs.ts";

export type ConnectionEvent =
  | {
      readonly kind: "connected";
      readonly broker: string;
      readonly version: "5" | "3.1.1";
      readonly sessionPresent: boolean;
    }
  /** An attempt failed, or a connection that was up is gone. */
  | {
      readonly kind: "connect-failed" | "connection-lost";
      readonly broker: string;
      readonly reason: string;
      readonly retryInMs: number;
    }
  /** Left in good order, to come back when asked to. */
  | { readonly kind: "left" | "closed"; readonly broker: string };

export interface ConnectionHandlers {
  readonly onEvent: (event: ConnectionEvent) => void;
  /** A connection is being made. What comes next belongs to it, a backlog ahead of `onUp` included. */
  readonly onAttempt?: (client: MqttClient) => void;
  /** The broker has said yes, ahead of all messages; not called for a connection that is left at once. */
  readonly onAccepted?: (sessionPresent: boolean) => void;
  readonly onMessage?: (packet: PublishPacket, proceed: (error?: Error) => void) => void;
  readonly onPuback?: (messageId: number, reasonCode: number) => void;
  /** Where packets are read to; left out where few come, and mqtt.js may read them. */
  readonly slabs?: Slabs;
  readonly onUp: (link: Link) => void;
  /** The attempt, or the connection that came of it, is over. */
  readonly onDown: (reason: string) => void;
}

export interface Connection {
  /** Begins to connect, and goes on trying. After `leave` not at once: those that left together come one by one. */
  open(): void;
  /** Says DISCONNECT and stays away until `open`. The broker keeps a session that is to be kept. */
  leave(): void;
  /** Says DISCONNECT, so that no will is published, and connects no more. */
  close(): Promise<void>;
}

/** A connection that held this long was a good one: the next loss starts with the shortest wait again. */
const STABLE_MS = 10_000;

const FIRST_RETRY_MS = 250;
const RETRY_MAX_MS = 30_000;

/** @throws Error on a URL, TLS file or combination of them that can never work */
export function createConnection(
  options: ConnectionOptions,
  random: Random,
  handlers: ConnectionHandlers,
): Connection {
  const address = readBrokerUrl(options.url);
  checkTls(options.tls, address);
  const broker = address.name;
  const negotiation = negotiateVersion(options.protocol);
  let attempt: Attempt | undefined;
  let retryTimer: NodeJS.Timeout | undefined;
  let stableTimer: NodeJS.Timeout | undefined;
  let failures = 0;
  let isAway = false;
  let isLeaving = false;
  let closed: Promise<void> | undefined;
  let whenDown: (() => void) | undefined;

  function begin(): void {
    retryTimer = undefined;
    const { version } = negotiation;
    attempt = beginAttempt(clientOptions(options, address, version), version, {
      onAccepted(sessionPresent) {
        if (negotiation.after("accepted") === "probe") return "leave";
        handlers.onAccepted?.(sessionPresent);
        return "use";
      },
      onMessage: handlers.onMessage ?? dropped,
      onPuback: handlers.onPuback ?? (() => {}),
      slabs: handlers.slabs,
      onUp(link) {
        stableTimer = setTimeout(() => {
          failures = 0;
        }, STABLE_MS).unref();
        const { sessionPresent } = link;
        handlers.onEvent({
          kind: "connected",
          broker,
          version: version === 5 ? "5" : "3.1.1",
          sessionPresent,
        });
        handlers.onUp(link);
      },
      onEnd: ended,
    });
    handlers.onAttempt?.(attempt.client);
  }

  function ended(end: AttemptEnd): void {
    attempt = undefined;
    clearTimeout(stableTimer);
    handlers.onDown(end.reason);
    if (closed !== undefined) {
      whenDown?.();
      return;
    }
    if (isLeaving) {
      isLeaving = false;
      handlers.onEvent({ kind: "left", broker });
      if (!isAway) retryTimer = setTimeout(begin, waitMs(options, 1, random));
      return;
    }
    const atOnce = end.outcome === "accepted" ? end.left : negotiation.after(end.outcome) === "retry";
    failures += atOnce ? 0 : 1;
    const retryInMs = atOnce ? 0 : waitMs(options, failures, random);
    retryTimer = setTimeout(begin, retryInMs);
    const reason = end.left ? "MQTT 3.1.1 works; trying once more whether MQTT 5 does" : end.reason;
    const kind = end.wasUp ? "connection-lost" : "connect-failed";
    handlers.onEvent({ kind, broker, reason, retryInMs });
  }

  async function shutDown(): Promise<void> {
    clearTimeout(retryTimer);
    if (attempt !== undefined) {
      const down = new Promise<void>((resolve) => {
        whenDown = resolve;
      });
      attempt.end(options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS);
      await down;
    }
    handlers.onEvent({ kind: "closed", broker });
  }

  return {
    open() {
      const wasAway = isAway;
      isAway = false;
      if (closed !== undefined || attempt !== undefined || retryTimer !== undefined) return;
      if (wasAway) retryTimer = setTimeout(begin, waitMs(options, 1, random));
      else begin();
    },
    leave() {
      isAway = true;
      clearTimeout(retryTimer);
      retryTimer = undefined;
      if (attempt === undefined) return;
      isLeaving = true;
      attempt.end(options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS);
    },
    close() {
      // Deferred, so that `closed` is set before anything ends.
      closed ??= Promise.resolve().then(shutDown);
      return closed;
    },
  };
}

/** Nothing was subscribed to: a message that comes all the same is nobody's. */
function dropped({ slab }: PublishPacket, proceed: (error?: Error) => void): void {
  slab?.release();
  proceed(DEFERRED);
}

/**
 * Half of an exponentially growing wait is drawn: gateways that lost one broker come back one by one.
 * @param failures one after the other, the last included; at least 1
 * @returns between half of the wait and all of it, which is `firstRetryMs` at first and `retryMaxMs` at most
 */
export function waitMs(
  options: Pick<ConnectionOptions, "firstRetryMs" | "retryMaxMs">,
  failures: number,
  random: Random,
): number {
  const first = options.firstRetryMs ?? FIRST_RETRY_MS;
  const whole = Math.min(options.retryMaxMs ?? RETRY_MAX_MS, first * 2 ** Math.min(failures - 1, 30));
  return Math.round(whole * (0.5 + random.next() / 2));
}
