/** The parts of the daemon, each made from the configuration and the stations' setups. */

import { availableParallelism, setPriority } from "node:os";
import { frameSpecOf } from "../bundle/manifest.ts";
import type { Config } from "../config/schema.ts";
import type { GoldenFrame } from "../core/golden.ts";
import type { MonitorState } from "../core/judge.ts";
import type { DecisionRecord } from "../core/record.ts";
import { remembered } from "../core/remembered.ts";
import { startEngine } from "../engine/engine-process.ts";
import { decisionBody, timeWriter } from "../gateway/messages.ts";
import type { Clock, Log, Message } from "../gateway/ports.ts";
import type { ReviewDesk } from "../gateway/review-desk.ts";
import type { InForce, PartsOptions, StationOptions } from "../gateway/station.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type BaseTopics, isName } from "../mqtt/topics.ts";
import type { StationStatus } from "../schema/gateway-messages.ts";
import type { Gauges } from "../telemetry/metrics.ts";
import { type EnginePool, shareOf, startPool } from "./engine-pool.ts";
import type { Refused, StationsInForce } from "./in-force.ts";
import { type KeptEngine, keepEngine } from "./kept-engine.ts";
import { studentSpec } from "./models.ts";
import { type RestoredView, restoredUnanswered } from "./restored.ts";
import type { StationSetup } from "./station-setup.ts";

/** Of a process whose work can wait. */
const LEAST_PRIORITY = 19;

/**
 * Starts the engines of a station, each kept running.
 * @param inShadow one engine for a bundle in shadow, which gets what the others leave of the processor
 */
export function startEngines(
  station: Pick<StationSetup, "name" | "bundle" | "envelope">,
  config: Config,
  clock: Clock,
  log: Log,
  restarted: (engine: string) => void,
  inShadow = false,
): Promise<EnginePool> {
  const { manifest, studentBytes } = station.bundle;
  const { batchMax, startDeadlineSeconds, judgeDeadlineMs, judgeDeadlinePerFrameMs } = config.engines;
  const load = {
    student: studentBytes,
    model: studentSpec(manifest),
    frame: frameSpecOf(manifest.frame),
    preprocessing: manifest.preprocessing,
    envelope: station.envelope.fitted,
    golden: manifest.golden as readonly GoldenFrame[],
    batchMax,
  };
  const keep = (engine: string): Promise<KeptEngine> =>
    keepEngine(
      (ended) =>
        startEngine({
          modulePath: new URL("../engine/main.js", import.meta.url),
          load,
          startDeadlineMs: startDeadlineSeconds * 1000,
          judgeDeadlineMs,
          judgeDeadlinePerFrameMs,
          onStderr: (line) => log.warn({ engine, line }, "the engine says"),
          onExit: ({ expected, code, signal }) => {
            if (!expected) log.error({ engine, code, signal }, "the engine ended");
            ended();
          },
        }).then((started) => {
          if (inShadow) setPriority(started.pid, LEAST_PRIORITY);
          return started;
        }),
      clock,
      log,
      () => restarted(engine),
    );
  return startPool(inShadow ? [`${station.name}-shadow`] : engineNames(station.name, config), keep);
}

/** Names of a station's engines: STATION-1 and on. */
function engineNames(station: string, { engines, stations }: Config): readonly string[] {
  const names = Object.keys(stations);
  const count = engines.count ?? availableParallelism() - 1;
  const own = shareOf(count, names.length, names.indexOf(station));
  return Array.from({ length: own }, (_, i) => `${station}-${i + 1}`);
}

/** How a station puts parts together where its configuration does not say. */
const PARTS = { windowSeconds: 60, openMax: 1000 };

/** Undefined where the load is shared: another gateway gets some of a part's frames. */
export function partsOptions(
  { config, pattern }: StationSetup,
  { ledger }: Config,
): PartsOptions | undefined {
  if (pattern.isShared) return undefined;
  const { windowSeconds, openMax } = config.parts ?? {
    ...PARTS,
    windowSeconds: Math.min(PARTS.windowSeconds, ledger.dedupeWindowSeconds),
  };
  return { windowMs: windowSeconds * 1000, openMax };
}

export function stationOptions(setup: StationSetup, config: Config, inForce: InForce): StationOptions {
  const { frames } = setup.config;
  return {
    name: setup.name,
    match: setup.pattern.match,
    encodings: frames.encodings,
    sources: frames.sources === undefined ? undefined : new Set(frames.sources),
    frameBytesMax: frames.frameBytesMax,
    overload: setup.config.overload,
    parts: partsOptions(setup, config),
    ...inForce,
  };
}

/**
 * How many frames the broker may send ahead. Where every station holds, no more than may wait: so the broker
 * stops by itself, and the intake need not stop reading. Where one sheds, the broker has to send on.
 */
export function receiveMaximumOf({ broker, intake, stations }: Config): number {
  const sheds = Object.values(stations).some(({ overload }) => overload === "shed-oldest");
  return sheds ? broker.receiveMaximum : Math.min(broker.receiveMaximum, intake.backlogMax.frames);
}

/** How a recorded decision is published. */
export function decisionMessages(
  topics: BaseTopics,
  stations: readonly StationSetup[],
): (record: DecisionRecord) => Message {
  // A reject of a source whose level is no name must still be heard of.
  const topicOf = (station: string, source: string): string =>
    topics.decisions(station, isName(source) ? source : "unknown");
  const places = new Map(
    stations.map(({ name, config }) => [
      name,
      {
        qos: config.decisionQos,
        topicOf: remembered(SOURCES_REMEMBERED_MAX, (source) => topicOf(name, source)),
      },
    ]),
  );
  const timeText = timeWriter();
  return (record) => {
    // The ledger may still hold decisions of a station that is no longer configured.
    const place = places.get(record.station);
    return {
      topic: place?.topicOf(record.source) ?? topicOf(record.station, record.source),
      payload: JSON.stringify(decisionBody(record, timeText(record.decidedAtMs))),
      qos: place?.qos ?? 1,
      expirySeconds: DECISION_EXPIRY_SECONDS,
      correlation: record.correlation ?? undefined,
    };
  };
}

/** A decision that a consumer gets later than this is of no use: no decision in time is `review`. */
const DECISION_EXPIRY_SECONDS = 3600;
/** Of each station; a plant with more of them has its topics made again. */
const SOURCES_REMEMBERED_MAX = 1000;

/** What is retained on BASE/info: small, and changed by what comes into force, by acts, and else once a minute. */
export function infoOf(
  version: string,
  gateway: string,
  stations: readonly StationSetup[],
  ledger: Ledger,
  chainHead: string,
): object {
  const setAside = ledger.setAside();
  return {
    gateway,
    version,
    // What was decided before then is in another file, and is not known here.
    ...(setAside.length > 0 && { ledgersSetAside: setAside }),
    // Kept elsewhere, it shows later whether the ledger was cut off or written anew.
    chainHead,
    stations: stations.map(({ name, bundle, thresholds }) => ({
      station: name,
      bundle: bundle.manifest.name,
      bundleVersion: bundle.manifest.version,
      bundleSha256: bundle.digest,
      ...(bundle.signers.length > 0 && { bundleSignedBy: bundle.signers }),
      envelopeSha256: thresholds.envelope,
      revision: thresholds.revision,
    })),
  };
}

/** What is retained on BASE/stations/STATION. */
export function statusOf(
  { name, thresholds, certified, trust }: StationSetup,
  refused: Refused | undefined,
  desk: ReviewDesk,
  monitor: MonitorState,
  restored: RestoredView | undefined,
): StationStatus {
  const { open, held, overdue, oldestAtMs } = desk.standing(name);
  return {
    station: name,
    mode: thresholds.mode,
    monitor,
    revision: thresholds.revision,
    certified,
    // Whether signatures are demanded of what is in force.
    signed: trust !== undefined,
    openReviews: open,
    heldReviews: held,
    overdueReviews: overdue,
    ...(oldestAtMs !== null && { oldestReviewAt: new Date(oldestAtMs).toISOString() }),
    ...(refused !== undefined && { refused }),
    ...(restored !== undefined && { restored }),
  };
}

export function gaugesOf(
  inForce: StationsInForce,
  backlog: () => number,
  partsOpen: (station: string) => number,
  ledger: Ledger,
  desk: ReviewDesk,
  clock: Clock,
): Omit<Gauges, "isReady"> {
  return {
    reviewsOpen: () =>
      inForce.setups().map(({ name }) => {
        const { open, held, oldestAtMs } = desk.standing(name);
        return {
          station: name,
          open,
          held,
          oldestAgeSeconds: oldestAtMs === null ? 0 : (clock.nowMs() - oldestAtMs) / 1000,
        };
      }),
    alertsPending: () => ledger.alertsPending(),
    backlog,
    partsOpen: () => inForce.setups().map(({ name }) => ({ station: name, count: partsOpen(name) })),
    enginesUp: inForce.engines,
    thresholds: () =>
      inForce.setups().map(({ name, thresholds, certified }) => ({
        station: name,
        revision: thresholds.revision,
        mode: thresholds.mode,
        envelope: thresholds.envelope.slice(0, 12),
        isCertified: certified,
      })),
    restored: () =>
      inForce.setups().map(({ name }) => ({
        station: name,
        isUnanswered: restoredUnanswered(ledger.acts, name) !== undefined,
      })),
    riskBounds: () =>
      inForce.setups().flatMap(({ name, support, envelope }) => [
        ...(support.station === undefined
          ? []
          : [{ station: name, class: "", bound: support.station.upperBound }]),
        ...support.classes.map(({ classIndex, cell }) => ({
          station: name,
          class: envelope.fitted.classes[classIndex]!,
          bound: cell.upperBound,
        })),
      ]),
  };
}
