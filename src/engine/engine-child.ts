/** The engine's process as the operating system sees it: how it is started, found ready, and how it ended. */

import { type ChildProcess, spawn } from "node:child_process";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import type { Suspicion } from "../gateway/ports.ts";
import type { ChildOutput } from "./child-output.ts";
import type { LoadAnswer } from "./load.ts";
import { sandboxArgs } from "./sandbox.ts";

/** How long an ended child's streams may stay open before its end is told without their last words. */
const STREAMS_DEADLINE_MS = 1_000;

/** The engine is well and says that it can't serve this load. */
export class EngineRefused extends Error {
  override readonly name = "EngineRefused";
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Status or signal, and what the process last said. */
  readonly how: string;
}

/** Of V8's helper threads: each that collects garbage or compiles takes a core from those that frames pass through. */
const V8_THREADS = "--v8-pool-size=1";

/**
 * Starts node on the engine's module, fenced in as far as this Node can.
 * @param nodeArgs further arguments of node itself
 * @param directory where it is to live
 * @param slotsFd the file of the slots, where there is one
 */
export function spawnEngine(
  modulePath: string | URL,
  nodeArgs: readonly string[],
  directory: string,
  slotsFd: number | undefined,
): ChildProcess {
  const path = modulePath instanceof URL ? fileURLToPath(modulePath) : modulePath;
  return spawn(execPath, [...sandboxArgs(path), V8_THREADS, ...nodeArgs, path], {
    cwd: directory,
    // Nothing of the gateway's own environment, which may hold credentials. Images are decoded on these threads.
    env: { UV_THREADPOOL_SIZE: "2" },
    // The last are CHANNEL_FD and SLOTS_FD. A pipe of node's is a Unix socket, good for both ways. No channel of
    // node's own: that would buffer whatever length a message claims.
    stdio: ["ignore", "ignore", "pipe", "pipe", ...(slotsFd === undefined ? [] : [slotsFd])],
  });
}

/** What an end that the main process did not bring about says of the batch that the engine was at. */
export function suspicionOf({ signal }: Ending): Suspicion {
  // Code that fails gets another signal or an exit status. This one is sent by a person, or by a system out of memory.
  return signal === "SIGKILL" ? "slight" : "strong";
}

/** Resolves when the process and its streams have ended; never rejects. */
export function whenEnded(child: ChildProcess, output: ChildOutput): Promise<Ending> {
  return new Promise((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null, cause?: string): void => {
      const said = output.lastLines().join("\n");
      const what = cause ?? (signal === null ? `exit status ${code}` : signal);
      resolve({ code, signal, how: said === "" ? what : `${what}; it last said:\n${said}` });
    };
    child.on("error", (error) => {
      if (child.pid === undefined) end(null, null, error.message);
    });
    child.once("exit", (code, signal) => {
      setTimeout(() => end(code, signal), STREAMS_DEADLINE_MS).unref();
    });
    child.once("close", end);
  });
}

/**
 * Waits until the engine has proved that it works.
 * @param answered what it says to its load
 * @throws EngineRefused with the engine's reason
 * @throws Error if the process can't be started, ends, or is not ready by the deadline
 */
export async function whenReady(
  child: ChildProcess,
  ended: Promise<Ending>,
  answered: Promise<LoadAnswer>,
  startDeadlineMs: number,
): Promise<void> {
  if (child.pid === undefined) throw new Error(`the engine can't be started: ${(await ended).how}`);
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await Promise.race([
      answered,
      ended.then(({ how }) => {
        throw new Error(`the engine ended while it loaded: ${how}`);
      }),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(
            new Error(
              `the engine was not ready within ${startDeadlineMs} ms: allow it more, or give it a smaller student`,
            ),
          );
        }, startDeadlineMs);
        timer.unref();
      }),
    ]);
    if (answer.type === "refused") throw new EngineRefused(answer.reason);
  } finally {
    clearTimeout(timer);
  }
}
