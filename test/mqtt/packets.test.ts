import fc from "fast-check";
import type { Packet } from "mqtt";
import { describe, expect, test } from "vitest";
import type { Message } from "../../src/gateway/ports.ts";
import { messageProblem, pubacks, publishBytes, publishPacket } from "../../src/mqtt/packets.ts";
import { packetReader } from "../support/recording-proxy.ts";

function parsed(bytes: Buffer, version: 4 | 5): Packet[] {
  const packets: Packet[] = [];
  packetReader(version, (packet) => packets.push(packet))(bytes);
  return packets;
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
  test("is read by mqtt.js's own parser as what was meant", () => {
    fc.assert(
      fc.property(message, fc.integer({ min: 1, max: 65_535 }), (meant, messageId) => {
        const bytes = publishPacket(meant, messageId, version);
        const [packet, ...more] = parsed(bytes, version);
        expect(more).toEqual([]);
        expect(bytes.length).toBe(publishBytes(meant, version));
        expect(packet).toMatchObject({
          cmd: "publish",
          topic: meant.topic,
          payload: Buffer.from(meant.payload as string),
          qos: meant.qos,
          retain: meant.retain ?? false,
          dup: false,
        });
        if (meant.qos === 1) expect(packet!.messageId).toBe(messageId);
        const properties = packet?.cmd === "publish" ? packet.properties : undefined;
        if (version === 4) {
          expect(properties).toBeUndefined();
          return;
        }
        expect(properties?.contentType).toBe("application/json");
        expect(properties?.messageExpiryInterval).toBe(meant.expirySeconds);
        expect(properties?.correlationData).toEqual(meant.correlation && Buffer.from(meant.correlation));
      }),
    );
  });

  test.each([0, 100, 127, 128, 16_000, 16_383, 16_384, 2_097_151, 2_097_152])("holds %i bytes", (length) => {
    const payload = Buffer.alloc(length, 7);
    const bytes = publishPacket({ topic: "t", payload, qos: 1 }, 1, version);
    const [packet] = parsed(bytes, version);
    expect(packet?.cmd === "publish" && payload.equals(packet.payload as Buffer)).toBe(true);
  });
});

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
  expect(messageProblem({ topic: "t", payload: "", qos: 1, ...wrong })).toMatch(words);
});
