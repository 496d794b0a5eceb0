/** The world of a simulated monitor: a disk that fails and forgets, a clock that jumps, and lives one after the other. */

import type { MonitorState } from "../../src/core/judge.ts";
import type { MonitorTests } from "../../src/core/monitor.ts";
import type { Random } from "../../src/core/random.ts";
import type { Committed } from "../../src/core/record.ts";
import { fixExceedanceTest, ladderOf } from "../../src/core/statistics/exceedance.ts";
import { evidenceOf, type Restarts } from "../../src/core/statistics/restarts.ts";
import type { MonitorBook } from "../../src/gateway/monitor-ports.ts";
import { createMonitors, type Monitors, type Watched } from "../../src/gateway/monitors.ts";
import type { ActRow } from "../../src/gateway/ports.ts";
import type { Journal } from "./journal.ts";
import { aLife, type Life, virtualTime } from "./life.ts";

export const STATION = "press";
export const RED_AT = 25;
const ref = ladderOf(Float64Array.from({ length: 2000 }, (_, i) => i / 2000));
export const TESTS: MonitorTests = {
  drift: fixExceedanceTest([[ref, ref]], { etaRef: 0.01, etaMon: 1 / RED_AT }),
  riskAlarmAt: RED_AT,
};

interface Row {
  readonly state: string;
  readonly told: number;
}

/** What the book holds, and what the monitor was when it was written. */
interface Saved {
  readonly row: Row;
  readonly state: MonitorState;
  readonly drift: number;
  readonly envelope: string;
  /** Clearings by then. */
  readonly clearings: number;
}

interface Daemon {
  readonly life: Life;
  readonly monitors: Monitors;
  readonly isOn: boolean;
  feed(score: number): void;
}

export type MonitoredWorld = ReturnType<typeof aMonitoredWorld>;

export function aMonitoredWorld(random: Random, journal: Journal) {
  const time = virtualTime();
  const disk = { failsActs: false, failsSaves: false };
  const broker = { isReachable: true };
  const acts: ActRow[] = [];
  const told = new Set<number>();
  /** Newest last; a disk that lies loses some. */
  const saves: Saved[] = [];
  /** What the last step left behind. */
  const lastState: { is: MonitorState } = { is: "green" };
  let lastDecisionAtMs: number | undefined;
  let envelope = "a";
  let clearings = 0;
  let isOn = true;

  const stateOnDisk = (): string =>
    acts.length === 0 ? "green" : (JSON.parse(acts.at(-1)!.body) as { state: string }).state;
  const watched = (): Watched => ({
    ...{ station: STATION, revision: 1, envelope: envelope.repeat(64), tests: isOn ? TESTS : undefined },
    window: { parts: 1, ms: 0, sourcesMax: 4 },
  });

  function bookFor(life: Life): MonitorBook {
    return {
      find: () => saves.at(-1)?.row,
      save([row]) {
        if (!life.alive || disk.failsSaves) {
          journal.note("save-failed");
          throw new Error("the disk is full");
        }
        const found = JSON.parse(row!.state) as {
          state: MonitorState;
          drift: Restarts;
          envelope: string;
        } | null;
        saves.push({
          row: row!,
          state: found?.state ?? "off",
          drift: found === null ? 1 : evidenceOf(found.drift),
          envelope: found?.envelope ?? "",
          clearings,
        });
      },
      lastDecisionAtMs: () => lastDecisionAtMs,
    };
  }

  function start(): Daemon {
    const life = aLife(() => {});
    const monitors = createMonitors({
      watched: [watched()],
      book: bookFor(life),
      acts: {
        append(rows) {
          if (!life.alive || disk.failsActs) {
            journal.note("act-failed");
            throw new Error("the disk is full");
          }
          const written = rows.map((row, i) => ({ ...row, seq: acts.length + i + 1 }));
          acts.push(...written);
          return written;
        },
        list: ({ kinds, limit }) =>
          acts
            .filter(({ kind }) => kinds?.includes(kind))
            .slice(-limit)
            .reverse(),
      },
      clock: time.clockOf(life),
      random,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      tell(act, done) {
        if (!broker.isReachable) return journal.note("told-offline");
        journal.note("told");
        told.add(act.seq);
        done();
      },
    });
    monitors.start();
    return {
      ...{ life, monitors, isOn },
      feed(score) {
        const atMs = time.clock.nowMs();
        const record = { station: STATION, source: "cam", decision: "review", reason: "score", score };
        lastDecisionAtMs = atMs;
        monitors.take([
          {
            record: { ...record, novelty: score, decidedAtMs: atMs },
            isRedelivery: false,
          } as unknown as Committed,
        ]);
      },
    };
  }

  /** A life ends, and the next begins by what is on the disk. */
  function startAgain(losesSaves: boolean): void {
    const before = world.daemon.monitors.state(STATION);
    if (before === "red" && stateOnDisk() !== "red") journal.note("red-unwritten");
    if (losesSaves && saves.length > 1) {
      journal.note("saves-lost");
      saves.splice(-Math.ceil(random.next() * (saves.length - 1)));
    }
    isOn = random.next() < 0.9;
    if (!isOn) journal.note("switched-off");
    const kept = saves.at(-1);
    const isRedKept = stateOnDisk() === "red" || (kept?.state === "red" && kept.clearings === clearings);
    if (isRedKept && stateOnDisk() !== "red") journal.note("red-unwritten-kept");
    world.daemon = start();
    const { monitors } = world.daemon;
    const state = monitors.state(STATION);
    if (isRedKept && state !== "red") journal.violate(`red is ${state} after a restart`);
    // Not on disk, it is gone with the life that knew it.
    if (!isRedKept) lastState.is = state;
    if (state === "red" || !isOn) return;
    const isOfNow = kept?.envelope === envelope.repeat(64) && kept.clearings === clearings;
    const expected = isOfNow ? kept.drift : 1;
    const { drift } = monitors.report(STATION).evidence!;
    if (drift !== expected) journal.violate(`evidence of ${drift} after a restart, ${expected} was saved`);
    if (drift > 1) journal.note("evidence-restored");
    if (kept !== undefined && !isOfNow) journal.note("evidence-older");
  }

  const world = {
    ...{ random, journal, time, disk, broker, lastState, stateOnDisk },
    daemon: undefined as unknown as Daemon,

    /** @param losesSaves the disk had not written what it said it had */
    kill(losesSaves: boolean): void {
      journal.note("killed");
      world.daemon.life.alive = false;
      startAgain(losesSaves);
    },

    close(): void {
      journal.note("closed");
      world.daemon.monitors.close();
      world.daemon.life.alive = false;
      startAgain(false);
    },

    changeEnvelope(): void {
      journal.note("envelope");
      envelope = envelope === "a" ? "b" : "a";
      world.daemon.monitors.changed(watched());
      if (lastState.is === "off") lastState.is = world.daemon.monitors.state(STATION);
    },

    /** @param isRight by an act that proves what it must; else by one for another red */
    clear(isRight: boolean): void {
      const { monitors } = world.daemon;
      const { sinceMs = 0, state } = monitors.report(STATION);
      const redSince = new Date(isRight ? sinceMs : sinceMs - 1).toISOString();
      const act = {
        ...{ station: STATION, redSince, persons: ["mori"], why: "cleaned" },
        ground: { kind: "audit", parts: 299, unfaithful: 0 } as const,
      };
      const inForce = { station: STATION, envelope: envelope.repeat(64), alpha: 0.01, eta: 0.05 };
      let problem: string | undefined;
      try {
        problem = monitors.clear(STATION, act, inForce, {});
      } catch {
        problem = "the ledger cannot be written";
      }
      if (problem === undefined) {
        if (state !== "red" || !isRight) journal.violate(`${state} was cleared`);
        if (stateOnDisk() !== "green") journal.violate("it is cleared, and that is not on record");
        journal.note("cleared");
        clearings++;
        lastState.is = monitors.state(STATION);
      } else journal.note("clearing-refused");
    },

    /** All faults are over: what holds is on record, and people have been told of the last of it. */
    checkSettled(): void {
      const state = world.daemon.monitors.state(STATION);
      if (state !== "off" && state !== stateOnDisk())
        journal.violate(`${state}, and on record ${stateOnDisk()}`);
      const last = acts.at(-1)?.seq;
      if (last !== undefined && !told.has(last)) journal.violate("nobody was told of the last act");
    },
  };
  world.daemon = start();
  return world;
}
