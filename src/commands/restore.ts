/** `sekisho restore`: puts a backup in place where no ledger is, and leaves in it that this was done. */

import { chownSync, constants, copyFileSync, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { parseConfig } from "../config/config.ts";
import type { Config } from "../config/schema.ts";
import { leftOfLedger, renewEpoch } from "../ledger/copy.ts";
import { openLedger } from "../ledger/ledger.ts";
import { parseHead } from "../ledger/published-head.ts";
import { verifyLedgerFile } from "../ledger/verify-file.ts";
import { syncFolder } from "../schema/atomic-file.ts";
import { type Backup, LEDGER_COPY, readBackup } from "./backup-files.ts";
import { systemClock } from "./clock.ts";
import { faultText } from "./ledger.ts";
import type { RestoredBody } from "./restored.ts";
import type { Surroundings } from "./run.ts";
import { Refusal, refuse, type Terminal } from "./terminal.ts";

interface RestoreOptions {
  readonly config: string;
  readonly from: string;
  readonly accept?: string;
}

const DAY_MS = 86_400_000;

export function registerRestore(program: Command, terminal: Terminal, { environment }: Surroundings): void {
  program
    .command("restore")
    .description("put a backup in place where no ledger is; its stations stay in review until a signed act")
    .option("--config <file>", "the configuration", "sekisho.yaml")
    .requiredOption("--from <folder>", "what `sekisho backup` made")
    .option("--accept <why>", "where no keys are trusted: why the stations may judge at once; recorded")
    .action((options: RestoreOptions) => restore(options, terminal, environment));
}

function restore(
  { config: file, from, accept }: RestoreOptions,
  terminal: Terminal,
  environment: Surroundings["environment"],
): void {
  const parsed = parseConfig(file, environment);
  if (!parsed.ok) refuse(parsed.problems);
  const config = parsed.value;
  checkMayRestore(config, accept);
  const backup = readBackup(from);
  if (backup.gateway !== config.gateway) {
    throw new Refusal(
      `${from}: is a backup of gateway ${backup.gateway}, the configuration is ${config.gateway}'s; take its own`,
    );
  }
  const path = config.ledger.path;
  const partial = `${path}.restoring`;
  removeAll(partial);
  try {
    copyFileSync(join(from, LEDGER_COPY), partial, constants.COPYFILE_EXCL);
    verify(partial, backup);
    renewEpoch(partial);
    note(partial, config, backup, accept);
    for (const station of Object.keys(config.stations))
      terminal.out(putThresholds(station, config, from, backup));
    ownAsFolder(partial);
    renameSync(partial, path);
    syncFolder(dirname(path));
  } catch (error) {
    removeAll(partial);
    throw error;
  }
  terminal.out(
    accept === undefined
      ? `${path}: restored as of ${backup.at}; its stations send everything to review until a signed act says otherwise\n`
      : `${path}: restored as of ${backup.at}, and accepted: ${accept}\n`,
  );
}

/** A gateway that runs has its ledger's files there; so nothing is ever overwritten, and none is pulled from under it. */
function checkMayRestore({ ledger, trust }: Config, accept: string | undefined): void {
  const [left] = leftOfLedger(ledger.path);
  if (left !== undefined) {
    throw new Refusal(
      `${left} is there: stop the gateway, and move this file and those beside it away; a restore overwrites nothing`,
    );
  }
  if (accept === undefined) return;
  if (trust !== undefined) {
    throw new Refusal("--accept: the configuration trusts keys; restore without it, and sign a revision");
  }
  if (accept.trim() === "") throw new Refusal("--accept: expected why the stations may judge, found nothing");
}

function verify(file: string, { chainHead }: Backup): void {
  const head = parseHead(chainHead);
  if (head === undefined) throw new Refusal(`backup.json: chainHead: expected 64 hex digits, @ and a number`);
  const verified = verifyLedgerFile(file, [head]);
  if (!verified.ok) throw new Refusal(`the backup's ledger: ${faultText(verified.fault)}`);
}

/** Into the copy, before it is in place: there is no moment at which it could be taken for one that went on. */
function note(path: string, { ledger: config, stations }: Config, backup: Backup, accept?: string): void {
  const ledger = openLedger({
    path,
    dedupeWindowMs: config.dedupeWindowSeconds * 1000,
    retentionMs: config.retentionDays * DAY_MS,
    bytesMax: config.bytesMax,
    frameBytesKeptMax: config.frameBytesKeptMax,
    ballastBytes: 0,
    nowMs: systemClock.nowMs,
  });
  try {
    if (ledger.setAsideNow !== undefined)
      throw new Refusal(`the backup's ledger is damaged: ${ledger.setAsideNow.reason}`);
    const body: RestoredBody = {
      backupAt: backup.at,
      chainHead: backup.chainHead,
      ...(accept !== undefined && { accepted: accept }),
    };
    const atMs = systemClock.nowMs();
    ledger.acts.append(
      Object.keys(stations).map((station) => ({
        ...{ station, kind: "restored" as const, revision: null, atMs, body: JSON.stringify(body) },
      })),
    );
  } finally {
    ledger.close();
  }
}

/** Thresholds that are there may be newer than the backup's, and stay. */
function putThresholds(station: string, { stations }: Config, from: string, { files }: Backup): string {
  const { thresholds } = stations[station]!;
  const copy = files.find((one) => one.station === station);
  if (copy === undefined) return `${station}: the backup has no thresholds of it\n`;
  if (existsSync(thresholds)) return `${station}: ${thresholds} is there, and stays as it is\n`;
  copyFileSync(join(from, copy.file), `${thresholds}.new`);
  ownAsFolder(`${thresholds}.new`);
  renameSync(`${thresholds}.new`, thresholds);
  syncFolder(dirname(thresholds));
  return `${station}: ${thresholds} is put back\n`;
}

/** Root restores for the user that the gateway runs as, whose folder it is. */
function ownAsFolder(file: string): void {
  const { uid, gid } = statSync(dirname(file));
  if (statSync(file).uid !== uid) chownSync(file, uid, gid);
}

function removeAll(path: string): void {
  for (const file of leftOfLedger(path)) rmSync(file, { force: true });
}
