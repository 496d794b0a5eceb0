/**
 * The relay: brings decisions and alerts from the ledger to the broker, each at least once.
 *
 * Decisions leave from a cursor that is kept in the ledger; alerts from the outbox, until acknowledged. What
 * was just committed goes out from memory; after a lost connection or a restart it is read from the ledger.
 */

import type { DecisionRecord } from "../core/record.ts";
import type { Clock, Ledger, Log, Message, Publisher, PublishFailed } from "./ports.ts";

export interface RelayOptions {
  readonly publisher: Publisher;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  readonly decisionMessage: (record: DecisionRecord) => Message;
  readonly alertMessage: (station: string, body: string) => Message;
}

/** Decisions and alerts on their way to the broker at a time; more wait in the ledger. */
const DECISIONS_IN_FLIGHT_MAX = 512;
const ALERTS_IN_FLIGHT_MAX = 64;
/** How long what has left may wait to be noted in the ledger; until then a crash sends it again. */
const SETTLE_MS = 200;
const RETRY_MS = 1000;

interface Sent {
  readonly id: number;
  done: boolean;
}

export type Relay = ReturnType<typeof createRelay>;

export function createRelay({ publisher, ledger, clock, log, decisionMessage, alertMessage }: RelayOptions) {
  let cursor = ledger.publishedUpTo();
  let sentUpTo = cursor;
  let latest = Number.POSITIVE_INFINITY; // Until the ledger has been read to its end there may be more.
  let decisions: Sent[] = [];
  let alertsSentUpTo = 0;
  let alertsInFlight = 0;
  let alertsWaiting = true;
  let delivered: number[] = [];
  let connection = 0;
  let unsettled = false;
  let isClosed = false;
  let cancelSettle: (() => void) | undefined;
  let cancelRetry: (() => void) | undefined;
  let idle: (() => void) | undefined;

  const reset = (): void => {
    connection++;
    decisions = [];
    alertsInFlight = 0;
    settle();
    sentUpTo = cursor;
    latest = Number.POSITIVE_INFINITY;
    alertsSentUpTo = 0;
    alertsWaiting = true;
  };

  const lost = (error: Error): void => {
    log.warn({ error: error.message }, "not everything published was acknowledged; sending it again");
    reset();
    // A broker that refuses (an access rule, say) keeps the connection: no reconnect will call pump.
    cancelRetry ??= clock.after(RETRY_MS, () => {
      cancelRetry = undefined;
      pump();
    });
  };

  function sendDecision(record: DecisionRecord): void {
    const sent: Sent = { id: record.id, done: false };
    decisions.push(sent);
    sentUpTo = record.id;
    const on = connection;
    publisher.publish(decisionMessage(record), (error) => {
      if (on !== connection) return;
      if (error !== undefined && !isHopeless(error)) return lost(error);
      sent.done = true;
      let first = 0;
      while (decisions[first]?.done === true) cursor = decisions[first++]!.id;
      if (first > 0) decisions.splice(0, first);
      noteLater();
      pump();
    });
  }

  function sendAlert(id: number, station: string, body: string): void {
    alertsSentUpTo = id;
    alertsInFlight++;
    const on = connection;
    publisher.publish(alertMessage(station, body), (error) => {
      if (on !== connection) return;
      if (error !== undefined && !isHopeless(error)) return lost(error);
      alertsInFlight--;
      delivered.push(id);
      noteLater();
      pump();
    });
  }

  /** What this broker can never take must not hold up all that is behind it; it stays in the ledger. */
  function isHopeless(error: PublishFailed): boolean {
    if (error.failure !== "unsendable") return false;
    log.error(
      { error: error.message },
      "a message cannot be sent to this broker; it is kept in the ledger only",
    );
    return true;
  }

  /** Sends what the ledger still holds, as far as there is room. */
  function pump(): void {
    const on = connection;
    const room = DECISIONS_IN_FLIGHT_MAX - decisions.length;
    if (publisher.connected && sentUpTo < latest && room >= DECISIONS_IN_FLIGHT_MAX / 2) {
      const records = ledger.decisionsAfter(sentUpTo, room);
      if (records.length < room) latest = records.at(-1)?.id ?? sentUpTo;
      for (const record of records) if (on === connection) sendDecision(record);
    }
    const alertRoom = ALERTS_IN_FLIGHT_MAX - alertsInFlight;
    if (publisher.connected && on === connection && alertsWaiting && alertRoom >= ALERTS_IN_FLIGHT_MAX / 2) {
      const alerts = ledger.alertsAfter(alertsSentUpTo, alertRoom);
      if (alerts.length < alertRoom) alertsWaiting = false;
      for (const alert of alerts) if (on === connection) sendAlert(alert.id, alert.station, alert.body);
    }
    if (decisions.length === 0 && alertsInFlight === 0 && sentUpTo >= latest && !alertsWaiting) idle?.();
  }

  function noteLater(): void {
    if (isClosed) return;
    unsettled = true;
    cancelSettle ??= clock.after(SETTLE_MS, settle);
  }

  function settle(): void {
    cancelSettle?.();
    cancelSettle = undefined;
    if (!unsettled) return;
    try {
      ledger.settle(cursor, delivered);
      delivered = [];
      unsettled = false;
    } catch (error) {
      // Nothing is lost: what is not noted as sent is sent again.
      log.warn({ error: (error as Error).message }, "could not note what was published; trying again");
      cancelSettle = clock.after(RETRY_MS, settle);
    }
  }

  publisher.onConnect(() => {
    reset();
    pump();
  });

  return {
    /** Takes decisions just committed, in the order of their ids; `withAlerts` if any opened a review. */
    committed(records: readonly DecisionRecord[], withAlerts: boolean): void {
      if (withAlerts) alertsWaiting = true;
      for (const record of records) {
        const isNext = sentUpTo >= latest && decisions.length < DECISIONS_IN_FLIGHT_MAX;
        if (publisher.connected && isNext) sendDecision(record);
        if (latest !== Number.POSITIVE_INFINITY) latest = Math.max(latest, record.id);
      }
      pump();
    },

    /** Publishes a recorded decision once more, for a frame that was delivered again. */
    again(record: DecisionRecord): void {
      if (publisher.connected) publisher.publish(decisionMessage(record), () => {});
    },

    /** Waits until all has left, at most `ms`, and ends the relay; what has not left is sent at the next start. */
    async drain(ms: number): Promise<void> {
      await new Promise<void>((resolve) => {
        if (!publisher.connected) return resolve();
        const cancel = clock.after(ms, resolve);
        idle = () => {
          cancel();
          resolve();
        };
        pump();
      });
      settle();
      isClosed = true;
      cancelRetry?.();
      cancelSettle?.();
    },
  };
}
