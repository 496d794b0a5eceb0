import { describe, expect, test } from "vitest";
import { aPrediction } from "../support/builders.ts";
import { aWorld, EVERY_FRAME, turn, type World } from "../support/world.ts";

const UNFAITHFUL = EVERY_FRAME(aPrediction({ score: 0.9 }));

function sent(world: World, topic: string): unknown[] {
  return world.publisher.sent.filter((message) => message.topic === topic).map((message) => message.payload);
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
    first!(Object.assign(new Error("too large for the broker"), { failure: "unsendable" }));
    second!();
    await world.clock.pass(1000);
    expect(world.ledger.publishedUpTo()).toBe(2);
  });

  test("a refusal on a connection that stays is tried again after a while, not at once", async () => {
    const world = await aWorld();
    world.publisher.answers = false;
    await deliver(world, 1);
    world.publisher.open.shift()!(Object.assign(new Error("not authorized"), { failure: "refused" }));
    await turn();
    expect(sent(world, "decisions")).toEqual(["f1"]);
    await world.clock.pass(1000);
    expect(sent(world, "decisions")).toEqual(["f1", "f1"]);
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
});
