/** What happens at the bound of the backlog: stations that shed give up their oldest frames, else the intake holds. */

import { type BacklogBounds, hasDrained, isFull, takeToShed } from "./backlog.ts";
import type { Intake } from "./ports.ts";
import type { Station, Taken } from "./station.ts";

export interface ReliefOptions {
  readonly stations: readonly Station[];
  readonly bounds: BacklogBounds;
  readonly batchMax: number;
  readonly intake: Intake;
  /** Brings frames that are shed into the ledger; calls `done` when they are there, or were given back. */
  readonly shed: (station: Station, batch: readonly Taken[], done: () => void) => void;
}

export function createRelief({ stations, bounds, batchMax, intake, shed }: ReliefOptions) {
  const sheds = stations.some(({ overload }) => overload === "shed-oldest");
  let isHolding = false;
  let isShedding = false;

  /** One batch at a time: what is shed must be on disk, and a ledger that cannot be written is a queue too. */
  function makeRoom(): void {
    const oldest = isShedding ? undefined : takeToShed(stations, batchMax, bounds);
    if (oldest === undefined) return;
    isShedding = true;
    shed(oldest.station, oldest.batch, () => {
      isShedding = false;
    });
  }

  return {
    get isShedding() {
      return isShedding;
    },
    /** To be called whenever the backlog has changed. */
    look(): void {
      if (isFull(stations, bounds)) makeRoom();
      const isFullStill = isFull(stations, bounds);
      if (isFullStill && !isHolding) {
        isHolding = true;
        intake.hold();
        return;
      }
      // Who sheds keeps up with what comes; who holds waits for half, or would stop and go with every batch.
      const mayGoOn = sheds ? !isFullStill : hasDrained(stations, bounds);
      if (!isHolding || !mayGoOn) return;
      isHolding = false;
      intake.resume();
    },
  };
}
