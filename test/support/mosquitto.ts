/** A real broker for tests: mosquitto on a free loopback port, with a directory of its own. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "vitest";
import { anEventLog, type EventLog } from "./event-log.ts";

export interface MosquittoOptions {
  /** Sessions and messages outlive `stop` and `restart`; not `kill`. */
  readonly persistence?: boolean;
  /** Where another broker was; one of the system's choice where left out. */
  readonly port?: number;
  /** Further lines of mosquitto.conf. */
  readonly extraConfig?: string;
  /** Given all that it logs: each packet that it takes and sends, by its own word. Without, it logs little. */
  readonly onLog?: (text: string) => void;
  /** Files beside mosquitto.conf, by name; DIR in `extraConfig` stands for where they are. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Which lines of its log are kept. */
  readonly keepLog?: RegExp;
}

export interface Mosquitto {
  readonly url: string;
  readonly port: number;
  /** Lines of its log, as far as `keepLog` keeps them. */
  readonly log: EventLog<string>;
  /** Ends it in good order, the way an administrator does. */
  stop(): Promise<void>;
  /** Ends it by SIGKILL. */
  kill(): Promise<void>;
  /** Stops it if it runs, and starts it on the same port. */
  restart(): Promise<void>;
}

/** Stop it in the end, also when the test fails: `onTestFinished(broker.stop)`. */
export async function aMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const program = findMosquitto();
  if (program === undefined) throw new Error(MISSING);
  const dir = mkdtempSync(join(tmpdir(), "sekisho-mosquitto-"));
  for (const [name, content] of Object.entries(options.files ?? {})) writeFileSync(join(dir, name), content);
  const config = join(dir, "mosquitto.conf");
  const log = anEventLog<string>();
  const onLine = (line: string) => options.keepLog?.test(line) && log.push(line);
  let port = 0;
  let running: Running | undefined;
  for (let tries = 1; running === undefined; tries++) {
    port = options.port ?? (await freePort());
    writeFileSync(config, configText(options, dir, port));
    running = await start(program, config, port, onLine, options.onLog).catch((error: Error) => {
      // Another test took the port between asking for it and using it.
      if (tries < 5 && error.message.includes("Address already in use")) return undefined;
      throw error;
    });
  }

  const end = async (signal: NodeJS.Signals) => {
    await running?.end(signal);
  };
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    log,
    async stop() {
      await end("SIGTERM");
      rmSync(dir, { recursive: true, force: true });
    },
    kill: () => end("SIGKILL"),
    async restart() {
      await end("SIGTERM");
      running = await start(program, config, port, onLine, options.onLog);
    },
  };
}

function configText(options: MosquittoOptions, dir: string, port: number): string {
  return [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "set_tcp_nodelay true",
    "max_inflight_messages 1000",
    "max_queued_messages 0",
    "log_dest stderr",
    ...(options.onLog ? ["all"] : ["error", "warning", "notice", "information"]).map((t) => `log_type ${t}`),
    // As root it would change to a user that cannot write here.
    ...(process.getuid?.() === 0 ? ["user root"] : []),
    ...(options.persistence ? ["persistence true", `persistence_location ${dir}/`] : ["persistence false"]),
    (options.extraConfig ?? "").replaceAll("DIR", dir),
    "",
  ].join("\n");
}

interface Running {
  end(signal: NodeJS.Signals): Promise<void>;
}

async function start(
  program: string,
  config: string,
  port: number,
  onLine: (line: string) => void,
  onLog?: (text: string) => void,
): Promise<Running> {
  const child = spawn(program, ["-c", config], { stdio: ["ignore", "ignore", "pipe"] });
  createInterface(child.stderr).on("line", onLine);
  const endWithUs = () => child.kill("SIGKILL");
  process.once("exit", endWithUs);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  if (onLog !== undefined) child.stderr.on("data", (bytes: Buffer) => onLog(bytes.toString()));
  await ready(child);
  await accepts(port);
  return {
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
      process.removeListener("exit", endWithUs);
    },
  };
}

/** Resolves on mosquitto's own word that it runs. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = "";
    child.stderr!.on("data", (bytes: Buffer) => {
      // Read on, or the pipe fills up and mosquitto stands still.
      if (log === RUNNING) return;
      log += bytes.toString();
      if (!/mosquitto version \S+ running/.test(log)) return;
      log = RUNNING;
      resolve();
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`mosquitto ended with ${code}:\n${log}`)));
  });
}

const RUNNING = "running";

function accepts(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function findMosquitto(): string | undefined {
  const places = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return places
    .map((place) => join(place, "mosquitto"))
    .find((program) => spawnSync(program, ["-h"], { stdio: "ignore" }).error === undefined);
}

const MISSING =
  "mosquitto is missing. Install it: apt-get install mosquitto (Debian, Ubuntu), brew install mosquitto (macOS)";

/** A suite that needs mosquitto. Without it: not run, and said so loudly; under CI=true a failure. */
export function describeWithMosquitto(name: string, suite: () => void): void {
  if (findMosquitto() !== undefined) {
    describe(name, suite);
  } else if (process.env.CI === "true") {
    describe(name, () => {
      test("needs mosquitto", () => {
        throw new Error(MISSING);
      });
    });
  } else {
    process.stderr.write(`\n!!! NOT RUN: suite "${name}". ${MISSING}\n\n`);
    describe.skip(name, suite);
  }
}
