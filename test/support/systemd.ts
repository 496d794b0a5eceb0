/** systemd's side of a service: a socket that hears what it is told. */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describeWith } from "./describe-with.ts";
import { anEventLog, type EventLog } from "./event-log.ts";

export const describeWithSystemd = describeWith(
  ["systemd-notify", "systemd-analyze", "python3"],
  "systemd python3-minimal",
);

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
