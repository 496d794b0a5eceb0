/** Parts at the gateway: held and acknowledged at once, decided once, across restarts. */

import { describe, expect, test } from "vitest";
import type { Prediction } from "../../src/core/judge.ts";
import type { Delivery, EngineFrame, Outcome } from "../../src/gateway/ports.ts";
import type { StationOptions } from "../../src/gateway/station.ts";
import { aPrediction, aRule } from "../support/builders.ts";
import { aWorld as aPlainWorld, turn, type World } from "../support/world.ts";

const PASS = 0;
const REVIEW = 1;
const REJECT = 2;

/** What the engine makes of a frame stands in the second byte of its payload. */
const judge = async (frames: readonly EngineFrame[]): Promise<readonly Outcome[]> =>
  frames.map(({ payload }): Outcome => {
    if (payload[1] === REJECT) return { kind: "reject", reason: "too-short" };
    const is: Partial<Prediction> =
      payload[1] === REVIEW ? { score: 0.7 } : { score: 0.1 + payload[0]! / 1000 };
    return { kind: "prediction", prediction: aPrediction(is) };
  });

async function aWorld(
  station: Partial<StationOptions> = {},
  before?: Parameters<typeof aPlainWorld>[2],
): Promise<World> {
  const world = await aPlainWorld(station, undefined, before);
  world.judge = judge;
  return world;
}

/** Delivers one frame, named after its ticket. */
async function send(
  world: World,
  ticket: number,
  partId: string | undefined,
  kind: number = PASS,
  is: Partial<Delivery> = {},
): Promise<void> {
  world.deliver(ticket, { payload: Uint8Array.of(ticket, kind), partId, ...is });
  await turn();
}

const rows = ({ ledger }: World): string[] =>
  ledger.records.map(
    ({ frame, part, decision, reason, frames }) =>
      `${frame}${part === null ? "" : `/${part}`} ${decision} ${reason}${frames === null ? "" : ` of ${frames}`}`,
  );
const published = ({ publisher }: World): string[] =>
  publisher.sent.map(({ topic, payload }) => `${topic} ${String(payload)}`);
const HELD = (frame: string): string => `${frame} held part-open`;

describe("a part", () => {
  test("holds its frames, acknowledged at once, and is decided with its last one", async () => {
    const world = await aWorld();
    await send(world, 1, "p", PASS, { partCount: 2 });
    expect(world.acknowledged).toEqual([1]);
    expect(published(world)).toEqual([]);
    expect(world.gateway.partsOpen("press")).toBe(1);
    await send(world, 2, "p", PASS, { partCount: 2, correlation: Uint8Array.of(7) });
    expect(rows(world)).toEqual([HELD("f1/p"), HELD("f2/p"), "f2/p pass faithful of 2"]);
    expect(world.ledger.records[2]).toMatchObject({ score: 0.1 + 2 / 1000, className: "good", would: null });
    expect(published(world)).toEqual(["decisions f2"]);
    expect(world.counted).toEqual(["held part-open", "held part-open", "part pass faithful"]);
    expect(world.trace.slice(0, 2)).toEqual(["commit f1", "acknowledge 1"]);
    expect(world.trace.slice(2)).toEqual(["commit f2,f2", "acknowledge 2", "publish decisions f2"]);
    expect(world.gateway.partsOpen("press")).toBe(0);
  });

  test("without a count is decided at the end of its window, from its first frame", async () => {
    const world = await aWorld();
    await send(world, 1, "p");
    await world.clock.pass(6000);
    await send(world, 2, "p");
    await world.clock.pass(3999);
    expect(rows(world)).toHaveLength(2);
    await world.clock.pass(1);
    expect(rows(world).at(-1)).toBe("f2/p pass faithful of 2");
    await world.clock.pass(60_000);
    expect(rows(world)).toHaveLength(3);
  });

  test("that is incomplete then goes to a person, with one alert that shows its worst frame", async () => {
    const world = await aWorld();
    await send(world, 1, "p", PASS, { partCount: 3 });
    await send(world, 2, "p", PASS, { partCount: 3 });
    await world.clock.pass(10_000);
    expect(rows(world).at(-1)).toBe("f2/p review part-incomplete of 2");
    const [alert] = world.ledger.alertsWritten;
    expect(JSON.parse(alert!)).toMatchObject({
      ...{ frame: "f2", part: "p", frames: 2, reason: "part-incomplete", class: "good" },
      frameInline: { base64: Buffer.of(2, PASS).toString("base64") },
      text: expect.stringContaining("Not all frames of this part came in time."),
    });
    expect(world.ledger.alertsWritten).toHaveLength(1);
  });

  test.each<[string, (world: World) => Promise<void>, string]>([
    ["with a frame under review", (world) => send(world, 2, "p", REVIEW), "f2/p review score of 2"],
    [
      "with a frame that cannot be judged",
      (world) => send(world, 2, "p", REJECT),
      "f1/p review frame-rejected of 2",
    ],
    [
      "with a frame without an id",
      (world) => send(world, 2, "p", PASS, { frameId: undefined }),
      "1-1/p review frame-without-id of 2",
    ],
    [
      "whose frames disagree on their count",
      (world) => send(world, 2, "p", PASS, { partCount: 3 }),
      "f2/p review part-count-conflict of 2",
    ],
  ])("%s goes to a person", async (_, second, expected) => {
    const world = await aWorld();
    await send(world, 1, "p", PASS, { partCount: 2 });
    await second(world);
    await world.clock.pass(10_000);
    expect(rows(world).at(-1)).toBe(expected);
    expect(world.ledger.alertsWritten).toHaveLength(1);
  });

  test("with more frames than the evidence had is decided at the first too many", async () => {
    const world = await aWorld();
    for (let ticket = 1; ticket <= 5; ticket++) await send(world, ticket, "p");
    expect(rows(world).at(-1)).toBe("f5/p review too-many-frames of 5");
  });

  test("may be shown by several sources, but is of one station", async () => {
    const world = await aWorld();
    await send(world, 1, "p", PASS, { partCount: 2 });
    await send(world, 2, "p", PASS, { partCount: 2, topic: "cam-2", frameId: "f1" });
    expect(rows(world).at(-1)).toBe("f1/p pass faithful of 2");
  });

  test("in shadow mode is decided and alerts nobody", async () => {
    const world = await aWorld({ rule: aRule({ mode: "shadow" }) });
    await send(world, 1, "p", REVIEW, { partCount: 1 });
    await send(world, 2, "q", PASS, { partCount: 1 });
    expect(
      world.ledger.records.map(({ decision, reason, would }) => `${decision} ${reason} ${would}`),
    ).toEqual([
      "held part-open review:score",
      "review shadow review:score",
      "held part-open pass:faithful",
      "review shadow pass:faithful",
    ]);
    await send(world, 3, "q");
    expect(world.ledger.records.at(-1)).toMatchObject({ reason: "shadow", would: "review:late-frame" });
    expect(world.ledger.alertsWritten).toEqual([]);
  });

  test("does not pass by a rule that its frames were not judged by", async () => {
    const world = await aWorld();
    await send(world, 1, "p", PASS, { partCount: 2 });
    world.gateway.putInForce("press", {
      ...{ engine: { judge }, classes: ["good", "bad"], bundle: "b".repeat(64) },
      ...{ rule: aRule({ revision: 2 }), reviewDeadlineMs: 60_000, framesPerPartMax: 4 },
    });
    await send(world, 2, "p", PASS, { partCount: 2 });
    expect(rows(world).at(-1)).toMatch(/review rule-changed of 2/);
  });
});

describe("a frame of a part that comes again", () => {
  test("counts once while the part is open", async () => {
    const world = await aWorld();
    await send(world, 1, "p", PASS, { partCount: 2 });
    await send(world, 2, "p", PASS, { partCount: 2, frameId: "f1" });
    expect(rows(world)).toEqual([HELD("f1/p")]);
    expect(published(world)).toEqual([]);
    expect(world.acknowledged).toEqual([1, 2]);
    expect(world.counted).toEqual(["held part-open", "redelivered"]);
  });

  test("counts once in one batch, whatever part it names then", async () => {
    const world = await aWorld();
    let go: () => void = () => {};
    world.judge = (frames) =>
      new Promise((resolve) => {
        go = () => resolve(judge(frames));
      });
    for (const ticket of [1, 2]) world.deliver(ticket, { payload: Uint8Array.of(ticket, PASS) });
    const same = { frameId: "same", payload: Uint8Array.of(3, PASS), partCount: 2 };
    world.deliver(3, { ...same, partId: "p" });
    world.deliver(4, { ...same, partId: "p" });
    world.deliver(5, { ...same, partId: "q" });
    world.deliver(6, { ...same, partId: "q", frameId: "other" });
    world.judge = judge;
    go();
    await turn();
    expect(rows(world).filter((row) => row.includes("/"))).toEqual([HELD("same/p"), HELD("other/q")]);
  });

  test("counts for the part that it named first", async () => {
    const world = await aWorld();
    await send(world, 1, "p", PASS, { partCount: 2 });
    await send(world, 2, "q", PASS, { partCount: 2, frameId: "f1" });
    await send(world, 3, "q", PASS, { partCount: 2 });
    expect(rows(world)).toEqual([HELD("f1/p"), HELD("f3/q")]);
  });

  test("has the part's decision published again once there is one", async () => {
    const world = await aWorld();
    await send(world, 1, "p", PASS, { partCount: 2 });
    await send(world, 2, "p", PASS, { partCount: 2 });
    await send(world, 3, "p", PASS, { partCount: 2, frameId: "f1" });
    expect(published(world)).toEqual(["decisions f2", "decisions f2"]);
    expect(rows(world)).toHaveLength(3);
  });
});

describe("a late frame", () => {
  async function aDecidedPart(kind: number): Promise<World> {
    const world = await aWorld();
    await send(world, 1, "p", kind, { partCount: 1 });
    return world;
  }

  test("of a part that passed opens the part's one review", async () => {
    const world = await aDecidedPart(PASS);
    await send(world, 2, "p");
    await send(world, 3, "p", REVIEW);
    expect(rows(world).slice(2)).toEqual(["f2/p review late-frame", "f3/p review late-frame"]);
    expect(world.ledger.alertsWritten.map((alert) => JSON.parse(alert).frame)).toEqual(["f2"]);
    expect(published(world)).toEqual(["decisions f1", "decisions f2", "reviews f2", "decisions f3"]);
  });

  test("of a part under review opens none", async () => {
    const world = await aDecidedPart(REVIEW);
    await send(world, 2, "p");
    expect(rows(world).slice(2)).toEqual(["f2/p review late-frame"]);
    expect(world.ledger.alertsWritten).toHaveLength(1);
  });

  test("that cannot be judged stays a reject, and a part that passed goes to a person all the same", async () => {
    const world = await aDecidedPart(PASS);
    await send(world, 2, "p", REJECT);
    await send(world, 3, "p", REJECT);
    expect(rows(world).slice(2)).toEqual([
      "f2/p reject too-short",
      "f2/p review late-frame",
      "f3/p reject too-short",
    ]);
    expect(world.ledger.alertsWritten).toHaveLength(1);
    expect(world.counted.slice(-3)).toEqual([
      "reject too-short",
      "part review late-frame",
      "reject too-short",
    ]);
  });

  test("two of them in one batch open one review", async () => {
    const world = await aDecidedPart(PASS);
    for (const ticket of [2, 3, 4, 5]) {
      world.deliver(ticket, { payload: Uint8Array.of(ticket, PASS), partId: "p" });
    }
    await turn();
    expect(rows(world).slice(2)).toHaveLength(4);
    expect(world.ledger.alertsWritten).toHaveLength(1);
  });

  test("is what stands of its part from then on: a frame that comes again is told so", async () => {
    const world = await aDecidedPart(PASS);
    await send(world, 2, "p");
    world.publisher.sent.length = 0;
    await send(world, 3, "p", PASS, { frameId: "f1" });
    expect(published(world)).toEqual(["decisions f2"]);
  });
});

describe("across failures", () => {
  test("a frame whose commit fails completes nothing; what is tried again is planned again", async () => {
    const world = await aWorld();
    await send(world, 1, "p", PASS, { partCount: 2 });
    let isFull = true;
    world.ledger.beforeAppend = () => {
      if (isFull) throw new Error("database or disk is full");
    };
    await send(world, 2, "p", PASS, { partCount: 2 });
    expect(world.gateway.partsOpen("press")).toBe(1);
    await world.clock.pass(500);
    isFull = false;
    await send(world, 3, "p", PASS, { partCount: 2 });
    expect(rows(world).at(-1)).toBe("f3/p pass faithful of 2");
    await world.clock.pass(1000);
    expect(rows(world).slice(3)).toEqual(["f2/p review late-frame"]);
    expect(world.acknowledged).toEqual([1, 3, 2]);
  });

  test("a part whose time is over while the ledger cannot be written is decided when it can", async () => {
    const world = await aWorld();
    await send(world, 1, "p");
    let isFull = true;
    world.ledger.beforeAppend = () => {
      if (isFull) throw new Error("database or disk is full");
    };
    await world.clock.pass(15_000);
    expect(rows(world)).toHaveLength(1);
    isFull = false;
    await world.clock.pass(1000);
    expect(rows(world).slice(1)).toEqual(["f1/p pass faithful of 1"]);
    expect(world.gateway.trouble()).toBeUndefined();
  });

  test("an open part is taken up again after a stop, and knows the frames that it has", async () => {
    const first = await aWorld();
    await send(first, 1, "p", PASS, { partCount: 3 });
    await send(first, 2, "p", REVIEW, { partCount: 3, frameId: undefined });
    await first.gateway.stop(1000);
    expect(rows(first)).toHaveLength(2);
    const second = await aWorld({}, first);
    expect(second.gateway.partsOpen("press")).toBe(1);
    await send(second, 3, "p", PASS, { partCount: 3, frameId: "f1" });
    expect(rows(second)).toHaveLength(2);
    await send(second, 4, "p", PASS, { partCount: 3 });
    expect(rows(second).at(-1)).toMatch(/review score of 3/);
    expect(second.ledger.records.at(-1)).toMatchObject({ score: 0.7, bandLow: 0.85, novelty: 1 });
  });

  test("one whose time was over meanwhile is decided at the start, without a frame", async () => {
    const first = await aWorld();
    await send(first, 1, "p", PASS, { partCount: 2 });
    await first.gateway.stop(1000);
    await first.clock.pass(20_000);
    expect(rows(first)).toHaveLength(1);
    const second = await aWorld({}, first);
    await second.clock.pass(0);
    expect(rows(second).slice(1)).toEqual(["f1/p review part-incomplete of 1"]);
    // What the picture was is not known any more.
    expect(JSON.parse(second.ledger.alertsWritten[0]!)).not.toHaveProperty("frameInline");
  });

  test("very many whose time was over are decided in several commits", async () => {
    const station = { parts: { windowMs: 10_000, openMax: 1000 } };
    const first = await aWorld(station);
    for (let ticket = 1; ticket <= 300; ticket++) await send(first, ticket, `p${ticket}`);
    await first.gateway.stop(1000);
    first.trace.length = 0;
    await first.clock.pass(20_000);
    const second = await aWorld(station, first);
    await second.clock.pass(0);
    const commits = first.trace.filter((one) => one.startsWith("commit")).map((one) => one.split(",").length);
    expect(commits).toEqual([256, 44]);
    expect(second.gateway.partsOpen("press")).toBe(0);
  });

  test("a review under way before a restart keeps the part from passing after it", async () => {
    const first = await aWorld();
    await send(first, 1, "p", REVIEW, { partCount: 2 });
    await first.gateway.stop(1000);
    const second = await aWorld({}, first);
    await send(second, 2, "p", PASS, { partCount: 2 });
    expect(rows(second).at(-1)).toBe("f1/p review score of 2");
  });
});

describe("too many open parts", () => {
  test("at the bound the oldest goes to a person, and is counted", async () => {
    const world = await aWorld({ parts: { windowMs: 10_000, openMax: 2 } });
    for (const ticket of [1, 2, 3]) await send(world, ticket, `p${ticket}`);
    expect(rows(world).at(-1)).toBe("f1/p1 review part-incomplete of 1");
    expect(world.counted).toContain("part cut");
    expect(world.gateway.partsOpen("press")).toBe(2);
  });
});

describe("a frame without a part", () => {
  test.each([
    ["says that there are more", 2, "f1 review part-incomplete"],
    ["says nonsense of how many there are", 0, "f1 review part-incomplete"],
    ["says that it is alone", 1, "f1 pass faithful"],
  ])("that %s", async (_, partCount, expected) => {
    const world = await aWorld();
    await send(world, 1, undefined, PASS, { partCount });
    expect(rows(world)).toEqual([expected]);
  });
});

describe("where the load is shared with other gateways", () => {
  test("a frame passes for its part only if it is all of it", async () => {
    const world = await aWorld({ parts: undefined });
    await send(world, 1, "p");
    await send(world, 2, "q", PASS, { partCount: 2 });
    await send(world, 3, "r", PASS, { partCount: 1 });
    await send(world, 4, undefined);
    await send(world, 5, "s", REVIEW, { partCount: 1 });
    expect(rows(world)).toEqual([
      "f1/p review part-incomplete",
      "f2/q review part-incomplete",
      "f3/r pass faithful",
      "f4 pass faithful",
      "f5/s review score",
    ]);
  });
});
