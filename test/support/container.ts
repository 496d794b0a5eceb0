/** A Debian of its own under a systemd of its own: an empty box, as far as a package can tell. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** What the pages take for granted beside the package; installed with the system, so that a run fetches once. */
const PACKAGES = [
  "systemd",
  "systemd-sysv",
  "dbus",
  "ca-certificates",
  "mosquitto",
  "mosquitto-clients",
  "openssl",
  "curl",
];
const BOOT_DEADLINE_MS = 60_000;
const SCRIPT_DEADLINE_MS = 120_000;

export interface Ran {
  readonly status: number | null;
  readonly output: string;
}

export interface Container {
  /** Runs a script as root in /root; output and errors in one. */
  sh(script: string): Ran;
  /** Puts a file into /root. */
  bring(file: string): void;
  stop(): Promise<void>;
}

/** What is missing for it, or undefined. */
export function containerProblem(): string | undefined {
  if (process.getuid?.() !== 0) return "must be root";
  const missing = ["debootstrap", "systemd-nspawn", "nsenter"].filter(
    (name) => spawnSync("which", [name]).status !== 0,
  );
  return missing.length === 0
    ? undefined
    : `${missing.join(", ")} not found: apt-get install debootstrap systemd-container`;
}

/** Takes a minute or two: a Debian is installed and booted. It shares this machine's loopback. */
export async function aContainer(): Promise<Container> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-container-"));
  const root = join(folder, "root");
  const release = /^VERSION_CODENAME=(\S+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "bookworm";
  execFileSync("debootstrap", ["--variant=minbase", `--include=${PACKAGES.join(",")}`, release, root], {
    stdio: "pipe",
  });
  writeFileSync(join(root, "etc/hosts"), "127.0.0.1 localhost\n");
  const nspawn = spawn(
    "systemd-nspawn",
    ["--quiet", "-D", root, "--register=no", "--keep-unit", "--boot", "--console=pipe"],
    { stdio: ["pipe", "ignore", "ignore"] },
  );
  const exited = new Promise<void>((resolve) => nspawn.once("exit", () => resolve()));
  const leader = await booted(nspawn.pid!);
  const sh = (script: string): Ran => {
    const environment = [
      "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
      "LANG=C.UTF-8",
      "DEBIAN_FRONTEND=noninteractive",
      "HOME=/root",
    ];
    const { status, stdout } = spawnSync(
      "nsenter",
      [
        "-t",
        leader,
        "-m",
        "-p",
        "-i",
        "-u",
        "-C",
        "--wd=/",
        "env",
        "-i",
        ...environment,
        "sh",
        "-c",
        `cd /root; exec 2>&1; set -e\n${script}`,
      ],
      { encoding: "utf8", timeout: SCRIPT_DEADLINE_MS },
    );
    return { status, output: stdout };
  };
  return {
    sh,
    bring: (file) => cpSync(file, join(root, "root", basename(file))),
    async stop() {
      sh("systemctl poweroff");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The container's first process, once its systemd is up. */
async function booted(nspawn: number): Promise<string> {
  const until = performance.now() + BOOT_DEADLINE_MS;
  let state = "";
  while (performance.now() < until) {
    const leader = spawnSync("pgrep", ["-P", String(nspawn)], { encoding: "utf8" }).stdout.trim();
    if (leader !== "") {
      const asked = ["-t", leader, "-m", "-p", "-i", "-u", "-C", "systemctl", "is-system-running", "--wait"];
      state = spawnSync("nsenter", asked, { encoding: "utf8" }).stdout.trim();
      if (state === "running" || state === "degraded") return leader;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`the container's systemd is "${state}" after ${BOOT_DEADLINE_MS} ms`);
}
