/** Holds the acknowledgements of one connection until they may leave: in the order of receipt. */

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

/**
 * MQTT wants PUBACKs in the order in which the messages came [MQTT-4.6.0-2], so one that is done early waits
 * for its predecessors.
 */
export function createAcknowledgements(): Acknowledgements {
  // A Map keeps the order of insertion, which is that of receipt.
  const pending = new Map<number, { readonly messageId: number | undefined; closed: boolean }>();
  return {
    get size() {
      return pending.size;
    },
    open(ticket, messageId) {
      pending.set(ticket, { messageId, closed: false });
    },
    close(tickets) {
      for (const ticket of tickets) {
        const message = pending.get(ticket);
        if (message !== undefined) message.closed = true;
      }
    },
    release() {
      const ready: number[] = [];
      for (const [ticket, message] of pending) {
        if (!message.closed) break;
        if (message.messageId !== undefined) ready.push(message.messageId);
        pending.delete(ticket);
      }
      return ready;
    },
  };
}
