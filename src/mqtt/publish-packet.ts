/** Reads one PUBLISH packet: what a frame's message says, and nothing else of MQTT. */
import type { IPublishPacket } from "mqtt";
import type { ProtocolVersion } from "./packets.ts";
import type { Slab } from "./slabs.ts";

/** A PUBLISH as mqtt.js has it, less the properties that nobody looks at. */
export interface PublishPacket
  extends Pick<IPublishPacket, "topic" | "payload" | "qos" | "dup" | "retain" | "messageId" | "properties"> {
  /** Where the payload lies, to be released when it has been looked at for the last time. */
  readonly slab?: Slab;
}

/** Bytes that are no MQTT: what follows them cannot be read either. */
export class MalformedPacket extends Error {
  override readonly name = "MalformedPacket";
}

/** Properties that a PUBLISH may have; all others have no business in it [MQTT5 2.2.2.2]. */
const PROPERTY = {
  payloadFormat: 0x01,
  messageExpiry: 0x02,
  contentType: 0x03,
  responseTopic: 0x08,
  correlation: 0x09,
  subscription: 0x0b,
  topicAlias: 0x23,
  user: 0x26,
} as const;

/** User properties that say something of a frame. */
const USER_PROPERTIES: ReadonlySet<string> = new Set(["frame-id", "part-id", "part-count"]);

/**
 * Text that is not UTF-8 is read with replacement characters, as mqtt.js does: its frame becomes a reject, where an
 * ended connection would have the broker send it again for ever.
 * @param first the packet's first byte
 * @param start where the packet goes on behind its length, in the bytes of the slab
 * @param version 5: the packet has properties
 * @throws MalformedPacket
 */
export function readPublish(
  first: number,
  slab: Slab,
  start: number,
  end: number,
  version: ProtocolVersion,
): PublishPacket {
  const { bytes } = slab;
  const qos = ((first >> 1) & 3) as 0 | 1 | 2;
  const topicEnd = endOf(bytes, start, end, "topic");
  const topic = bytes.toString("utf8", start + 2, topicEnd);
  let at = topicEnd;
  let messageId: number | undefined;
  if (qos > 0) {
    if (at + 2 > end) throw cutShort("packet id");
    messageId = bytes.readUInt16BE(at);
    at += 2;
  }
  let properties: PublishPacket["properties"];
  if (version === 5) {
    if (at >= end) throw cutShort("length of its properties");
    // Nearly always none, which is one byte.
    if (bytes[at] === 0) at++;
    else {
      const length = readLength(bytes, at, end);
      const propertiesStart = at + lengthBytes(length, bytes, at);
      at = propertiesStart + length;
      if (at > end) throw cutShort("properties");
      properties = readProperties(bytes, propertiesStart, at);
    }
  }
  return {
    topic,
    payload: bytes.subarray(at, end),
    qos,
    dup: (first & 8) !== 0,
    retain: (first & 1) !== 0,
    messageId,
    properties,
    slab,
  } as PublishPacket;
}

/** A string's or binary's end, from the two bytes of length ahead of it. */
function endOf(bytes: Buffer, at: number, end: number, what: string): number {
  const textEnd = at + 2 <= end ? at + 2 + bytes.readUInt16BE(at) : Number.POSITIVE_INFINITY;
  if (textEnd > end) throw cutShort(what);
  return textEnd;
}

function cutShort(what: string): MalformedPacket {
  return new MalformedPacket(`the broker sent a PUBLISH that ends within its ${what}`);
}

/** @throws MalformedPacket where it is not whole, which it must be inside a packet */
function readLength(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    if (start + i >= end) throw cutShort("properties");
    const byte = bytes[start + i]!;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return value;
  }
  throw new MalformedPacket("the broker sent a number of more than four bytes");
}

/** Of a length just read; it may have been written longer than needed. */
function lengthBytes(_length: number, bytes: Buffer, start: number): number {
  let count = 1;
  while (bytes[start + count - 1]! >= 0x80) count++;
  return count;
}

/** Copies what it keeps: it is published again with the decision, when the slab has been used for other frames. */
function readProperties(bytes: Buffer, start: number, end: number): NonNullable<PublishPacket["properties"]> {
  const found: NonNullable<PublishPacket["properties"]> = {};
  const user: Record<string, string> = {};
  let seen = 0;
  let at = start;
  const text = (): string => {
    const textEnd = endOf(bytes, at, end, "properties");
    const value = bytes.toString("utf8", at + 2, textEnd);
    at = textEnd;
    return value;
  };
  while (at < end) {
    const id = bytes[at++]!;
    if (id === PROPERTY.user) {
      const name = text();
      const value = text();
      if (USER_PROPERTIES.has(name)) user[name] ??= value;
      continue;
    }
    if (id === PROPERTY.subscription) {
      at += lengthBytes(readLength(bytes, at, end), bytes, at);
      continue;
    }
    if (id < 32 && (seen & (1 << id)) !== 0) {
      throw new MalformedPacket(`the broker sent a PUBLISH with property ${id} twice`);
    }
    seen |= id < 32 ? 1 << id : 0;
    if (id === PROPERTY.contentType) found.contentType = text();
    else if (id === PROPERTY.responseTopic) found.responseTopic = text();
    else if (id === PROPERTY.correlation) {
      const dataEnd = endOf(bytes, at, end, "properties");
      found.correlationData = Buffer.from(bytes.subarray(at + 2, dataEnd));
      at = dataEnd;
    } else if (id === PROPERTY.payloadFormat) at += 1;
    else if (id === PROPERTY.messageExpiry) at += 4;
    else if (id === PROPERTY.topicAlias) {
      throw new MalformedPacket("the broker sent a topic alias, and was not told that it may");
    } else {
      throw new MalformedPacket(`the broker sent a PUBLISH with property ${id}, which can be in none`);
    }
    if (at > end) throw cutShort("properties");
  }
  for (const _ in user) {
    found.userProperties = user;
    break;
  }
  return found;
}
