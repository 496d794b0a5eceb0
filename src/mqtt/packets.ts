/**
 * The two packets of the hot path, written by hand: PUBACK and PUBLISH.
 * mqtt.js keeps a store, clones each message and writes a packet in six to twelve pieces; a publish through it
 * costs 21 us of CPU, through here 13 one by one (measured with mosquitto 2.0.11, QoS 1, MQTT 5 properties, Node
 * 20), and less where a batch leaves in one buffer.
 */
import { remembered } from "../core/remembered.ts";
import type { Message } from "../gateway/ports.ts";

export type ProtocolVersion = 5 | 4;

/** The header's first byte, four of length, and the largest number that these four can hold. */
export const PACKET_BYTES_MAX = 5 + 268_435_455;
const STRING_BYTES_MAX = 65_535;
/** The property `content-type`: its number, its length, its text. */
const CONTENT_TYPE = Buffer.from("\x03\0\x10application/json");

/** DISCONNECT, normal: no will is published. The same bytes in MQTT 5 and 3.1.1. */
export const DISCONNECT = Buffer.from([0xe0, 0x00]);

/** PUBACKs of success, one behind the other. The short form holds for MQTT 5 as well [MQTT5 3.4.2.1]. */
export function pubacks(messageIds: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(messageIds.length * 4);
  let at = 0;
  for (const messageId of messageIds) {
    bytes[at] = 0x40;
    bytes[at + 1] = 2;
    bytes[at + 2] = messageId >>> 8;
    bytes[at + 3] = messageId & 0xff;
    at += 4;
  }
  return bytes;
}

/** A message that can be sent, and how large its packet is. */
export interface Measured {
  readonly message: Message;
  readonly topic: Topic;
  readonly payloadBytes: number;
  readonly propertiesBytes: number;
  /** Of the packet behind its fixed header. */
  readonly remainingBytes: number;
  /** Of the whole packet. */
  readonly bytes: number;
}

/** A topic as it stands in a packet, its length ahead of it; or why it can be in none. */
interface Topic {
  readonly encoded: Buffer;
  readonly problem: string | undefined;
}

export interface PacketWriter {
  /** What a message takes, or why it can never be sent, to any broker, its size apart. */
  measure(message: Message): Measured | string;
  /**
   * @param messageId 1 to 65,535 at QoS 1; not written at QoS 0
   * @returns where the packet ends
   */
  write(bytes: Buffer, start: number, measured: Measured, messageId: number): number;
}

/** Topics whose bytes are kept. */
const TOPICS_MAX = 1000;

/** Writes PUBLISH packets into buffers that the caller gives, so that many can leave as one. */
export function createPacketWriter(version: ProtocolVersion): PacketWriter {
  const topicOf = remembered(TOPICS_MAX, encodedTopic);
  return {
    measure(message) {
      const { payload, qos, correlation, expirySeconds } = message;
      const topic = topicOf(message.topic);
      const problem = topic.problem ?? propertyProblem(correlation, expirySeconds);
      if (problem !== undefined) return problem;
      const payloadBytes = typeof payload === "string" ? Buffer.byteLength(payload) : payload.length;
      const propertiesBytes = propertiesLength(message);
      const remainingBytes =
        topic.encoded.length +
        (qos > 0 ? 2 : 0) +
        (version === 5 ? lengthBytes(propertiesBytes) + propertiesBytes : 0) +
        payloadBytes;
      const bytes = 1 + lengthBytes(remainingBytes) + remainingBytes;
      return { message, topic, payloadBytes, propertiesBytes, remainingBytes, bytes };
    },
    write(bytes, start, { message, topic, payloadBytes, propertiesBytes, remainingBytes }, messageId) {
      const { payload, qos } = message;
      bytes[start] = 0x30 | (qos << 1) | (message.retain === true ? 1 : 0);
      let at = writeLength(bytes, remainingBytes, start + 1);
      bytes.set(topic.encoded, at);
      at += topic.encoded.length;
      if (qos > 0) at = bytes.writeUInt16BE(messageId, at);
      if (version === 5) at = writeProperties(bytes, message, propertiesBytes, at);
      if (typeof payload !== "string") bytes.set(payload, at);
      // As many bytes as characters is ASCII, which is copied and not encoded.
      else bytes.write(payload, at, payload.length === payloadBytes ? "latin1" : "utf8");
      return at + payloadBytes;
    },
  };
}

function encodedTopic(topic: string): Topic {
  const bytes = Buffer.byteLength(topic);
  const isWrong = topic === "" || /[+#\0]/.test(topic);
  const problem = isWrong
    ? `expected a topic without wildcards, found ${JSON.stringify(topic)}`
    : bytes > STRING_BYTES_MAX
      ? `topic has more than ${STRING_BYTES_MAX} bytes`
      : undefined;
  if (problem !== undefined) return { encoded: Buffer.alloc(0), problem };
  const encoded = Buffer.allocUnsafe(2 + bytes);
  encoded.write(topic, encoded.writeUInt16BE(bytes, 0));
  return { encoded, problem };
}

function propertyProblem(
  correlation: Uint8Array | undefined,
  expirySeconds: number | undefined,
): string | undefined {
  if (correlation !== undefined && correlation.length > STRING_BYTES_MAX) {
    return `correlation data has ${correlation.length} bytes, at most ${STRING_BYTES_MAX} fit`;
  }
  if (expirySeconds !== undefined && !(expirySeconds >= 0 && expirySeconds <= 0xffffffff)) {
    return `expected an expiry of 0 to ${0xffffffff} seconds, found ${expirySeconds}`;
  }
  return undefined;
}

function propertiesLength({ expirySeconds, correlation }: Message): number {
  return (
    CONTENT_TYPE.length +
    (expirySeconds === undefined ? 0 : 5) +
    (correlation === undefined ? 0 : 3 + correlation.length)
  );
}

function writeProperties(
  bytes: Buffer,
  { expirySeconds, correlation }: Message,
  length: number,
  start: number,
): number {
  let at = writeLength(bytes, length, start);
  if (expirySeconds !== undefined) {
    bytes[at] = 0x02;
    at = bytes.writeUInt32BE(Math.ceil(expirySeconds), at + 1);
  }
  bytes.set(CONTENT_TYPE, at);
  at += CONTENT_TYPE.length;
  if (correlation !== undefined) {
    bytes[at] = 0x09;
    at = bytes.writeUInt16BE(correlation.length, at + 1);
    bytes.set(correlation, at);
    at += correlation.length;
  }
  return at;
}

function lengthBytes(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  return length < 0x200000 ? 3 : 4;
}

function writeLength(bytes: Buffer, length: number, start: number): number {
  let at = start;
  let rest = length;
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}
