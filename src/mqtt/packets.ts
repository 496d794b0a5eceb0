/**
 * The two packets of the hot path, written by hand: PUBACK and PUBLISH.
 * mqtt.js keeps a store, clones each message and writes a packet in six to twelve pieces; a publish through it
 * costs 21 us of CPU, through here 13 (measured with mosquitto 2.0.11, QoS 1, MQTT 5 properties, Node 20).
 */
import type { Message } from "../gateway/ports.ts";

export type ProtocolVersion = 5 | 4;

/** The header's first byte, four of length, and the largest number that these four can hold. */
export const PACKET_BYTES_MAX = 5 + 268_435_455;
const STRING_BYTES_MAX = 65_535;
const CONTENT_TYPE = Buffer.from("application/json");

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

/** Why a message can never be sent, to any broker, its size apart; undefined if it can. */
export function messageProblem(message: Message): string | undefined {
  const { topic, correlation, expirySeconds } = message;
  if (topic === "" || /[+#\0]/.test(topic)) {
    return `expected a topic without wildcards, found ${JSON.stringify(topic)}`;
  }
  if (Buffer.byteLength(topic) > STRING_BYTES_MAX) return `topic has more than ${STRING_BYTES_MAX} bytes`;
  if (correlation !== undefined && correlation.length > STRING_BYTES_MAX) {
    return `correlation data has ${correlation.length} bytes, at most ${STRING_BYTES_MAX} fit`;
  }
  if (expirySeconds !== undefined && !(expirySeconds >= 0 && expirySeconds <= 0xffffffff)) {
    return `expected an expiry of 0 to ${0xffffffff} seconds, found ${expirySeconds}`;
  }
  return undefined;
}

/** @param messageId 1 to 65,535 at QoS 1; not written at QoS 0 */
export function publishPacket(message: Message, messageId: number, version: ProtocolVersion): Buffer {
  const { topic, payload, qos } = message;
  const remaining = publishLength(message, version);
  const bytes = Buffer.allocUnsafe(1 + lengthBytes(remaining) + remaining);
  bytes[0] = 0x30 | (qos << 1) | (message.retain === true ? 1 : 0);
  let at = writeLength(bytes, remaining, 1);
  at = bytes.writeUInt16BE(Buffer.byteLength(topic), at);
  at += bytes.write(topic, at);
  if (qos > 0) at = bytes.writeUInt16BE(messageId, at);
  if (version === 5) at = writeProperties(bytes, message, at);
  if (typeof payload === "string") bytes.write(payload, at);
  else bytes.set(payload, at);
  return bytes;
}

/** How large the packet is that this message makes. */
export function publishBytes(message: Message, version: ProtocolVersion): number {
  const remaining = publishLength(message, version);
  return 1 + lengthBytes(remaining) + remaining;
}

function publishLength(message: Message, version: ProtocolVersion): number {
  const { topic, payload, qos } = message;
  const properties = propertiesLength(message);
  return (
    2 +
    Buffer.byteLength(topic) +
    (qos > 0 ? 2 : 0) +
    (version === 5 ? lengthBytes(properties) + properties : 0) +
    (typeof payload === "string" ? Buffer.byteLength(payload) : payload.length)
  );
}

function propertiesLength(message: Message): number {
  return (
    3 +
    CONTENT_TYPE.length +
    (message.expirySeconds === undefined ? 0 : 5) +
    (message.correlation === undefined ? 0 : 3 + message.correlation.length)
  );
}

function writeProperties(bytes: Buffer, message: Message, start: number): number {
  let at = writeLength(bytes, propertiesLength(message), start);
  if (message.expirySeconds !== undefined) {
    at = bytes.writeUInt8(0x02, at);
    at = bytes.writeUInt32BE(Math.ceil(message.expirySeconds), at);
  }
  at = bytes.writeUInt8(0x03, at);
  at = bytes.writeUInt16BE(CONTENT_TYPE.length, at);
  bytes.set(CONTENT_TYPE, at);
  at += CONTENT_TYPE.length;
  if (message.correlation !== undefined) {
    at = bytes.writeUInt8(0x09, at);
    at = bytes.writeUInt16BE(message.correlation.length, at);
    bytes.set(message.correlation, at);
    at += message.correlation.length;
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
