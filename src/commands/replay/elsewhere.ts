/** A replay outside the gateway's process, at the least priority, so that no frame waits for it. */

import { spawn } from "node:child_process";
import { setPriority } from "node:os";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { deserialize, serialize } from "node:v8";
import type { ReplayReport, ReportParts } from "./report.ts";
import type { WalkOptions } from "./walk.ts";

export interface ReplayTask {
  readonly ledger: string;
  readonly walk: Omit<WalkOptions, "progress">;
  readonly report: Omit<ReportParts, "walked">;
}

export const TASK_FD = 3;
const MODULE = new URL("replay-main.js", import.meta.url);
const LEAST_PRIORITY = 19;
const SAID_CHARACTERS_MAX = 4000;
const ANSWER_BYTES_MAX = 16 * 2 ** 20;

export function readTask(bytes: Uint8Array): ReplayTask {
  return deserialize(bytes) as ReplayTask;
}

/** @throws Error if it cannot be done, or not in time */
export function replayElsewhere(
  task: ReplayTask,
  deadlineMs: number,
  modulePath: URL = MODULE,
): Promise<ReplayReport> {
  return new Promise((resolve, reject) => {
    const child = spawn(execPath, [fileURLToPath(modulePath)], {
      env: {}, // Nothing of the gateway's own, which may hold credentials.
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    standBack(child.pid);
    let answer = "";
    let said = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), deadlineMs);
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
      if (answer.length > ANSWER_BYTES_MAX) child.kill("SIGKILL");
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(0, SAID_CHARACTERS_MAX);
    });
    child.once("error", reject);
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      if (status === 0) resolve(JSON.parse(answer) as ReplayReport);
      else if (signal === "SIGKILL")
        reject(new Error(`the replay was not done within ${deadlineMs / 1000} s; ask for fewer hours`));
      else reject(new Error(errorIn(said) ?? `the replay ended with ${signal ?? status}`));
    });
    const channel = child.stdio[TASK_FD] as NodeJS.WritableStream;
    channel.on("error", () => {}); // Its end says more.
    channel.end(serialize(task));
  });
}

/** What node prints of an error that nobody caught, without where it was thrown. */
function errorIn(said: string): string | undefined {
  return /^\w*Error: (.*)$/m.exec(said)?.[1];
}

function standBack(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, LEAST_PRIORITY);
  } catch {
    // It has ended already, which is told by its end.
  }
}
