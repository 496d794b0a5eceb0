/** The bundles that run in shadow: their engines, started and ended as the stations' files say, beside the live ones. */

import type { ActBook, Clock, Log } from "../gateway/ports.ts";
import type { Shadows } from "../gateway/shadows.ts";
import type { EnginePool } from "./engine-pool.ts";
import { readShadow, type ShadowSetup } from "./shadow-setup.ts";
import type { StationSetup } from "./station-setup.ts";

export interface KeptShadowsOptions {
  /** What is in force now. */
  readonly setups: () => readonly StationSetup[];
  /** Starts an engine; it has verified the bundle, warmed up and reproduced its golden frames. */
  readonly startPool: (setup: Pick<StationSetup, "name" | "bundle" | "envelope">) => Promise<EnginePool>;
  readonly shadows: Pick<Shadows, "put">;
  readonly acts: Pick<ActBook, "append" | "latest">;
  readonly clock: Clock;
  readonly log: Log;
}

/** How a station stands; `refused` says why nothing runs in shadow that should. */
export interface ShadowState {
  readonly state: "none" | "promoted" | "refused" | "running";
  readonly reason?: string;
  readonly bundle?: string;
}

interface Running {
  /** What it was started with. */
  readonly key: string;
  readonly pool: EnginePool;
}

export type KeptShadows = ReturnType<typeof keepShadows>;

export function keepShadows({ setups, startPool, shadows, acts, clock, log }: KeptShadowsOptions) {
  const running = new Map<string, Running>();
  const states = new Map<string, ShadowState>();
  let following: Promise<void> = Promise.resolve();
  let isClosing = false;

  async function end(station: string): Promise<void> {
    shadows.put(station, undefined);
    const before = running.get(station);
    running.delete(station);
    await before?.pool.close();
  }

  async function start(station: string, setup: ShadowSetup): Promise<ShadowState> {
    const { bundle, thresholds, rule, envelope } = setup;
    const key = JSON.stringify([bundle.digest, { ...thresholds, at: "" }]);
    const now = { state: "running", bundle: bundle.digest } as const;
    if (running.get(station)?.key === key) return now;
    await end(station);
    const pool = await startPool({ name: station, bundle, envelope });
    if (isClosing) {
      await pool.close();
      return now;
    }
    running.set(station, { key, pool });
    shadows.put(station, { engine: pool, classes: envelope.fitted.classes, bundle: bundle.digest, rule });
    log.info(
      { station, bundle: bundle.folder, bundleSha256: bundle.digest },
      "a bundle runs in shadow beside the live one; it decides nothing",
    );
    return now;
  }

  async function followOne(setup: StationSetup): Promise<ShadowState> {
    const read = readShadow(setup, new Date(clock.nowMs()));
    if (read.kind === "shadow") return start(setup.name, read.setup);
    await end(setup.name);
    if (read.kind === "promoted") notePromotion(setup);
    if (read.kind !== "refused") return { state: read.kind };
    throw new Error(read.reason);
  }

  /** Once, whether the gateway ran when it was promoted or not. */
  function notePromotion({ name, bundle, thresholds }: StationSetup): void {
    const { envelope, revision, proposedBy, approvedBy, why } = thresholds;
    const latest = acts.latest(name, "promoted");
    if (latest !== undefined && (latest.revision ?? 0) >= revision) return;
    if (latest !== undefined && (JSON.parse(latest.body) as { envelope: string }).envelope === envelope)
      return;
    const body = { ...{ bundle: bundle.digest, envelope }, ...{ proposedBy, approvedBy, why } };
    acts.append([
      { station: name, kind: "promoted", revision, atMs: clock.nowMs(), body: JSON.stringify(body) },
    ]);
    log.info({ station: name, bundle: bundle.folder, revision }, "the bundle in shadow is in force now");
  }

  async function followAll(): Promise<void> {
    for (const setup of setups()) {
      if (isClosing) return;
      try {
        states.set(setup.name, await followOne(setup));
      } catch (error) {
        const reason = (error as Error).message;
        states.set(setup.name, { state: "refused", reason });
        log.error(
          { station: setup.name, reason },
          "nothing runs in shadow at this station; the live bundle goes on",
        );
      }
    }
  }

  return {
    /** Reads again what is to run in shadow. Never rejects. */
    follow(): Promise<void> {
      following = following.then(followAll);
      return following;
    },

    stateOf: (station: string): ShadowState => states.get(station) ?? { state: "none" },

    async close(): Promise<void> {
      isClosing = true;
      await following;
      await Promise.all([...running.keys()].map(end));
    },
  };
}
