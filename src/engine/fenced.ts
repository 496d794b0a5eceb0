/** A process that is asked about payloads one at a time: fenced in as an engine is, and replaced when a payload ends it. */

import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { CHANNEL_FD, ENGINE_DIRECTORY } from "./channel.ts";
import { captureOutput } from "./child-output.ts";
import { spawnEngine, whenEnded } from "./engine-child.ts";
import { createParser } from "./message-parser.ts";

export interface FencedOptions<Answer> {
  /** Its built module. */
  readonly modulePath: string | URL;
  /** The first message, which is not answered. */
  readonly task: readonly Uint8Array[];
  readonly answerBytesMax: number;
  /** @throws where it is no answer */
  readonly readAnswer: (body: Uint8Array) => Answer;
  /** How long it may be at one question, its start included, before it is killed; default 30,000. */
  readonly deadlineMs?: number | undefined;
  /** Gets what the line leaves of the processor. */
  readonly canWait?: boolean;
  /** Each line that the process writes to standard error. */
  readonly onStderr: (line: string) => void;
}

export interface Fenced<Answer> {
  /** Undefined where the question has ended the process; the next has another. */
  ask(question: readonly Uint8Array[]): Promise<Answer | undefined>;
  close(): Promise<void>;
}

const DEADLINE_MS = 30_000;
const LEAST_PRIORITY = 19;

/** One process, started with the first question. */
interface Running<Answer> {
  ask(question: readonly Uint8Array[]): Promise<Answer>;
  end(): Promise<void>;
}

export function openFenced<Answer>(options: FencedOptions<Answer>): Fenced<Answer> {
  let running: Promise<Running<Answer>> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function askNow(question: readonly Uint8Array[]): Promise<Answer | undefined> {
    running ??= start(options);
    let process: Running<Answer> | undefined;
    try {
      process = await running;
      return await process.ask(question);
    } catch {
      running = undefined;
      await process?.end();
      return undefined;
    }
  }

  return {
    ask(question) {
      const answer = last.then(() => askNow(question));
      last = answer.catch(() => {});
      return answer;
    },
    async close() {
      await last;
      await (await running?.catch(() => undefined))?.end();
    },
  };
}

async function start<Answer>(options: FencedOptions<Answer>): Promise<Running<Answer>> {
  const { task, answerBytesMax, readAnswer, deadlineMs = DEADLINE_MS, canWait = false } = options;
  const directory = await mkdtemp(join(tmpdir(), ENGINE_DIRECTORY));
  const child = spawnEngine(options.modulePath, [], directory, undefined);
  if (canWait) standBack(child.pid);
  const ended = whenEnded(child, captureOutput([child.stderr], options.onStderr)).finally(() =>
    rm(directory, { recursive: true, force: true }),
  );
  const channel = child.stdio[CHANNEL_FD] as Socket;
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  const lose = (reason: string): void => {
    waiting?.reject(new Error(reason));
    waiting = undefined;
    child.kill("SIGKILL");
    channel.destroy();
  };
  const parser = createParser({
    bodyBytesMax: answerBytesMax,
    onBody: (body) => {
      waiting?.resolve(readAnswer(body));
      waiting = undefined;
    },
  });
  channel.on("data", (chunk: Buffer) => {
    try {
      parser.push(chunk);
    } catch (error) {
      lose(`the answer made no sense: ${String(error)}`);
    }
  });
  // An error is followed by the child's end, which says more.
  channel.on("error", () => {});
  void ended.then(({ how }) => lose(`the process ended: ${how}`));
  for (const piece of task) channel.write(piece);
  return {
    ask: (question) =>
      within(
        deadlineMs,
        lose,
        new Promise((resolve, reject) => {
          if (child.exitCode !== null || child.signalCode !== null) {
            reject(new Error("the process has ended"));
            return;
          }
          waiting = { resolve, reject };
          for (const piece of question) channel.write(piece);
        }),
      ),
    async end() {
      channel.end();
      await ended;
    },
  };
}

function standBack(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, LEAST_PRIORITY);
  } catch {
    // It has ended already, which is told elsewhere.
  }
}

async function within<T>(deadlineMs: number, lose: (reason: string) => void, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => lose(`there was no answer within ${deadlineMs} ms`), deadlineMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
