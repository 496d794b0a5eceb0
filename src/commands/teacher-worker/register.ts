/** `sekisho teacher`: a worker that answers, for gateways on the same broker, whether audited frames are faithful. */

import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Command } from "commander";
import type { Log } from "../../gateway/ports.ts";
import { createResponder } from "../../mqtt/responder.ts";
import { isName, teacherFilters } from "../../mqtt/topics.ts";
import { createWorkerLog } from "../../telemetry/log.ts";
import { brokerEvents } from "../broker-events.ts";
import { systemClock } from "../clock.ts";
import type { Surroundings } from "../run.ts";
import { Refusal, type Terminal } from "../terminal.ts";
import { createTeacherAnswering } from "./answering.ts";
import { openReplay, type Replay } from "./replay.ts";

interface WorkerOptions {
  readonly broker: string;
  readonly protocol: string;
  readonly gateway?: readonly string[];
  readonly name: string;
  readonly usernameFile?: string;
  readonly passwordFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly json?: boolean;
}

const PROTOCOLS = ["auto", "5", "3.1.1"] as const;
const KEEPALIVE_SECONDS = 60;

export function registerTeacher(program: Command, terminal: Terminal, surroundings: Surroundings): void {
  program
    .command("teacher <dirs...>")
    .description("answer whether audited frames are faithful, for the gateways on a broker, by these bundles")
    .requiredOption("--broker <url>", "mqtt://, mqtts://, ws:// or wss://")
    .option("--protocol <version>", "auto, 5 or 3.1.1", "auto")
    .option("--gateway <name...>", "serve these gateways only")
    .option(
      "--name <name>",
      "this worker's name, in its answers",
      `teacher-${hostname()
        .replaceAll(/[^A-Za-z0-9_-]/g, "-")
        .slice(0, 40)}`,
    )
    .option("--username-file <file>", "the broker's user")
    .option("--password-file <file>", "and password")
    .option("--ca-file <file>", "PEM: who vouches for the broker")
    .option("--cert-file <file>", "PEM: this worker's certificate")
    .option("--key-file <file>", "PEM: and its key")
    .option("--json", "log one JSON object a line")
    .action((dirs: string[], options: WorkerOptions) => teach(dirs, options, terminal, surroundings));
}

async function teach(
  dirs: readonly string[],
  options: WorkerOptions,
  terminal: Terminal,
  surroundings: Surroundings,
): Promise<void> {
  const { name, protocol, gateway: gateways = [] } = options;
  for (const one of [name, ...gateways]) {
    if (!isName(one)) throw new Refusal(`teacher: expected a name of A-Z, a-z, 0-9, _ and -, found "${one}"`);
  }
  const version = PROTOCOLS.find((one) => one === protocol);
  if (version === undefined)
    throw new Refusal(`teacher: --protocol takes ${PROTOCOLS.join(", ")}, found "${protocol}"`);
  const asked = surroundings.stopAsked(["SIGTERM", "SIGINT"]);
  const log = options.json === true ? createWorkerLog(name) : plainLog(terminal);
  const replays: Replay[] = [];
  const closeReplays = async (): Promise<void> => {
    for (const one of replays.splice(0)) await one.close();
  };
  try {
    for (const dir of dirs)
      replays.push(await openReplay(dir, (line) => log.warn({ line }, "the decoder says")));
    const responder = createResponder({
      connection: {
        ...secretsOf(options),
        url: options.broker,
        // One that is chosen anew each time: two workers of one name must not throw each other out.
        clientId: `sekisho-teacher-${name}-${Math.floor(surroundings.random() * 2 ** 32).toString(36)}`,
        protocol: version,
        keepaliveSeconds: KEEPALIVE_SECONDS,
      },
      filters: (protocolVersion) => teacherFilters(gateways, protocolVersion === 5),
      random: { next: surroundings.random },
      onEvent: brokerEvents(log, systemClock).of("teacher"),
      onRefused: (problem) => log.error({ problem }, "no questions can come in"),
      onQuestion: (question) => answering.receive(question),
    });
    const answering = createTeacherAnswering({
      ...{ replays, worker: name, clock: systemClock, log },
      send: responder.send,
    });
    const bundles = replays.map((one) => ({ name: one.name, digest: one.digest }));
    log.info({ bundles, gateways: gateways.length === 0 ? "all" : gateways }, "connecting to the broker");
    try {
      const heard = responder.connect().then(() => log.info({ bundles }, "answering"));
      const signal = await Promise.race([asked, heard.then(() => asked)]);
      log.info(
        { signal },
        "asked to stop: the question at hand is answered, others are left to be asked again",
      );
    } catch (error) {
      throw new Refusal((error as Error).message);
    } finally {
      await answering.close();
      await responder.close();
    }
  } finally {
    await closeReplays();
  }
}

/** Lines that a person reads. */
function plainLog({ out }: Terminal): Log {
  const line = (fields: object, message: string): void => {
    const members = Object.entries(fields).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
    out(`${new Date(systemClock.nowMs()).toISOString()} ${[message, ...members].join("; ")}\n`);
  };
  return { debug() {}, info: line, warn: line, error: line };
}

/** Credentials are read from their files here and nowhere else. */
function secretsOf({ usernameFile, passwordFile, caFile, certFile, keyFile }: WorkerOptions) {
  const secret = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : readFileSync(file, "utf8").replace(/\r?\n$/, "");
  const pem = (file: string | undefined): Buffer | undefined =>
    file === undefined ? undefined : readFileSync(file);
  return {
    username: secret(usernameFile),
    password: secret(passwordFile),
    tls: { ca: pem(caFile), cert: pem(certFile), key: pem(keyFile) },
  };
}
