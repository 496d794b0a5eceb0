/** The HTTP side of a daemon, made from its configuration, its desk and its ledger. */

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { fileURLToPath } from "node:url";
import { usersFileOf } from "../config/http.ts";
import type { Config } from "../config/schema.ts";
import type { MonitorReport, Monitors } from "../gateway/monitors.ts";
import type { Clock, Log } from "../gateway/ports.ts";
import type { ReviewDesk } from "../gateway/review-desk.ts";
import type { ApiOptions } from "../http/api.ts";
import type { StationView } from "../http/api-schemas.ts";
import { createAccounts } from "../http/auth/accounts.ts";
import { NOBODY, readUsers, type Users } from "../http/auth/users-file.ts";
import { type ConsoleFile, readConsole } from "../http/console/files.ts";
import type { Entry } from "../http/entry.ts";
import type { MonitorView } from "../http/monitor-route.ts";
import { type HttpServer, startHttp } from "../http/server.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Locate, Problem } from "../schema/document.ts";
import type { createMetrics } from "../telemetry/metrics.ts";
import type { Audits } from "./audit-parts.ts";
import { createCertificateViews } from "./certificate-view.ts";
import { clearMonitor } from "./clear-monitor.ts";
import { statusOf } from "./daemon-parts.ts";
import { sliceOf } from "./decision-slices.ts";
import type { FrameViews } from "./frame-views.ts";
import type { History } from "./history.ts";
import type { StationsInForce } from "./in-force.ts";
import type { KeptShadows } from "./kept-shadows.ts";
import { restoredView } from "./restored.ts";
import { reviewersOf } from "./reviewer-sensitivity.ts";
import { viewOf } from "./shadow/view.ts";
import { createStationReplay } from "./station-replay.ts";
import { standingOf } from "./thresholds/standing.ts";
import type { ThresholdsDesk } from "./thresholds-desk.ts";

export interface HttpParts {
  readonly config: Config;
  readonly users: Users;
  readonly entry: Entry | undefined;
  readonly desk: ReviewDesk;
  readonly thresholds: ThresholdsDesk;
  readonly ledger: Pick<Ledger, "lookBack" | "audits" | "shadow" | "acts">;
  readonly audits: Pick<Audits, "view">;
  readonly inForce: StationsInForce;
  readonly shadows: Pick<KeptShadows, "stateOf">;
  readonly monitors: Pick<Monitors, "state" | "report" | "clear">;
  readonly views: FrameViews;
  readonly history: History;
  readonly metrics: Pick<ReturnType<typeof createMetrics>, "registry">;
  readonly trouble: () => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Where the build puts the console, beside the commands. */
const CONSOLE = fileURLToPath(new URL("../web/", import.meta.url));

export async function openHttp(parts: HttpParts): Promise<HttpServer> {
  const { config, metrics, trouble, log } = parts;
  const { host, port, tls, behindProxy } = config.http;
  return startHttp({
    host,
    port,
    tls: tls && { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) },
    behindProxy,
    metrics: metrics.registry,
    trouble,
    api: apiOptions(parts),
    console: await builtConsole(log),
    log,
  });
}

/** A gateway judges frames without its console as well. */
async function builtConsole(log: Log): Promise<readonly ConsoleFile[] | undefined> {
  try {
    return await readConsole(CONSOLE);
  } catch (error) {
    log.error({ error: (error as Error).message }, "the console cannot be read, and is not served");
    return undefined;
  }
}

function apiOptions(parts: HttpParts): ApiOptions {
  const { config, users, desk, thresholds, ledger, audits, inForce, shadows, monitors, clock, log } = parts;
  const { publicUrl, sessionIdleMinutes, sessionHours } = config.http;
  return {
    accounts: createAccounts({ file: usersFileOf(config).file, users, nowMs: clock.nowMs, log }),
    entry: parts.entry,
    publicUrl,
    sessionIdleMs: sessionIdleMinutes * MINUTE_MS,
    sessionLifetimeMs: sessionHours * HOUR_MS,
    desk,
    shownFrame: parts.views.shownFrame,
    submitThresholds(station, document) {
      const answer = thresholds.submit(station, document, "api");
      return { ...answer, reasons: [...answer.reasons] };
    },
    thresholdsOf(station, log) {
      const setup = inForce.setups().find(({ name }) => name === station);
      return setup && standingOf(setup, ledger.acts, log);
    },
    stations: () =>
      inForce.setups().map((setup): StationView => {
        const { manifest } = setup.bundle;
        const reviewers = reviewersOf(ledger.audits, setup.name);
        return {
          ...(reviewers !== undefined && { reviewers }),
          ...statusOf(
            setup,
            inForce.refused(setup.name),
            desk,
            monitors.state(setup.name),
            restoredView(ledger.acts, setup.name),
          ),
          bundle: manifest.name,
          bundleVersion: manifest.version,
          classes: [...setup.envelope.fitted.classes],
          frame: manifest.frame,
        };
      }),
    history: parts.history.of,
    certificate: createCertificateViews({ setups: inForce.setups, audits: audits.view }),
    replay: createStationReplay({ config, setups: inForce.setups, clock }),
    shadow: (station) =>
      Object.hasOwn(config.stations, station)
        ? viewOf(station, shadows.stateOf(station), ledger.shadow.latest(station))
        : undefined,
    monitor: (station) =>
      Object.hasOwn(config.stations, station) ? monitorView(monitors.report(station)) : undefined,
    clearMonitor(station, body, by) {
      const setup = inForce.setups().find(({ name }) => name === station)!;
      return clearMonitor(monitors, setup, body, by);
    },
    lookBack: sliceOf(ledger.lookBack),
    audits: ledger.audits,
    stationAudits: audits.view,
    clock,
    random: randomBytes,
    log,
  };
}

function monitorView({ sinceMs, evidence, ...report }: MonitorReport): MonitorView {
  return {
    ...report,
    ...(sinceMs !== undefined && { since: new Date(sinceMs).toISOString() }),
    ...(evidence !== undefined && { evidence }),
  };
}

/** Reads the users file, and tries certificate and key. */
export function readHttpFiles(
  config: Config,
  locate: Locate,
):
  | { readonly ok: true; readonly users: Users }
  | { readonly ok: false; readonly problems: readonly Problem[] } {
  const { file, isNamed } = usersFileOf(config);
  const read = isNamed || existsSync(file) ? readUsers(file) : ({ ok: true, value: NOBODY } as const);
  const problems = [...(read.ok ? [] : read.problems), ...tlsProblems(config.http, locate)];
  if (!read.ok || problems.length > 0) return { ok: false, problems };
  return { ok: true, users: read.value };
}

function tlsProblems({ tls }: Config["http"], locate: Locate): readonly Problem[] {
  if (tls === undefined) return [];
  try {
    createSecureContext({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) });
    return [];
  } catch (error) {
    const message = `http.tls: expected a certificate in ${tls.certFile} and its key in ${tls.keyFile}, both PEM: ${(error as Error).message}`;
    return [locate(["http", "tls"], message)];
  }
}
