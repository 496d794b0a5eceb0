/** The command line as a user runs it: the built program in a process of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function sekisho(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Finished> {
  return startSekisho(args, environment).finished;
}

export interface Started {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when standard output or error has shown this; rejects if the program ends first. */
  shows(text: string | RegExp): Promise<RegExpMatchArray>;
}

/** What is set for the tests, SEKISHO_SOAK say, is no setting of the gateway's, which would refuse it. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("SEKISHO_")));
}

/** Starts a command that goes on; whoever starts it ends it. */
export function startSekisho(args: readonly string[], environment: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...inheritedEnvironment(), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  const heard = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    heard();
  });
  const finished = new Promise<Finished>((resolve) => {
    child.once("close", (status) => resolve({ status, stdout, stderr }));
  });
  return {
    process: child,
    finished,
    shows: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = `${stdout}\n${stderr}`.match(text);
          if (found === null) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
        void finished.then(({ status }) => {
          reject(new Error(`ended with ${status} before it showed ${text}:\n${stdout}\n${stderr}`));
        });
      }),
  };
}
