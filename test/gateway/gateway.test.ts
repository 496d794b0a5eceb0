import { describe, expect, test } from "vitest";
import { type Delivery, type EngineFrame, EngineLost, type Outcome } from "../../src/gateway/ports.ts";
import { aPrediction, aRule } from "../support/builders.ts";
import { aWorld, dyingOf, EVERY_FRAME, turn } from "../support/world.ts";

describe("the main path", () => {
  test("commits, then acknowledges, then publishes", async () => {
    const world = await aWorld();
    world.deliver(1);
    await turn();
    expect(world.trace).toEqual(["commit f1", "acknowledge 1", "publish decisions f1"]);
    expect(world.counted).toEqual(["pass faithful"]);
  });

  test("a frame whose commit fails stays unacknowledged until one succeeds", async () => {
    const world = await aWorld();
    let isFull = true;
    world.ledger.beforeAppend = () => {
      if (isFull) throw new Error("database or disk is full");
    };
    world.deliver(1);
    await turn();
    expect(world.acknowledged).toEqual([]);
    expect(world.gateway.trouble()).toContain("disk is full");
    isFull = false;
    await world.clock.pass(1000);
    expect(world.trace).toEqual(["commit f1", "acknowledge 1", "publish decisions f1"]);
    expect(world.gateway.trouble()).toBeUndefined();
  });

  test("while the engine is busy, frames wait and then go together, up to the bound", async () => {
    const world = await aWorld();
    const answers: (() => void)[] = [];
    world.judge = (frames) =>
      new Promise((resolve) => answers.push(() => resolve(EVERY_FRAME(aPrediction())(frames))));
    for (let ticket = 1; ticket <= 8; ticket++) world.deliver(ticket);
    await turn();
    expect(world.batches).toEqual([[1], [2]]);
    expect(world.gateway.backlog()).toBe(6);
    answers[0]!();
    await turn();
    expect(world.batches[2]).toEqual([3, 4, 5, 6]);
    answers[1]!();
    await turn();
    expect(world.batches[3]).toEqual([7, 8]);
  });

  test("an unfaithful frame opens one review, whose alert carries both confidences and the frame", async () => {
    const world = await aWorld();
    world.judge = EVERY_FRAME(aPrediction({ score: 0.7, confidence: 0.71, bandLow: 0.7, bandHigh: 0.99 }));
    world.deliver(1);
    await turn();
    const [alert] = world.publisher.sent.filter((message) => message.topic === "reviews");
    expect(alert).toBeDefined();
    expect(world.ledger.records[0]).toMatchObject({ decision: "review", reason: "score" });
  });

  test("a frame delivered again is acknowledged, not counted again, and its decision is published again", async () => {
    const world = await aWorld();
    world.deliver(1, { frameId: "same" });
    await turn();
    world.deliver(2, { frameId: "same" });
    await turn();
    expect(world.acknowledged).toEqual([1, 2]);
    expect(world.ledger.records).toHaveLength(1);
    expect(world.counted).toEqual(["pass faithful", "redelivered"]);
    expect(world.publisher.sent.map((message) => message.payload)).toEqual(["same", "same"]);
  });

  test("what can be refused without looking into it never reaches the engine", async () => {
    const world = await aWorld({ sources: new Set(["cam-1"]) });
    world.deliver(1, { topic: "cam-9" });
    world.deliver(2, { contentType: "image/gif" });
    world.deliver(3, { contentType: "image/png" });
    world.deliver(4, { payload: new Uint8Array(1001) });
    world.deliver(5, { contentType: "application/octet-stream; charset=binary" });
    await turn();
    expect(world.counted).toEqual([
      "reject unknown-source",
      "reject wrong-content-type",
      "reject wrong-content-type",
      "reject too-large",
      "pass faithful",
    ]);
    expect(world.batches.flat()).toHaveLength(1);
    expect(world.acknowledged.sort()).toEqual([1, 2, 3, 4, 5]);
  });

  test("rejects and predictions of one batch keep their places", async () => {
    const world = await aWorld();
    world.judge = async (frames: readonly EngineFrame[]) =>
      frames.map(
        ({ payload }): Outcome =>
          payload[0] === 2
            ? { kind: "reject", reason: "not-an-image" }
            : { kind: "prediction", prediction: aPrediction({ score: payload[0]! / 1000 }) },
      );
    for (let ticket = 1; ticket <= 4; ticket++) {
      world.deliver(ticket, ticket === 3 ? { contentType: "text/plain" } : {});
    }
    await turn();
    expect(world.ledger.records.map((record) => [record.frame, record.decision, record.score])).toEqual([
      ["f1", "pass", 0.001],
      ["f2", "reject", null],
      ["f3", "reject", null],
      ["f4", "pass", 0.004],
    ]);
  });

  test("in shadow every frame is decided and no review opens", async () => {
    const world = await aWorld({ rule: aRule({ mode: "shadow" }) });
    world.judge = EVERY_FRAME(aPrediction({ score: 0.9 }));
    world.deliver(1);
    await turn();
    expect(world.counted).toEqual(["would review score", "review shadow"]);
    expect(world.publisher.sent.map((message) => message.topic)).toEqual(["decisions"]);
  });
});

describe("a lost engine", () => {
  test("loses no frame: its batch is given to the next", async () => {
    const world = await aWorld();
    const judge = world.judge;
    let isFirst = true;
    world.judge = async (frames) => {
      if (!isFirst) return judge(frames);
      isFirst = false;
      throw new Error("the engine ended");
    };
    for (let ticket = 1; ticket <= 3; ticket++) world.deliver(ticket);
    await turn();
    expect(world.acknowledged.sort()).toEqual([1, 2, 3]);
    expect(world.counted).toEqual(["pass faithful", "pass faithful", "pass faithful"]);
  });

  test("the frame that ends two engines is rejected as poison, and no other is", async () => {
    const world = await aWorld();
    const answers: (() => void)[] = [];
    const judge = dyingOf(4);
    // The first two batches wait, so that the culprit travels with innocent frames.
    world.judge = (frames) =>
      answers.length < 2
        ? new Promise((resolve, reject) => answers.push(() => judge(frames).then(resolve, reject)))
        : judge(frames);
    for (let ticket = 1; ticket <= 6; ticket++) world.deliver(ticket);
    await turn();
    for (const answer of answers) answer();
    await turn();
    await turn();
    expect(world.counted.filter((one) => one === "reject poison")).toHaveLength(1);
    expect(world.ledger.records.find((record) => record.reason === "poison")?.frame).toBe("f4");
    expect(world.acknowledged.sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe("an engine killed from outside", () => {
  /** Kills the engine each time that it is at this frame, up to a number of times. */
  async function aKilledWorld(culprit: number, times: number) {
    const world = await aWorld();
    const judge = world.judge;
    let kills = 0;
    world.judge = async (frames) => {
      if (kills === times || !frames.some(({ payload }) => payload[0] === culprit)) return judge(frames);
      kills++;
      throw new EngineLost("the engine ended: SIGKILL", "slight");
    };
    for (let ticket = 1; ticket <= 4; ticket++) world.deliver(ticket);
    for (let i = 0; i < 5; i++) await turn();
    return { world, kills: () => kills };
  }

  test("while it tries a suspect alone is no proof: the frame is judged at last", async () => {
    const { world, kills } = await aKilledWorld(2, 5);
    expect(kills()).toBe(5);
    expect(world.counted).toEqual(Array(4).fill("pass faithful"));
  });

  test("over one frame again and again is proof: such a frame uses up all memory", async () => {
    const { world, kills } = await aKilledWorld(2, Number.POSITIVE_INFINITY);
    expect(kills()).toBe(6);
    expect(
      world.ledger.records.filter(({ reason }) => reason === "poison").map(({ frame }) => frame),
    ).toEqual(["f2"]);
    expect(world.acknowledged.sort()).toEqual([1, 2, 3, 4]);
  });
});

describe("a lost engine that had not begun on a batch", () => {
  test("casts no suspicion on its frames, however often it happens", async () => {
    const world = await aWorld();
    const judge = world.judge;
    let losses = 5;
    world.judge = async (frames) => {
      if (losses-- > 0) throw new EngineLost("the engine ended", "none");
      return judge(frames);
    };
    world.deliver(1);
    await turn();
    await turn();
    expect(world.counted).toEqual(["pass faithful"]);
    expect(world.acknowledged).toEqual([1]);
  });
});

describe("what comes into force", () => {
  test("judges from the next batch on; a batch under way is decided by the rule it began with", async () => {
    const world = await aWorld();
    let answer: () => void = () => {};
    world.judge = (frames) =>
      new Promise((resolve) => {
        answer = () => resolve(EVERY_FRAME(aPrediction())(frames));
      });
    world.deliver(1);
    await turn();
    const asked: number[] = [];
    world.gateway.putInForce("press", {
      engine: {
        judge(frames) {
          asked.push(frames.length);
          return EVERY_FRAME(aPrediction())(frames);
        },
      },
      classes: ["good", "bad"],
      bundle: "c".repeat(64),
      rule: aRule({ revision: 2, mode: "shadow" }),
      reviewDeadlineMs: 60_000,
      framesPerPartMax: 1,
    });
    world.deliver(2);
    await turn();
    answer();
    await turn();
    const decided = world.ledger.records.map(({ frame, revision, reason }) => [frame, revision, reason]);
    expect(decided.sort()).toEqual([
      ["f1", 1, "faithful"],
      ["f2", 2, "shadow"],
    ]);
    expect(asked).toEqual([1]);
  });

  test("at a station that does not exist is a defect", async () => {
    const world = await aWorld();
    const { engine, rule } = { engine: { judge: async () => [] }, rule: aRule() };
    const inForce = { engine, rule, classes: [], bundle: "", reviewDeadlineMs: 1, framesPerPartMax: 1 };
    expect(() => world.gateway.putInForce("nowhere", inForce)).toThrow("there is no station nowhere");
  });

  test("more engine processes take more batches at once", async () => {
    const world = await aWorld({ engine: { processes: 3, judge: () => new Promise(() => {}) } });
    for (let ticket = 1; ticket <= 8; ticket++) world.deliver(ticket);
    await turn();
    expect(world.gateway.backlog()).toBe(2);
  });
});

describe("a stop", () => {
  test("takes no more in, decides what was taken, publishes it, and only then is done", async () => {
    const world = await aWorld();
    let answer: () => void = () => {};
    world.judge = (frames) =>
      new Promise((resolve) => {
        answer = () => resolve(EVERY_FRAME(aPrediction())(frames));
      });
    world.deliver(1);
    await turn();
    let isDone = false;
    const stopped = world.gateway.stop(10_000).then(() => {
      isDone = true;
    });
    await turn();
    expect(world.isPaused()).toBe(true);
    expect(isDone).toBe(false);
    answer();
    await stopped;
    expect(world.trace).toEqual(["commit f1", "acknowledge 1", "publish decisions f1"]);
    expect(world.ledger.publishedUpTo()).toBe(1);
  });

  test("is not held up for ever by an engine that does not answer; its frame stays unacknowledged", async () => {
    const world = await aWorld();
    world.judge = () => new Promise(() => {});
    world.deliver(1);
    await turn();
    const stopped = world.gateway.stop(10_000);
    await world.clock.pass(10_000);
    await stopped;
    expect(world.acknowledged).toEqual([]);
  });
});

describe("at the bound of the backlog", () => {
  /** Two batches of one frame are with an engine that does not answer; what comes then waits. */
  async function aStalledWorld(overload: "hold" | "shed-oldest", frames: number, bytes = 1_000_000) {
    const world = await aWorld({ overload }, { frames, bytes });
    const answers: (() => void)[] = [];
    world.judge = (batch) =>
      new Promise((resolve) => answers.push(() => resolve(EVERY_FRAME(aPrediction())(batch))));
    return { world, answers };
  }

  test("a station that holds stops the intake, and goes on when half is free again", async () => {
    const { world, answers } = await aStalledWorld("hold", 4);
    for (let ticket = 1; ticket <= 5; ticket++) world.deliver(ticket);
    expect(world.isHolding()).toBe(false);
    world.deliver(6);
    expect(world.isHolding()).toBe(true);
    expect(world.gateway.backlog()).toBe(4);
    answers[0]!();
    await turn();
    expect(world.isHolding()).toBe(false);
    expect(world.counted).toEqual(["pass faithful"]);
  });

  test("bytes count as well as frames", async () => {
    const { world } = await aStalledWorld("hold", 100, 500);
    world.deliver(1);
    world.deliver(2);
    world.deliver(3, { payload: new Uint8Array(300) });
    expect(world.isHolding()).toBe(false);
    world.deliver(4, { payload: new Uint8Array(300) });
    expect(world.isHolding()).toBe(true);
  });

  test("a station that sheds gives up the oldest that wait: rejected, on record, acknowledged, published", async () => {
    const { world } = await aStalledWorld("shed-oldest", 4);
    for (let ticket = 1; ticket <= 6; ticket++) world.deliver(ticket);
    await turn();
    expect(world.isHolding()).toBe(false);
    expect(world.counted).toEqual(["reject shed", "reject shed"]);
    expect(world.trace).toEqual([
      "commit f3,f4",
      "acknowledge 3,4",
      "publish decisions f3",
      "publish decisions f4",
    ]);
    expect(world.ledger.records).toMatchObject([
      { frame: "f3", decision: "reject", reason: "shed" },
      { frame: "f4", decision: "reject", reason: "shed" },
    ]);
  });

  test("a burst in one go stops a station that sheds no longer than its commit takes", async () => {
    const { world } = await aStalledWorld("shed-oldest", 16);
    for (let ticket = 1; ticket <= 22; ticket++) world.deliver(ticket);
    expect(world.isHolding()).toBe(true);
    await turn();
    expect(world.isHolding()).toBe(false);
    expect(world.gateway.backlog()).toBe(12);
  });

  test("while the ledger cannot be written, a station that sheds holds: what is shed must be on record", async () => {
    const { world } = await aStalledWorld("shed-oldest", 4);
    world.ledger.beforeAppend = () => {
      throw new Error("database or disk is full");
    };
    for (let ticket = 1; ticket <= 8; ticket++) world.deliver(ticket);
    await turn();
    expect(world.isHolding()).toBe(true);
    expect(world.acknowledged).toEqual([]);
    world.ledger.beforeAppend = () => {};
    await world.clock.pass(1000);
    // The second two make room for what comes next, which is what shedding is for.
    expect(world.acknowledged).toEqual([3, 4, 5, 6]);
    expect(world.isHolding()).toBe(false);
  });
});

describe("where the session is found again", () => {
  /** Two batches of one frame are with the engine; three frames wait, of which the last is not delivered again. */
  async function aResumedWorld(is: Partial<Delivery> = {}) {
    const world = await aWorld();
    const answers: (() => void)[] = [];
    world.judge = (batch) =>
      new Promise((resolve) => answers.push(() => resolve(EVERY_FRAME(aPrediction())(batch))));
    for (let ticket = 1; ticket <= 5; ticket++) world.deliver(ticket, { qos: ticket === 5 ? 0 : 1, ...is });
    expect(world.gateway.backlog()).toBe(3);
    world.resume();
    const judgeAll = async (): Promise<void> => {
      while (answers.length > 0) {
        for (const answer of answers.splice(0)) answer();
        await turn();
      }
    };
    return { world, judgeAll };
  }

  test("a frame that waits gives its place to its next delivery", async () => {
    const { world, judgeAll } = await aResumedWorld();
    for (const ticket of [1, 2, 3, 4]) world.deliver(ticket + 10, { frameId: `f${ticket}` });
    expect(world.gateway.backlog()).toBe(5);
    await judgeAll();
    expect(world.counted.sort()).toEqual([...Array(5).fill("pass faithful"), "redelivered", "redelivered"]);
    // The delivery that the broker knows is the one that is acknowledged.
    expect(world.acknowledged.filter((ticket) => ticket > 2).sort((a, b) => a - b)).toEqual([
      5, 11, 12, 13, 14,
    ]);
    expect(world.batches.flat()).not.toContain(3);
  });

  test("a frame that a crashed broker has forgotten is judged all the same", async () => {
    const { world, judgeAll } = await aResumedWorld();
    world.deliver(13, { frameId: "f3" });
    await judgeAll();
    expect(world.ledger.records.map(({ frame }) => frame).sort()).toEqual(["f1", "f2", "f3", "f4", "f5"]);
  });

  test("a second time, frames still give their places to their next deliveries", async () => {
    const { world, judgeAll } = await aResumedWorld();
    world.deliver(13, { frameId: "f3" });
    world.resume();
    for (const ticket of [23, 24]) world.deliver(ticket, { frameId: `f${ticket - 20}` });
    expect(world.gateway.backlog()).toBe(3);
    await judgeAll();
    expect(world.counted).toEqual(Array(5).fill("pass faithful"));
    expect(world.acknowledged.sort((a, b) => a - b)).toEqual([1, 2, 5, 23, 24]);
  });

  test("a frame of another source with the same id is another frame", async () => {
    const { world, judgeAll } = await aResumedWorld();
    world.deliver(13, { frameId: "f3", topic: "cam-2" });
    await judgeAll();
    expect(world.counted).toEqual(Array(6).fill("pass faithful"));
  });

  test("frames without an id, which nobody could tell from their next delivery, are left to it", async () => {
    const { world } = await aResumedWorld({ frameId: undefined });
    // The one at QoS 0 does not come again.
    expect(world.gateway.backlog()).toBe(3 - 2);
  });
});
