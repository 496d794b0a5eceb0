/** Whether this machine is fit for a gateway: room, the disk's answer to fsync, the clock, shared memory, Node. */

import { execFile } from "node:child_process";
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { versions } from "node:process";
import { promisify } from "node:util";
import type { Config } from "../../config/schema.ts";
import { openReadOnly } from "../../ledger/read-only.ts";
import type { StationSetup } from "../station-setup.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

const FSYNCS = 50;
const FSYNC_MS_MAX = 20;
/** A disk so slow that fewer say enough. */
const FSYNC_TIME_MS = 4_000;
const FSYNC_BYTES = 4096;
const CLOCK_ANSWER_MS = 2_000;
const SHARED_MEMORY = "/dev/shm";
const SHARED_BYTES_MIN = 64 * 1024 * 1024;
const NODE_OLDEST = [20, 19] as const;
const MEGABYTE = 1_000_000;

export function nodeFinding(): Finding {
  const [major = 0, minor = 0] = versions.node.split(".").map(Number);
  const [majorMin, minorMin] = NODE_OLDEST;
  const found = `Node ${versions.node}`;
  return major > majorMin || (major === majorMin && minor >= minorMin)
    ? ok("node", found)
    : fail("node", found, `install Node ${NODE_OLDEST.join(".")} or later`);
}

/** Room where the ledger is, against what it may grow to. */
export function roomFinding({ ledger }: Config): Finding {
  const free = freeBytes(dirname(ledger.path));
  const size = statSync(ledger.path, { throwIfNoEntry: false })?.size ?? 0;
  const toGrow = Math.max(0, ledger.bytesMax - size) + ledger.ballastBytes;
  const found = `${megabytes(free)} free at ${dirname(ledger.path)}; the ledger has ${megabytes(size)} and may grow to ${megabytes(ledger.bytesMax)}`;
  if (free < 2 * ledger.ballastBytes) {
    return fail(
      "disk",
      found,
      "no decision can be written without room for the ballast twice over: make room",
    );
  }
  if (free < toGrow) return warn("disk", found, "make room, or lower ledger.bytesMax to what there is");
  return ok("disk", found);
}

/** How long the disk takes to have what is written: each batch of decisions waits for it once. */
export function fsyncFinding({ ledger }: Config, monotonicMs: () => number): Finding {
  const folder = mkdtempSync(join(dirname(ledger.path), ".sekisho-doctor-"));
  const tookMs: number[] = [];
  try {
    const file = openSync(join(folder, "probe"), "w", 0o600);
    const bytes = Buffer.alloc(FSYNC_BYTES, 1);
    const begunAtMs = monotonicMs();
    while (tookMs.length < FSYNCS && monotonicMs() - begunAtMs < FSYNC_TIME_MS) {
      const atMs = monotonicMs();
      writeSync(file, bytes);
      fsyncSync(file);
      tookMs.push(monotonicMs() - atMs);
    }
    closeSync(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  tookMs.sort((a, b) => a - b);
  const median = tookMs[tookMs.length >> 1]!;
  const found = `median ${median.toFixed(1)} ms, worst ${tookMs.at(-1)!.toFixed(1)} ms of ${tookMs.length}`;
  return median <= FSYNC_MS_MAX
    ? ok("fsync", found)
    : warn("fsync", found, "each decision waits for this: put the ledger on a faster local disk");
}

/** Whether something keeps the clock right; and whether it went back behind what the ledger has seen. */
export async function clockFindings(
  { ledger }: Config,
  stations: readonly StationSetup[],
  nowMs: number,
): Promise<readonly Finding[]> {
  return [await synchronised(), ...againstThresholds(stations, nowMs), ...againstLedger(ledger.path, nowMs)];
}

/** No broker tells its time. What people have signed cannot be of tomorrow: a box whose clock lost its battery shows so. */
function againstThresholds(stations: readonly StationSetup[], nowMs: number): readonly Finding[] {
  return stations
    .filter(({ thresholds }) => Date.parse(thresholds.at) > nowMs)
    .map(({ name, thresholds }) =>
      fail(
        "clock",
        `${new Date(nowMs).toISOString()}, and the thresholds of ${name} were made at ${thresholds.at}`,
        "set this machine's clock, or see whose was wrong that made them",
      ),
    );
}

async function synchronised(): Promise<Finding> {
  const advice = "let chrony, systemd-timesyncd or ntpd keep it: windows and retention count by it";
  try {
    const args = ["show", "--property=NTPSynchronized", "--value"];
    const { stdout } = await promisify(execFile)("timedatectl", args, { timeout: CLOCK_ANSWER_MS });
    if (stdout.trim() === "yes") return ok("clock", "synchronised");
    return warn("clock", "not synchronised", advice);
  } catch {
    return warn("clock", "unknown whether it is synchronised: timedatectl does not say", advice);
  }
}

function againstLedger(path: string, nowMs: number): readonly Finding[] {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    return [ok("ledger", `none at ${path} yet; the first start makes it`)];
  }
  const db = openReadOnly(path);
  try {
    const lastMs = db.prepare("SELECT decided_at FROM decisions ORDER BY id DESC LIMIT 1").pluck().get();
    if (typeof lastMs !== "number") return [ok("ledger", "no decision yet")];
    const found = `last decision at ${new Date(lastMs).toISOString()}, now ${new Date(nowMs).toISOString()}`;
    return lastMs <= nowMs
      ? [ok("ledger", found)]
      : [fail("ledger", found, "the clock is behind the ledger: set it before the gateway starts")];
  } finally {
    db.close();
  }
}

/** Engines get their frames by shared memory; without, they serve as well, only dearer. */
export function sharedMemoryFinding(): Finding {
  let free: number;
  try {
    free = freeBytes(SHARED_MEMORY);
  } catch {
    return warn(
      "shared memory",
      `there is no ${SHARED_MEMORY}`,
      "mount a tmpfs there: engines take frames by it",
    );
  }
  const found = `${megabytes(free)} free in ${SHARED_MEMORY}`;
  return free >= SHARED_BYTES_MIN
    ? ok("shared memory", found)
    : warn("shared memory", found, "give it more (docker: --shm-size=256m): engines take frames by it");
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MEGABYTE)} MB`;
}
