import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { COORDINATES_MAX, extentOf } from "../../src/core/extent.ts";
import {
  type Encoding,
  type FrameMembers,
  isId,
  PART_COUNT_MAX,
  REJECT_REASONS,
} from "../../src/core/frame.ts";
import {
  batchBodyBytes,
  ChannelBroken,
  decodeBatch,
  encodeBatch,
  framesOf,
} from "../../src/engine/channel.ts";
import { createParser } from "../../src/engine/message-parser.ts";
import { answerBytesMax, createReply, decodeReply } from "../../src/engine/reply.ts";
import type { EngineFrame, Outcome } from "../../src/gateway/ports.ts";

const frame = fc.record({
  encoding: fc.constantFrom<Encoding>("raw", "png", "jpeg", "json"),
  payload: fc.uint8Array({ maxLength: 50 }),
});
const large = fc.record({
  encoding: fc.constant<Encoding>("raw"),
  payload: fc.integer({ min: 30_000, max: 40_000 }).map((length) => new Uint8Array(length).fill(length)),
});
const id = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const batch = fc.record({
  id,
  frames: fc.array(fc.oneof({ weight: 9, arbitrary: frame }, { weight: 1, arbitrary: large })),
});

const anyNumber = fc.double();
const idText = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }).filter(isId);
const members: fc.Arbitrary<FrameMembers> = fc.record(
  { id: idText, part: idText, partCount: fc.integer({ min: 1, max: PART_COUNT_MAX }) },
  { requiredKeys: ["id"] },
);
const withMembers = (one: Outcome): fc.Arbitrary<Outcome> =>
  fc.oneof(
    fc.constant(one),
    members.map((members): Outcome => ({ ...one, members })),
  );
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc
    .constantFrom(...REJECT_REASONS)
    .map((reason): Outcome => ({ kind: "reject", reason }))
    .chain(withMembers),
  fc
    .record({
      classIndex: fc.integer({ min: -1, max: 1000 }),
      confidence: anyNumber,
      score: anyNumber,
      bandLow: anyNumber,
      bandHigh: anyNumber,
      novelty: anyNumber,
      extent: fc
        .float32Array({ minLength: COORDINATES_MAX, maxLength: COORDINATES_MAX })
        .map((place) => extentOf(place)),
    })
    .map((prediction): Outcome => ({ kind: "prediction", prediction }))
    .chain(withMembers),
);

/** Cuts bytes at the given places and collects the bodies that come out, copied. */
function parse(bytes: Uint8Array, cuts: readonly number[], bodyBytesMax = 2 ** 24): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  const parser = createParser({
    bodyBytesMax,
    onBody(body) {
      expect(body.byteOffset % 8).toBe(0);
      bodies.push(body.slice());
      parser.recycle(body);
    },
  });
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const reused = new Uint8Array(bytes.length);
  for (let i = 1; i < places.length; i++) {
    // One buffer for every chunk, spoilt after each, as a socket with a reused buffer does.
    const length = places[i]! - places[i - 1]!;
    reused.set(bytes.subarray(places[i - 1]!, places[i]!));
    parser.push(reused.subarray(0, length));
    reused.fill(0xee);
  }
  return bodies;
}

/** Payloads as text, which vitest compares faster than large arrays. */
function readable({ id, frames }: { id: number; frames: readonly EngineFrame[] }): unknown {
  return {
    id,
    frames: frames.map(({ encoding, payload }) => [encoding, Buffer.from(payload).toString("latin1")]),
  };
}

/** The id and the frames of a batch message whose payloads follow in it. */
function wholeBatch(body: Uint8Array): { id: number; frames: readonly EngineFrame[] } {
  const { id, entries, payloads } = decodeBatch(body);
  if (typeof payloads === "number") throw new Error("expected payloads in the message");
  return { id, frames: framesOf(entries, payloads) };
}

const cuts = fc.array(fc.nat(), { maxLength: 30 });

describe("the channel", () => {
  test("carries batches whole, in whatever pieces they arrive", () => {
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 5 }), cuts, (batches, places) => {
        const bytes = Buffer.concat(batches.flatMap(({ id, frames }) => encodeBatch(id, frames)));
        expect(parse(bytes, places).map(wholeBatch).map(readable)).toEqual(batches.map(readable));
      }),
    );
  });

  test("carries a byte at a time", () => {
    const frames: EngineFrame[] = [{ encoding: "json", payload: Uint8Array.of(1, 2, 3) }];
    const bytes = Buffer.concat(encodeBatch(7, frames));
    const everywhere = Array.from({ length: bytes.length }, (_, i) => i);
    expect(parse(bytes, everywhere).map(wholeBatch)).toEqual([{ id: 7, frames }]);
  });

  test("carries outcomes whole and in order, written in any order", () => {
    fc.assert(
      fc.property(id, fc.array(outcome), cuts, fc.boolean(), (batchId, outcomes, places, backwards) => {
        const reply = createReply(batchId, outcomes.length);
        const order = outcomes.map((_, i) => (backwards ? outcomes.length - 1 - i : i));
        for (const i of order) {
          const one = outcomes[i]!;
          if (one.kind === "reject") reply.reject(i, one.reason);
          else reply.prediction(i, one.prediction);
          if (one.members !== undefined) reply.members(i, one.members);
        }
        expect(parse(reply.message(), places).map(decodeReply)).toEqual([{ id: batchId, outcomes }]);
      }),
    );
  });

  test("says beforehand how long a batch will be", () => {
    fc.assert(
      fc.property(batch, ({ id, frames }) => {
        expect(Buffer.concat(encodeBatch(id, frames)).length).toBe(4 + batchBodyBytes(frames));
      }),
    );
  });

  test("carries only the lengths of payloads that lie in a slot, and where", () => {
    fc.assert(
      fc.property(batch, fc.integer({ min: 0, max: 2 ** 32 - 2 }), ({ id, frames }, place) => {
        const bytes = Buffer.concat(encodeBatch(id, frames, place));
        expect(bytes.length).toBe(16 + 8 * frames.length);
        expect(decodeBatch(bytes.subarray(4))).toEqual({
          id,
          entries: frames.map(({ encoding, payload }) => ({ encoding, bytes: payload.length })),
          payloads: place,
        });
      }),
    );
  });

  test("does not copy large payloads", () => {
    const payload = new Uint8Array(100_000);
    expect(encodeBatch(1, [{ encoding: "raw", payload }])[1]).toBe(payload);
  });
});

describe("a broken channel", () => {
  test("is noticed when a message claims more than the bound, before anything is set aside for it", () => {
    expect(() => parse(Uint8Array.of(0, 0, 0, 1), [], 2 ** 24 - 1)).toThrow(ChannelBroken);
    expect(() => parse(Uint8Array.of(0xff, 0xff, 0xff, 0xff), [])).toThrow(/4294967295 bytes; at most/);
  });

  test("is noticed when an outcome was never written", () => {
    const reply = createReply(1, 2);
    reply.reject(0, "too-short");
    expect(() => decodeReply(reply.message().subarray(4))).toThrow(ChannelBroken);
  });

  test.each([
    ["of a frame that was not asked for", [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ["of more frames than a part can have", [0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0]],
    ["with an id that has a control character", [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 10]],
    ["with a part that is no UTF-8", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0xff]],
    ["with less than they say", [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 97]],
    ["that end in their head", [0, 0, 0, 0, 0, 0, 0, 0]],
    ["twice of one frame", [...new Uint8Array(12), ...new Uint8Array(12)]],
  ])("is noticed by members %s", (_, trailer) => {
    const reply = createReply(1, 2);
    for (const i of [0, 1]) reply.reject(i, "too-short");
    const body = Buffer.concat([reply.message().subarray(4), Uint8Array.from(trailer)]);
    expect(() => decodeReply(body)).toThrow(ChannelBroken);
  });

  test("carries the longest ids of the largest batch within its cap", () => {
    const longest = { id: "\ud83c".repeat(128), part: "日".repeat(128), partCount: PART_COUNT_MAX };
    const reply = createReply(1, 256);
    for (let i = 0; i < 256; i++) {
      reply.reject(i, "too-short");
      reply.members(i, longest);
    }
    expect(reply.message().length - 4).toBeLessThanOrEqual(answerBytesMax(256));
    expect(decodeReply(reply.message().subarray(4)).outcomes[255]).toMatchObject({
      members: { id: "\ufffd".repeat(128), part: longest.part },
    });
    expect(answerBytesMax(32)).toBe(64 * 1024);
  });

  test("is noticed for any other bytes; nothing else is thrown", () => {
    const whole = Buffer.concat(encodeBatch(1, [{ encoding: "raw", payload: Uint8Array.of(1, 2) }])).subarray(
      4,
    );
    const stored = Buffer.concat(encodeBatch(1, [{ encoding: "raw", payload: Uint8Array.of(1, 2) }], 0));
    for (const bad of [
      Buffer.concat([stored.subarray(4), Uint8Array.of(1, 2)]),
      whole.subarray(0, whole.length - 1),
      Buffer.concat([whole, Uint8Array.of(0)]),
      whole.subarray(0, 7),
    ]) {
      expect(() => decodeBatch(bad)).toThrow(ChannelBroken);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        for (const read of [decodeBatch, decodeReply]) {
          try {
            read(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(ChannelBroken);
          }
        }
      }),
    );
  });
});

test("a parser makes few buffers for many messages that are given back", () => {
  const buffers = new Set<ArrayBufferLike>();
  const parser = createParser({
    bodyBytesMax: 2 ** 20,
    onBody(body) {
      buffers.add(body.buffer);
      parser.recycle(body);
    },
  });
  for (let i = 0; i < 200; i++) {
    const payload = new Uint8Array(20_000 + 10 * (i % 7));
    for (const piece of encodeBatch(i, [{ encoding: "raw", payload }])) parser.push(piece);
  }
  expect(buffers.size).toBe(1);
});
