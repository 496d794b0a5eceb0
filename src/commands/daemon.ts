/** Puts the gateway together from its configuration, and takes it apart in order. */

import { originOf } from "../config/http.ts";
import type { Config } from "../config/schema.ts";
import type { KnownFrames } from "../core/audit.ts";
import type { Random } from "../core/random.ts";
import { createAuditor } from "../gateway/auditor.ts";
import { createGateway } from "../gateway/gateway.ts";
import { stateOnRecord } from "../gateway/monitor-restore.ts";
import type { Clock, Log, Message } from "../gateway/ports.ts";
import { createRelay } from "../gateway/relay.ts";
import { keepStatus } from "../gateway/status.ts";
import type { Users } from "../http/auth/users-file.ts";
import type { Entry } from "../http/entry.ts";
import { createIntake } from "../mqtt/intake.ts";
import { openPromise } from "../mqtt/probe.ts";
import { createPublisher } from "../mqtt/publisher.ts";
import { baseTopics } from "../mqtt/topics.ts";
import type { Locate } from "../schema/document.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { AUDIT_COINS } from "./audit-coins.ts";
import { openAudits } from "./audit-parts.ts";
import { brokerEvents } from "./broker-events.ts";
import { connectionOptions } from "./broker-files.ts";
import {
  decisionMessages,
  gaugesOf,
  infoOf,
  receiveMaximumOf,
  startEngines,
  stationOptions,
  statusOf,
} from "./daemon-parts.ts";
import { openFrameViews } from "./frame-views.ts";
import { createHistory } from "./history.ts";
import { openHttp } from "./http-parts.ts";
import { type Change, startStations } from "./in-force.ts";
import { keepLedger } from "./kept-ledger.ts";
import { keepMonitors, watchedOf } from "./kept-monitors.ts";
import { keepToldRevisions } from "./kept-told-revisions.ts";
import { readKnownFrames } from "./known-frames.ts";
import { publishHead } from "./published-head.ts";
import { heldAfterRestore, rereadAfterRestore, restoredUnanswered, restoredView } from "./restored.ts";
import { openAnswering, openDesk } from "./review-parts.ts";
import { sensitivityOf } from "./reviewer-sensitivity.ts";
import type { Vouch } from "./reviewers.ts";
import type { Progress } from "./service-manager.ts";
import { noteRefusal, rereadSettled, type SettleOptions, settleAtStart } from "./settle.ts";
import { openShadows } from "./shadow-parts.ts";
import type { StationSetup } from "./station-setup.ts";
import { Refusal } from "./terminal.ts";
import { createThresholdsDesk } from "./thresholds-desk.ts";
import { thresholdsRequests } from "./thresholds-requests.ts";

export interface DaemonOptions {
  readonly config: Config;
  readonly stations: readonly StationSetup[];
  /** Names a place in the configuration, for problems found when its files are read again. */
  readonly locate: Locate;
  /** Who may answer reviews over MQTT. */
  readonly vouch: Vouch;
  /** Who may use the HTTP API, as the users file has them. */
  readonly users: Users;
  /** Lets its holder into the console without a password. */
  readonly entry?: Entry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly version: string;
  /** Told what keeps the broker away, in words, or that nothing does any more. */
  readonly onBroker?: (trouble: string | undefined) => void;
}

export interface Daemon {
  readonly httpUrl: string;
  /** Where the first user is made, by whoever knows it; undefined where there is one. */
  readonly setupUrl: string | undefined;
  /** Resolves when frames are being judged; a broker that is away or refuses is waited for. */
  readonly ready: Promise<void>;
  /** What it has before it and is done with, and what is known to stand in the way. */
  progress(): Progress;
  /** Reads bundles and thresholds again, and puts in force what has changed and is not refused. */
  reload(): Promise<readonly Change[]>;
  /** Ordered shutdown; resolves when all is closed. */
  stop(): Promise<void>;
}

const STOP_DEADLINE_MS = 10_000;

/** Starts all parts and begins to connect. @throws if a part cannot be started; what had been is closed again */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { log } = options;
  const closers: (() => Promise<void> | void)[] = [];
  const closeAll = (): Promise<void> => closeInTurn(closers.splice(0).reverse(), log);
  try {
    return await start(options, closers, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Closes each, also when one fails; what fails is logged, and the rest is closed all the same. */
async function closeInTurn(closers: readonly (() => Promise<void> | void)[], log: Log): Promise<void> {
  for (const close of closers) {
    try {
      await close();
    } catch (error) {
      log.error({ error: (error as Error).message }, "a part could not be closed in order");
    }
  }
}

async function start(
  {
    config,
    stations: found,
    locate,
    vouch,
    users,
    entry,
    clock,
    random,
    log,
    version,
    onBroker,
  }: DaemonOptions,
  closers: (() => Promise<void> | void)[],
  closeAll: () => Promise<void>,
): Promise<Daemon> {
  const metrics = createMetrics();
  const topics = baseTopics(config.gateway);
  const connection = connectionOptions(config);

  const ledger = keepLedger(config.ledger, clock, log);
  closers.push(() => ledger.close());
  metrics.watchLedger(ledger);
  const session = ledger.nextSession();
  const settling: SettleOptions = {
    ...{ acts: ledger.acts, clock, log, countRefused: metrics.bundleRefused },
    monitorOf: (station) => monitors.state(station),
  };
  const { stations, refusals } = settleAtStart(found, {
    ...settling,
    monitorOf: (station) => stateOnRecord(ledger.acts, station),
  });
  if (config.trust === undefined) {
    log.warn(
      {},
      "the configuration trusts no keys: thresholds and bundles are taken unsigned; make keys with `sekisho keys new`, and name them in trust.keys",
    );
  }
  const known = new Map<string, KnownFrames | undefined>();
  for (const station of stations) known.set(station.name, await readKnownFrames(station));
  for (const { name } of stations) {
    const restored = restoredUnanswered(ledger.acts, name);
    if (restored === undefined) continue;
    log.warn(
      { station: name, restoredAt: new Date(restored.atMs).toISOString() },
      "the ledger was restored from a backup and has forgotten what came since: everything goes to review until a revision that is made from now on",
    );
  }
  const inForce = await startStations({
    stations: stations.map((station) => heldAfterRestore(ledger.acts, station)),
    startPool: (station) =>
      startEngines(station, config, clock, log, metrics.engineRestarted).catch((error: Error) => {
        throw new Refusal(`station ${station.name}, bundle ${station.bundle.folder}: ${error.message}`);
      }),
    reread: (station) => rereadAfterRestore(ledger.acts, rereadSettled(station, locate, settling)),
    refusedAtStart: refusals,
    onRefused(station, reason) {
      metrics.bundleRefused(station);
      noteRefusal(station, inForce.setupOf(station).thresholds.revision, reason, settling);
    },
    onMismatch: (station, reason) => monitors.fail(station, "digest", reason),
    known: (station) => known.get(station),
    clock,
    log,
  });
  closers.push(inForce.close);
  for (const { name } of stations) metrics.expectStation(name);
  for (const { engine } of inForce.engines()) metrics.expectEngine(engine);

  const broker = brokerEvents(log, clock, () => onBroker?.(broker.trouble()));
  const publisher = createPublisher({
    connection: { ...connection, clientId: `sekisho-${config.gateway}-publisher` },
    gateway: config.gateway,
    session,
    random,
    onEvent: broker.of("publisher"),
  });
  const monitors = keepMonitors({
    setups: stations,
    ...{ ledger, publisher, topicOf: topics.reviews, language: config.review.language, clock, random, log },
  });
  closers.push(monitors.close);
  const told = keepToldRevisions({
    stations: stations.map(({ name }) => name),
    ...{ ledger, publisher, topicOf: topics.reviews, language: config.review.language, clock, log },
  });
  closers.push(told.close);
  const tellIntake = broker.of("intake");
  const subscription = openPromise<void>();
  let isRefused = false;
  let hasSubscribed = false;
  let framesFlow = false;
  const subscribed = (): void => {
    isRefused = false;
    hasSubscribed = true;
    framesFlow = true;
    subscription.resolve();
  };
  const intake = createIntake({
    connection: {
      ...connection,
      clientId: `sekisho-${config.gateway}-intake`,
      sessionExpirySeconds: config.broker.sessionExpirySeconds,
    },
    filters: stations.map((station) => station.pattern.filter),
    receiveMaximum: receiveMaximumOf(config),
    nowMs: clock.nowMs,
    random,
    onEvent(event) {
      // Subscribed anew at each connect, before the first frame; a filter refused then is a station unheard. The
      // frames of a session that is found again do not wait for that: its answer may stand behind thousands of them.
      if (event.kind === "connected") framesFlow = hasSubscribed || event.sessionPresent;
      if (event.kind === "connection-lost" || event.kind === "left" || event.kind === "subscription-refused")
        framesFlow = false;
      if (event.kind === "subscription-refused") isRefused = true;
      if (event.kind === "subscribed") subscribed();
      tellIntake(event);
    },
  });
  const relay = createRelay({
    publisher,
    ledger,
    clock,
    metrics,
    log,
    decisionMessage: decisionMessages(topics, stations),
    alertMessage: (station, body): Message => ({ topic: topics.reviews(station), payload: body, qos: 1 }),
  });
  const parts = {
    config,
    book: ledger.reviews,
    relay,
    publisher,
    inForce,
    metrics,
    vouch,
    broker,
    random,
    clock,
    log,
  };
  const desk = openDesk(parts);
  closers.push(desk.close);
  const filters = stations.map((station) => station.pattern.filter);
  const answering = openAnswering(
    parts,
    desk,
    filters,
    thresholdsRequests(found[0]?.trust, (...given) => thresholds.submit(...given)),
  );
  const auditor = createAuditor({
    ...{ book: ledger.audits, acts: ledger.acts, coins: AUDIT_COINS, clock, log },
  });
  closers.push(auditor.close);
  const shadows = openShadows({ config, ledger, inForce, metrics, clock, log });
  closers.push(shadows.close);
  const audits = openAudits({
    ...{ config, book: ledger.audits, publisher, inForce, metrics, broker, random, clock, log },
    listener: {
      observeRisk: (station, evidence, words) =>
        monitors.observeRisk(station, evidence, words[config.review.language]),
      fail: (station) =>
        monitors.fail(
          station,
          "audits",
          `more than ${config.audits.backlogMax} of them, one after the other`,
        ),
    },
    isIdle: () => gateway.isIdle(),
  });
  closers.push(audits.close);
  metrics.watchEstimates(audits.gauges);
  const gateway = createGateway({
    ...{ auditor, shadows, monitors },
    stations: stations.map((station) => stationOptions(station, config, inForce.inForce(station.name))),
    intake,
    ledger,
    relay,
    clock,
    metrics,
    log,
    review: config.review,
    reviews: desk,
    idPrefix: `${ledger.epoch().toString(36)}-${session.toString(36)}`,
    batchMax: config.engines.batchMax,
    backlogMax: config.intake.backlogMax,
  });
  const head = publishHead(ledger, clock);
  const thresholds = createThresholdsDesk({
    ...{ acts: ledger.acts, append: ledger.acts.append, clock, log, monitorOf: settling.monitorOf },
    setupOf: (name) => inForce.setups().find((one) => one.name === name),
    apply: (setup) => inForce.replace(heldAfterRestore(ledger.acts, setup), gateway.putInForce),
    countRefused: metrics.bundleRefused,
  });
  const status = keepStatus({
    publisher,
    clock,
    log,
    stateTopic: topics.state,
    infoTopic: topics.info,
    session,
    info: () => infoOf(version, config.gateway, inForce.setups(), ledger, head.current()),
    stations: () =>
      inForce.setups().map((one) => ({
        topic: topics.station(one.name),
        status: statusOf(
          one,
          inForce.refused(one.name),
          desk,
          monitors.state(one.name),
          restoredView(ledger.acts, one.name),
        ),
      })),
  });
  metrics.watchAudits({
    stations: () => inForce.setups().map(({ name }) => name),
    standing: ledger.audits.standing,
    sensitivity: (station) => sensitivityOf(ledger.audits, station),
  });
  metrics.watchMonitors({ reports: () => inForce.setups().map(({ name }) => monitors.report(name)) });
  const trouble = (): string | undefined => {
    const idle = stations.find(({ name }) =>
      inForce.engines().every((one) => one.station !== name || !one.isUp),
    );
    if (gateway.trouble() !== undefined) return gateway.trouble();
    if (!(framesFlow && publisher.connected)) return broker.trouble() ?? "not connected to the broker";
    return idle && `the engines of station ${idle.name} are being restarted`;
  };
  metrics.watch({
    ...gaugesOf(inForce, gateway.backlog, gateway.partsOpen, ledger, desk, clock),
    isReady: () => trouble() === undefined,
  });
  const views = openFrameViews({ desk, setups: inForce.setups, clock, log });
  closers.push(views.close);
  const history = createHistory({
    ...{ counts: ledger.minuteCounts, stations: stations.map(({ name }) => name), clock, log },
    report: monitors.report,
  });
  closers.push(history.close);
  const http = await openHttp({
    ...{
      config,
      users,
      entry,
      desk,
      views,
      history,
      thresholds,
      ledger,
      audits,
      inForce,
      shadows,
      monitors,
      metrics,
    },
    ...{ trouble, clock, log },
  });
  closers.push(() => http.close());
  // The last word leaves behind all decisions; then the connection ends, and its will is not published.
  closers.push(() => {
    head.renew();
    return publisher.close(status.stop());
  });
  closers.push(() => intake.close());
  closers.push(answering.close);

  log.info(
    { session, http: http.url, ledger: config.ledger.path, chainHead: head.current() },
    "engines ready; connecting to the broker",
  );
  monitors.start(); // Before the auditor: what it finds past its deadline turns a monitor red.
  auditor.start();
  told.start();
  void shadows.follow(); // Nothing waits for it.
  const frames = gateway.start().then(() => {
    if (!isRefused) subscribed();
    return subscription.promise;
  });
  const ready = Promise.all([publisher.connect(), frames, answering.start(), audits.start()]).then(() => {
    const topics = Object.fromEntries(stations.map((station) => [station.name, station.pattern.filter]));
    log.info({ topics }, "judging frames");
  });
  ready.catch(() => {}); // Whoever awaits it is told; a stop before the first connection is no error.
  return {
    httpUrl: http.url,
    setupUrl: http.setupPath && (originOf(config.http) ?? http.url) + http.setupPath,
    ready,
    progress: () => ({ ...gateway.progress(), trouble: trouble() }),
    async reload() {
      const changes = await inForce.reload((station, next) => {
        gateway.putInForce(station, next);
        monitors.changed(watchedOf(inForce.setups().find(({ name }) => name === station)!));
      });
      await shadows.follow();
      return changes;
    },
    async stop() {
      log.info({}, "stopping: no more frames in, those taken in are decided and published");
      await answering.close(); // First: an answer that is given is also to be told of.
      await audits.close();
      await gateway.stop(STOP_DEADLINE_MS);
      await closeAll();
      log.info({ session, chainHead: head.current() }, "stopped");
    },
  };
}
