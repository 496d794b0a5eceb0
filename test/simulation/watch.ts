/** Lets time go on while looking at what must hold at every step. */

import type { Journal } from "./journal.ts";
import { between } from "./life.ts";
import { STATIONS } from "./plant.ts";
import type { Daemon, World } from "./world.ts";

/** Time goes on a little, and messages come. */
export async function breathe(world: World, daemon: Daemon, ms: number): Promise<void> {
  const { random, session, time } = world;
  for (let i = 0; i < 4; i++) {
    session.deliver(between(random, 0, 30));
    checkBounds(world, daemon);
    await time.pass(ms / 4);
    checkBounds(world, daemon);
  }
}

function checkBounds({ journal, bounds, outlet }: World, { life, gateway }: Daemon): void {
  if (!life.alive) return;
  // A lost engine gives back what it had, two batches a station; these had been taken in already.
  const framesMax = bounds.backlogFrames + STATIONS.length * 2 * bounds.batchMax;
  if (gateway.backlog() > framesMax)
    journal.violate(`${gateway.backlog()} frames wait, at most ${framesMax} may`);
  // 512 decisions, 64 alerts, and those of redelivered frames, at most as many as may be unacknowledged a turn.
  const pendingMax = 512 + 64 + bounds.receiveMaximum;
  if (outlet.pending > pendingMax) journal.violate(`${outlet.pending} messages wait for the broker`);
}

/** A life that was not killed has counted exactly what it has written. */
export function checkCounts(journal: Journal, { life, counts: { counted, written } }: Daemon): void {
  if (!life.alive) return;
  for (const key of new Set([...counted.keys(), ...written.keys()])) {
    if (counted.get(key) === written.get(key)) continue;
    journal.violate(`${key}: ${written.get(key) ?? 0} in the ledger, ${counted.get(key) ?? 0} counted`);
  }
}
