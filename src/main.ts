#!/usr/bin/env node
/** The command line; the only user of `process`. */

import { readFileSync } from "node:fs";
import process from "node:process";
import { Command, CommanderError } from "commander";
import { EvidenceError } from "./bundle/evidence.ts";
import { NpzError } from "./bundle/npz.ts";
import { registerBundle } from "./commands/bundle.ts";
import { registerCertify } from "./commands/certify.ts";
import { registerDemo } from "./commands/demo.ts";
import { registerEvaluate } from "./commands/evaluate.ts";
import { registerRecord } from "./commands/record.ts";
import { registerRun, type Surroundings } from "./commands/run.ts";
import { Refusal, type Terminal } from "./commands/terminal.ts";
import { AddressTaken } from "./http/server.ts";
import { LedgerError } from "./ledger/ledger.ts";

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isInteractive: process.stdout.isTTY === true && process.stderr.isTTY === true,
  columns: () => process.stdout.columns ?? 100,
};

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const surroundings: Surroundings = {
  environment: process.env,
  version,
  stopAsked: () =>
    new Promise((resolve) => {
      for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
    }),
  onReloadAsked: (call) => void process.on("SIGHUP", call),
  random: Math.random,
};

const program = new Command("sekisho")
  .description("An edge inference gateway with guarded thresholds.")
  .version(version)
  .showHelpAfterError("(see --help)")
  .exitOverride();
registerRun(program, terminal, surroundings);
registerDemo(program, terminal, surroundings);
registerBundle(program, terminal);
registerRecord(program, terminal);
registerCertify(program, terminal);
registerEvaluate(program, terminal);

const EXPECTED = [Refusal, NpzError, EvidenceError, LedgerError, AddressTaken];

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitStatusOf(error);
}

/** 1: refused, with the reason on standard error. 2: wrong usage, which commander has explained. */
function exitStatusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const isExpected = EXPECTED.some((kind) => error instanceof kind);
  const { message, stack } = error as Error;
  terminal.err(`${isExpected || isSystemError(error) ? message : stack}\n`);
  return 1;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "code" in error;
}
