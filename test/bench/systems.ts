/** What is measured, each a process of its own: the broker, the daemon, the naive peer, the load generator. */

import { type ChildProcess, execFileSync, fork, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { childrenOf } from "../support/processes.ts";
import type { GeneratorCommand, GeneratorReport } from "./generator.ts";
import { BROKER_CONFIG, MAIN } from "./places.ts";
import type { BenchStudent } from "./students.ts";

export interface Running {
  readonly pid: number;
  stop(): Promise<void>;
}

export interface System extends Running {
  readonly prefix: string;
  readonly decisions: string;
  /** Engine processes; none in the peer. */
  engines(): readonly number[];
  metrics(): Promise<string>;
}

/** How each of the systems that are compared is started. */
export type SystemName = "sekisho" | "naive" | "naive-qos0";

export async function aSystem(
  name: SystemName,
  student: BenchStudent,
  port: number,
  nodeArgs: readonly string[] = [],
): Promise<System> {
  return name === "sekisho"
    ? aDaemon(student, port, nodeArgs)
    : aNaivePeer(student, port, name === "naive" ? "1" : "0");
}

/** mosquitto with the shipped example configuration, persistence into a folder of its own. */
export async function aBroker(): Promise<Running & { readonly port: number }> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-bench-broker-"));
  const port = await freePort();
  const config = join(folder, "mosquitto.conf");
  const lines = [
    readFileSync(BROKER_CONFIG, "utf8"),
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    `persistence_location ${folder}/`,
    ...(process.getuid?.() === 0 ? ["user root"] : []),
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const program = spawn("mosquitto", ["-c", config], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` },
  });
  await shows(program, / running/);
  return { ...running(program, folder), port };
}

export function brokerVersion(): string {
  try {
    const path = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
    execFileSync("mosquitto", ["-h"], { env: { ...process.env, PATH: path }, stdio: "pipe" });
    return "unknown";
  } catch (error) {
    // It prints its help and ends with a status of its own.
    const { stdout } = error as { stdout?: Buffer };
    return /version (\S+)/.exec(String(stdout))?.[1] ?? "unknown";
  }
}

/** The arguments of node in the built command's first line. */
const nodeArgsOfMain = (): readonly string[] =>
  readFileSync(MAIN, "utf8").split("\n", 1)[0]!.split(" ").slice(3);

async function aDaemon(student: BenchStudent, port: number, nodeArgs: readonly string[]): Promise<System> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-bench-daemon-"));
  const config = join(folder, "sekisho.yaml");
  writeFileSync(
    config,
    `gateway: bench
broker:
  url: mqtt://127.0.0.1:${port}
stations:
  bench:
    frames:
      topic: plant/{source}/frames/{frame}
      encodings: [raw]
    bundle: ${student.bundle}
    thresholds: ${student.thresholds}
ledger:
  path: bench.ledger
http:
  port: 0
`,
  );
  const args = [...nodeArgsOfMain(), ...nodeArgs, MAIN, "run", "--config", config];
  const program = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const log = await shows(program, /judging frames/);
  const http = /"http":"(http:[^"]+)"/.exec(log)![1];
  return {
    ...running(program, folder),
    prefix: "plant",
    decisions: "sekisho/bench/decisions/#",
    engines: () => childrenOf(program.pid!),
    metrics: async () => (await fetch(`${http}/metrics`)).text(),
  };
}

async function aNaivePeer(student: BenchStudent, port: number, qos: "0" | "1"): Promise<System> {
  const module = fileURLToPath(new URL("peer.js", import.meta.url));
  const decisions = "peer/decisions";
  const args = [`mqtt://127.0.0.1:${port}`, student.studentFile, "plant", decisions, student.name, qos];
  const program = spawn(process.execPath, [module, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  await shows(program, /judging frames/);
  return {
    ...running(program),
    prefix: "plant",
    decisions,
    engines: () => [],
    metrics: async () => "",
  };
}

export interface Generator extends Running {
  ask(command: GeneratorCommand): Promise<GeneratorReport>;
}

export async function aGenerator(port: number, system: System, student: BenchStudent): Promise<Generator> {
  const program = fork(fileURLToPath(new URL("generator.js", import.meta.url)), {
    serialization: "advanced",
  });
  const ask = (command: GeneratorCommand): Promise<GeneratorReport> =>
    new Promise((resolve, reject) => {
      program.once("message", (report) => resolve(report as GeneratorReport));
      program.once("exit", (code) => reject(new Error(`the load generator ended with ${code}`)));
      program.send(command);
    });
  const { prefix, decisions } = system;
  await ask({ kind: "setup", port, prefix, decisions, pool: student.pool });
  return { ...running(program), ask };
}

function running(program: ChildProcess, folder?: string): Running {
  const ended = new Promise<void>((resolve) => program.once("exit", () => resolve()));
  const endWithUs = (): void => void program.kill("SIGKILL");
  process.once("exit", endWithUs);
  return {
    pid: program.pid!,
    async stop() {
      if (program.exitCode === null && program.signalCode === null) program.kill("SIGTERM");
      await ended;
      process.removeListener("exit", endWithUs);
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves with what a program has said when it has said this, and reads on. */
function shows(program: ChildProcess, text: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    let isFound = false;
    for (const stream of [program.stdout, program.stderr]) {
      stream?.on("data", (bytes: Buffer) => {
        if (isFound) return;
        said += bytes.toString();
        isFound = text.test(said);
        if (isFound) resolve(said);
      });
    }
    program.once("error", reject);
    program.once("exit", (code) =>
      reject(new Error(`ended with ${code} before it showed ${text}:\n${said}`)),
    );
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
