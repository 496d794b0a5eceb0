#!/usr/bin/env -S node --max-semi-space-size=4 --v8-pool-size=1
/** The command line; the only user of `process`. */

import { readFileSync } from "node:fs";
import process from "node:process";
import { text } from "node:stream/consumers";
import { Command, CommanderError } from "commander";
import { EvidenceError } from "./bundle/evidence.ts";
import { ImageFolderError } from "./bundle/image-folder.ts";
import { NpzError } from "./bundle/npz.ts";
import { registerBackup } from "./commands/backup.ts";
import { registerBundle } from "./commands/bundle.ts";
import { registerCertify } from "./commands/certify.ts";
import { registerCompletion } from "./commands/completion.ts";
import { registerDemo } from "./commands/demo.ts";
import { registerDoctor } from "./commands/doctor.ts";
import { registerEvaluate } from "./commands/evaluate.ts";
import { registerKeys } from "./commands/keys.ts";
import { registerLedger } from "./commands/ledger.ts";
import { registerMonitor } from "./commands/monitor.ts";
import { registerRecord } from "./commands/record.ts";
import { registerReplay } from "./commands/replay.ts";
import { registerRestore } from "./commands/restore.ts";
import { registerReview } from "./commands/review.ts";
import { registerRun, type Surroundings } from "./commands/run.ts";
import { registerShadow } from "./commands/shadow.ts";
import { registerTeacher } from "./commands/teacher-worker/register.ts";
import { Refusal, type Terminal } from "./commands/terminal.ts";
import { registerThresholds } from "./commands/thresholds.ts";
import { registerTokens } from "./commands/tokens.ts";
import { askSecret } from "./commands/users/ask-secret.ts";
import { registerUsers } from "./commands/users.ts";
import { AddressTaken } from "./http/server.ts";
import { LedgerError } from "./ledger/errors.ts";

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isInteractive:
    process.stdout.isTTY === true && process.stderr.isTTY === true && process.env.TERM !== "dumb",
  screen: () => ({
    columns: process.stdout.columns || 100, // Undefined in a pipe; 0 on a terminal that does not know.
    rows: process.stdout.rows || 24,
    hasColours: !process.env.NO_COLOR,
  }),
};

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** Signals within this time are one wish to stop: a Ctrl-C can come from the terminal and from npm as well. */
const SAME_WISH_MS = 1000;

/** A closed pipe or terminal takes no more text. What goes on for ever then stops; the rest comes to its end. */
let readerGone = (): void => {};
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    readerGone();
  });
}

const surroundings: Surroundings = {
  environment: process.env,
  version,
  stopAsked: (signals) =>
    new Promise((resolve) => {
      let askedAtMs = Number.POSITIVE_INFINITY;
      const ask = (signal: string): void => {
        if (performance.now() - askedAtMs > SAME_WISH_MS) process.exit(1); // Asked again, in earnest.
        askedAtMs = Math.min(askedAtMs, performance.now());
        resolve(signal);
      };
      for (const signal of signals) process.on(signal, ask);
      readerGone = () => resolve("nobody reads the output");
    }),
  onReloadAsked: (call) => void process.on("SIGHUP", call),
  random: Math.random,
  stdin: {
    isTerminal: process.stdin.isTTY === true,
    askSecret: (prompt) => askSecret(prompt, process.stdin, process.stderr),
    readAll: () => text(process.stdin),
  },
};

const program = new Command("sekisho")
  .description("An edge inference gateway with guarded thresholds.")
  .version(version)
  .showHelpAfterError("(see --help)")
  .exitOverride();
registerRun(program, terminal, surroundings);
registerDoctor(program, terminal, surroundings);
registerDemo(program, terminal, surroundings);
registerBundle(program, terminal, surroundings);
registerRecord(program, terminal);
registerCertify(program, terminal);
registerEvaluate(program, terminal);
registerMonitor(program, terminal, surroundings);
registerReplay(program, terminal, surroundings);
registerReview(program, terminal, surroundings);
registerShadow(program, terminal, surroundings);
registerThresholds(program, terminal, surroundings);
registerUsers(program, terminal, surroundings);
registerTeacher(program, terminal, surroundings);
registerTokens(program, terminal, surroundings);
registerKeys(program, terminal);
registerLedger(program, terminal, surroundings);
registerBackup(program, terminal, surroundings);
registerRestore(program, terminal, surroundings);
registerCompletion(program, terminal);

const EXPECTED = [Refusal, NpzError, ImageFolderError, EvidenceError, LedgerError, AddressTaken];

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitStatusOf(error);
}

/** 1: refused, with the reason on standard error. 2: wrong usage, which commander has explained, or a wrong `sekisho.yaml`. */
function exitStatusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const isExpected = EXPECTED.some((kind) => error instanceof kind);
  const { message, stack } = error as Error;
  terminal.err(`${isExpected || isSystemError(error) ? message : stack}\n`);
  return error instanceof Refusal ? error.exitStatus : 1;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "code" in error;
}
