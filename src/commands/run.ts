/** `sekisho run` and `sekisho check`: the daemon, and everything that can be checked before it starts. */

import { setFlagsFromString } from "node:v8";
import type { Command } from "commander";
import { isConfigWrong, isMadeBySystemd, readConfig } from "../config/config.ts";
import type { Config } from "../config/schema.ts";
import type { Log } from "../gateway/ports.ts";
import { SETUP_LINK_MINUTES } from "../http/auth/setup.ts";
import type { Users } from "../http/auth/users-file.ts";
import type { Locate } from "../schema/document.ts";
import { formatJson } from "../schema/format-json.ts";
import { createLog } from "../telemetry/log.ts";
import { tlsFileProblems } from "./broker-files.ts";
import { systemClock } from "./clock.ts";
import { type Daemon, startDaemon } from "./daemon.ts";
import { readHttpFiles } from "./http-parts.ts";
import type { ShadowState } from "./kept-shadows.ts";
import { boundPercent } from "./prose.ts";
import { reviewersOf, type Vouch } from "./reviewers.ts";
import { serviceManager } from "./service-manager.ts";
import { readShadow } from "./shadow-setup.ts";
import { readStations, type StationSetup, setUpStations } from "./station-setup.ts";
import { Refusal, refuse, type Terminal } from "./terminal.ts";
import { readTrust } from "./trust.ts";

/** What a command needs of the process; only main.ts has the real one. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Resolves at the first of these signals, or when nobody reads the output any more. */
  readonly stopAsked: (signals: readonly ("SIGTERM" | "SIGINT" | "SIGHUP")[]) => Promise<string>;
  /** Calls at each SIGHUP, from now on. */
  readonly onReloadAsked: (call: () => void) => void;
  readonly random: () => number;
  readonly stdin: {
    readonly isTerminal: boolean;
    /** Asks on the terminal for what must not be seen. */
    askSecret(prompt: string): Promise<string>;
    readAll(): Promise<string>;
  };
}

export function registerRun(program: Command, terminal: Terminal, surroundings: Surroundings): void {
  program
    .command("run")
    .description("judge frames until told to stop")
    .option("--config <file>", "the configuration", "sekisho.yaml")
    .action((options: { config: string }) => run(options.config, terminal, surroundings));
  program
    .command("check")
    .description("check configuration, bundles and thresholds without connecting")
    .option("--config <file>", "the configuration", "sekisho.yaml")
    .option("--json", "print one JSON document")
    .action((options: { config: string; json?: boolean }) => check(options, terminal, surroundings));
}

/**
 * How far V8 lets the old part of its heap grow from one full run of the garbage collector to the next. It would wait
 * for twice as much and more, and hold some 100 MB of frames that are long gone; payloads, whose memory made it run
 * earlier, are no longer its own.
 */
const OLD_SPACE_GROWTH = "--heap-growing-percent=40";

async function run(file: string, terminal: Terminal, surroundings: Surroundings): Promise<void> {
  setFlagsFromString(OLD_SPACE_GROWTH);
  const { environment, version, stopAsked, onReloadAsked, random } = surroundings;
  const { config, stations, locate, vouch, users } = readToRun(file, environment);
  const log = createLog(config.log.level, config.gateway);
  const systemd = serviceManager({ environment, clock: systemClock, log });
  systemd.status("starting engines");
  let judges = false;
  const asked = stopAsked(["SIGTERM", "SIGINT"]); // From here on: a start that is broken off tidies up as well.
  const starting = startDaemon({
    config,
    stations,
    locate,
    vouch,
    users,
    clock: systemClock,
    random: { next: random },
    log,
    version,
    onBroker: (trouble) =>
      systemd.status(trouble ?? (judges ? "judging frames" : `connecting to ${config.broker.url}`)),
  });
  // From the start: what is asked for while it starts is done when it has.
  onReloadAsked(() => void reload(starting, log));
  const daemon = await starting;
  if (daemon.setupUrl !== undefined) terminal.err(setupWords(daemon.setupUrl));
  systemd.status(`engines ready; connecting to ${config.broker.url}`);
  const judging = daemon.ready.then(() => {
    judges = true;
    systemd.ready(daemon.progress);
  });
  try {
    const signal = await Promise.race([asked, judging.then(() => asked)]);
    log.info({ signal }, "asked to stop");
  } catch (error) {
    await daemon.stop();
    throw new Refusal((error as Error).message);
  }
  systemd.stopping();
  await daemon.stop();
}

/** A configuration that is wrong in itself is wrong usage: systemd need not try it again and again. */
function readToRun(file: string, environment: Surroundings["environment"]): ReadAll {
  try {
    return readAll(file, environment, readStations);
  } catch (error) {
    if (!(error instanceof Refusal) || !isConfigWrong(file, environment)) throw error;
    throw new Refusal(error.message, 2);
  }
}

/** Not in the log, which others may read long afterwards. */
function setupWords(url: string): string {
  return `Nobody may use the console yet. Make the first user here, within ${SETUP_LINK_MINUTES} minutes:\n\n  ${url}\n\nOr at this machine's terminal: sekisho users add NAME --role engineer\n`;
}

async function reload(starting: Promise<Daemon>, log: Log): Promise<void> {
  try {
    const daemon = await starting;
    log.info({}, "asked to read bundles and thresholds again");
    log.info({ changes: await daemon.reload() }, "bundles and thresholds were read again");
  } catch (error) {
    log.error({ error: (error as Error).stack }, "bundles and thresholds could not be read again");
  }
}

export interface ReadAll {
  readonly config: Config;
  readonly stations: readonly StationSetup[];
  readonly locate: Locate;
  readonly vouch: Vouch;
  readonly users: Users;
}

/** Reads configuration, bundles and thresholds, or refuses with every problem found. */
export function readAll(
  file: string,
  environment: Surroundings["environment"],
  readSetups = setUpStations,
): ReadAll {
  const parsed = readConfig(file, environment);
  if (!parsed.ok) return refuse(parsed.problems);
  const isThere = (path: string): boolean => !isMadeBySystemd(path, environment);
  const tls = tlsFileProblems(parsed.value, parsed.locate, isThere);
  if (tls.length > 0) return refuse(tls);
  const trusted = readTrust(parsed.value, parsed.locate);
  if (!trusted.ok) return refuse(trusted.problems);
  const setups = readSetups(parsed.value, parsed.locate, trusted.trust);
  if (!setups.ok) return refuse(setups.problems);
  const reviewers = reviewersOf(parsed.value.review, parsed.locate);
  if (!reviewers.ok) return refuse(reviewers.problems);
  const http = readHttpFiles(parsed.value, parsed.locate);
  if (!http.ok) return refuse(http.problems);
  const { value: config, locate } = parsed;
  return { config, stations: setups.stations, locate, vouch: reviewers.vouch, users: http.users };
}

function check(
  { config: file, json }: { config: string; json?: boolean },
  terminal: Terminal,
  { environment }: Surroundings,
): void {
  const { config, stations } = readAll(file, environment, setUpStations);
  const summary = {
    gateway: config.gateway,
    broker: config.broker.url,
    stations: stations.map(({ name, bundle, thresholds, support }, i) => ({
      station: name,
      bundle: `${bundle.manifest.name} ${bundle.manifest.version}`,
      bundleSignedBy: bundle.signers,
      mode: thresholds.mode,
      revision: thresholds.revision,
      lambda: thresholds.lambda,
      upperBound: support.station?.upperBound ?? null,
      classes: thresholds.classes,
      shadow: shadowOf(stations[i]!),
    })),
  };
  if (json) {
    terminal.out(formatJson(summary));
    return;
  }
  for (const station of summary.stations) {
    const bound =
      station.upperBound === null
        ? "nothing passes"
        : `at most ${boundPercent(station.upperBound)} of what passes is unfaithful`;
    terminal.out(
      `${station.station}: ${station.bundle}, ${station.mode}, revision ${station.revision}; ${bound}\n`,
    );
    const { state, reason, bundle } = station.shadow;
    if (state === "refused")
      terminal.err(`warning: ${station.station}: nothing can run in shadow: ${reason}\n`);
    else if (bundle !== undefined) terminal.out(`${station.station}: ${bundle} runs in shadow beside it\n`);
  }
  terminal.out(`${file} is fit to run\n`);
}

/** What cannot run in shadow keeps no station from running. */
function shadowOf(setup: StationSetup): ShadowState {
  const read = readShadow(setup, new Date());
  if (read.kind === "refused") return { state: "refused", reason: read.reason };
  if (read.kind !== "shadow") return { state: read.kind };
  const { name, version } = read.setup.bundle.manifest;
  return { state: "running", bundle: `${name} ${version}` };
}
