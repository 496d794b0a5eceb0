/** Whether the broker lets the gateway in, hear its frames, and say its decisions. */

import type { Config } from "../../config/schema.ts";
import type { ConnectionOptions } from "../../mqtt/client-options.ts";
import { connectProbe, type Probe } from "../../mqtt/probe.ts";
import { adviceOn } from "../broker-advice.ts";
import type { BrokerConnection } from "../broker-files.ts";
import { receiveMaximumOf } from "../daemon-parts.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

const CONNECT_TIMEOUT_MS = 4_000;
/** As an MQTT 5 broker means it that names none. */
const RECEIVE_MAXIMUM_MOST = 65_535;

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
  const connected = await connectProbe(doctorClient(gateway, connection, ""));
  if (!connected.ok) {
    return { findings: [fail("broker", connected.reason, adviceOn(connected.reason))], isUp: false };
  }
  const { probe } = connected;
  try {
    const findings = [versionFinding(broker.url, probe), ...limitFindings(config, probe)];
    findings.push(...(await hearFindings(config, probe)), await sayFinding(gateway, probe));
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

function limitFindings(config: Config, { version, limits }: Probe): readonly Finding[] {
  if (version !== "5") return [];
  const broker = limits.receiveMaximum ?? RECEIVE_MAXIMUM_MOST;
  const own = receiveMaximumOf(config);
  const found = `the broker takes ${broker} messages at a time, the gateway ${own}`;
  return [
    broker >= own
      ? ok("receive maximum", found)
      : warn(
          "receive maximum",
          found,
          `decisions wait for each other: set max_inflight_messages ${own} in mosquitto.conf (docs/mosquitto.conf)`,
        ),
  ];
}

/** By a filter without its group: in it, the doctor would be given frames that are the gateway's. */
async function hearFindings({ stations }: Config, probe: Probe): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [station, { frames }] of Object.entries(stations)) {
    const filter = frames.topic.replace(/^\$share\/[^/]+\//, "").replace(/\{source\}|\{frame\}/g, "+");
    const refused = await probe.subscribe(filter, 0);
    if (refused === undefined) await probe.unsubscribe(filter);
    const check = `hears ${station}`;
    findings.push(
      refused === undefined
        ? ok(check, `may subscribe to ${filter}`)
        : fail(check, `${filter}: ${refused}`, `allow it in the access list: topic read ${filter}`),
    );
  }
  return findings;
}

async function sayFinding(gateway: string, probe: Probe): Promise<Finding> {
  const topic = doctorTopic(gateway);
  const refused = await probe.publish(topic, "{}");
  if (refused === undefined) return ok("publishes", `may publish to ${topic}`);
  return fail(
    "publishes",
    `${topic}: ${refused}`,
    `allow it in the access list: topic write sekisho/${gateway}/#`,
  );
}
