/** `sekisho demo`: a garment line on this machine, with nothing to install and nothing left behind. */

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";
import { readNpz } from "../bundle/npz.ts";
import { readConfig } from "../config/config.ts";
import type { Config } from "../config/schema.ts";
import { permutation, seededRandom } from "../core/random.ts";
import { AddressTaken } from "../http/server.ts";
import { startEmbeddedBroker } from "../mqtt/embedded-broker.ts";
import type { Locate } from "../schema/document.ts";
import { createLog } from "../telemetry/log.ts";
import { systemClock } from "./clock.ts";
import { type Daemon, startDaemon } from "./daemon.ts";
import { startCameras } from "./demo/cameras.ts";
import { consoleWords, type DemoConsole, demoConsole } from "./demo/console.ts";
import { clearRetained, listen } from "./demo/listener.ts";
import { brokerAddress, positive } from "./demo/options.ts";
import { createTally, type Tally } from "./demo/tally.ts";
import { drawView, summaryLines, type ViewState } from "./demo/view.ts";
import type { Surroundings } from "./run.ts";
import { type StationSetup, setUpStations } from "./station-setup.ts";
import { Refusal, refuse, type Terminal } from "./terminal.ts";

interface DemoOptions {
  readonly broker?: string;
  readonly rate: number;
  readonly foulAfter: number;
  readonly seconds?: number;
  readonly language: string;
}

const CAMERAS = ["cam-north", "cam-middle", "cam-south"];
const FOULING_CAMERA = "cam-middle";
const FOULING_SECONDS = 20;
/** A timer ticks no faster. */
const RATE_MAX = 1000;
/** A day. */
const SECONDS_MAX = 86_400;
const REDRAW_MS = 200;
const SUMMARY_MS = 2000;
const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));

export function registerDemo(program: Command, terminal: Terminal, surroundings: Surroundings): void {
  program
    .command("demo")
    .description(
      "watch a garment line: real frames over MQTT, judged by a real student; after a while a lens fouls",
    )
    .option("--broker <url>", "a broker of your own instead of the embedded one", brokerAddress)
    .option("--rate <n>", "frames a second of each camera", positive(RATE_MAX), 12)
    .option("--foul-after <seconds>", "when the lens begins to foul", positive(SECONDS_MAX), 30)
    .option("--seconds <n>", "end by itself after so long", positive(SECONDS_MAX))
    .addOption(new Option("--language <name>", "language of the alerts").choices(["en", "ja"]).default("en"))
    .action((options: DemoOptions) => demo(options, terminal, surroundings));
}

async function demo(options: DemoOptions, terminal: Terminal, surroundings: Surroundings): Promise<void> {
  const stopAsked = surroundings.stopAsked(["SIGTERM", "SIGINT", "SIGHUP"]);
  const folder = mkdtempSync(join(tmpdir(), "sekisho-demo-"));
  const closers: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const broker = options.broker === undefined ? await startEmbeddedBroker() : undefined;
    if (broker !== undefined) closers.push(() => broker.close());
    const brokerUrl = options.broker ?? broker!.url;
    const { config, station, locate } = demoStation(brokerUrl, folder, options, surroundings);

    closers.push(() => clearRetained(brokerUrl, config.gateway, station.name));
    const console = await demoConsole(join(folder, "users.json"));
    const daemon = await startDaemonOnFreePort(config, station, locate, folder, console, surroundings);
    closers.push(() => daemon.stop());
    const tally = createTally(CAMERAS);
    const listener = await listen(brokerUrl, config.gateway, tally);
    closers.push(() => listener.end());
    const isReady = await Promise.race([daemon.ready.then(() => true), stopAsked.then(() => false)]);
    if (!isReady) return;

    const cameras = await startCameras({
      brokerUrl,
      names: CAMERAS,
      topicOf: (source, frame) => `apparel/${source}/frames/${frame}`,
      frames: await demoFrames(station.bundle.folder),
      width: station.bundle.manifest.frame.shape[1]!,
      framesPerSecond: options.rate,
      fouling: {
        camera: FOULING_CAMERA,
        afterMs: 1000 * options.foulAfter,
        overMs: 1000 * FOULING_SECONDS,
      },
      clock: systemClock,
    });
    closers.push(() => cameras.stop());

    const startedMs = systemClock.monotonicMs();
    const stateOf = (): ViewState => ({
      tally,
      severity: cameras.severity,
      console: consoleWords(console, daemon.httpUrl),
      metricsUrl: `${daemon.httpUrl}/metrics`,
      brokerUrl,
      promise: promiseOf(station),
      elapsedSeconds: (systemClock.monotonicMs() - startedMs) / 1000,
      frameWidth: station.bundle.manifest.frame.shape[1]!,
    });
    closers.push(show(terminal, stateOf, tally));
    const deadline = options.seconds === undefined ? [] : [after(1000 * options.seconds)];
    await Promise.race([stopAsked, ...deadline]);
    closers.splice(1, 0, () => terminal.out(`${tally.frames().toLocaleString("en")} frames decided\n`));
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** The demo's configuration, checked like any other. */
function demoStation(
  brokerUrl: string,
  folder: string,
  { broker, language }: DemoOptions,
  { environment, random }: Surroundings,
): { config: Config; station: StationSetup; locate: Locate } {
  const parsed = readConfig(join(PACKAGE, "models", "apparel", "demo.yaml"), {
    ...environment,
    SEKISHO_BROKER_URL: brokerUrl,
    SEKISHO_LEDGER_PATH: join(folder, "demo.ledger"),
    SEKISHO_REVIEW_LANGUAGE: language,
    // On a broker of the user's own: no clash with another demo, and no session kept for long.
    SEKISHO_GATEWAY: broker === undefined ? "demo" : `demo-${random().toString(36).slice(2, 8)}`,
    SEKISHO_BROKER_SESSION_EXPIRY_SECONDS: "60",
  });
  if (!parsed.ok) return refuse(parsed.problems);
  const config = withOwnThresholds(parsed.value, folder);
  const setups = setUpStations(config, parsed.locate, undefined);
  if (!setups.ok) return refuse(setups.problems);
  return { config, station: setups.stations[0]!, locate: parsed.locate };
}

/** A stop at the console writes the file: the demo's, and not the package's. */
function withOwnThresholds(config: Config, folder: string): Config {
  const stations = Object.entries(config.stations).map(([name, station]) => {
    const thresholds = join(folder, `${name}.json`);
    copyFileSync(station.thresholds, thresholds);
    return [name, { ...station, thresholds }] as const;
  });
  return { ...config, stations: Object.fromEntries(stations) };
}

/** The usual port for metrics, or where that is taken one that the system gives. */
async function startDaemonOnFreePort(
  config: Config,
  station: StationSetup,
  locate: Locate,
  folder: string,
  { users, entry }: DemoConsole,
  { version, random }: Surroundings,
): Promise<Daemon> {
  const log = createLog("info", config.gateway, join(folder, "demo.log"));
  const start = (port: number): Promise<Daemon> =>
    startDaemon({
      config: { ...config, http: { ...config.http, port } },
      stations: [station],
      locate,
      // A broker of its own, for trying things out: nobody is vouched for.
      users,
      entry,
      vouch: (name) => ({ name, vouched: false, via: "mqtt" }),
      clock: systemClock,
      random: { next: random },
      log,
      version,
    });
  try {
    return await start(config.http.port);
  } catch (error) {
    if (error instanceof AddressTaken) return start(0);
    throw error;
  }
}

/** Draws until the returned function is called, which leaves the last picture standing. */
function show(terminal: Terminal, stateOf: () => ViewState, tally: Tally): () => void {
  const second = setInterval(tally.nextSecond, 1000);
  if (!terminal.isInteractive) {
    terminal.out(`${promiseLine(stateOf())}\n`);
    const summary = setInterval(() => terminal.out(`${summaryLines(stateOf()).join("\n")}\n`), SUMMARY_MS);
    return () => {
      clearInterval(second);
      clearInterval(summary);
    };
  }
  const lines = (): string[] => drawView(stateOf(), terminal.screen());
  const draw = (): void => terminal.out(`\x1b[H${lines().join("\x1b[K\n")}\x1b[K\x1b[J`);
  terminal.out(SCREEN.enter);
  draw();
  const redraw = setInterval(draw, REDRAW_MS);
  return () => {
    clearInterval(second);
    clearInterval(redraw);
    terminal.out(`${SCREEN.leave}${lines().join("\n")}\n`);
  };
}

/** A screen of its own, without a cursor: what the terminal showed before comes back. */
const SCREEN = { enter: "\x1b[?1049h\x1b[?25l", leave: "\x1b[?1049l\x1b[?25h" };

function promiseLine({ promise, console, metricsUrl, brokerUrl }: ViewState): string {
  return `${promise}\nconsole ${console.url}   ${console.login}\nmetrics ${metricsUrl}   broker ${brokerUrl}   Ctrl-C ends`;
}

/** The station's promise in one line. */
function promiseOf({ support, thresholds, envelope }: StationSetup): string {
  const { station } = support;
  if (station === undefined) return "nothing is certified: everything goes to a person";
  const classes = `${thresholds.classes.length} of ${envelope.fitted.classes.length} classes`;
  const trust = Math.round(100 * (1 - thresholds.eta));
  return `certified with ${trust}% confidence: at most ${(100 * station.upperBound).toFixed(1)}% of what passes (${classes}) is unfaithful to the teacher`;
}

async function demoFrames(bundle: string): Promise<readonly Uint8Array[]> {
  const file = join(bundle, "frames", "demo.npz");
  const frames = (await readNpz(file, file)).get("frames");
  if (frames === undefined || !(frames.values instanceof Uint8Array)) {
    throw new Refusal(`${file}: expected an array "frames" of uint8; install the package again`);
  }
  const values = frames.values;
  const count = frames.shape[0] ?? 0;
  const length = values.length / count;
  // The file goes class by class; a line does not.
  return Array.from(permutation(count, seededRandom(1)), (i) =>
    values.subarray(i * length, (i + 1) * length),
  );
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.after(ms, resolve);
  });
}
