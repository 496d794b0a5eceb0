/** The HTTP side of a daemon, made from its configuration, its desk and its ledger. */

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { Config } from "../config/schema.ts";
import { decisionBody } from "../gateway/messages.ts";
import type { MonitorReport, Monitors } from "../gateway/monitors.ts";
import type { Clock, Log } from "../gateway/ports.ts";
import type { ReviewDesk } from "../gateway/review-desk.ts";
import type { ApiOptions } from "../http/api.ts";
import type { DecisionView, StationView } from "../http/api-schemas.ts";
import { createAccounts } from "../http/auth/accounts.ts";
import { readUsers, type Users } from "../http/auth/users-file.ts";
import type { MonitorView } from "../http/monitor-route.ts";
import { type HttpServer, startHttp } from "../http/server.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Locate, Problem } from "../schema/document.ts";
import type { createMetrics } from "../telemetry/metrics.ts";
import type { Audits } from "./audit-parts.ts";
import { clearMonitor } from "./clear-monitor.ts";
import { statusOf } from "./daemon-parts.ts";
import type { StationsInForce } from "./in-force.ts";
import type { KeptShadows } from "./kept-shadows.ts";
import { reviewersOf } from "./reviewer-sensitivity.ts";
import { viewOf } from "./shadow/view.ts";
import { standingOf } from "./thresholds/standing.ts";
import type { ThresholdsDesk } from "./thresholds-desk.ts";

export interface HttpParts {
  readonly config: Config;
  /** Undefined where the configuration names no users file. */
  readonly users: Users | undefined;
  readonly desk: ReviewDesk;
  readonly thresholds: ThresholdsDesk;
  readonly ledger: Pick<Ledger, "lookBack" | "audits" | "shadow" | "acts">;
  readonly audits: Pick<Audits, "view">;
  readonly inForce: StationsInForce;
  readonly shadows: Pick<KeptShadows, "stateOf">;
  readonly monitors: Pick<Monitors, "state" | "report" | "clear">;
  readonly metrics: Pick<ReturnType<typeof createMetrics>, "registry">;
  readonly trouble: () => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export function openHttp(parts: HttpParts): Promise<HttpServer> {
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
    log,
  });
}

function apiOptions(parts: HttpParts): ApiOptions {
  const { config, users, desk, thresholds, ledger, audits, inForce, shadows, monitors, clock, log } = parts;
  const { usersFile, publicUrl, sessionIdleMinutes, sessionHours } = config.http;
  const isOpen = usersFile !== undefined && users !== undefined;
  return {
    accounts: isOpen ? createAccounts({ file: usersFile, users, nowMs: clock.nowMs, log }) : undefined,
    publicUrl,
    sessionIdleMs: sessionIdleMinutes * MINUTE_MS,
    sessionLifetimeMs: sessionHours * HOUR_MS,
    desk,
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
          ...statusOf(setup, inForce.refused(setup.name), desk, monitors.state(setup.name)),
          bundle: manifest.name,
          bundleVersion: manifest.version,
          classes: [...setup.envelope.fitted.classes],
          frame: manifest.frame,
        };
      }),
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
    decisions({ station, source, decision, before, limit }) {
      const page = ledger.lookBack({ station, source, decision, before, limit });
      return {
        decisions: page.decisions.map(
          (one) =>
            ({ id: one.id, ...decisionBody(one, new Date(one.decidedAtMs).toISOString()) }) as DecisionView,
        ),
        ...(page.next !== undefined && { next: page.next }),
      };
    },
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

/** Reads the users file, and tries certificate and key; undefined where the configuration names no users file. */
export function readHttpFiles(
  { http }: Config,
  locate: Locate,
):
  | { readonly ok: true; readonly users: Users | undefined }
  | { readonly ok: false; readonly problems: readonly Problem[] } {
  const read = http.usersFile === undefined ? undefined : readUsers(http.usersFile);
  const problems = [...(read?.ok === false ? read.problems : []), ...tlsProblems(http, locate)];
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, users: read?.ok === true ? read.value : undefined };
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
