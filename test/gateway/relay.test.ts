import { describe, expect, test } from "vitest";
import type { Left } from "../../src/core/record.ts";
import { aPrediction } from "../support/builders.ts";
import { aWorld, EVERY_FRAME, turn, type World } from "../support/world.ts";

const UNFAITHFUL = EVERY_FRAME(aPrediction({ score: 0.9 }));

function sent(world: World, topic: string): unknown[] {
  return world.publisher.sent.filter((message) => message.topic === topic).map((message) => message.payload);
}

function refusals(world: World): string[] {
  return world.counted.filter((one) => one.startsWith("refused"));
}

async function deliver(world: World, ...tickets: number[]): Promise<void> {
  for (const ticket of tickets) {
    world.deliver(ticket);
    await turn();
  }
}

describe("the relay", () => {
  test("publishes what was decided while the broker was away, in order, when it is back", async () => {
    const world = await aWorld();
    world.publisher.disconnect();
    await deliver(world, 1, 2, 3);
    expect(sent(world, "decisions")).toEqual([]);
    world.publisher.connect();
    await turn();
    expect(sent(world, "decisions")).toEqual(["f1", "f2", "f3"]);
  });

  test("sends again what the broker had not acknowledged when the connection went", async () => {
    const world = await aWorld();
    world.publisher.answers = false;
    await deliver(world, 1, 2, 3);
    world.publisher.open.shift()!();
    world.publisher.disconnect();
    world.publisher.answers = true;
    world.publisher.connect();
    await turn();
    expect(sent(world, "decisions")).toEqual(["f1", "f2", "f3", "f2", "f3"]);
  });

  test("the cursor stands at the last decision before the first one without an answer", async () => {
    const world = await aWorld();
    world.publisher.answers = false;
    await deliver(world, 1, 2, 3);
    const [first, second, third] = world.publisher.open;
    third!();
    await world.clock.pass(1000);
    expect(world.ledger.publishedUpTo()).toBe(0);
    first!();
    second!();
    await world.clock.pass(1000);
    expect(world.ledger.publishedUpTo()).toBe(3);
  });

  test("an alert leaves until it is acknowledged, and then no more", async () => {
    const world = await aWorld();
    world.judge = UNFAITHFUL;
    world.publisher.answers = false;
    await deliver(world, 1);
    expect(sent(world, "reviews")).toEqual(["f1"]);
    world.publisher.disconnect();
    world.publisher.answers = true;
    world.publisher.connect();
    await world.clock.pass(1000);
    expect(sent(world, "reviews")).toEqual(["f1", "f1"]);
    world.publisher.disconnect();
    world.publisher.connect();
    await world.clock.pass(1000);
    expect(sent(world, "reviews")).toEqual(["f1", "f1"]);
  });

  test("what this broker can never take does not hold up what is behind it", async () => {
    const world = await aWorld();
    world.publisher.answers = false;
    await deliver(world, 1, 2);
    const [first, second] = world.publisher.open.splice(0);
    first!(Object.assign(new Error("too large for the broker"), { failure: "unsendable" as const }));
    second!();
    await world.clock.pass(1000);
    expect(world.ledger.publishedUpTo()).toBe(2);
    expect(refusals(world)).toEqual(["refused decision"]);
  });

  test("a decision that the broker refuses does not hold up or repeat the others", async () => {
    const world = await aWorld();
    world.publisher.answers = false;
    await deliver(world, 1, 2, 3);
    const [first, second, third] = world.publisher.open.splice(0);
    second!(Object.assign(new Error("not authorized"), { failure: "refused" as const }));
    first!();
    third!();
    await world.clock.pass(5000);
    expect(sent(world, "decisions")).toEqual(["f1", "f2", "f3"]);
    expect(world.ledger.publishedUpTo()).toBe(3);
    expect(refusals(world)).toEqual(["refused decision"]);
  });

  test("a decision refused when it is published again is counted, and one lost with the connection is not", async () => {
    const world = await aWorld();
    world.publisher.answers = false;
    world.deliver(1, { frameId: "same" });
    await turn();
    world.publisher.open.shift()!();
    for (const ticket of [2, 3]) world.deliver(ticket, { frameId: "same" });
    await turn();
    const [second, third] = world.publisher.open.splice(0);
    second!(Object.assign(new Error("not authorized"), { failure: "refused" as const }));
    third!(Object.assign(new Error("lost"), { failure: "lost" as const }));
    expect(refusals(world)).toEqual(["refused decision"]);
  });

  test("an alert that the broker refuses stays in the outbox and is tried again after a while", async () => {
    const world = await aWorld();
    world.judge = UNFAITHFUL;
    world.publisher.answers = false;
    await deliver(world, 1);
    const refuse = Object.assign(new Error("not authorized"), { failure: "refused" as const });
    for (const done of world.publisher.open.splice(0)) done(refuse);
    await world.clock.pass(20_000);
    expect(sent(world, "reviews")).toEqual(["f1"]);
    expect(world.ledger.alertsAfter(0, 10)).toHaveLength(1);
    expect(refusals(world).sort()).toEqual(["refused alert", "refused decision"]);
    world.publisher.answers = true;
    await world.clock.pass(20_000);
    expect(sent(world, "reviews")).toEqual(["f1", "f1"]);
    expect(world.ledger.alertsAfter(0, 10)).toHaveLength(0);
  });

  test("an alert too large for the broker leaves without its frame", async () => {
    const world = await aWorld();
    world.judge = UNFAITHFUL;
    world.publisher.answers = false;
    await deliver(world, 1);
    const tooLarge = Object.assign(new Error("too large"), { failure: "unsendable" as const });
    const alertAt = world.publisher.sent.findIndex((message) => message.topic === "reviews");
    const [done] = world.publisher.open.splice(alertAt, 1);
    done!(tooLarge);
    expect(sent(world, "reviews")).toEqual(["f1", "f1"]);
    for (const answer of world.publisher.open.splice(0)) answer();
    await world.clock.pass(1000);
    expect(world.ledger.alertsAfter(0, 10)).toHaveLength(0);
  });

  test("a ledger that cannot be read for a moment stops nothing for good", async () => {
    const world = await aWorld();
    world.publisher.disconnect();
    await deliver(world, 1);
    const read = world.ledger.decisionsAfter;
    world.ledger.decisionsAfter = () => {
      throw new Error("disk I/O error");
    };
    world.publisher.connect();
    await turn();
    world.ledger.decisionsAfter = read;
    await world.clock.pass(1000);
    expect(sent(world, "decisions")).toEqual(["f1"]);
  });

  test("keeps at most a bounded number in flight, and reads the rest from the ledger", async () => {
    const world = await aWorld();
    world.publisher.answers = false;
    await deliver(world, ...Array.from({ length: 600 }, (_, i) => i + 1));
    expect(sent(world, "decisions")).toHaveLength(512);
    world.publisher.answers = true;
    for (const done of world.publisher.open.splice(0)) done();
    for (let i = 0; i < 10; i++) await turn();
    expect(sent(world, "decisions")).toEqual(Array.from({ length: 600 }, (_, i) => `f${i + 1}`));
  });

  test("settling that fails is tried again, and a crash before it only repeats what was sent", async () => {
    const world = await aWorld();
    const settle = world.ledger.settle;
    let fails = 1;
    world.ledger.settle = (...args) => {
      if (fails-- > 0) throw new Error("disk full");
      settle(...args);
    };
    await deliver(world, 1);
    await world.clock.pass(300);
    expect(world.ledger.publishedUpTo()).toBe(0);
    await world.clock.pass(1000);
    expect(world.ledger.publishedUpTo()).toBe(1);
  });

  test("an alert just committed leaves without being read back", async () => {
    const world = await aWorld();
    world.judge = UNFAITHFUL;
    await deliver(world, 1);
    world.ledger.alertsAfter = () => {
      throw new Error("read back");
    };
    await deliver(world, 2, 3);
    expect(sent(world, "reviews")).toEqual(["f1", "f2", "f3"]);
  });

  test("alerts over the bound wait in the ledger, and all behind them, each leaving once and in order", async () => {
    const world = await aWorld();
    world.judge = UNFAITHFUL;
    const names = Array.from({ length: 150 }, (_, i) => `f${i + 1}`);
    world.publisher.answers = false;
    await deliver(world, ...names.slice(0, 100).map((_, i) => i + 1));
    expect(sent(world, "reviews")).toEqual(names.slice(0, 64));
    // One place is free, and must not be taken by an alert ahead of those that wait.
    const firstAlertAt = world.publisher.sent.findIndex((message) => message.topic === "reviews");
    world.publisher.open.splice(firstAlertAt, 1)[0]!();
    await deliver(world, ...names.slice(100).map((_, i) => i + 101));
    expect(sent(world, "reviews")).toEqual(names.slice(0, 64));
    world.publisher.answers = true;
    for (const done of world.publisher.open.splice(0)) done();
    for (let i = 0; i < 10; i++) await turn();
    expect(sent(world, "reviews")).toEqual(names);
    await world.clock.pass(1000);
    expect(world.ledger.alertsAfter(0, 1000)).toEqual([]);
  });

  test("what has left is noted with a batch where one comes, and by itself where none does", async () => {
    const world = await aWorld();
    const settle = world.ledger.settle;
    let alone = 0;
    world.ledger.settle = (...args) => {
      alone++;
      settle(...args);
    };
    const notedWith: (Left | undefined)[] = [];
    const append = world.ledger.append;
    world.ledger.append = (batch, left) => {
      notedWith.push(left);
      return append(batch);
    };
    await deliver(world, 1, 2);
    await world.clock.pass(150);
    await deliver(world, 3);
    expect(notedWith).toEqual([undefined, undefined, { publishedUpTo: 2, alertIds: [] }]);
    expect(alone).toBe(0);
    await world.clock.pass(200);
    expect(alone).toBe(1);
    expect(world.ledger.publishedUpTo()).toBe(3);
  });

  test("what a batch that failed was to note is noted later", async () => {
    const world = await aWorld();
    await deliver(world, 1);
    await world.clock.pass(150);
    world.ledger.beforeAppend = () => {
      throw new Error("disk full");
    };
    await deliver(world, 2);
    expect(world.ledger.publishedUpTo()).toBe(0);
    await world.clock.pass(100);
    expect(world.ledger.publishedUpTo()).toBe(1);
  });
});
