/** Whether the broker lets the gateway in, hear its frames, and say its decisions. */

import type { Config } from "../../config/schema.ts";
import type { ConnectionOptions } from "../../mqtt/client-options.ts";
import { connectProbe, type Probe } from "../../mqtt/probe.ts";
import { baseTopics } from "../../mqtt/topics.ts";
import { adviceOn } from "../broker-advice.ts";
import type { BrokerConnection } from "../broker-files.ts";
import { brokerCounters } from "./counters.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";
import { limitFindings } from "./limits.ts";

const CONNECT_TIMEOUT_MS = 4_000;

/** A connection of the doctor's own: under the gateway's client id it would throw the gateway off. */
export function doctorClient(gateway: string, connection: BrokerConnection, part: string): ConnectionOptions {
  return {
    ...connection,
    clientId: `sekisho-${gateway}-doctor${part}`,
    clean: true,
    sessionExpirySeconds: 0,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  };
}

export function doctorTopic(gateway: string): string {
  return `sekisho/${gateway}/doctor`;
}

/** Connects, and asks for what the gateway will ask for. */
export async function brokerFindings(
  config: Config,
  connection: BrokerConnection,
): Promise<{ readonly findings: readonly Finding[]; readonly isUp: boolean }> {
  const { gateway, broker } = config;
  const own = doctorClient(gateway, connection, "");
  const counters = brokerCounters();
  const connected = await connectProbe(own, counters.heard);
  if (!connected.ok) {
    return { findings: [fail("broker", connected.reason, adviceOn(connected.reason))], isUp: false };
  }
  const { probe } = connected;
  try {
    const findings = [versionFinding(broker.url, probe), ...limitFindings(config, probe)];
    findings.push(...(await hearFindings(config, probe)), ...(await sayFindings(gateway, probe)));
    findings.push(...(await counters.findings(probe)));
    return { findings, isUp: true };
  } finally {
    await probe.close();
  }
}

function versionFinding(url: string, { version }: Probe): Finding {
  const found = `${url} answers, MQTT ${version}`;
  return version === "5"
    ? ok("broker", found)
    : warn(
        "broker",
        found,
        "give frames their ids by {frame} in the topic, and see that the broker keeps sessions: 3.1.1 says neither",
      );
}

/** What the gateway will subscribe to. A station's without its group: in it, the doctor would be given frames. */
function neededFilters({ gateway, stations, audits }: Config): readonly (readonly [string, string])[] {
  const topics = baseTopics(gateway);
  return [
    ...Object.entries(stations).map(([station, { frames }]) => {
      const filter = frames.topic.replace(/^\$share\/[^/]+\//, "").replace(/\{source\}|\{frame\}/g, "+");
      return [`hears ${station}`, filter] as const;
    }),
    ["hears verdicts", topics.verdicts],
    ["hears requests", topics.request.replace("+", "thresholds")],
    ...(audits.teacher === "broker" ? [["hears teachers", topics.teacherResponse] as const] : []),
  ];
}

async function hearFindings(config: Config, probe: Probe): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [check, filter] of neededFilters(config)) {
    const refused = await probe.subscribe(filter, 0);
    if (refused === undefined) await probe.unsubscribe(filter);
    findings.push(
      refused === undefined
        ? ok(check, `may subscribe to ${filter}`)
        : fail(check, `${filter}: ${refused}`, `allow it in the access list: topic read ${filter}`),
    );
  }
  return findings;
}

/** Where nobody listens: on the plant's own topics, whoever does would take it for the gateway's word. */
async function sayFindings(gateway: string, probe: Probe): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const topic of [doctorTopic(gateway), baseTopics(gateway).response("doctor")]) {
    const refused = await probe.publish(topic, "{}");
    findings.push(
      refused === undefined
        ? ok("publishes", `may publish to ${topic}`)
        : fail(
            "publishes",
            `${topic}: ${refused}`,
            `allow it in the access list: topic write sekisho/${gateway}/#`,
          ),
    );
    if (refused !== undefined) break; // Over TLS some brokers end a connection on which they refused a message.
  }
  return findings;
}
