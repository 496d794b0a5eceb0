/** The daemon's monitors: what each station is watched by, and how operators are told. */

import { driftTest } from "../core/envelope/reference.ts";
import type { Random } from "../core/random.ts";
import type { Language } from "../core/review.ts";
import { createMonitors, type Monitors, type Watched } from "../gateway/monitors.ts";
import type { ActRow, Clock, Log, Message, Publisher } from "../gateway/ports.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { StationSetup } from "./station-setup.ts";

/** Sources of a station with windows of their own. */
const SOURCES_MAX = 1000;

export interface KeptMonitorsOptions {
  readonly setups: readonly StationSetup[];
  readonly ledger: Pick<Ledger, "acts" | "monitors" | "setAsideNow" | "epoch">;
  readonly publisher: Publisher;
  readonly topicOf: (station: string) => string;
  readonly language: Language;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export function keepMonitors(options: KeptMonitorsOptions): Monitors {
  const { setups, ledger, publisher, topicOf, language, clock, random, log } = options;
  const epoch = ledger.epoch().toString(36);
  const monitors = createMonitors({
    watched: setups.map(watchedOf),
    ...{ book: ledger.monitors, acts: ledger.acts, clock, random, log },
    tell(act, done) {
      publisher.publish(monitorMessage(topicOf(act.station), epoch, act, language), (error) => {
        if (error === undefined) done();
        else if (error.failure !== "offline")
          log.warn({ station: act.station, error: error.message }, "the monitor's alert is sent again");
      });
    },
  });
  const { setAsideNow } = ledger;
  if (setAsideNow !== undefined)
    monitors.failAll("ledger", `${setAsideNow.reason}; set aside as ${setAsideNow.file}`);
  return monitors;
}

/** What a station is watched by. */
export function watchedOf({ name, config, thresholds, envelope }: StationSetup): Watched {
  const { enabled, windowParts, windowSeconds, etaRef, etaMonitor } = config.monitor;
  const { reference } = envelope;
  const etas = { etaRef, etaMon: etaMonitor };
  return {
    ...{ station: name, revision: thresholds.revision, envelope: thresholds.envelope },
    window: { parts: windowParts, ms: windowSeconds * 1000, sourcesMax: SOURCES_MAX },
    tests:
      enabled && reference !== undefined
        ? {
            drift: driftTest(reference, etas),
            riskAlarmAt: 1 / etaMonitor,
          }
        : undefined,
  };
}

/** The same bytes at each resend: an act is written once, and consumers drop what they had by its id. */
function monitorMessage(topic: string, epoch: string, act: ActRow, language: Language): Message {
  const { state, sinceMs, evidence, words } = JSON.parse(act.body) as {
    readonly state: string;
    readonly sinceMs: number;
    readonly evidence: object;
    readonly words: Readonly<Record<Language, string>>;
  };
  const body = {
    ...{ type: "monitor", monitor: `${act.station}-monitor-${epoch}-${act.seq}`, station: act.station },
    ...{ state, since: new Date(sinceMs).toISOString(), evidence, text: words[language] },
    at: new Date(act.atMs).toISOString(),
  };
  return { topic, payload: JSON.stringify(body), qos: 1 };
}
