/** Holds the acknowledgements of one connection until they may leave: in the order of receipt. */

import { createNumberWindow } from "../core/number-window.ts";

export interface Acknowledgements {
  /** How many are not yet released. */
  readonly size: number;
  /** A message was received; tickets rise. One without an id (QoS 0) takes its turn, and nothing leaves for it. */
  open(ticket: number, messageId: number | undefined): void;
  /** Messages are done with. Unknown tickets, those of another connection say, are passed over. */
  close(tickets: readonly number[]): void;
  /** Takes the message ids that may be acknowledged now, oldest first. */
  release(): number[];
}

const IDS = 0xffff;
/** Stands for the message id where there is none. */
const NO_ID = 0x10000;
const CLOSED = 0x20000;

/**
 * MQTT wants PUBACKs in the order in which the messages came [MQTT-4.6.0-2], so one that is done early waits
 * for its predecessors.
 */
export function createAcknowledgements(): Acknowledgements {
  // A number each, so that there is nothing to collect: the message id, and whether it is closed.
  const pending = createNumberWindow<number>();
  return {
    get size() {
      return pending.size;
    },
    open(ticket, messageId = NO_ID) {
      pending.set(ticket, messageId);
    },
    close(tickets) {
      for (const ticket of tickets) {
        const message = pending.get(ticket);
        if (message !== undefined) pending.replace(ticket, message | CLOSED);
      }
    },
    release() {
      const ready: number[] = [];
      for (let ticket = pending.first(); ticket !== undefined; ticket = pending.first()) {
        const message = pending.get(ticket)!;
        if ((message & CLOSED) === 0) break;
        if ((message & NO_ID) === 0) ready.push(message & IDS);
        pending.delete(ticket);
      }
      return ready;
    },
  };
}
