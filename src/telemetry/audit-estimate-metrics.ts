/** The metrics of what audits say: how they were settled, and the estimates. */

import { Counter, Gauge, type Registry } from "prom-client";

export interface EstimateGauges {
  /** One for each station and question that is asked. */
  readonly audits: () => readonly {
    readonly station: string;
    readonly question: string;
    readonly upperBound: number;
    /** Undefined while no part has passed. */
    readonly risk: number | undefined;
  }[];
}

/** The counters, which are there from the start. */
export function auditCounters(registry: Registry) {
  const registers = [registry];
  const settled = new Counter({
    name: "sekisho_audits_total",
    help: "Audits settled, in the order of drawing, by question and answer; unanswered counts as bad in the estimates.",
    labelNames: ["station", "question", "answer"] as const,
    registers,
  });
  const ignored = new Counter({
    name: "sekisho_audit_answers_ignored_total",
    help: "Messages on the teachers' answers' topic that answer nothing that was asked.",
    registers,
  });
  return {
    settled: (station: string, question: string, answer: string): void =>
      settled.inc({ station, question, answer }),
    answerIgnored: (): void => ignored.inc(),
  };
}

export function registerEstimates(registry: Registry, { audits }: EstimateGauges): void {
  const labelNames = ["station", "question"] as const;
  const registers = [registry];
  new Gauge({
    name: "sekisho_audit_risk_upper_bound",
    help: "Bound on the rate of bad parts among those that pass under the thresholds in force, valid at every look: unfaithful ones by the teacher's question, wrong ones by the person's.",
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { station, question, upperBound } of audits()) this.set({ station, question }, upperBound);
    },
  });
  new Gauge({
    name: "sekisho_audit_risk_estimate",
    help: "Unbiased estimate of the same rate; not there while no part has passed.",
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { station, question, risk } of audits())
        if (risk !== undefined) this.set({ station, question }, risk);
    },
  });
}
