/** Verdicts: answered before they are acknowledged, whatever happens to the reply. */

import { describe, expect, test } from "vitest";
import type { ReviewAct } from "../../src/core/review-record.ts";
import { createAnswering, type Verdict } from "../../src/gateway/answering.ts";
import type { Delivery } from "../../src/gateway/ports.ts";
import { aClock, aPublisher, turn } from "../support/world.ts";

async function aWorld() {
  const trace: string[] = [];
  const clock = aClock();
  const publisher = aPublisher([]);
  publisher.answers = false;
  let deliver: (delivery: Delivery) => void = () => {};
  let resume: () => void = () => {};
  const acts: ReviewAct[] = [];
  const answering = createAnswering({
    control: {
      async start(onDelivery, onResume) {
        deliver = onDelivery;
        resume = onResume;
      },
      acknowledge: (tickets) => void trace.push(`acknowledge ${tickets}`),
    },
    publisher,
    desk: {
      act(act) {
        acts.push(act);
        trace.push(`written ${act.review}`);
        return { ok: true, review: act.review, reviewRevision: 2, state: "resolved" };
      },
    },
    clock,
    log: { debug() {}, info() {}, warn: (_, message) => void trace.push(message), error() {} },
    read: (payload) => ({ ok: true, value: JSON.parse(Buffer.from(payload).toString()) as Verdict }),
    vouch: (name) => ({ name, vouched: true, via: "mqtt" }),
    replyTopic: (asked) => asked ?? "own",
  });
  await answering.start();
  const give = (ticket: number, review: string): void =>
    deliver({
      ticket,
      topic: "verdicts/hanako",
      payload: Buffer.from(JSON.stringify({ review, reviewRevision: 1, verdict: "confirm" })),
      contentType: undefined,
      correlation: undefined,
      responseTopic: "here",
      frameId: undefined,
      partId: undefined,
      partCount: undefined,
      qos: 1,
      receivedAtMs: 0,
    });
  return { trace, clock, publisher, acts, give, resume: () => resume() };
}

const refusal = (failure: "lost" | "refused") => Object.assign(new Error(failure), { failure });

describe("a verdict", () => {
  test("is written, replied to, and acknowledged when the reply has arrived", async () => {
    const world = await aWorld();
    world.give(1, "r-1");
    await turn();
    expect(world.trace).toEqual(["written r-1"]);
    expect(world.publisher.sent).toMatchObject([{ topic: "here", qos: 1 }]);
    world.publisher.open.shift()!();
    expect(world.trace).toEqual(["written r-1", "acknowledge 1"]);
  });

  test("whose reply is lost with the connection is replied to again, and only then acknowledged", async () => {
    const world = await aWorld();
    world.give(1, "r-1");
    world.publisher.disconnect();
    world.give(2, "r-2");
    expect(world.trace).toEqual(["written r-1", "written r-2"]);
    world.publisher.connect();
    expect(world.publisher.sent).toHaveLength(3);
    for (const answer of world.publisher.open.splice(0)) answer();
    expect(world.trace.slice(2)).toEqual(["acknowledge 1", "acknowledge 2"]);
    await world.clock.pass(10_000);
    expect(world.publisher.sent).toHaveLength(3);
  });

  test("whose reply finds no room is replied to a little later", async () => {
    const world = await aWorld();
    world.give(1, "r-1");
    world.publisher.open.shift()!(Object.assign(new Error("full"), { failure: "full" as const }));
    await world.clock.pass(1000);
    world.publisher.open.shift()!();
    expect(world.trace).toEqual(["written r-1", "acknowledge 1"]);
  });

  test("whose reply the broker does not take holds up no other", async () => {
    const world = await aWorld();
    world.give(1, "r-1");
    world.publisher.open.shift()!(refusal("refused"));
    expect(world.trace.at(-1)).toBe("acknowledge 1");
  });

  test("that the broker delivers again is answered anew, and the old ticket is forgotten", async () => {
    const world = await aWorld();
    world.give(1, "r-1");
    world.resume();
    world.give(2, "r-1");
    for (const answer of world.publisher.open.splice(0)) answer();
    expect(world.trace).toEqual(["written r-1", "written r-1", "acknowledge 2"]);
  });
});
