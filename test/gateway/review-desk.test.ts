/** The desk over a real ledger: who is told what of a flood, what comes due, and what people do. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ReviewEvent } from "../../src/gateway/desk.ts";
import { aDeskWorld, type DeskWorld, type Told } from "../support/desk.ts";
import { HANAKO, TARO } from "../support/reviews.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

const opens = ({ told }: DeskWorld): string[] =>
  told.filter((one) => one.type === "open").map((one) => one.review);
const lastOf = ({ told }: DeskWorld, review: string): Told | undefined =>
  told.findLast((one) => one.review === review);

/** A frame of a source with a review, its priority as its score. */
const frame = (id: string, priority = 0.5, source = "cam-1") => ({ id, priority, source });

/** So many frames of one source, 200 a second, each to review. */
async function flood(world: DeskWorld, frames: number, source = "cam-1", priority = (_: number) => 0.5) {
  for (let n = 0; n < frames; n += 20) {
    world.frames(
      ...Array.from({ length: 20 }, (_, i) => frame(`${source}-${n + i}`, priority(n + i), source)),
    );
    await world.clock.pass(100);
  }
}

describe("a flood", () => {
  test("is one situation: one alert, whose count goes up at doubling counts, and the rest held", async () => {
    const world = aDeskWorld();
    await flood(world, 4000); // For 20 seconds, twice the time in which reviews are coalesced.
    expect(opens(world)).toEqual(["r-cam-1-0"]);
    expect(world.desk.standing("press")).toMatchObject({ open: 1, held: 3999, overdue: 0 });
    const counts = world.told.slice(1).map((one) => one.count!);
    expect(counts.length).toBeGreaterThan(2);
    expect(counts.length).toBeLessThanOrEqual(Math.log2(4000));
    for (const [i, count] of counts.entries()) expect(count).toBeGreaterThanOrEqual(2 * (counts[i - 1] ?? 1));
    expect(world.desk.show("r-cam-1-7")).toMatchObject({ state: "held", lead: "r-cam-1-0" });
    expect(world.ledger.verifyChain()).toBeUndefined();
  });

  test("says its last count when it is over, and then its backlog is announced by priority, within the budget", async () => {
    const world = aDeskWorld({ alertsPerHour: 20 });
    await flood(world, 200, "cam-1", (n) => (n % 97) / 100);
    expect(opens(world)).toHaveLength(1);
    await world.clock.pass(11 * SECOND_MS);
    const lead = lastOf(world, "r-cam-1-0")!;
    expect(lead).toMatchObject({ type: "update", count: 200 });
    expect(lead.text).toContain("200 frames like this so far");
    await world.clock.pass(3 * MINUTE_MS);
    const drained = world.told.filter((one) => one.type === "open").slice(1);
    const priorities = drained.map((one) => one.priority as number);
    expect(priorities.length).toBeGreaterThan(10);
    expect(priorities).toEqual([...priorities].sort((a, b) => b - a));
    expect(drained[0]).toMatchObject({ priority: 0.96, count: 199, reviewRevision: 2 });
    expect(drained[0]!.frameInline).toBeDefined();
    // Of 20, two are left for what happens next.
    expect(opens(world).length).toBeLessThanOrEqual(20);
    world.frames(frame("new", 0.1, "cam-9"));
    expect(opens(world).at(-1)).toBe("r-new");
  });

  test("its lead answered, the most urgent of those behind it is next, at once", async () => {
    const world = aDeskWorld();
    world.frames(frame("a", 0.1), frame("b", 0.3), frame("c", 0.9));
    expect(
      world.desk.act({ kind: "resolve", review: "r-a", reviewRevision: 1, verdict: "confirm" }, HANAKO),
    ).toEqual({
      ok: true,
      review: "r-a",
      reviewRevision: 2,
      state: "resolved",
    });
    await world.clock.pass(SECOND_MS);
    expect(opens(world)).toEqual(["r-a", "r-c"]);
    expect(lastOf(world, "r-c")).toMatchObject({ count: 2 });
  });

  test("of one source holds up no alert of another, nor of another reason or station", () => {
    const world = aDeskWorld();
    world.frames(frame("a"), frame("b"), frame("c", 0.5, "cam-2"), { id: "d", station: "lathe" });
    expect(opens(world)).toEqual(["r-a", "r-c", "r-d"]);
  });

  test("over the budget reviews are held and counted, and announced when there is budget again", async () => {
    const world = aDeskWorld({ alertsPerHour: 4 });
    for (let n = 0; n < 6; n++) world.frames(frame(`f${n}`, n / 10, `cam-${n}`));
    expect(opens(world)).toHaveLength(4);
    expect(world.desk.standing("press")).toMatchObject({ open: 4, held: 2 });
    await world.clock.pass(15 * MINUTE_MS + SECOND_MS);
    expect(opens(world).slice(4)).toEqual(["r-f5"]);
    await world.clock.pass(15 * MINUTE_MS + SECOND_MS);
    expect(opens(world).slice(4)).toEqual(["r-f5", "r-f4"]);
  });

  test("stays within the budget of any hour, and loses no review, whatever comes when", async () => {
    const arrivals = fc.array(
      fc.record({
        gapMs: fc.integer({ min: 0, max: 5 * MINUTE_MS }),
        source: fc.integer({ min: 0, max: 3 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 6 }), async (comings, alertsPerHour) => {
        const world = aDeskWorld({ alertsPerHour });
        for (const [n, { gapMs, source }] of comings.entries()) {
          await world.clock.pass(gapMs);
          world.frames(frame(`f${n}`, (n % 10) / 10, `cam-${source}`));
        }
        const spanMs = comings.reduce((sum, { gapMs }) => sum + gapMs, 0);
        expect(opens(world).length).toBeLessThanOrEqual(alertsPerHour * (1 + spanMs / HOUR_MS) + 1e-6);
        expect(new Set(opens(world)).size).toBe(opens(world).length);
        const { open, held } = world.desk.standing("press");
        expect(open + held).toBe(comings.length);
        expect(open).toBe(opens(world).length);
        expect(world.logged).toEqual([]);
        world.desk.close();
        world.ledger.close();
      }),
      { numRuns: 25 },
    );
  });

  test("is bounded on disk: the lowest and oldest of the largest heap expire, counted, silent and never passed", async () => {
    const world = aDeskWorld({ unresolvedMax: 100 });
    world.frames(frame("quiet", 0.01, "cam-2"), frame("quieter", 0.02, "cam-2"));
    await flood(world, 300, "cam-1", (n) => n / 1000);
    const { open, held } = world.desk.standing("press");
    expect(open + held).toBeLessThanOrEqual(110);
    expect(world.counted.filter((one) => one === "expired")).toHaveLength(302 - open - held);
    expect(world.desk.show("r-quieter")?.state).toBe("held");
    expect(world.desk.show("r-cam-1-1")).toMatchObject({ state: "expired", hasFrame: false });
    expect(world.desk.show("r-cam-1-299")).toMatchObject({ state: "held", hasFrame: true });
    expect(world.told.filter((one) => one.type === "close")).toEqual([]);
    expect(world.ledger.verifyChain()).toBeUndefined();
    const late = world.desk.act(
      { kind: "resolve", review: "r-cam-1-1", reviewRevision: 1, verdict: "confirm" },
      HANAKO,
    );
    expect(late).toMatchObject({ ok: false, error: "closed", state: "expired" });
  });

  test("where only announced ones are left to expire, that is told", () => {
    const world = aDeskWorld({ unresolvedMax: 10 });
    for (let n = 0; n < 11; n++) world.frames(frame(`f${n}`, n / 100, `cam-${n}`));
    expect(world.told.filter((one) => one.type === "close")).toMatchObject([
      { review: "r-f0", state: "expired", text: expect.stringContaining("not passed") },
    ]);
  });
});

describe("what comes due", () => {
  test("a deadline that passes is told once, and the review may still be answered by the revision seen before", async () => {
    const world = aDeskWorld();
    world.frames(frame("a"), frame("b"));
    await world.clock.pass(61 * SECOND_MS);
    const updates = world.told.filter((one) => one.overdue === true);
    expect(updates.map((one) => [one.type, one.review])).toContainEqual(["update", "r-a"]);
    expect(lastOf(world, "r-a")!.text).toContain("Overdue");
    expect(world.counted).toEqual(["overdue", "overdue"]);
    expect(world.desk.standing("press").overdue).toBe(2);
    await world.clock.pass(HOUR_MS);
    expect(world.counted).toEqual(["overdue", "overdue"]);
    const answered = world.desk.act(
      { kind: "resolve", review: "r-a", reviewRevision: 1, verdict: "unusable" },
      TARO,
    );
    expect(answered).toMatchObject({ ok: true, state: "resolved" });
    expect(world.desk.standing("press").overdue).toBe(1);
  });

  test("a claim lapses, is told, and others may answer", async () => {
    const world = aDeskWorld({ claimMs: 30 * SECOND_MS });
    world.frames(frame("a"));
    world.desk.act({ kind: "claim", review: "r-a", reviewRevision: 1 }, HANAKO);
    expect(lastOf(world, "r-a")).toMatchObject({ type: "update", state: "claimed", claimedBy: "hanako" });
    const early = world.desk.act(
      { kind: "resolve", review: "r-a", reviewRevision: 2, verdict: "confirm" },
      TARO,
    );
    expect(early).toMatchObject({
      ok: false,
      error: "claimed-by-other",
      reviewRevision: 2,
      state: "claimed",
    });
    await world.clock.pass(31 * SECOND_MS);
    expect(lastOf(world, "r-a")).toMatchObject({ type: "update", state: "open" });
    const late = world.desk.act(
      { kind: "resolve", review: "r-a", reviewRevision: 3, verdict: "confirm" },
      TARO,
    );
    expect(late).toMatchObject({ ok: true });
  });

  test("hundreds at once are done in steps, and nothing is left over", async () => {
    const world = aDeskWorld();
    await flood(world, 500);
    await world.clock.pass(62 * SECOND_MS);
    expect(world.desk.standing("press").overdue).toBe(500);
    expect(world.ledger.verifyChain()).toBeUndefined();
  });

  test("while the ledger cannot be written nothing is told; it is said once, and done when it can", async () => {
    const world = aDeskWorld();
    world.frames(frame("a"));
    const change = world.ledger.reviews.change;
    Object.assign(world.ledger.reviews, {
      change: () => {
        throw new Error("database or disk is full");
      },
    });
    await world.clock.pass(2 * MINUTE_MS);
    expect(world.told).toHaveLength(1);
    expect(world.logged).toEqual(["reviews cannot be kept up; tried again"]);
    const refused = world.desk.act({ kind: "claim", review: "r-a", reviewRevision: 1 }, HANAKO);
    expect(refused).toMatchObject({ ok: false, error: "unavailable" });
    expect(world.desk.show("r-a")).toMatchObject({ state: "open", revision: 1 });
    Object.assign(world.ledger.reviews, { change });
    await world.clock.pass(SECOND_MS);
    expect(lastOf(world, "r-a")).toMatchObject({ overdue: true });
  });
});

describe("a restart", () => {
  test("knows all that waits, what is due, and whose alert a flood stands behind", async () => {
    const before = aDeskWorld({ claimMs: 30 * SECOND_MS });
    before.frames(frame("a"), frame("b"), frame("c", 0.5, "cam-2"));
    before.desk.act({ kind: "claim", review: "r-c", reviewRevision: 1 }, HANAKO);
    const world = before.restart();
    expect(world.desk.standing("press")).toMatchObject({ open: 2, held: 1 });
    world.frames(frame("d"));
    expect(world.desk.show("r-d")).toMatchObject({ state: "held", lead: "r-a" });
    await world.clock.pass(31 * SECOND_MS);
    expect(world.desk.show("r-c")?.state).toBe("open");
    expect(lastOf(world, "r-a")).toMatchObject({ count: 3 });
    await world.clock.pass(31 * SECOND_MS);
    expect(world.desk.standing("press").overdue).toBe(4);
    expect(world.ledger.verifyChain()).toBeUndefined();
  });

  test("does not fill the budget", () => {
    let world = aDeskWorld({ alertsPerHour: 4 });
    for (let n = 0; n < 4; n++) world.frames(frame(`f${n}`, 0.5, `cam-${n}`));
    world = world.restart();
    world.frames(frame("more", 0.5, "cam-9"));
    expect(opens(world)).toHaveLength(4);
    expect(world.desk.show("r-more")?.state).toBe("held");
  });
});

describe("a frame that had been decided before", () => {
  test("opens no review, and takes nothing from the budget", () => {
    const world = aDeskWorld({ alertsPerHour: 2 });
    world.frames(frame("a"));
    world.frames({ ...frame("a"), review: "r-again" }, { ...frame("a"), review: "r-again-2" });
    world.frames(frame("b", 0.5, "cam-2"));
    expect(opens(world)).toEqual(["r-a", "r-b"]);
    expect(world.desk.show("r-again")).toBeUndefined();
    expect(world.desk.standing("press")).toMatchObject({ open: 2, held: 0 });
  });
});

describe("the desk", () => {
  test("lists by priority, then age, a page at a time, and what was closed when asked for", async () => {
    const world = aDeskWorld();
    const priorities = [0.3, 0.9, 0.3, 0.7, 0.1];
    for (const [n, priority] of priorities.entries()) {
      world.frames(frame(`f${n}`, priority, `cam-${n % 2}`));
      await world.clock.pass(10);
    }
    const first = world.desk.list({ limit: 3 });
    expect(first.reviews.map((review) => review.id)).toEqual(["r-f1", "r-f3", "r-f0"]);
    const second = world.desk.list({ limit: 3, after: first.next! });
    expect(second.reviews.map((review) => review.id)).toEqual(["r-f2", "r-f4"]);
    expect(second.next).toBeUndefined();
    const ids = (query: object) =>
      world.desk.list({ limit: 10, ...query }).reviews.map((review) => review.id);
    expect(ids({ source: "cam-1" })).toEqual(["r-f1", "r-f3"]);
    expect(ids({ states: ["held"] })).toEqual(["r-f3", "r-f2", "r-f4"]);
    expect(ids({ station: "lathe" })).toEqual([]);
    world.desk.act({ kind: "resolve", review: "r-f4", reviewRevision: 1, verdict: "confirm" }, HANAKO);
    expect(ids({ states: ["resolved"] })).toEqual(["r-f4"]);
    expect(ids({})).not.toContain("r-f4");
    expect(ids({ after: "made up" })).toEqual(ids({}));
  });

  test("tells whoever watches of every published transition, and one that fails hurts nobody", () => {
    const world = aDeskWorld();
    const seen: ReviewEvent[] = [];
    world.desk.watch(() => {
      throw new Error("a listener's own");
    });
    const stop = world.desk.watch((event) => seen.push(event));
    world.frames(frame("a"), frame("b"));
    world.desk.act({ kind: "claim", review: "r-a", reviewRevision: 1 }, HANAKO);
    world.desk.act({ kind: "resolve", review: "r-a", reviewRevision: 2, verdict: "confirm" }, HANAKO);
    stop();
    world.desk.act({ kind: "resolve", review: "r-b", reviewRevision: 1, verdict: "confirm" }, HANAKO);
    expect(seen.map(({ type, review, reviewRevision }) => [type, review, reviewRevision])).toEqual([
      ["open", "r-a", 1],
      ["update", "r-a", 2],
      ["close", "r-a", 3],
    ]);
    expect(JSON.parse(seen[2]!.body)).toMatchObject({
      verdict: "confirm",
      class: "good",
      reviewer: "hanako",
      vouched: true,
    });
    expect(lastOf(world, "r-b")).toMatchObject({ type: "close" });
  });

  test("answers an act on a review that there is not", () => {
    const { desk } = aDeskWorld();
    expect(desk.act({ kind: "claim", review: "r-none", reviewRevision: 1 }, HANAKO)).toMatchObject({
      ok: false,
      error: "unknown-review",
      reviewRevision: null,
      state: null,
    });
    expect(desk.show("r-none")).toBeUndefined();
    expect(desk.frameOf("r-none")).toBeUndefined();
  });

  test("keeps an odd transaction so that the chain still holds", () => {
    const world = aDeskWorld();
    world.frames(frame("a"));
    const act = { kind: "resolve", review: "r-a", reviewRevision: 1, verdict: "confirm" } as const;
    expect(world.desk.act({ ...act, transaction: "half a \ud83d character" }, HANAKO).ok).toBe(true);
    expect(world.ledger.verifyChain()).toBeUndefined();
  });
});
