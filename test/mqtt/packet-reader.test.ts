/** What the reader makes of a broker's bytes, beside what mqtt.js's own parser makes of the same ones. */

import { createRequire } from "node:module";
import type { IClientOptions, IPublishPacket, Packet } from "mqtt";
import { describe, expect, test } from "vitest";
import { type Random, seededRandom } from "../../src/core/random.ts";
import { frameProperties } from "../../src/mqtt/frame-properties.ts";
import { createPacketReader } from "../../src/mqtt/packet-reader.ts";
import type { ProtocolVersion } from "../../src/mqtt/packets.ts";
import { MalformedPacket, type PublishPacket } from "../../src/mqtt/publish-packet.ts";
import { createSlabs, SLAB_BYTES } from "../../src/mqtt/slabs.ts";

interface Parser {
  on(event: "packet", listener: (packet: Packet) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  parse(bytes: Buffer): void;
}

const { generate, parser } = createRequire(createRequire(import.meta.url).resolve("mqtt"))("mqtt-packet") as {
  generate(packet: Packet, options: Pick<IClientOptions, "protocolVersion">): Buffer;
  parser(options: Pick<IClientOptions, "protocolVersion">): Parser;
};

/** What is compared of a packet. */
interface Read {
  readonly packets: readonly unknown[];
  readonly isRefused: boolean;
}

const seen = ({ topic, payload, qos, dup, retain, messageId, properties }: PublishPacket) => ({
  ...{ topic, qos, dup, retain, messageId, payload: Buffer.from(payload as Buffer).toString("hex") },
  ...frameProperties(properties),
  responseTopic: properties?.responseTopic,
});

function readByOurs(bytes: Buffer, version: ProtocolVersion, chunk: () => number): Read {
  const packets: unknown[] = [];
  const slabs = createSlabs((memory) => memory.fill(0xdb));
  const reader = createPacketReader({
    ...{ version, slabs },
    onPublish(packet) {
      packets.push(seen(packet));
      packet.slab?.release();
      return true;
    },
    onPuback(messageId, reasonCode) {
      packets.push({ cmd: "puback", messageId, reasonCode });
    },
    onOther(_type, packet) {
      packets.push(packet.toString("hex"));
      return true;
    },
  });
  try {
    for (let at = 0; at < bytes.length; ) {
      const count = bytes.copy(reader.room(), 0, at, Math.min(bytes.length, at + chunk()));
      reader.advance(count);
      at += count;
    }
  } catch (error) {
    if (!(error instanceof MalformedPacket)) throw error;
    return { packets, isRefused: true };
  }
  return { packets, isRefused: false };
}

/** Publishes only: of other packets the reader has nothing to say. */
function readByTheirs(bytes: Buffer, version: ProtocolVersion): Read {
  const packets: unknown[] = [];
  let isRefused = false;
  const theirs = parser({ protocolVersion: version });
  theirs.on("packet", (packet) => {
    if (!isRefused) packets.push(seen(packet as IPublishPacket));
  });
  theirs.on("error", () => {
    isRefused = true;
  });
  theirs.parse(bytes);
  return { packets, isRefused };
}

const below = (random: Random, count: number): number => Math.floor(random.next() * count);

function aPublish(random: Random, version: ProtocolVersion): Packet {
  const text = (length: number): string =>
    Array.from({ length: 1 + below(random, length) }, () => "ab/é漢🔬+1"[below(random, 8)]).join("");
  const maybe = <T>(value: () => T): T | undefined => (random.next() < 0.5 ? value() : undefined);
  const qos = below(random, 2) as 0 | 1;
  const size = [0, 1, 100, 127, 128, 5_000, 16_383, 140_000][below(random, 8)]!;
  const user = {
    "frame-id": maybe(() => text(9)),
    "part-id": maybe(() => text(9)),
    other: maybe(() => text(4)),
  };
  const properties = {
    contentType: maybe(() => text(20)),
    responseTopic: maybe(() => text(20)),
    correlationData: maybe(() => Buffer.from(text(20))),
    messageExpiryInterval: maybe(() => below(random, 2 ** 32)),
    payloadFormatIndicator: maybe(() => true),
    subscriptionIdentifier: maybe(() => 1 + below(random, 200_000)),
    userProperties: maybe(() => given(user)),
  };
  return {
    cmd: "publish",
    topic: text(40).replaceAll("+", "x"),
    payload: Buffer.alloc(size, below(random, 256)),
    ...{ qos, dup: qos === 1 && random.next() < 0.3, retain: random.next() < 0.3 },
    ...(qos === 1 && { messageId: 1 + below(random, 65_535) }),
    ...(version === 5 && { properties: given(properties) }),
  } as Packet;
}

function given(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

describe.each([4, 5] as const)("on level %i", (version) => {
  test("reads what mqtt.js's parser reads, however the bytes are cut", () => {
    const random = seededRandom(version);
    for (let round = 0; round < 60; round++) {
      const sent = Array.from({ length: 1 + below(random, 12) }, () => aPublish(random, version));
      const parts = sent.map((packet) => generate(packet, { protocolVersion: version }));
      const bytes = Buffer.concat(parts);
      const longest = [3, 500, 70_000][round % 3]!;
      const ours = readByOurs(bytes, version, () => 1 + below(random, longest));
      expect(ours).toEqual(readByTheirs(bytes, version));
      // Where it is given nothing but undefined, mqtt.js writes nothing.
      expect(ours).toMatchObject({ isRefused: false });
      expect(ours.packets).toHaveLength(parts.filter(({ length }) => length > 0).length);
    }
  });

  test("reads acknowledgements between other packets, whatever a broker adds to them", () => {
    const random = seededRandom(20 + version);
    const codes = version === 5 ? [0, 0x10, 0x87, 0x97] : [0];
    const sent = Array.from({ length: 500 }, () => ({
      cmd: "puback" as const,
      messageId: 1 + below(random, 65_535),
      reasonCode: codes[below(random, codes.length)]!,
      ...(random.next() < 0.3 && { properties: { reasonString: "a reason" } }),
    }));
    const between = generate({ cmd: "pingresp" }, { protocolVersion: version });
    const bytes = Buffer.concat(
      sent.flatMap((packet) => [generate(packet, { protocolVersion: version }), between]),
    );
    const { packets } = readByOurs(bytes, version, () => 1 + below(random, 40));
    expect(packets).toEqual(
      sent.flatMap(({ cmd, messageId, reasonCode }) => [
        { cmd, messageId, reasonCode },
        between.toString("hex"),
      ]),
    );
  });

  test("takes nothing from changed bytes that mqtt.js's parser does not take, and never fails otherwise", () => {
    const random = seededRandom(10 + version);
    let refused = 0;
    let taken = 0;
    for (let round = 0; round < 3_000; round++) {
      const packet = generate(
        { ...aPublish(random, version), payload: Buffer.alloc(below(random, 40), 7) } as Packet,
        { protocolVersion: version },
      );
      const bytes = Buffer.from(packet);
      for (let i = 0; i <= below(random, 3); i++) bytes[below(random, bytes.length)] = below(random, 256);
      // Other packets are mqtt.js's own.
      if (bytes[0]! >> 4 !== 3 || ((bytes[0]! >> 1) & 3) === 2) continue;
      const ours = readByOurs(bytes, version, () => 1 + below(random, 30));
      const theirs = readByTheirs(bytes, version);
      if (ours.isRefused) refused++;
      else {
        // What stands behind the first packet may be of another kind, which is compared by nobody.
        expect(ours.packets.slice(0, 1)).toEqual(theirs.packets.slice(0, 1));
        taken += ours.packets.length > 0 ? 1 : 0;
      }
    }
    expect(refused).toBeGreaterThan(50);
    expect(taken).toBeGreaterThan(500);
  });
});

/** A PUBLISH on topic "t" at QoS 0 with these properties, MQTT 5. */
const withProperties = (...properties: number[]): number[] => [
  0x30,
  4 + properties.length,
  ...[0, 1, 0x74],
  properties.length,
  ...properties,
];

test.each([
  ["a length of five bytes", [0x30, 0xff, 0xff, 0xff, 0xff, 1], "more than four bytes"],
  ["both bits of the QoS", [0x36, 4, 0, 1, 0x74, 0], "both bits"],
  ["a topic longer than its packet", [0x30, 3, 0, 9, 0x74], "within its topic"],
  ["no room for a packet id", [0x32, 4, 0, 1, 0x74, 0], "within its packet id"],
  ["no properties", [0x30, 3, 0, 1, 0x74], "length of its properties"],
  ["properties longer than its packet", [0x30, 4, 0, 1, 0x74, 9], "within its properties"],
  ["properties of endless length", [0x30, 9, 0, 1, 0x74, 255, 255, 255, 255, 1, 0], "more than four bytes"],
  ["an unfinished property", withProperties(0x09, 0, 9, 1), "within its properties"],
  ["a property of another packet", withProperties(0x11, 0, 0, 0, 1), "property 17, which can be in none"],
  ["a property twice", withProperties(0x03, 0, 1, 0x61, 0x03, 0, 1, 0x61), "property 3 twice"],
  ["a topic alias", withProperties(0x23, 0, 1), "a topic alias"],
  ["an acknowledgement of nothing", [0x40, 1, 7], "a PUBACK without a message id"],
] as const)("refuses %s", (_what, bytes, words) => {
  const reader = createPacketReader({
    ...{
      version: 5 as const,
      slabs: createSlabs(),
      onPublish: () => true,
      onPuback() {},
      onOther: () => true,
    },
  });
  const count = Buffer.from(bytes).copy(reader.room());
  expect(() => reader.advance(count)).toThrow(words);
});

test("stops where it is told to, loses nothing behind it, and goes on", () => {
  const texts: string[] = [];
  let room = 1;
  const reader = createPacketReader({
    ...{ version: 4 as const, slabs: createSlabs(), onPuback() {}, onOther: () => true },
    onPublish({ payload }) {
      texts.push(String(payload));
      return --room > 0;
    },
  });
  const count = 3_000;
  const one = (i: number): Buffer =>
    generate(
      { cmd: "publish", topic: "t", payload: `${i}`.padEnd(100), qos: 0, dup: false, retain: false },
      {
        protocolVersion: 4,
      },
    );
  // More than a slab holds, all of it while nothing is read.
  const bytes = Buffer.concat(Array.from({ length: count }, (_, i) => one(i)));
  expect(bytes.length).toBeGreaterThan(2 * SLAB_BYTES);
  for (let at = 0; at < bytes.length; ) {
    const written = bytes.copy(reader.room(), 0, at);
    expect(written).toBeGreaterThan(0);
    reader.advance(written);
    at += written;
  }
  expect(texts).toHaveLength(1);
  room = 2;
  reader.proceed();
  expect(texts).toHaveLength(3);
  room = count;
  reader.proceed();
  expect(texts.map(Number)).toEqual(Array.from({ length: count }, (_, i) => i));
});
