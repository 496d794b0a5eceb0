/** The gateway's metrics, as Prometheus reads them. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { VERDICT_KINDS } from "../core/review-record.ts";
import type { Alike } from "../gateway/ports.ts";
import { auditCounters, type EstimateGauges, registerEstimates } from "./audit-estimate-metrics.ts";
import { type AuditGauges, registerAudits } from "./audit-metrics.ts";
import { type LedgerGauges, registerLedger } from "./ledger-metrics.ts";
import { type MonitorGauges, registerMonitors } from "./monitor-metrics.ts";
import { shadowMetrics } from "./shadow-metrics.ts";

/** What is asked for at each scrape. */
export interface Gauges {
  readonly reviewsOpen: () => readonly {
    readonly station: string;
    readonly open: number;
    readonly held: number;
    readonly oldestAgeSeconds: number;
  }[];
  /** Whether frames are being judged. */
  readonly isReady: () => boolean;
  readonly alertsPending: () => number;
  readonly backlog: () => number;
  readonly partsOpen: () => readonly { readonly station: string; readonly count: number }[];
  readonly enginesUp: () => readonly { readonly engine: string; readonly isUp: boolean }[];
  readonly thresholds: () => readonly {
    readonly station: string;
    readonly revision: number;
    readonly mode: string;
    readonly envelope: string;
    readonly isCertified: boolean;
  }[];
  /** Whether everything of a station goes to review since its ledger was restored. */
  readonly restored: () => readonly { readonly station: string; readonly isUnanswered: boolean }[];
  readonly riskBounds: () => readonly {
    readonly station: string;
    readonly class: string;
    readonly bound: number;
  }[];
}

const LATENCY_SECONDS = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const STAGE_SECONDS = [0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1];

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const frames = new Counter({
    name: "sekisho_frames_total",
    help: "Frames decided, by decision and its reason.",
    labelNames: ["station", "decision", "reason"] as const,
    registers,
  });
  const parts = new Counter({
    name: "sekisho_parts_total",
    help: "Decisions on parts, by decision and its reason; their frames are counted as held.",
    labelNames: ["station", "decision", "reason"] as const,
    registers,
  });
  const classes = new Counter({
    name: "sekisho_class_decisions_total",
    help: "Decisions on frames and parts, by the class that the student takes them for.",
    labelNames: ["station", "class", "decision"] as const,
    registers,
  });
  const partsCut = new Counter({
    name: "sekisho_parts_cut_total",
    help: "Parts decided before their time, since more than parts.openMax were open.",
    labelNames: ["station"] as const,
    registers,
  });
  const redelivered = new Counter({
    name: "sekisho_frames_redelivered_total",
    help: "Frames delivered again after they had been decided; their recorded decision was published again.",
    labelNames: ["station"] as const,
    registers,
  });
  const unrouted = new Counter({
    name: "sekisho_frames_unrouted_total",
    help: "Messages on topics that no station takes, as an earlier configuration may have subscribed to.",
    registers,
  });
  const latency = new Histogram({
    name: "sekisho_frame_latency_seconds",
    help: "From the receipt of a frame to its decision on disk and handed to the broker.",
    labelNames: ["station"] as const,
    buckets: LATENCY_SECONDS,
    registers,
  });
  const stages = new Histogram({
    name: "sekisho_stage_duration_seconds",
    help: "Time that one batch spends in a stage of the main path.",
    labelNames: ["stage"] as const,
    buckets: STAGE_SECONDS,
    registers,
  });
  const engineRestarts = new Counter({
    name: "sekisho_engine_restarts_total",
    help: "Engines that ended unasked, each followed by another.",
    labelNames: ["engine"] as const,
    registers,
  });
  const bundlesRefused = new Counter({
    name: "sekisho_bundle_refused_total",
    help: "Bundles or thresholds that were to come into force and were refused; those of before go on.",
    labelNames: ["station"] as const,
    registers,
  });
  const publishRefused = new Counter({
    name: "sekisho_publish_refused_total",
    help: "Times that the broker did not take a decision, which is then passed over, or an alert, which is tried again.",
    labelNames: ["what"] as const,
    registers,
  });
  // There from the start, so that the first refusal is a rise.
  for (const what of ["decision", "alert"] as const) publishRefused.inc({ what }, 0);

  const verdicts = new Counter({
    name: "sekisho_verdicts_total",
    help: "Reviews answered, by what was said.",
    labelNames: ["station", "verdict"] as const,
    registers,
  });
  const reviewsOverdue = new Counter({
    name: "sekisho_reviews_overdue_total",
    help: "Reviews whose deadline passed without an answer.",
    labelNames: ["station"] as const,
    registers,
  });
  const reviewsExpired = new Counter({
    name: "sekisho_reviews_expired_total",
    help: "Reviews that ended without an answer, since more waited than review.unresolvedMax. Their frames were not passed.",
    labelNames: ["station"] as const,
    registers,
  });

  return {
    registry,
    ...auditCounters(registry),
    /** Counts of what has not happened yet are 0 and not missing: to Prometheus the first one is then a rise. */
    expectStation(station: string): void {
      for (const counter of [reviewsOverdue, reviewsExpired, bundlesRefused, redelivered, partsCut])
        counter.inc({ station }, 0);
      for (const verdict of VERDICT_KINDS) verdicts.inc({ station, verdict }, 0);
    },
    expectEngine: (engine: string): void => engineRestarts.inc({ engine }, 0),
    decided({ station, of, decision, reason, className }: Alike, count: number): void {
      (of === "part" ? parts : frames).inc({ station, decision, reason }, count);
      // A held frame is no decision; its part's is.
      if (className !== null && decision !== "held")
        classes.inc({ station, class: className, decision }, count);
    },
    latency: (station: string, seconds: number): void => latency.observe({ station }, seconds),
    partCut: (station: string): void => partsCut.inc({ station }),
    redelivered: (station: string): void => redelivered.inc({ station }),
    unrouted: (): void => unrouted.inc(),
    engineRestarted: (engine: string): void => engineRestarts.inc({ engine }),
    publishRefused: (what: "decision" | "alert"): void => publishRefused.inc({ what }),
    verdict: (station: string, verdict: string): void => verdicts.inc({ station, verdict }),
    reviewOverdue: (station: string): void => reviewsOverdue.inc({ station }),
    reviewExpired: (station: string): void => reviewsExpired.inc({ station }),
    bundleRefused: (station: string): void => bundlesRefused.inc({ station }),
    stage: (stage: string, seconds: number): void => stages.observe({ stage }, seconds),
    ...shadowMetrics(registry),
    /** Registers the gauges, which ask for their values when they are scraped. */
    watch: (gauges: Gauges): void => registerGauges(registry, gauges),
    /** The same of audits. */
    watchAudits: (audits: AuditGauges): void => registerAudits(registry, audits),
    /** The same of what they are estimated to say. */
    watchEstimates: (gauges: EstimateGauges): void => registerEstimates(registry, gauges),
    watchMonitors: (monitors: MonitorGauges): void => registerMonitors(registry, monitors),
    /** The same of the ledger. */
    watchLedger: (ledger: LedgerGauges): void => registerLedger(registry, ledger),
  };
}

function registerGauges(registry: Registry, gauges: Gauges): void {
  const registers = [registry];
  new Gauge({
    name: "sekisho_ready",
    help: "1 while frames are being judged; where it is 0, /readyz says why.",
    registers,
    collect() {
      this.set(gauges.isReady() ? 1 : 0);
    },
  });
  new Gauge({
    name: "sekisho_reviews_open",
    help: "Reviews that were announced and wait for a person, whether claimed or not.",
    labelNames: ["station"],
    registers,
    collect() {
      for (const { station, open } of gauges.reviewsOpen()) this.set({ station }, open);
    },
  });
  new Gauge({
    name: "sekisho_reviews_held",
    help: "Reviews that wait without an alert of their own: behind another's, or over the hourly budget.",
    labelNames: ["station"],
    registers,
    collect() {
      for (const { station, held } of gauges.reviewsOpen()) this.set({ station }, held);
    },
  });
  new Gauge({
    name: "sekisho_review_oldest_age_seconds",
    help: "Age of the oldest review that waits, held or open; 0 where none does.",
    labelNames: ["station"],
    registers,
    collect() {
      for (const { station, oldestAgeSeconds } of gauges.reviewsOpen())
        this.set({ station }, oldestAgeSeconds);
    },
  });
  new Gauge({
    name: "sekisho_parts_open",
    help: "Parts that wait for more of their frames.",
    labelNames: ["station"],
    registers,
    collect() {
      for (const { station, count } of gauges.partsOpen()) this.set({ station }, count);
    },
  });
  new Gauge({
    name: "sekisho_outbox_pending",
    help: "Alerts that the broker has not acknowledged yet.",
    registers,
    collect() {
      this.set(gauges.alertsPending());
    },
  });
  new Gauge({
    name: "sekisho_intake_backlog",
    help: "Frames taken in that no engine has yet.",
    registers,
    collect() {
      this.set(gauges.backlog());
    },
  });
  new Gauge({
    name: "sekisho_engine_up",
    help: "1 while the engine answers.",
    labelNames: ["engine"],
    registers,
    collect() {
      for (const { engine, isUp } of gauges.enginesUp()) this.set({ engine }, isUp ? 1 : 0);
    },
  });
  new Gauge({
    name: "sekisho_station_restored",
    help: "1 while everything of a station goes to review since its ledger was restored from a backup, until a revision made since answers for it.",
    labelNames: ["station"],
    registers,
    collect() {
      for (const { station, isUnanswered } of gauges.restored()) this.set({ station }, isUnanswered ? 1 : 0);
    },
  });
  new Gauge({
    name: "sekisho_thresholds_info",
    help: "1 for the thresholds in force.",
    labelNames: ["station", "revision", "mode", "envelope"],
    registers,
    collect() {
      this.reset();
      for (const { station, revision, mode, envelope } of gauges.thresholds()) {
        this.set({ station, revision: String(revision), mode, envelope }, 1);
      }
    },
  });
  new Gauge({
    name: "sekisho_thresholds_certified",
    help: "1 while the certificate supports the thresholds in force; 0 where they are stricter than what was proven, and no bound is published.",
    labelNames: ["station"],
    registers,
    collect() {
      for (const { station, isCertified } of gauges.thresholds()) this.set({ station }, isCertified ? 1 : 0);
    },
  });
  new Gauge({
    name: "sekisho_certificate_risk_bound",
    help: "Certified upper bound on the rate of unfaithful parts among those that pass; class is empty for the station.",
    labelNames: ["station", "class"],
    registers,
    collect() {
      this.reset();
      for (const { station, class: name, bound } of gauges.riskBounds())
        this.set({ station, class: name }, bound);
    },
  });
}
