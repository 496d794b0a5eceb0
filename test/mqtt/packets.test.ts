import fc from "fast-check";
import type { Packet } from "mqtt";
import { describe, expect, test } from "vitest";
import type { Message } from "../../src/gateway/ports.ts";
import { createPacketWriter, type ProtocolVersion, pubacks } from "../../src/mqtt/packets.ts";
import { packetReader } from "../support/recording-proxy.ts";

function parsed(bytes: Buffer, version: 4 | 5): Packet[] {
  const packets: Packet[] = [];
  packetReader(version, (packet) => packets.push(packet))(bytes);
  return packets;
}

/** The packets of these messages one behind the other, with ids from `firstId` on. */
function packetsOf(messages: readonly Message[], firstId: number, version: ProtocolVersion): Buffer {
  const writer = createPacketWriter(version);
  const measured = messages.map((meant) => {
    const one = writer.measure(meant);
    if (typeof one === "string") throw new Error(one);
    return one;
  });
  const bytes = Buffer.alloc(
    measured.reduce((sum, one) => sum + one.bytes, 0),
    0xff,
  );
  const end = measured.reduce((at, one, i) => writer.write(bytes, at, one, firstId + i), 0);
  expect(end).toBe(bytes.length);
  return bytes;
}

const message: fc.Arbitrary<Message> = fc.record(
  {
    topic: fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }).filter((t) => !/[+#\0]/.test(t)),
    payload: fc.oneof(fc.string({ unit: "grapheme", maxLength: 400 }), fc.uint8Array({ maxLength: 400 })),
    qos: fc.constantFrom(0 as const, 1 as const),
    retain: fc.boolean(),
    correlation: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    expirySeconds: fc.integer({ min: 1, max: 0xffffffff }),
  },
  { requiredKeys: ["topic", "payload", "qos"] },
);

describe.each([4, 5] as const)("a PUBLISH of protocol level %i", (version) => {
  test("is read by mqtt.js's own parser as what was meant, also behind others", () => {
    const messages = fc.array(message, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 65_500 }), (meant, firstId) => {
        const packets = parsed(packetsOf(meant, firstId, version), version);
        expect(packets).toHaveLength(meant.length);
        for (const [i, packet] of packets.entries()) expectMeant(packet, meant[i]!, firstId + i, version);
      }),
    );
  });

  test.each([0, 100, 127, 128, 16_000, 16_383, 16_384, 2_097_151, 2_097_152])("holds %i bytes", (length) => {
    const payload = Buffer.alloc(length, 7);
    const [packet] = parsed(packetsOf([{ topic: "t", payload, qos: 1 }], 1, version), version);
    expect(packet?.cmd === "publish" && payload.equals(packet.payload as Buffer)).toBe(true);
  });
});

function expectMeant(packet: Packet, meant: Message, messageId: number, version: ProtocolVersion): void {
  expect(packet).toMatchObject({
    cmd: "publish",
    topic: meant.topic,
    payload: Buffer.from(meant.payload as string),
    qos: meant.qos,
    retain: meant.retain ?? false,
    dup: false,
  });
  if (meant.qos === 1) expect(packet.messageId).toBe(messageId);
  const properties = packet.cmd === "publish" ? packet.properties : undefined;
  if (version === 4) {
    expect(properties).toBeUndefined();
    return;
  }
  expect(properties?.contentType).toBe("application/json");
  expect(properties?.messageExpiryInterval).toBe(meant.expirySeconds);
  expect(properties?.correlationData).toEqual(meant.correlation && Buffer.from(meant.correlation));
}

test.each([4, 5] as const)("PUBACKs of protocol level %i stand one behind the other", (version) => {
  const packets = parsed(pubacks([1, 255, 256, 65_535]), version);
  expect(packets).toMatchObject([1, 255, 256, 65_535].map((messageId) => ({ cmd: "puback", messageId })));
});

test.each<[Partial<Message>, RegExp]>([
  [{ topic: "" }, /topic without wildcards, found ""/],
  [{ topic: "a/+" }, /found "a\/\+"/],
  [{ topic: "a/#" }, /wildcards/],
  [{ topic: "a\0" }, /wildcards/],
  [{ topic: "ü".repeat(32_768) }, /more than 65535 bytes/],
  [{ correlation: new Uint8Array(65_536) }, /correlation data has 65536 bytes/],
  [{ expirySeconds: Number.NaN }, /expiry/],
  [{ expirySeconds: -1 }, /expiry/],
])("a message that can never be sent is known as such (%#)", (wrong, words) => {
  expect(createPacketWriter(5).measure({ topic: "t", payload: "", qos: 1, ...wrong })).toMatch(words);
});
