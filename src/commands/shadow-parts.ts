/** The shadow side of a daemon: engines for the bundles in shadow, and what compares them with the live ones. */

import type { Config } from "../config/schema.ts";
import type { Clock, Log } from "../gateway/ports.ts";
import { createShadows, type Shadows } from "../gateway/shadows.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { createMetrics } from "../telemetry/metrics.ts";
import { startEngines } from "./daemon-parts.ts";
import type { StationsInForce } from "./in-force.ts";
import { type KeptShadows, keepShadows } from "./kept-shadows.ts";

export interface ShadowParts {
  readonly config: Config;
  readonly ledger: Pick<Ledger, "shadow" | "acts">;
  readonly inForce: Pick<StationsInForce, "setups">;
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly clock: Clock;
  readonly log: Log;
}

export type ShadowSide = KeptShadows & Pick<Shadows, "offer">;

export function openShadows({ config, ledger, inForce, metrics, clock, log }: ShadowParts): ShadowSide {
  const { batchMax } = config.engines;
  const shadows = createShadows({ book: ledger.shadow, batchMax, metrics, clock, log });
  const kept = keepShadows({
    setups: inForce.setups,
    startPool: (setup) => startEngines(setup, config, clock, log, metrics.engineRestarted, true),
    ...{ shadows, acts: ledger.acts, clock, log },
  });
  return {
    ...kept,
    offer: shadows.offer,
    async close() {
      await kept.close();
      shadows.close();
    },
  };
}
