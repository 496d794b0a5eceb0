/** systemd's side of a service: a socket that hears what it is told. */

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe } from "vitest";
import { anEventLog, type EventLog } from "./event-log.ts";

const MISSING = ["systemd-notify", "systemd-analyze", "python3"].filter(
  (program) => spawnSync("which", [program]).status !== 0,
);

/** Skips where systemd is not; fails where the full suite is to run. */
export const describeWithSystemd = MISSING.length > 0 && process.env.CI !== "true" ? describe.skip : describe;

/** Node has no datagram sockets of the local kind. A received descriptor is dropped, as systemd does: the sender waits for it. */
const RECEIVER = `
import socket, sys
told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
told.bind(sys.argv[1])
print("listening", flush=True)
while True:
    print(told.recv(65536).decode(), flush=True)
`;

export interface NotifySocket {
  readonly path: string;
  /** Assignments in the order in which they came: `READY=1`, `STATUS=...`. */
  readonly told: EventLog<string>;
  close(): Promise<void>;
}

export async function aNotifySocket(): Promise<NotifySocket> {
  if (MISSING.length > 0)
    throw new Error(`${MISSING.join(", ")} not found: apt-get install systemd python3-minimal`);
  const folder = mkdtempSync(join(tmpdir(), "sekisho-notify-"));
  const path = join(folder, "socket");
  const told = anEventLog<string>();
  const receiver = spawn("python3", ["-c", RECEIVER, path], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => receiver.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    createInterface(receiver.stdout).on("line", (line) => {
      if (line === "listening") resolve();
      else told.push(line);
    });
    receiver.once("exit", (code) => reject(new Error(`the receiver ended with ${code}`)));
  });
  return {
    path,
    told,
    async close() {
      receiver.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
