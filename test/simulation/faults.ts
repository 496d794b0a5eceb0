/** What may happen next: mostly messages and time, now and then a fault. */

import { between, type KillPoint, oneOf } from "./life.ts";
import { breathe, checkCounts } from "./watch.ts";
import { type Daemon, DEDUPE_WINDOW_MS, type World } from "./world.ts";

type Action = (world: World, daemon: Daemon) => Promise<void> | void;

const KILL_POINTS: readonly KillPoint[] = [
  "before-commit",
  "after-commit",
  "before-puback",
  "after-puback",
  "in-publish",
];

const sends =
  (low: number, high: number): Action =>
  ({ random, plant, session }) => {
    for (let i = between(random, low, high); i > 0; i--) session.publish(plant.next());
  };

/** Drawn evenly; what is wanted often stands here often. */
export const ACTIONS: readonly Action[] = [
  ...Array.from({ length: 12 }, () => sends(1, 8)),
  ...Array.from({ length: 3 }, () => sends(20, 80)),
  ...Array.from({ length: 6 }, (): Action => async (world, daemon) => breathe(world, daemon, 1000)),
  ({ random, disk, time, journal }) => {
    disk.trouble = oneOf(random, ["database or disk is full", "disk I/O error"]);
    journal.note("disk-trouble");
    const ms = between(random, 10, 8000);
    // A commit is tried again each second.
    disk.soundFromMs = Math.max(disk.soundFromMs, time.clock.monotonicMs() + ms + 1000);
    time.clock.after(ms, () => {
      disk.trouble = undefined;
    });
  },
  ({ random, disk, time, journal }) => {
    disk.isUnreadable = true;
    journal.note("disk-unreadable");
    time.clock.after(between(random, 10, 3000), () => {
      disk.isUnreadable = false;
    });
  },
  ({ random }, { engines }) => oneOf(random, engines).die("crashed"),
  ({ random }, { engines }) => oneOf(random, engines).die("killed"),
  // Somebody who means it.
  async ({ random, time }, { engines }) => {
    for (let kills = between(random, 2, 8); kills > 0; kills--) {
      oneOf(random, engines).die("killed");
      await time.pass(between(random, 1, 1600));
    }
  },
  ({ random }, { engines }) => oneOf(random, engines).hang(),
  ({ random }, { engines }) => {
    for (const engine of engines) engine.slowness = oneOf(random, [1, 1, 20, 200]);
  },
  ({ plant, session }) => {
    plant.nextIsPoison();
    session.publish(plant.next());
  },
  ({ session, journal }) => {
    journal.note("intake-dropped");
    session.drop();
  },
  ({ session, journal }) => {
    journal.note("intake-dropped");
    session.drop();
  },
  ({ outlet }) => outlet.drop(),
  ({ random, outlet, session, time, journal }) => {
    journal.note("broker-down");
    session.isReachable = false;
    outlet.isReachable = false;
    session.drop();
    outlet.drop();
    time.clock.after(between(random, 100, 5000), () => {
      session.isReachable = true;
      outlet.isReachable = true;
    });
  },
  ({ random, outlet, time, journal }) => {
    journal.note("outlet-mute");
    outlet.isMute = true;
    time.clock.after(between(random, 50, 3000), () => {
      outlet.isMute = false;
      outlet.drop();
    });
  },
  ({ random, outlet, time, journal }) => {
    journal.note("outlet-refusing");
    outlet.isRefusing = true;
    time.clock.after(between(random, 50, 3000), () => {
      outlet.isRefusing = false;
    });
  },
  ({ random, outlet }) => {
    outlet.isSmall = random.next() < 0.5;
  },
  ({ random, time, journal }) => {
    journal.note("clock-jump");
    time.jump(between(random, -2, 2) * between(random, 0, DEDUPE_WINDOW_MS));
  },
  ({ random, session, plant, forgotten, disk, journal }) => {
    if (random.next() < 0.8) return;
    journal.note("session-forgotten");
    for (const { seq } of plant.sent) if (!disk.decided.has(seq)) forgotten.add(seq);
    session.forget();
  },
  ({ random, session, forgotten, onlyHere, journal }) => {
    journal.note("session-older");
    for (const { message, wasDelivered } of session.forgetLatest(between(random, 1, 40))) {
      const isHere = wasDelivered && message.frameId !== undefined;
      (isHere ? onlyHere : forgotten).add(message.seq);
    }
  },
  ({ random }, { life }) => {
    life.killAt = oneOf(random, KILL_POINTS);
  },
  ({ random }, { life }) => {
    life.killAt = oneOf(random, KILL_POINTS);
  },
  ({ journal, session, outlet }, { life }) => {
    journal.note("killed");
    life.alive = false;
    session.drop();
    outlet.drop();
  },
  async ({ journal, time }, daemon) => {
    journal.note("stop");
    let isDone = false;
    void daemon.gateway.stop(10_000).then(() => {
      isDone = true;
    });
    for (let i = 0; i < 30 && !isDone; i++) await time.pass(500);
    if (!isDone && daemon.life.alive) journal.violate("a stop did not end by its deadline");
    checkCounts(journal, daemon);
    daemon.life.alive = false;
  },
];
