/** Sends messages over one connection, within what the broker and our own bounds allow, and answers each one once. */
import { ReasonCodes } from "mqtt";
import type { Message, PublishFailed } from "../gateway/ports.ts";
import type { Link } from "./attempt.ts";
import { createPacketWriter, type Measured, PACKET_BYTES_MAX } from "./packets.ts";

/**
 * - `offline`: there is no connection. `lost`: it went before the broker had answered; the message may have arrived.
 * - `full`: a bound is reached; there is room again when an earlier message is done.
 * - `refused`: the broker said no. `unsendable`: it can never be sent as it is, to this broker at least.
 */
type PublishFailure = "offline" | "lost" | "full" | "refused" | "unsendable";

export class PublishError extends Error implements PublishFailed {
  override readonly name = "PublishError";
  readonly failure: PublishFailure;
  constructor(failure: PublishFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}

/** The answer to one message; `index` is its place among those that were sent together. */
export type Done = (error: PublishFailed | undefined, index: number) => void;

export interface SenderBounds {
  /** Messages without an answer. */
  readonly pendingMax: number;
  /** Bytes that the socket has not taken. */
  readonly unwrittenBytesMax: number;
}

export interface Sender {
  send(messages: readonly Message[], done: Done): void;
  /** The broker has answered; 0x80 and more are refusals. */
  acknowledged(messageId: number, reasonCode: number): void;
  /** The connection is gone: every message without an answer fails. */
  lose(reason: string): void;
  /** Resolves when every message has its answer, at the latest after the timeout. */
  idle(timeoutMs: number): Promise<void>;
}

const MESSAGE_IDS = 65_535;

interface Pending {
  readonly measured: Measured;
  /** Given when it leaves; 0 at QoS 0. */
  messageId: number;
  readonly index: number;
  readonly done: Done;
}

export function createSender(link: Link, bounds: SenderBounds): Sender {
  const { stream, version, limits } = link;
  const window = Math.min(limits.receiveMaximum ?? MESSAGE_IDS, MESSAGE_IDS);
  const writer = createPacketWriter(version);
  // By message id, which is used again. A Map would leave dead tables behind that keep each message for long.
  const unacknowledged: (Pending | undefined)[] = [];
  let unacknowledgedCount = 0;
  const waiting: Pending[] = [];
  const unwritten = new Set<Pending>();
  let lastId = 0;
  let corked = false;
  let whenIdle: (() => void) | undefined;

  const pendingCount = () => unacknowledgedCount + waiting.length + unwritten.size;

  /** Several packets make one buffer, and so one write. */
  function write(leaving: readonly Pending[], bytes: number): void {
    if (!corked) {
      // What is published in one go leaves in one system call, although Nagle's algorithm is off.
      corked = true;
      stream.cork();
      queueMicrotask(() => {
        corked = false;
        stream.uncork();
      });
    }
    const buffer = Buffer.allocUnsafe(bytes);
    let at = 0;
    for (const { measured, messageId } of leaving) at = writer.write(buffer, at, measured, messageId);
    const unanswered = leaving.filter(({ messageId }) => messageId === 0);
    stream.write(buffer, unanswered.length === 0 ? undefined : (error) => written(unanswered, error));
  }

  /** From here on it has no answer. */
  function depart(pending: Pending): void {
    if (pending.measured.message.qos === 0) {
      unwritten.add(pending);
      return;
    }
    do lastId = (lastId % MESSAGE_IDS) + 1;
    while (unacknowledged[lastId] !== undefined);
    pending.messageId = lastId;
    unacknowledged[lastId] = pending;
    unacknowledgedCount++;
  }

  function written(unanswered: readonly Pending[], error: Error | null | undefined): void {
    for (const pending of unanswered) {
      if (!unwritten.delete(pending)) continue;
      // Node reports no error for a write that it gave up because the socket was destroyed meanwhile.
      const isLost = error || stream.destroyed;
      answer(pending, isLost ? new PublishError("lost", error?.message ?? "connection lost") : undefined);
    }
  }

  function answer({ done, index }: Pending, error?: PublishError): void {
    done(error, index);
    if (pendingCount() === 0) whenIdle?.();
  }

  /** @param bytesAhead of the messages that leave with it */
  function measure(message: Message, bytesAhead: number): Measured | PublishError {
    const measured = writer.measure(message);
    const problem = typeof measured === "string" ? measured : brokerProblem(measured, limits);
    // A broker ends the connection on a message that it does not take; it would be sent again and again.
    if (typeof measured === "string" || problem !== undefined)
      return new PublishError("unsendable", `${message.topic}: ${problem}`);
    const full = fullness(pendingCount(), stream.writableLength + bytesAhead, bounds);
    if (full !== undefined) return full;
    return stream.writable ? measured : new PublishError("offline", "the connection is ending");
  }

  return {
    send(messages, done) {
      const leaving: Pending[] = [];
      let bytes = 0;
      for (let index = 0; index < messages.length; index++) {
        const measured = measure(messages[index]!, bytes);
        if (measured instanceof PublishError) {
          settle(done, measured, index);
          continue;
        }
        const pending = { measured, messageId: 0, index, done };
        if (measured.message.qos > 0 && unacknowledgedCount >= window) {
          waiting.push(pending);
          continue;
        }
        depart(pending);
        leaving.push(pending);
        bytes += measured.bytes;
      }
      if (leaving.length > 0) write(leaving, bytes);
    },
    acknowledged(messageId, reasonCode) {
      const pending = unacknowledged[messageId];
      if (pending === undefined) return;
      unacknowledged[messageId] = undefined;
      unacknowledgedCount--;
      const next = waiting.shift();
      if (next !== undefined) {
        depart(next);
        write([next], next.measured.bytes);
      }
      answer(pending, refusal(pending.measured.message, reasonCode));
    },
    lose(reason) {
      // Ids go round: those behind the last one are the oldest.
      const inOrder = [...unacknowledged.slice(lastId + 1), ...unacknowledged.slice(0, lastId + 1)];
      const sent = inOrder.filter((pending) => pending !== undefined);
      const lost = [...sent, ...waiting, ...unwritten];
      unacknowledged.length = 0;
      unacknowledgedCount = 0;
      waiting.length = 0;
      unwritten.clear();
      for (const pending of lost) answer(pending, new PublishError("lost", reason));
    },
    async idle(timeoutMs) {
      if (pendingCount() === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        whenIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}

/** Never from within `publish`, so that a caller has one order of events to think about. */
export function settle(done: Done, error: PublishFailed, index: number): void {
  queueMicrotask(() => done(error, index));
}

function brokerProblem({ message, bytes }: Measured, limits: Link["limits"]): string | undefined {
  if (message.qos > 0 && limits.maximumQoS === 0) return "this broker takes QoS 0 only";
  if (message.retain === true && limits.retainAvailable === false) return "this broker retains no messages";
  const bytesMax = Math.min(limits.maximumPacketSize ?? PACKET_BYTES_MAX, PACKET_BYTES_MAX);
  return bytes <= bytesMax ? undefined : `${bytes} bytes, this broker takes at most ${bytesMax}`;
}

function fullness(pending: number, unwrittenBytes: number, bounds: SenderBounds): PublishError | undefined {
  if (pending >= bounds.pendingMax)
    return new PublishError("full", `${pending} messages wait for the broker`);
  if (unwrittenBytes < bounds.unwrittenBytesMax) return undefined;
  return new PublishError("full", `${unwrittenBytes} bytes wait for the broker`);
}

function refusal(message: Message, code: number): PublishError | undefined {
  if (code < 0x80) return undefined;
  const text = (ReasonCodes as Record<number, string>)[code] ?? "no reason given";
  return new PublishError("refused", `${message.topic}: the broker refuses the message: ${text} (${code})`);
}
