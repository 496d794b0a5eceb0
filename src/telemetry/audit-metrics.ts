/** The metrics of audits, asked for at each scrape. */

import { Gauge, type Registry } from "prom-client";
import type { Interval } from "../core/statistics/binomial-interval.ts";
import type { AuditBook } from "../gateway/ports.ts";

export interface AuditGauges {
  readonly stations: () => readonly string[];
  readonly standing: AuditBook["standing"];
  /** How many of the known frames reviewers see; undefined where none has been answered. */
  readonly sensitivity: (station: string) => Interval | undefined;
}

export function registerAudits(registry: Registry, { stations, standing, sensitivity }: AuditGauges): void {
  const registers = [registry];
  new Gauge({
    name: "sekisho_audits_waiting",
    help: "Audits that wait for an answer, by the question; at their deadline they count as bad.",
    labelNames: ["station", "question"],
    registers,
    collect() {
      for (const station of stations()) {
        const { teacher, person } = standing(station);
        this.set({ station, question: "teacher" }, teacher);
        this.set({ station, question: "person" }, person);
      }
    },
  });
  new Gauge({
    name: "sekisho_reviewer_sensitivity",
    help: "Exact 95% interval of the share of known frames that reviewers see for what they are; bound is lower or upper.",
    labelNames: ["station", "bound"],
    registers,
    collect() {
      for (const station of stations()) {
        const interval = sensitivity(station);
        if (interval === undefined) continue;
        this.set({ station, bound: "lower" }, interval.low);
        this.set({ station, bound: "upper" }, interval.high);
      }
    },
  });
}
