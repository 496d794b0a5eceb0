/** One run of the simulation: a daemon among faults drawn from a seed, killed and started again, then left to settle. */

import { seededRandom } from "../../src/core/random.ts";
import { ACTIONS } from "./faults.ts";
import { aJournal } from "./journal.ts";
import { between, oneOf } from "./life.ts";
import { breathe, checkCounts } from "./watch.ts";
import { aWorld, type Daemon, start, type World } from "./world.ts";

const STEPS = 120;
const SETTLE_MS_MAX = 600_000;
const STILL_MS = 20_000;

export async function simulate(seed: number): Promise<World> {
  const random = seededRandom(seed);
  const journal = aJournal();
  const world = aWorld(random, journal);
  let daemon = start(world, 1);
  let lives = 1;
  const startAgain = (): void => {
    daemon = start(world, ++lives);
  };
  for (let step = 0; step < STEPS && journal.violations.length === 0; step++) {
    if (!daemon.life.alive) startAgain();
    await oneOf(random, ACTIONS)(world, daemon);
    await breathe(world, daemon, between(random, 0, 60));
  }
  if (!daemon.life.alive) startAgain();
  await settle(world, daemon);
  checkCounts(journal, daemon);
  return world;
}

/** All faults end, and the gateway gets the time it needs; then nothing may be left to do. */
async function settle(world: World, daemon: Daemon): Promise<void> {
  const { disk, outlet, session, time, journal } = world;
  disk.trouble = undefined;
  disk.isUnreadable = false;
  Object.assign(outlet, { isRefusing: false, isMute: false, isReachable: true });
  session.isReachable = true;
  outlet.drop();
  daemon.life.killAt = undefined;
  for (const engine of daemon.engines) engine.slowness = 1;
  const isQuiet = (): boolean =>
    session.queued === 0 &&
    daemon.gateway.backlog() === 0 &&
    disk.outbox.length === 0 &&
    disk.waiting.length === 0 &&
    disk.published === disk.records.length;
  for (let ms = 0; ms < SETTLE_MS_MAX && journal.violations.length === 0; ms += 250) {
    if (isQuiet()) {
      // A frame at QoS 0 may still be with an engine, where nobody sees it.
      await time.pass(STILL_MS);
      if (isQuiet()) return;
    }
    await breathe(world, daemon, 250);
  }
  if (journal.violations.length > 0) return;
  journal.violate(
    `does not settle: ${session.queued} messages with the broker, backlog ${daemon.gateway.backlog()}, ` +
      `${disk.outbox.length} alerts pending, published up to ${disk.published} of ${disk.records.length}, ` +
      `${disk.waiting.length} frames wait for their part's decision`,
  );
}
