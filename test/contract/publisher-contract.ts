/** What the relay relies on in any publisher: the one on a broker, and the one that the simulation puts in its place. */

import { describe, expect, test } from "vitest";
import type { Message, Publisher, PublishFailed } from "../../src/gateway/ports.ts";
import { anEventLog } from "../support/event-log.ts";

interface Connecting {
  readonly publisher: Publisher;
  /** Resolves when the first connection is up. */
  connect(): Promise<void>;
  /** What is on its way to the broker and back arrives. */
  passTime(): Promise<void>;
}

export interface PublisherUnderTest extends Connecting {
  readonly topic: string;
  /** No answer comes any more, until the line breaks. */
  mute(): void;
  /** The line breaks; resolves when the publisher has noticed. */
  cut(): Promise<void>;
  /** Resolves when it is connected again, as often as this was called, on its own. */
  back(): Promise<void>;
  /** Waits for so many; the texts that the broker has got, in the order of their coming. */
  arrived(count: number): Promise<readonly string[]>;
}

export interface LimitedPublisher extends Connecting {
  /** What it has room for without an answer. */
  readonly pendingMax: number;
  /** A body whose member frameInline is as long as this is too large for the broker. */
  readonly frameBytesTooMany: number;
  /** Whether the broker says no to every message. */
  refuse(isRefusing: boolean): void;
}

interface Answer {
  readonly text: string;
  readonly failure: PublishFailed["failure"] | undefined;
  readonly wasConnected: boolean;
  readonly fromWithin: boolean;
}

/** Publishes, and collects the answers. */
function sender({ publisher }: Connecting, topic: string) {
  const answers = anEventLog<Answer>();
  let isWithin = false;
  const send = (text: string, changes: Partial<Message> = {}): void => {
    isWithin = true;
    publisher.publish({ topic, payload: text, qos: 1, ...changes }, (error) => {
      const { connected: wasConnected } = publisher;
      answers.push({ text, failure: error?.failure, wasConnected, fromWithin: isWithin });
    });
    isWithin = false;
  };
  const failures = (): Record<string, string | undefined> =>
    Object.fromEntries(answers.all.map(({ text, failure }) => [text, failure]));
  return { answers, send, failures };
}

export function publisherContract(name: string, make: () => Promise<PublisherUnderTest>): void {
  describe(name, () => {
    async function connected() {
      const subject = await make();
      await subject.connect();
      return { ...subject, ...sender(subject, subject.topic) };
    }

    test("is connected from its first connection on, tells of each, and is so by then", async () => {
      const { publisher, connect, cut, back } = await make();
      const seen: boolean[] = [];
      publisher.onConnect(() => seen.push(publisher.connected));
      expect(publisher.connected).toBe(false);
      await connect();
      expect(seen).toEqual([true]);
      await cut();
      await back();
      expect(seen).toEqual([true, true]);
      expect(publisher.connected).toBe(true);
    });

    test.each([0, 1] as const)("answers each message once when it has arrived, at QoS %i", async (qos) => {
      const { send, answers, passTime, arrived } = await connected();
      const texts = Array.from({ length: 50 }, (_, i) => `${i}`);
      for (const text of texts) send(text, { qos });
      await passTime();
      await answers.count(50);
      expect(await arrived(50)).toEqual(texts);
      await passTime();
      expect(answers.all).toHaveLength(50);
      expect(answers.all.every(({ failure, fromWithin }) => failure === undefined && !fromWithin)).toBe(true);
    });

    test("publishes nothing while there is no connection, and says so, but never from within", async () => {
      const subject = await make();
      const { send, answers } = sender(subject, subject.topic);
      send("before");
      await answers.count(1);
      expect(answers.all).toMatchObject([{ text: "before", failure: "offline", fromWithin: false }]);
      await subject.connect();
      send("after");
      await subject.passTime();
      expect(await subject.arrived(1)).toEqual(["after"]);
    });

    test("says of all that has no answer when the line breaks that it is lost, each once, and sends none of it again", async () => {
      const { send, answers, failures, mute, cut, back, passTime, arrived } = await connected();
      mute();
      for (const text of ["a", "b", "c"]) send(text);
      await passTime();
      expect(answers.all).toEqual([]);
      await cut();
      await answers.count(3);
      expect(failures()).toEqual({ a: "lost", b: "lost", c: "lost" });
      // By then it is known that there is no connection: what is published from within is not taken.
      expect(answers.all.map(({ wasConnected }) => wasConnected)).toEqual([false, false, false]);
      await back();
      const taken = (await arrived(0)).length;
      send("new");
      await passTime();
      await answers.count(4);
      expect(failures().new).toBeUndefined();
      expect((await arrived(taken + 1)).slice(taken)).toEqual(["new"]);
      expect(answers.all).toHaveLength(4);
    });
  });
}

export function publisherLimits(name: string, make: () => Promise<LimitedPublisher>): void {
  describe(`${name} at a limit`, () => {
    async function connected() {
      const subject = await make();
      await subject.connect();
      return { ...subject, ...sender(subject, "t") };
    }

    test("says what the broker refuses, and goes on", async () => {
      const { refuse, send, answers, failures, passTime } = await connected();
      refuse(true);
      send("no");
      send("nor this");
      await passTime();
      await answers.count(2);
      refuse(false);
      send("yes");
      await passTime();
      await answers.count(3);
      expect(failures()).toEqual({ no: "refused", "nor this": "refused", yes: undefined });
    });

    test("says what this broker can never take, and goes on", async () => {
      const { frameBytesTooMany, send, answers, failures, passTime } = await connected();
      const large = JSON.stringify({ frameInline: "x".repeat(frameBytesTooMany) });
      const small = JSON.stringify({ review: 1 });
      send(large);
      send(small);
      await passTime();
      await answers.count(2);
      expect(failures()).toEqual({ [large]: "unsendable", [small]: undefined });
      expect(answers.all.some(({ fromWithin }) => fromWithin)).toBe(false);
    });

    test("takes no more than its bound, and has room again when an answer has come", async () => {
      const { pendingMax, send, answers, failures, passTime } = await connected();
      const texts = Array.from({ length: pendingMax }, (_, i) => `${i}`);
      for (const text of [...texts, "one more"]) send(text);
      await passTime();
      await answers.count(pendingMax + 1);
      send("later");
      await passTime();
      await answers.count(pendingMax + 2);
      expect(failures()).toEqual({
        ...Object.fromEntries(texts.map((text) => [text, undefined])),
        "one more": "full",
        later: undefined,
      });
      expect(answers.all.some(({ fromWithin }) => fromWithin)).toBe(false);
    });
  });
}
