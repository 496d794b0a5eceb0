/** `sekisho doctor`: looks at broker, machine, files and engines as the gateway will find them, and says what to do. */

import type { Command } from "commander";
import { parseConfig } from "../config/config.ts";
import type { Config } from "../config/schema.ts";
import { formatJson } from "../schema/format-json.ts";
import { type BrokerConnection, connectionOptions } from "./broker-files.ts";
import { systemClock } from "./clock.ts";
import { brokerFindings } from "./doctor/broker.ts";
import { brokerCertificate, ownCertificate } from "./doctor/certificate.ts";
import { withCredentialSources } from "./doctor/credentials.ts";
import { engineFinding } from "./doctor/engine.ts";
import { type Finding, fail, ok, tableOf, type Within, withinAll } from "./doctor/finding.ts";
import { gatewayFindings } from "./doctor/gateway.ts";
import {
  clockFindings,
  fsyncFinding,
  nodeFinding,
  roomFinding,
  sharedMemoryFinding,
} from "./doctor/machine.ts";
import { queueFindings } from "./doctor/queue.ts";
import { readAll, type Surroundings } from "./run.ts";
import type { StationSetup } from "./station-setup.ts";
import { Refusal, refuse, type Terminal } from "./terminal.ts";

interface DoctorOptions {
  readonly config: string;
  readonly json?: boolean;
}

const SHORT_MS = 5_000;
const ENGINE_MS = 6_000;
const QUEUE_MS = 9_000;
/** For all together, however many stations there are. */
const TOTAL_MS = 60_000;

export function registerDoctor(program: Command, terminal: Terminal, { environment }: Surroundings): void {
  program
    .command("doctor")
    .description("look at broker, machine, files and engines, and say what to do")
    .option("--config <file>", "the configuration", "sekisho.yaml")
    .option("--json", "print one JSON document")
    .action((options: DoctorOptions) => doctor(options, terminal, environment));
}

async function doctor(
  { config: file, json }: DoctorOptions,
  terminal: Terminal,
  environment: Surroundings["environment"],
): Promise<void> {
  const parsed = parseConfig(file, environment);
  if (!parsed.ok) refuse(parsed.problems);
  const { stations, findings: read } = settings(file, environment);
  const config = withCredentialSources(parsed.value);
  const within = withinAll(TOTAL_MS, systemClock.monotonicMs);
  const findings = [
    ...read,
    nodeFinding(),
    // One after the other: an engine that is measured takes all of a processor, and fsync would wait for it.
    ...(await machine(config, stations, within)),
    ...(await broker(config, within)),
  ];
  for (const station of stations) {
    findings.push(
      ...(await within(`engine ${station.name}`, ENGINE_MS, async () => [
        await engineFinding(station, config, systemClock),
      ])),
    );
  }
  findings.push(...(await within("gateway", SHORT_MS, () => gatewayFindings(config))));
  terminal.out(json ? formatJson({ gateway: config.gateway, findings }) : tableOf(findings));
  const failed = findings.filter(({ level }) => level === "fail").map(({ check }) => check);
  if (failed.length > 0) {
    throw new Refusal(
      `${failed.length} of ${findings.length} findings fail: ${[...new Set(failed)].join(", ")}`,
    );
  }
}

/** The same reading as `run` and `check`, as findings. */
function settings(
  file: string,
  environment: Surroundings["environment"],
): { readonly stations: readonly StationSetup[]; readonly findings: readonly Finding[] } {
  try {
    const { stations } = readAll(file, environment);
    const names = stations.map(({ name, bundle, thresholds }) => {
      const { manifest } = bundle;
      return `${name} (${manifest.name} ${manifest.version}, revision ${thresholds.revision})`;
    });
    return { stations, findings: [ok("files", `${file}, bundles and thresholds fit: ${names.join(", ")}`)] };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const findings = error.message
      .split("\n")
      .map((line) => fail("files", line, "`sekisho check` says the same"));
    return { stations: [], findings };
  }
}

async function machine(
  config: Config,
  stations: readonly StationSetup[],
  within: Within,
): Promise<readonly Finding[]> {
  return [
    ...(await within("disk", SHORT_MS, async () => [roomFinding(config)])),
    ...(await within("fsync", SHORT_MS, async () => [fsyncFinding(config, systemClock.monotonicMs)])),
    ...(await within("clock", SHORT_MS, () => clockFindings(config, stations, systemClock.nowMs()))),
    sharedMemoryFinding(),
  ];
}

async function broker(config: Config, within: Within): Promise<readonly Finding[]> {
  let connection: BrokerConnection;
  try {
    connection = connectionOptions(config);
  } catch (error) {
    const advice = "run this as a user that may read it, root for systemd's credentials";
    return [fail("credentials", (error as Error).message, advice)];
  }
  const { url, tls } = connection;
  const nowMs = systemClock.nowMs();
  const certificate = await within("broker certificate", SHORT_MS, () => brokerCertificate(url, tls, nowMs));
  const found = [...ownCertificate(tls, nowMs), ...certificate];
  let isUp = false;
  const spoken = await within("broker", SHORT_MS, async () => {
    const { findings, isUp: connected } = await brokerFindings(config, connection);
    isUp = connected;
    return findings;
  });
  found.push(...spoken);
  const mayPublish = isUp && !spoken.some(({ check, level }) => check === "publishes" && level === "fail");
  if (mayPublish)
    found.push(...(await within("queue", QUEUE_MS, () => queueFindings(config.gateway, connection))));
  return found;
}
