/**
 * The monitors among random faults: commits that fail, saves that are lost, lives that end anywhere, clocks that jump.
 * Every run follows from its seed; `SEKISHO_SIMULATION_SEED=n` runs that one alone.
 */

import { describe, expect, test } from "vitest";
import { judge } from "../../src/core/judge.ts";
import { AMBER_AT, MONITOR_FAULTS, type MonitorTests } from "../../src/core/monitor.ts";
import { seededRandom } from "../../src/core/random.ts";
import { aPrediction, aRule } from "../support/builders.ts";
import { aJournal } from "./journal.ts";
import { between, oneOf } from "./life.ts";
import { aMonitoredWorld, type MonitoredWorld, RED_AT, STATION, TESTS } from "./monitored.ts";

const SEEDS = Number(process.env.SEKISHO_SIMULATION_SEEDS ?? 200);
const ONLY = process.env.SEKISHO_SIMULATION_SEED;
const STEPS = 250;
const SETTLE_MS = 120_000;

/** Each must come about in a set of seeds, or the simulation shows nothing about it. */
const EVENTS = [
  ...["red", "amber", "green", "cleared", "clearing-refused", "killed", "closed", "clock-jump", "envelope"],
  ...["act-failed", "save-failed", "saves-lost", "red-unwritten", "red-unwritten-kept", "switched-off"],
  ...["evidence-restored", "evidence-older", "told", "told-offline"],
];

type Action = (world: MonitoredWorld) => void | Promise<void>;

const feeds =
  (low: number, high: number, least: number): Action =>
  (world) => {
    for (let i = between(world.random, low, high); i > 0; i--)
      world.daemon.feed(least + (1 - least) * world.random.next());
  };

const ACTIONS: readonly Action[] = [
  ...Array.from({ length: 6 }, () => feeds(1, 60, 0)),
  ...Array.from({ length: 3 }, () => feeds(1, 12, 0.9)),
  feeds(1, 3, Number.NaN),
  feeds(250, 300, 0),
  ...Array.from(
    { length: 3 },
    (): Action =>
      async ({ random, time }) =>
        time.pass(between(random, 1, 15_000)),
  ),
  ({ random, daemon }) => daemon.monitors.observeRisk(STATION, oneOf(random, [0.5, 1, 5, 12, 26]), "words"),
  ({ random, daemon }) => {
    if (random.next() < 0.3) daemon.monitors.fail(STATION, oneOf(random, MONITOR_FAULTS), "of a test");
  },
  ({ random, disk }) => {
    disk.failsActs = random.next() < 0.5;
  },
  ({ random, disk }) => {
    disk.failsSaves = random.next() < 0.5;
  },
  ({ random, broker }) => {
    broker.isReachable = random.next() < 0.7;
  },
  ({ random, time, journal }) => {
    journal.note("clock-jump");
    time.jump(between(random, -90, 90) * 1000);
  },
  (world) => world.clear(true),
  (world) => world.clear(true),
  (world) => world.clear(false),
  (world) => world.changeEnvelope(),
  (world) => world.kill(false),
  (world) => world.kill(true),
  (world) => world.close(),
];

/** What must hold after every step, whatever it was. */
function check({ daemon, journal, lastState, stateOnDisk }: MonitoredWorld): void {
  const { monitors } = daemon;
  const state = monitors.state(STATION);
  const { evidence } = monitors.report(STATION);
  if (evidence !== undefined) {
    const most = Math.max(evidence.drift, evidence.risk);
    if (!(most < RED_AT) && state !== "red") journal.violate(`evidence of ${most} is ${state}`);
    if (!(most < AMBER_AT) && state === "green") journal.violate(`evidence of ${most} is green`);
  }
  if (state === "green" && stateOnDisk() !== "green")
    journal.violate(`green, and on record ${stateOnDisk()}`);
  const rule = { ...aRule(), lambda: Float64Array.of(0.2, 0.2), lambdaAmber: Float64Array.of(0.01, 0.01) };
  const decided = judge(aPrediction({ score: 0.1 }), rule, state);
  const expected = { red: "monitor-red", amber: "score", green: "faithful", off: "faithful" }[state];
  if (decided.reason !== expected) journal.violate(`${state} decides ${decided.reason}`);
  if (state === lastState.is) return;
  journal.note(state);
  if (lastState.is === "red") journal.violate(`red turned ${state} without an act that clears it`);
  lastState.is = state;
}

async function simulate(seed: number): Promise<MonitoredWorld> {
  const world = aMonitoredWorld(seededRandom(seed), aJournal());
  for (let step = 0; step < STEPS && world.journal.violations.length === 0; step++) {
    await oneOf(world.random, ACTIONS)(world);
    check(world);
  }
  Object.assign(world.disk, { failsActs: false, failsSaves: false });
  world.broker.isReachable = true;
  await world.time.pass(SETTLE_MS);
  check(world);
  world.checkSettled();
  return world;
}

describe("whatever happens to a monitor", () => {
  const counts = new Map<string, number>();
  const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(ONLY)];

  test("red is never lost nor turned back, what tightens holds at once, and no evidence comes from nowhere", async () => {
    for (const seed of seeds) {
      const { journal } = await simulate(seed);
      for (const [kind, count] of journal.counts) counts.set(kind, (counts.get(kind) ?? 0) + count);
      if (journal.violations.length > 0)
        throw new Error(`seed ${seed}: ${journal.violations.join("\n")}\n${journal.tail()}`);
    }
  }, 600_000);

  test.skipIf(ONLY !== undefined)("every fault and every way out of it came about", () => {
    expect(EVENTS.filter((kind) => !counts.has(kind))).toEqual([]);
  });

  test("the tests in use do alarm", () => {
    const { drift }: MonitorTests = TESTS;
    expect(drift.alarmAt).toBe(RED_AT);
  });
});
