/**
 * The relay: brings decisions and alerts from the ledger to the broker, each at least once.
 *
 * Decisions leave from a cursor that is kept in the ledger; alerts from the outbox, until acknowledged. What
 * was just committed goes out from memory; after a lost connection or a restart it is read from the ledger.
 */

import type { DecisionRecord, PendingAlert } from "../core/record.ts";
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
/** How long an alert that the broker refuses waits before it is tried again. */
const REFUSED_ALERT_RETRY_MS = 30_000;

interface Sent {
  readonly id: number;
  done: boolean;
}

/** Failures of the connection or of a full queue, as opposed to the broker's word on one message. */
function isPassing({ failure }: PublishFailed): boolean {
  return failure === "lost" || failure === "offline" || failure === "full";
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
  let cancelAlertRetry: (() => void) | undefined;
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

  /** All that has no answer is sent again from the ledger, not before a while: a refusing broker is not flooded. */
  const again = (message: string, error: Error): void => {
    log.warn({ error: error.message }, message);
    reset();
    cancelRetry ??= clock.after(RETRY_MS, () => {
      cancelRetry = undefined;
      pump();
    });
  };

  function sendDecision(record: DecisionRecord): void {
    sentUpTo = record.id;
    const sent: Sent = { id: record.id, done: record.decision === "held" };
    decisions.push(sent);
    // A held frame is no decision; its part's has a row of its own.
    if (sent.done) {
      moveCursor();
      return;
    }
    const on = connection;
    publisher.publish(decisionMessage(record), (error) => {
      if (on !== connection) return;
      if (error !== undefined && isPassing(error)) return again("not every decision was acknowledged", error);
      if (error !== undefined) {
        // It stays in the ledger, and must not hold up all that is behind it.
        log.error({ frame: record.frame, error: error.message }, "the broker does not take this decision");
      }
      sent.done = true;
      moveCursor();
      pump();
    });
  }

  function moveCursor(): void {
    let first = 0;
    while (decisions[first]?.done === true) cursor = decisions[first++]!.id;
    if (first > 0) decisions.splice(0, first);
    noteLater();
  }

  function sendAlert(alert: PendingAlert): void {
    alertsSentUpTo = alert.id;
    alertsInFlight++;
    const on = connection;
    publisher.publish(alertMessage(alert.station, alert.body), (error) => {
      if (on !== connection) return;
      if (error !== undefined && isPassing(error)) return again("not every alert was acknowledged", error);
      if (error?.failure === "unsendable") return sendWithoutFrame(alert, on);
      answered(alert, error);
    });
  }

  /** An alert too large for this broker still says what it must without its picture. */
  function sendWithoutFrame(alert: PendingAlert, on: number): void {
    const { frameInline: _, ...rest } = JSON.parse(alert.body) as Record<string, unknown>;
    publisher.publish(alertMessage(alert.station, JSON.stringify(rest)), (error) => {
      if (on !== connection) return;
      if (error !== undefined && isPassing(error)) return again("not every alert was acknowledged", error);
      answered(alert, error);
    });
  }

  /** Only what the broker has acknowledged leaves the outbox; the rest is tried again. */
  function answered(alert: PendingAlert, error: PublishFailed | undefined): void {
    alertsInFlight--;
    if (error === undefined) {
      delivered.push(alert.id);
      noteLater();
    } else {
      log.error({ error: error.message }, "the broker does not take this alert; it stays in the outbox");
      cancelAlertRetry ??= clock.after(REFUSED_ALERT_RETRY_MS, () => {
        cancelAlertRetry = undefined;
        settle();
        alertsSentUpTo = 0;
        alertsWaiting = true;
        pump();
      });
    }
    pump();
  }

  /** Sends what the ledger still holds, as far as there is room. */
  function pump(): void {
    if (!publisher.connected || cancelRetry !== undefined) return;
    try {
      sendFromLedger();
    } catch (error) {
      again("the ledger cannot be read", error as Error);
    }
    if (decisions.length === 0 && alertsInFlight === 0 && sentUpTo >= latest && !alertsWaiting) idle?.();
  }

  function sendFromLedger(): void {
    const on = connection;
    const room = DECISIONS_IN_FLIGHT_MAX - decisions.length;
    if (sentUpTo < latest && room >= DECISIONS_IN_FLIGHT_MAX / 2) {
      const records = ledger.decisionsAfter(sentUpTo, room);
      if (records.length < room) latest = records.at(-1)?.id ?? sentUpTo;
      for (const record of records) if (on === connection) sendDecision(record);
    }
    const alertRoom = ALERTS_IN_FLIGHT_MAX - alertsInFlight;
    if (on === connection && alertsWaiting && alertRoom >= ALERTS_IN_FLIGHT_MAX / 2) {
      const alerts = ledger.alertsAfter(alertsSentUpTo, alertRoom);
      if (alerts.length < alertRoom) alertsWaiting = false;
      for (const alert of alerts) if (on === connection) sendAlert(alert);
    }
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
    cancelRetry?.();
    cancelRetry = undefined;
    reset();
    pump();
  });

  return {
    /** Takes decisions just committed, in the order of their ids; `withAlerts` if any opened a review. */
    committed(records: readonly DecisionRecord[], withAlerts: boolean): void {
      if (withAlerts) alertsWaiting = true;
      for (const record of records) {
        const isNext = sentUpTo >= latest && decisions.length < DECISIONS_IN_FLIGHT_MAX;
        if (publisher.connected && cancelRetry === undefined && isNext) sendDecision(record);
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
      for (const cancel of [cancelRetry, cancelAlertRetry, cancelSettle]) cancel?.();
    },
  };
}
