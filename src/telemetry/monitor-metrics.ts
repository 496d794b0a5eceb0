/** The metrics of the monitors, asked for at each scrape. */

import { Gauge, type Registry } from "prom-client";
import type { MonitorState } from "../core/judge.ts";

export interface MonitorGauges {
  readonly reports: () => readonly {
    readonly station: string;
    readonly state: MonitorState;
    readonly evidence: { readonly drift: number; readonly risk: number } | undefined;
  }[];
}

const STATES: readonly MonitorState[] = ["off", "green", "amber", "red"];

export function registerMonitors(registry: Registry, { reports }: MonitorGauges): void {
  const registers = [registry];
  new Gauge({
    name: "sekisho_monitor_state",
    help: "1 for the state that the station's monitor is in, 0 for the others.",
    labelNames: ["station", "state"],
    registers,
    collect() {
      for (const { station, state } of reports())
        for (const one of STATES) this.set({ station, state: one }, one === state ? 1 : 0);
    },
  });
  new Gauge({
    name: "sekisho_monitor_evidence",
    help: "Evidence of the monitor's tests, 1 where there is none; amber at 10, red at 1 / eta.",
    labelNames: ["station", "test"],
    registers,
    collect() {
      for (const { station, evidence } of reports()) {
        if (evidence === undefined) continue;
        this.set({ station, test: "drift" }, evidence.drift);
        this.set({ station, test: "risk" }, evidence.risk);
      }
    },
  });
}
