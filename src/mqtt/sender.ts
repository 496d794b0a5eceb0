/** Sends messages over one connection, within what the broker and our own bounds allow, and answers each one once. */
import { type Packet, ReasonCodes } from "mqtt";
import type { Message, PublishFailed } from "../gateway/ports.ts";
import type { Link } from "./attempt.ts";
import { messageProblem, PACKET_BYTES_MAX, publishBytes, publishPacket } from "./packets.ts";

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

export type Done = (error?: PublishFailed) => void;

export interface SenderBounds {
  /** Messages without an answer. */
  readonly pendingMax: number;
  /** Bytes that the socket has not taken. */
  readonly unwrittenBytesMax: number;
}

export interface Sender {
  send(message: Message, done: Done): void;
  acknowledged(packet: Extract<Packet, { cmd: "puback" }>): void;
  /** The connection is gone: every message without an answer fails. */
  lose(reason: string): void;
  /** Resolves when every message has its answer, at the latest after the timeout. */
  idle(timeoutMs: number): Promise<void>;
}

const MESSAGE_IDS = 65_535;

interface Pending {
  readonly message: Message;
  readonly done: Done;
}

export function createSender(link: Link, bounds: SenderBounds): Sender {
  const { stream, version, limits } = link;
  const window = Math.min(limits.receiveMaximum ?? MESSAGE_IDS, MESSAGE_IDS);
  const unacknowledged = new Map<number, Pending>();
  const waiting: Pending[] = [];
  const unwritten = new Set<Pending>();
  let lastId = 0;
  let corked = false;
  let whenIdle: (() => void) | undefined;

  const pendingCount = () => unacknowledged.size + waiting.length + unwritten.size;

  function write(bytes: Buffer, written?: (error?: Error | null) => void): void {
    if (!corked) {
      // What is published in one go leaves in one system call, although Nagle's algorithm is off.
      corked = true;
      stream.cork();
      queueMicrotask(() => {
        corked = false;
        stream.uncork();
      });
    }
    stream.write(bytes, written);
  }

  function sendAcknowledged(pending: Pending): void {
    do lastId = (lastId % MESSAGE_IDS) + 1;
    while (unacknowledged.has(lastId));
    unacknowledged.set(lastId, pending);
    write(publishPacket(pending.message, lastId, version));
  }

  function sendUnacknowledged(pending: Pending): void {
    unwritten.add(pending);
    write(publishPacket(pending.message, 0, version), (error) => {
      if (!unwritten.delete(pending)) return;
      // Node reports no error for a write that it gave up because the socket was destroyed meanwhile.
      const isLost = error || stream.destroyed;
      answer(pending, isLost ? new PublishError("lost", error?.message ?? "connection lost") : undefined);
    });
  }

  function answer(pending: Pending, error?: PublishError): void {
    pending.done(error);
    if (pendingCount() === 0) whenIdle?.();
  }

  return {
    send(message, done) {
      const error = problemOf(message, link) ?? fullness(pendingCount(), stream.writableLength, bounds);
      if (error !== undefined) return settle(done, error);
      if (!stream.writable) return settle(done, new PublishError("offline", "the connection is ending"));
      if (message.qos === 0) sendUnacknowledged({ message, done });
      else if (unacknowledged.size < window) sendAcknowledged({ message, done });
      else waiting.push({ message, done });
    },
    acknowledged({ messageId, reasonCode }) {
      const pending = unacknowledged.get(messageId!);
      if (pending === undefined) return;
      unacknowledged.delete(messageId!);
      const next = waiting.shift();
      if (next !== undefined) sendAcknowledged(next);
      answer(pending, refusal(pending.message, reasonCode));
    },
    lose(reason) {
      const lost = [...unacknowledged.values(), ...waiting, ...unwritten];
      unacknowledged.clear();
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
export function settle(done: Done, error: PublishFailed): void {
  queueMicrotask(() => done(error));
}

/** A broker ends the connection on a message that it does not take; it would be sent again and again. */
function problemOf(message: Message, { limits, version }: Link): PublishError | undefined {
  const problem = messageProblem(message) ?? brokerProblem(message, limits, version);
  return problem === undefined ? undefined : new PublishError("unsendable", `${message.topic}: ${problem}`);
}

function brokerProblem(
  message: Message,
  limits: Link["limits"],
  version: Link["version"],
): string | undefined {
  if (message.qos > 0 && limits.maximumQoS === 0) return "this broker takes QoS 0 only";
  if (message.retain === true && limits.retainAvailable === false) return "this broker retains no messages";
  const bytesMax = Math.min(limits.maximumPacketSize ?? PACKET_BYTES_MAX, PACKET_BYTES_MAX);
  const bytes = publishBytes(message, version);
  return bytes <= bytesMax ? undefined : `${bytes} bytes, this broker takes at most ${bytesMax}`;
}

function fullness(pending: number, unwrittenBytes: number, bounds: SenderBounds): PublishError | undefined {
  if (pending >= bounds.pendingMax)
    return new PublishError("full", `${pending} messages wait for the broker`);
  if (unwrittenBytes < bounds.unwrittenBytesMax) return undefined;
  return new PublishError("full", `${unwrittenBytes} bytes wait for the broker`);
}

function refusal(message: Message, code: number | undefined): PublishError | undefined {
  if (code === undefined || code < 0x80) return undefined;
  const text = (ReasonCodes as Record<number, string>)[code] ?? "no reason given";
  return new PublishError("refused", `${message.topic}: the broker refuses the message: ${text} (${code})`);
}
