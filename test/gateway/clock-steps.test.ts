/** What a system's clock that is set forward or back does to what the gateway waits for. */

import { describe, expect, test } from "vitest";
import { createWindows } from "../../src/core/windows.ts";
import { isInForce } from "../../src/http/auth/accounts.ts";
import { aDeskWorld, type DeskWorld } from "../support/desk.ts";
import { HANAKO } from "../support/reviews.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** Of a review in this world. */
const DEADLINE_MS = MINUTE_MS;

const overdue = ({ counted }: DeskWorld): number => counted.filter((one) => one === "overdue").length;

async function withReview(): Promise<DeskWorld> {
  const world = aDeskWorld();
  world.frames({ id: "a", priority: 0.5, source: "cam-1" });
  await world.clock.pass(SECOND_MS);
  return world;
}

describe("the deadline of a review", () => {
  test.each([
    ["a second forward", SECOND_MS, 58 * SECOND_MS],
    ["a second back", -SECOND_MS, 60 * SECOND_MS],
    ["an hour back", -HOUR_MS, 59 * SECOND_MS + HOUR_MS],
  ])("comes that much earlier or later: %s", async (_, stepMs, leftMs) => {
    const world = await withReview();
    world.clock.step(stepMs);
    await world.clock.pass(leftMs - SECOND_MS);
    expect(overdue(world)).toBe(0);
    await world.clock.pass(2 * SECOND_MS);
    expect(overdue(world)).toBe(1);
  });

  test("passes with the next round where the clock is set beyond it, once, however often it is set to and fro", async () => {
    const world = await withReview();
    world.clock.step(HOUR_MS);
    await world.clock.pass(SECOND_MS);
    expect(overdue(world)).toBe(1);
    for (const ms of [-2 * HOUR_MS, 4 * HOUR_MS, -HOUR_MS]) {
      world.clock.step(ms);
      await world.clock.pass(DEADLINE_MS);
    }
    expect(overdue(world)).toBe(1);
    // Overdue or not, it can be answered.
    const { revision: reviewRevision } = world.desk.show("r-a")!;
    expect(
      world.desk.act({ kind: "resolve", review: "r-a", reviewRevision, verdict: "confirm" }, HANAKO),
    ).toMatchObject({ ok: true });
    expect(world.ledger.verifyChain()).toBeUndefined();
  });

  test("a claim lapses an hour earlier, and what was claimed waits for anybody again", async () => {
    const world = await withReview();
    const { revision: reviewRevision } = world.desk.show("r-a")!;
    world.desk.act({ kind: "claim", review: "r-a", reviewRevision }, HANAKO);
    expect(world.desk.show("r-a")).toMatchObject({ state: "claimed" });
    world.clock.step(HOUR_MS);
    await world.clock.pass(SECOND_MS);
    expect(world.desk.show("r-a")).toMatchObject({ state: "open" });
  });
});

describe("the budget of alerts", () => {
  const floodOf = (world: DeskWorld, from: number): void => {
    for (let n = from; n < from + 6; n++) world.frames({ id: `f${n}`, priority: 0.5, source: `cam-${n}` });
  };

  test("is an hour's anew where the clock is set an hour forward", async () => {
    const world = aDeskWorld({ alertsPerHour: 4 });
    floodOf(world, 0);
    expect(world.desk.standing("press")).toMatchObject({ open: 4, held: 2 });
    world.clock.step(HOUR_MS);
    await world.clock.pass(SECOND_MS);
    expect(world.desk.standing("press").held).toBe(0);
  });

  test("gives no more where it is set back, and loses no review", async () => {
    const world = aDeskWorld({ alertsPerHour: 4 });
    floodOf(world, 0);
    world.clock.step(-HOUR_MS);
    await world.clock.pass(30 * MINUTE_MS);
    floodOf(world, 6);
    const { open, held } = world.desk.standing("press");
    expect(open).toBe(4);
    expect(open + held).toBe(12);
    await world.clock.pass(3 * HOUR_MS);
    expect(world.desk.standing("press").held).toBeLessThan(held);
  });
});

test("a monitor's window that is given a time before its beginning lasts no longer for it", () => {
  const windows = createWindows({ parts: 2, ms: 10 * SECOND_MS, sourcesMax: 4 }, { next: () => 0.5 });
  windows.take("cam", { score: 0.1, novelty: 0.1 }, HOUR_MS);
  expect(windows.take("cam", { score: 0.1, novelty: 0.1 }, 0)).toBeUndefined();
  expect(windows.take("cam", { score: 0.1, novelty: 0.1 }, 10 * SECOND_MS)).toBeDefined();
});

test.each([
  ["forward past its end", HOUR_MS, false],
  ["back", -HOUR_MS, true],
])("a token's end is a time of the calendar: the clock %s", (_, stepMs, holds) => {
  const nowMs = Date.parse("2026-11-25T12:00:00Z");
  const expires = new Date(nowMs + HOUR_MS / 2).toISOString();
  const token = { name: "plc", role: "reviewer", sha256: "0".repeat(64), expires } as const;
  expect(isInForce(token, nowMs)).toBe(true);
  expect(isInForce(token, nowMs + stepMs)).toBe(holds);
});
