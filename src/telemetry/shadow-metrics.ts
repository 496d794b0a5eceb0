/** The metrics of stations in mode shadow, and of bundles that run in shadow beside the live one. */

import { Counter, type Registry } from "prom-client";

export function shadowMetrics(registry: Registry) {
  const registers = [registry];
  const judged = new Counter({
    name: "sekisho_shadow_frames_total",
    help: "Frames that the bundle in shadow has judged beside the live one.",
    labelNames: ["station"] as const,
    registers,
  });
  const differences = new Counter({
    name: "sekisho_shadow_differences_total",
    help: "Frames of which the bundle in shadow would have decided otherwise, or passed another class.",
    labelNames: ["station", "live", "shadow"] as const,
    registers,
  });
  const dropped = new Counter({
    name: "sekisho_shadow_dropped_total",
    help: "Frames that the bundle in shadow did not judge: it was busy, or its engine was lost. The live one did.",
    labelNames: ["station", "why"] as const,
    registers,
  });
  const wouldBe = new Counter({
    name: "sekisho_would_be_decisions_total",
    help: "Frames and parts of stations in mode shadow, by what would have been decided.",
    labelNames: ["station", "decision", "reason"] as const,
    registers,
  });
  return {
    wouldBe: (station: string, decision: string, reason: string): void =>
      wouldBe.inc({ station, decision, reason }),
    shadowJudged: (station: string): void => judged.inc({ station }),
    shadowDifference: (station: string, live: string, shadow: string): void =>
      differences.inc({ station, live, shadow }),
    shadowDropped: (station: string, why: "busy" | "engine-lost", frames: number): void =>
      dropped.inc({ station, why }, frames),
  };
}
