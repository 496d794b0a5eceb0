/** `sekisho backup`: ledger and thresholds as they are at one moment, beside the gateway that runs. */

import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { constants, setPriority } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { parseConfig } from "../config/config.ts";
import { copyLedger } from "../ledger/copy.ts";
import { headText } from "../ledger/published-head.ts";
import { verifyLedgerFile } from "../ledger/verify-file.ts";
import { syncFolder, writeFileAtomically } from "../schema/atomic-file.ts";
import { formatJson } from "../schema/format-json.ts";
import { BACKUP_MANIFEST, type Backup, digestOf, LEDGER_COPY, thresholdsCopy } from "./backup-files.ts";
import { systemClock } from "./clock.ts";
import { faultText } from "./ledger.ts";
import type { Surroundings } from "./run.ts";
import { Refusal, refuse, type Terminal } from "./terminal.ts";

interface BackupOptions {
  readonly config: string;
  readonly to: string;
}

export function registerBackup(program: Command, terminal: Terminal, { environment }: Surroundings): void {
  program
    .command("backup")
    .description("copy ledger and thresholds to a new folder, beside a gateway that runs")
    .option("--config <file>", "the configuration", "sekisho.yaml")
    .requiredOption("--to <folder>", "where the copy goes; must not be there yet")
    .action((options: BackupOptions) => backup(options, terminal, environment));
}

function backup(options: BackupOptions, terminal: Terminal, environment: Surroundings["environment"]): void {
  const parsed = parseConfig(options.config, environment);
  if (!parsed.ok) refuse(parsed.problems);
  const { gateway, ledger, stations } = parsed.value;
  const to = resolve(options.to);
  if (existsSync(to))
    throw new Refusal(`--to: ${to} is there already; a backup overwrites nothing: name another`);
  setPriority(constants.priority.PRIORITY_LOW); // Frames are judged meanwhile, and go first.
  const partial = `${to}.part`;
  mkdirSync(partial, { mode: 0o700 });
  try {
    const ledgerFile = join(partial, LEDGER_COPY);
    copyLedger(ledger.path, ledgerFile);
    const verified = verifyLedgerFile(ledgerFile);
    if (!verified.ok) throw new Refusal(`${ledger.path}: ${faultText(verified.fault)}`);
    const files = [{ file: LEDGER_COPY, station: null as string | null }];
    for (const [station, { thresholds }] of Object.entries(stations)) {
      copyFileSync(thresholds, join(partial, thresholdsCopy(station)));
      files.push({ file: thresholdsCopy(station), station });
    }
    const manifest: Backup = {
      schema: "sekisho.backup/1",
      gateway,
      at: new Date(systemClock.nowMs()).toISOString(),
      chainHead: headText(verified.whole.head),
      files: files.map((one) => ({ ...one, sha256: digestOf(join(partial, one.file)) })),
    };
    for (const { file } of files) syncFile(join(partial, file));
    writeFileAtomically(join(partial, BACKUP_MANIFEST), formatJson(manifest), "owner");
    renameSync(partial, to); // Whole, or not there.
    syncFolder(dirname(to));
    terminal.out(
      `${to}: ${verified.whole.decisions} decisions, to the chain's end at\n${manifest.chainHead}\n`,
    );
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

function syncFile(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
