/** The console's charts over a real ledger: counted in slices, the same after a restart, and of the day before as well. */

import { afterEach, expect, test } from "vitest";
import { createHistory, type History } from "../../src/commands/history.ts";
import { FAITHFUL, type GuardedDecision } from "../../src/core/judge.ts";
import type { Judged } from "../../src/core/record.ts";
import type { MonitorReport } from "../../src/gateway/monitors.ts";
import type { MinuteCount } from "../../src/ledger/minute-counts.ts";
import { aJudged } from "../support/builders.ts";
import { aDeskWorld, type DeskWorld } from "../support/desk.ts";
import { aClock } from "../support/world.ts";

const GREEN: MonitorReport = {
  ...{ station: "press", state: "green", sinceMs: undefined, evidence: { drift: 2, risk: 1 } },
  words: { en: "green", ja: "緑" },
};
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const MINUTE_MS = 60_000;

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function aHistory({ ledger, clock }: Pick<DeskWorld, "ledger" | "clock">): History {
  const history = createHistory({
    ...{ counts: ledger.minuteCounts, stations: ["press"], report: () => GREEN, clock, log: QUIET },
  });
  ends.push(history.close);
  return history;
}

function frames(world: DeskWorld, prefix: string, count: number): void {
  world.frames(
    ...Array.from({ length: count }, (_, i) => ({
      ...{ id: `${prefix}-${i}`, source: `s-${prefix}-${i}`, review: undefined, className: "good" },
    })),
  );
}

const totals = async (history: History): Promise<number[]> =>
  (await history.of("press", 60, 1))!.points.map(({ frames }) => frames).filter((count) => count > 0);

test("what was decided before anybody looked is there, what comes after too, and the same after a restart", async () => {
  const world = aDeskWorld();
  frames(world, "a", 7);
  await world.clock.pass(MINUTE_MS);
  frames(world, "b", 5);
  const history = aHistory(world);
  expect(await totals(history)).toEqual([7, 5]);
  frames(world, "c", 2);
  expect(await totals(history)).toEqual([7, 7]);
  const view = (await history.of("press", 60, 1))!;
  expect(view.complete).toBe(true);
  expect(view.points).toHaveLength(60);
  expect(view.points.at(-1)).toMatchObject({ frames: 7, pass: 7, byReason: {}, byClass: {} });
  expect(view.monitor.at(-1)).toMatchObject({ state: "green", evidence: { drift: 2, risk: 1 } });
  history.close();
  const again = world.restart();
  expect(await totals(aHistory(again))).toEqual([7, 7]);
  again.ledger.close();
});

test("what was decided in shadow counts as what it would have been", async () => {
  const world = aDeskWorld();
  const inShadow = (id: string, would: GuardedDecision): Judged => {
    const judged = aJudged({ id, className: "bent", decidedAtMs: world.clock.nowMs() });
    return { ...judged, mode: "shadow", decision: { kind: "review", reason: "shadow", would } };
  };
  world.ledger.append([inShadow("a", FAITHFUL), inShadow("b", { kind: "review", reason: "novel" })]);
  const { points } = (await aHistory(world).of("press", 60, 1))!;
  expect(points.at(-1)).toMatchObject({
    ...{ frames: 2, pass: 1, review: 1, byReason: { novel: 1 }, byClass: { bent: 1 } },
  });
  world.ledger.close();
});

test("frames held for their part are counted with its decision", async () => {
  const world = aDeskWorld();
  world.frames({ id: "p-1", part: "p", partCount: 2, source: "x", review: undefined });
  world.frames({ id: "p", identified: false, part: "p", frames: 2, source: "x", review: undefined });
  expect(await totals(aHistory(world))).toEqual([1]);
  world.ledger.close();
});

test("a station that there is not has none", async () => {
  const world = aDeskWorld();
  expect(await aHistory(world).of("lathe", 60, 1)).toBeUndefined();
  world.ledger.close();
});

test("a day is counted in slices of 500, newest first, and no further than a day", async () => {
  const clock = aClock();
  await clock.pass(3 * 1440 * MINUTE_MS);
  const now = Math.floor(clock.nowMs() / MINUTE_MS);
  const asked: number[] = [];
  /** A hundred decisions a minute, for two days. */
  const idsPerMinute = 100;
  const last = 2 * 1440 * idsPerMinute;
  const between = (above: number, upTo: number): readonly MinuteCount[] => {
    asked.push(upTo - above);
    const counts: MinuteCount[] = [];
    for (let id = above; id < upTo; id += idsPerMinute) {
      const minute = now - Math.floor((last - id - 1) / idsPerMinute);
      counts.push({
        station: "press",
        minute,
        decision: "pass",
        reason: "faithful",
        class: "good",
        frames: idsPerMinute,
      });
    }
    return counts;
  };
  const history = createHistory({
    ...{
      counts: { lastId: () => last, between },
      stations: ["press"],
      report: () => GREEN,
      clock,
      log: QUIET,
    },
  });
  ends.push(history.close);
  const first = (await history.of("press", 1440, 15))!;
  expect([first.complete, first.points.at(-2)!.frames, first.points[0]!.frames]).toEqual([false, 1500, 0]);
  for (let n = 0; n < 40; n++) {
    await clock.pass(1000);
    await history.of("press", 60, 1);
  }
  const whole = (await history.of("press", 1440, 15))!;
  expect(whole.complete).toBe(true);
  expect(whole.points.slice(1, -1).every(({ frames }) => frames === 1500)).toBe(true);
  expect(Math.max(...asked)).toBe(500);
  expect(asked.length).toBeLessThan((1450 * idsPerMinute) / 500);
});

test("a ledger that cannot be read at the moment is read at the next look", async () => {
  const world = aDeskWorld();
  frames(world, "a", 3);
  const { between } = world.ledger.minuteCounts;
  let fails = true;
  const history = createHistory({
    counts: {
      ...world.ledger.minuteCounts,
      between(above, upTo) {
        if (fails) throw new Error("the disk is gone");
        return between(above, upTo);
      },
    },
    ...{ stations: ["press"], report: () => GREEN, clock: world.clock, log: QUIET },
  });
  ends.push(history.close);
  await expect(history.of("press", 60, 1)).rejects.toThrow("the disk is gone");
  fails = false;
  await world.clock.pass(1000);
  expect(await totals(history)).toEqual([3]);
  world.ledger.close();
});
