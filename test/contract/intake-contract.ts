/** What the gateway relies on in any intake: the one on mosquitto, and the one that the simulation puts in its place. */

import { describe, expect, test } from "vitest";
import type { Delivery, Intake } from "../../src/gateway/ports.ts";
import type { EventLog } from "../support/event-log.ts";

export interface IntakeUnderTest {
  readonly intake: Intake;
  readonly deliveries: EventLog<Delivery>;
  /** One for each session that was found again, with the number of deliveries so far. */
  readonly resumes: EventLog<number>;
  start(): Promise<void>;
  /** A sensor publishes, and its message has reached the broker. */
  publish(text: string, qos?: 0 | 1): Promise<void>;
  textOf(delivery: Delivery): string;
  /** The line to the broker breaks; the intake is back on its own, and what comes again has come. */
  cut(): Promise<void>;
  /** What the broker would have delivered has been delivered. */
  quiet(): Promise<void>;
  /** Waits for so many acknowledgements; the texts of the messages acknowledged, in the order of the broker's. */
  acknowledged(count: number): Promise<readonly string[]>;
}

export function intakeContract(
  name: string,
  make: (receiveMaximum: number) => Promise<IntakeUnderTest>,
): void {
  describe(name, () => {
    async function started(receiveMaximum = 100) {
      const subject = await make(receiveMaximum);
      await subject.start();
      const texts = (): string[] => subject.deliveries.all.map(subject.textOf);
      const tickets = (): number[] => subject.deliveries.all.map(({ ticket }) => ticket);
      return { ...subject, texts, tickets };
    }

    test("delivers in the order sent, under rising tickets", async () => {
      const { publish, deliveries, texts, tickets } = await started();
      for (const text of ["a", "b", "c"]) await publish(text);
      await deliveries.count(3);
      expect(texts()).toEqual(["a", "b", "c"]);
      expect(tickets()).toEqual([...new Set(tickets())].sort((x, y) => x - y));
    });

    test("acknowledges in the order of receipt, each once, whatever the order it is told in", async () => {
      const { intake, publish, deliveries, acknowledged, tickets } = await started();
      for (const text of ["a", "b", "c", "d"]) await publish(text);
      await deliveries.count(4);
      const [a, b, c, d] = tickets();
      intake.acknowledge([c!, b!]);
      intake.acknowledge([a!, a!]);
      expect(await acknowledged(3)).toEqual(["a", "b", "c"]);
      intake.acknowledge([d!, b!]);
      expect(await acknowledged(4)).toEqual(["a", "b", "c", "d"]);
    });

    test("gets again what was not acknowledged when the line broke, and says so before", async () => {
      const { intake, publish, deliveries, acknowledged, cut, texts, resumes } = await started();
      for (const text of ["a", "b", "c"]) await publish(text);
      await deliveries.count(3);
      intake.acknowledge([deliveries.all[0]!.ticket]);
      await acknowledged(1);
      await cut();
      await deliveries.count(5);
      expect(texts()).toEqual(["a", "b", "c", "b", "c"]);
      expect(resumes.all).toEqual([3]);
    });

    test("passes over the tickets of a line that is gone", async () => {
      const { intake, publish, deliveries, acknowledged, cut, tickets } = await started();
      for (const text of ["a", "b"]) await publish(text);
      await deliveries.count(2);
      await cut();
      await deliveries.count(4);
      const [staleA, staleB, a, b] = tickets();
      intake.acknowledge([staleB!, staleA!]);
      intake.acknowledge([b!]);
      intake.acknowledge([a!]);
      expect(await acknowledged(2)).toEqual(["a", "b"]);
    });

    test("has no more unacknowledged than its window", async () => {
      const { intake, publish, deliveries, quiet, texts, tickets } = await started(2);
      for (const text of ["a", "b", "c", "d"]) await publish(text);
      await deliveries.count(2);
      await quiet();
      expect(texts()).toEqual(["a", "b"]);
      intake.acknowledge(tickets());
      await quiet();
      await deliveries.count(4);
      expect(texts()).toEqual(["a", "b", "c", "d"]);
    });

    test("delivers nothing while it holds, and all of it after", async () => {
      const { intake, publish, deliveries, quiet, texts, acknowledged, tickets } = await started();
      await publish("a");
      await deliveries.count(1);
      intake.hold();
      for (const text of ["b", "c"]) await publish(text);
      await quiet();
      expect(texts()).toEqual(["a"]);
      intake.acknowledge(tickets());
      expect(await acknowledged(1)).toEqual(["a"]);
      intake.resume();
      await quiet();
      await deliveries.count(3);
      expect(texts()).toEqual(["a", "b", "c"]);
    });

    test("delivers nothing after a pause, and still acknowledges", async () => {
      const { intake, publish, deliveries, quiet, texts, acknowledged, tickets } = await started();
      await publish("a");
      await deliveries.count(1);
      intake.pause();
      await publish("b");
      await quiet();
      expect(texts()).toEqual(["a"]);
      intake.acknowledge(tickets());
      expect(await acknowledged(1)).toEqual(["a"]);
    });

    test("says of a message at QoS 0 that it does not come again, and it does not", async () => {
      const { publish, deliveries, cut, texts } = await started();
      await publish("zero", 0);
      await publish("one");
      await deliveries.count(2);
      expect(deliveries.all.map(({ qos }) => qos)).toEqual([0, 1]);
      await cut();
      await deliveries.count(3);
      expect(texts()).toEqual(["zero", "one", "one"]);
    });
  });
}
