/** The intake's side of one connection: what is unacknowledged on it, and how it stops reading without being dropped. */
import type { MqttClient } from "mqtt";
import { createAcknowledgements } from "./acknowledgements.ts";
import { pubacks } from "./packets.ts";

/** What belongs to one connection, and is forgotten with it: the broker delivers again what was not acknowledged. */
export interface Session {
  readonly unacknowledged: number;
  /** @param messageId undefined where there is nothing to acknowledge */
  open(ticket: number, messageId: number | undefined): void;
  /** @param isHolding whether what is held has to stay so, whatever room there is */
  acknowledge(tickets: readonly number[], isHolding: boolean): void;
  /** Keeps the one message that found no room, and with it all behind it, until there is some. */
  hold(message: () => void): void;
  /** Lets go what is held, whether or not there is room: the connection ends. */
  release(): void;
}

/** Of the keepalive. The answer to a ping stands behind the held message, and mqtt.js gives it half of one. */
const HOLD_SHARE_MAX = 0.4;
/** Of the keepalive: how often a ping goes out at most where one hold follows upon the other. */
const PING_SHARE_MIN = 0.25;

/** @param onHeldTooLong reading has stopped for as long as the keepalive allows */
export function createSession(
  client: MqttClient,
  receiveMaximum: number,
  onHeldTooLong: () => void,
): Session {
  const pending = createAcknowledgements();
  const keepaliveMs = client.keepalive * 1_000;
  let held: (() => void) | undefined;
  let holdTimer: NodeJS.Timeout | undefined;
  let pingedAtMs = Number.NEGATIVE_INFINITY;

  /** While nothing is read no answer can be expected: the broker is told that we live, and mqtt.js to wait. */
  const stayAlive = (): void => {
    client.reschedulePing(true);
    const nowMs = performance.now();
    if (nowMs - pingedAtMs < keepaliveMs * PING_SHARE_MIN) return;
    pingedAtMs = nowMs;
    client.sendPing();
  };
  const release = (): void => {
    clearTimeout(holdTimer);
    const message = held;
    held = undefined;
    // Not from within: it delivers, and the gateway is in the middle of acknowledging.
    if (message !== undefined) queueMicrotask(message);
  };
  return {
    get unacknowledged() {
      return pending.size;
    },
    open: pending.open,
    acknowledge(tickets, isHolding) {
      pending.close(tickets);
      const released = pending.release();
      const { stream } = client;
      // One write, so that a batch leaves in one segment although Nagle's algorithm is off.
      if (released.length > 0 && stream.writable) stream.write(pubacks(released));
      if (!isHolding && pending.size < receiveMaximum) release();
    },
    hold(message) {
      held = message;
      if (keepaliveMs === 0) return;
      stayAlive();
      holdTimer = setTimeout(onHeldTooLong, keepaliveMs * HOLD_SHARE_MAX);
    },
    release,
  };
}
