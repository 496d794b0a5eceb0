/**
 * The relay: brings decisions and alerts from the ledger to the broker, each at least once.
 *
 * Decisions leave from a cursor that is kept in the ledger; alerts from the outbox, until acknowledged. What
 * was just committed goes out from memory; after a lost connection or a restart it is read from the ledger.
 */

import type { DecisionRecord, Left, PendingAlert } from "../core/record.ts";
import { createFlights } from "./flights.ts";
import type { Clock, Ledger, Log, Message, Metrics, Publisher, PublishFailed } from "./ports.ts";

export interface RelayOptions {
  readonly publisher: Publisher;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "publishRefused">;
  readonly log: Log;
  readonly decisionMessage: (record: DecisionRecord) => Message;
  readonly alertMessage: (station: string, body: string) => Message;
}

/** Decisions and alerts on their way to the broker at a time; more wait in the ledger. */
const DECISIONS_IN_FLIGHT_MAX = 512;
const ALERTS_IN_FLIGHT_MAX = 64;
/** How long what has left waits to be noted in the ledger, from then on with the next batch; a crash sends it again. */
const NOTE_MS = 100;
/** How long it then waits for a batch, before it is noted by itself. */
const SETTLE_MS = 100;
const RETRY_MS = 1000;
/** How long an alert that the broker refuses waits before it is tried again. */
const REFUSED_ALERT_RETRY_MS = 30_000;

/** Failures of the connection or of a full queue, as opposed to the broker's word on one message. */
function isPassing({ failure }: PublishFailed): boolean {
  return failure === "lost" || failure === "offline" || failure === "full";
}

function isHeld({ decision }: DecisionRecord): boolean {
  return decision === "held";
}

/** Where among the records those stand that are published. */
function placesOf(records: readonly DecisionRecord[]): readonly number[] {
  return records.flatMap((record, i) => (isHeld(record) ? [] : [i]));
}

export type Relay = ReturnType<typeof createRelay>;

export function createRelay(options: RelayOptions) {
  const { publisher, ledger, clock, metrics, log, decisionMessage, alertMessage } = options;
  let cursor = ledger.publishedUpTo();
  let sentUpTo = cursor;
  let latest = Number.POSITIVE_INFINITY; // Until the ledger has been read to its end there may be more.
  const flights = createFlights((id) => {
    cursor = id;
  });
  let alertsSentUpTo = 0;
  let alertsInFlight = 0;
  let alertsWaiting = true;
  let delivered: number[] = [];
  let connection = 0;
  let unsettled = false;
  let isNoteDue = false;
  let isClosed = false;
  let cancelSettle: (() => void) | undefined;
  let cancelRetry: (() => void) | undefined;
  let cancelAlertRetry: (() => void) | undefined;
  let idle: (() => void) | undefined;

  const reset = (): void => {
    connection++;
    flights.clear();
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

  function sendDecisions(records: readonly DecisionRecord[]): void {
    if (records.length === 0) return;
    const arrived = flights.depart(records.map((record) => record.id));
    sentUpTo = records.at(-1)!.id;
    // A held frame is no decision; its part's has a row of its own.
    const places = records.some(isHeld) ? placesOf(records) : undefined;
    const published = places?.map((place) => records[place]!) ?? records;
    if (places !== undefined) {
      for (const [i, record] of records.entries()) if (isHeld(record)) arrived(i);
      noteLater();
    }
    if (published.length === 0) return;
    const on = connection;
    publisher.publishAll(published.map(decisionMessage), (error, index) => {
      if (on !== connection) return;
      if (error !== undefined && isPassing(error)) return again("not every decision was acknowledged", error);
      if (error !== undefined) {
        // It stays in the ledger, and must not hold up all that is behind it.
        metrics.publishRefused("decision");
        const { frame } = published[index]!;
        log.error({ frame, error: error.message }, "the broker does not take this decision");
      }
      arrived(places?.[index] ?? index);
      noteLater();
      pump();
    });
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
      metrics.publishRefused("alert");
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
    if (flights.count === 0 && alertsInFlight === 0 && sentUpTo >= latest && !alertsWaiting) idle?.();
  }

  function sendFromLedger(): void {
    const on = connection;
    // Again where only held frames were found: no answer will come that asks for more.
    while (on === connection && sentUpTo < latest) {
      const room = DECISIONS_IN_FLIGHT_MAX - flights.count;
      if (room < DECISIONS_IN_FLIGHT_MAX / 2) break;
      const records = ledger.decisionsAfter(sentUpTo, room);
      if (records.length < room) latest = records.at(-1)?.id ?? sentUpTo;
      sendDecisions(records);
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
    cancelSettle ??= clock.after(NOTE_MS, () => {
      isNoteDue = true;
      cancelSettle = clock.after(SETTLE_MS, settle);
    });
  }

  function noted(): void {
    cancelSettle?.();
    cancelSettle = undefined;
    delivered = [];
    unsettled = false;
    isNoteDue = false;
  }

  function settle(): void {
    cancelSettle?.();
    cancelSettle = undefined;
    if (!unsettled) return;
    try {
      ledger.settle(cursor, delivered);
      noted();
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
    /** Takes decisions just committed, in the order of their ids, and the alerts committed with them. */
    committed(records: readonly DecisionRecord[], alerts: readonly PendingAlert[]): void {
      const canSend = publisher.connected && cancelRetry === undefined;
      if (canSend && sentUpTo >= latest)
        sendDecisions(records.slice(0, DECISIONS_IN_FLIGHT_MAX - flights.count));
      const last = records.at(-1);
      if (last !== undefined && latest !== Number.POSITIVE_INFINITY) latest = Math.max(latest, last.id);
      for (const alert of alerts) {
        // Behind one that waits in the ledger all wait there, so that they leave in their order.
        const isNext = !alertsWaiting && alertsInFlight < ALERTS_IN_FLIGHT_MAX;
        if (canSend && isNext) sendAlert(alert);
        else alertsWaiting = true;
      }
      pump();
    },

    /** What the next batch notes with it, or nothing; `noted` must follow if that is written. */
    toNote: (): Left | undefined =>
      unsettled && isNoteDue ? { publishedUpTo: cursor, alertIds: delivered } : undefined,

    noted,

    /** Publishes a recorded decision once more, for a frame that was delivered again. */
    again(record: DecisionRecord): void {
      if (!publisher.connected) return;
      publisher.publish(decisionMessage(record), (error) => {
        if (error !== undefined && !isPassing(error)) metrics.publishRefused("decision");
      });
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
