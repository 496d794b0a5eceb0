/** Asking the teacher: within a bound, again until the deadline, of the very bundle, and nobody's answer unasked. */

import { describe, expect, test } from "vitest";
import { createAuditing, type TeacherReply } from "../../src/gateway/auditing.ts";
import type { Delivery, WaitingAudit } from "../../src/gateway/ports.ts";
import { aFrame, aJudged, type JudgedSketch } from "../support/builders.ts";
import { aClock, aLedger, aPublisher } from "../support/world.ts";

const BUNDLE = "b".repeat(64);
const AGAIN_MS = 30_000;

function aWorld(inFlightMax = 2) {
  const clock = aClock();
  const publisher = aPublisher([]);
  const ledger = aLedger([]);
  let deliver: (delivery: Delivery) => void = () => {};
  const trace: string[] = [];
  const looked: number[] = [];
  let ignored = 0;
  let isFull = false;
  const book: Pick<typeof ledger.audits, "waitingForTeacher" | "answer"> = {
    waitingForTeacher(...given) {
      looked.push(given[2]!.after);
      return ledger.audits.waitingForTeacher(...given);
    },
    answer(...given) {
      if (isFull) throw new Error("the disk is full");
      return ledger.audits.answer(...given);
    },
  };
  const auditing = createAuditing({
    book,
    replies: {
      async start(onDelivery) {
        deliver = onDelivery;
      },
      acknowledge: () => {},
    },
    publisher,
    question: ({ id }: WaitingAudit) => ({ topic: "request", payload: id, qos: 1 }),
    read: (payload) => {
      const text = Buffer.from(payload).toString();
      if (text === "garbage") return { ok: false, problem: "no JSON" };
      return { ok: true, value: JSON.parse(text) as TeacherReply };
    },
    metrics: { answerIgnored: () => void ignored++ },
    inFlightMax,
    againMs: AGAIN_MS,
    onAnswer: () => void trace.push("answer"),
    clock,
    log: {
      debug() {},
      info() {},
      warn: (_, text) => void trace.push(text),
      error: (_, text) => void trace.push(text),
    },
  });
  let tickets = 0;
  const say = (text: string): void =>
    deliver({ ticket: ++tickets, payload: Buffer.from(text) } as unknown as Delivery);
  return {
    ...{ clock, publisher, trace, looked, auditing, audits: ledger.audits, say },
    draw: (id: string, is: JudgedSketch & { bundle?: string } = {}) =>
      ledger.append([
        {
          ...aJudged({ id, pi: 0.1, review: `a-${id}`, decidedAtMs: clock.nowMs(), ...is }),
          ...(is.bundle !== undefined && { bundle: is.bundle }),
          frame: { ...aFrame({ id }), payload: Uint8Array.of(1) },
        },
      ]),
    reply: (audit: string, more: object = { answer: { unfaithful: false } }): void =>
      say(JSON.stringify({ audit, bundle: BUNDLE, worker: "w", ...more })),
    fill: (is: boolean) => {
      isFull = is;
    },
    ignored: () => ignored,
    asked: () => publisher.sent.map(({ payload }) => String(payload)),
  };
}

describe("the teacher", () => {
  test("is asked oldest first, no more at a time than allowed, and about the next with each answer", async () => {
    const world = aWorld();
    for (const id of ["1", "2", "3"]) world.draw(id);
    await world.auditing.start();
    expect(world.asked()).toEqual(["a-1", "a-2"]);
    world.reply("a-2", { answer: { unfaithful: true } });
    expect(world.asked()).toEqual(["a-1", "a-2", "a-3"]);
    world.reply("a-1");
    expect(world.audits.find("a-1")!.teacher).toMatchObject({ kind: "answered", bad: false });
    expect(world.audits.find("a-2")!.teacher).toMatchObject({ kind: "answered", bad: true });
    expect(world.trace).toEqual(["answer", "answer"]);
    world.auditing.close();
  });

  test("is asked again after a while, and no more once the deadline has passed", async () => {
    const world = aWorld();
    world.draw("1");
    await world.auditing.start();
    await world.clock.pass(AGAIN_MS - 1000);
    expect(world.asked()).toEqual(["a-1"]);
    await world.clock.pass(2000);
    expect(world.asked()).toEqual(["a-1", "a-1"]);
    await world.clock.pass(10 * AGAIN_MS);
    const asked = world.asked().length;
    expect(asked).toBeLessThanOrEqual(3);
    // What comes now was not asked for any more.
    world.reply("a-1");
    expect(world.ignored()).toBe(1);
    world.auditing.close();
  });

  test("may refuse: another is asked, and one that nobody has holds up no other bundle's audits", async () => {
    const world = aWorld(1);
    world.draw("old", { bundle: "c".repeat(64) });
    world.draw("new");
    await world.auditing.start();
    const refusal = { bundle: "c".repeat(64), refused: { code: "unknown-bundle", message: "not mine" } };
    expect(world.asked()).toEqual(["a-old"]);
    world.reply("a-old", refusal);
    expect(world.asked()).toEqual(["a-old", "a-new"]);
    world.reply("a-new");
    await world.clock.pass(AGAIN_MS + 1000);
    expect(world.asked()).toEqual(["a-old", "a-new", "a-old"]);
    expect(world.audits.find("a-old")!.teacher).toEqual({ kind: "waiting" });
    world.auditing.close();
  });

  test("is not asked about a bundle that several did not have, until some time has passed", async () => {
    const world = aWorld(1);
    const bundle = "c".repeat(64);
    for (const id of ["1", "2", "3", "4"]) world.draw(id, { bundle });
    world.draw("new");
    await world.auditing.start();
    for (const id of ["a-1", "a-2", "a-3"])
      world.reply(id, { bundle, refused: { code: "unknown-bundle", message: "not mine" } });
    expect(world.asked()).toEqual(["a-1", "a-2", "a-3", "a-new"]);
    expect(world.trace).toEqual([expect.stringMatching(/no teacher has this bundle/)]);
    world.reply("a-new");
    expect(world.looked.at(-1)).toBe(4);
    await world.clock.pass(AGAIN_MS + 1000);
    // One of them, since but one may be out.
    expect(world.asked().length).toBe(5);
    world.auditing.close();
  });

  test("is not asked about a part that is too large for it, which holds up no other", async () => {
    const world = aWorld(1);
    const huge = { contentType: "image/png", payload: new Uint8Array(17 * 1024 * 1024) };
    world.draw("huge", { auditFrames: [huge, huge] });
    world.draw("2");
    await world.auditing.start();
    await world.clock.pass(1000);
    expect(world.asked()).toEqual(["a-2"]);
    expect(world.trace).toEqual([expect.stringMatching(/more bytes than a teacher takes/)]);
    world.auditing.close();
  });

  test("answers for the bundle that was asked about, or for nothing", async () => {
    const world = aWorld();
    world.draw("1");
    world.draw("2");
    world.draw("3");
    await world.auditing.start();
    world.reply("a-1", { bundle: "c".repeat(64), answer: { unfaithful: false } });
    world.reply("a-3");
    world.reply("nobody");
    world.say("garbage");
    expect(world.ignored()).toBe(4);
    for (const id of ["a-1", "a-3"]) expect(world.audits.find(id)!.teacher).toEqual({ kind: "waiting" });
    world.auditing.close();
  });

  test("is asked again where its answer could not be written, or the question did not leave", async () => {
    const world = aWorld();
    world.draw("1");
    world.publisher.answers = false;
    await world.auditing.start();
    world.publisher.disconnect();
    await world.clock.pass(1000);
    world.publisher.connect();
    await world.clock.pass(AGAIN_MS);
    expect(world.asked()).toEqual(["a-1", "a-1"]);
    world.fill(true);
    world.reply("a-1");
    expect(world.trace).toEqual(["a teacher's answer could not be kept"]);
    world.fill(false);
    world.reply("a-1");
    expect(world.audits.find("a-1")!.teacher).toMatchObject({ kind: "answered" });
    world.auditing.close();
  });
});
