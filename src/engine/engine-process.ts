/** The main process's end of an engine: starts the child, hands it batches, and ends it without losing any. */

import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine, EngineFrame, Outcome } from "../gateway/ports.ts";
import { EngineLost } from "../gateway/ports.ts";
import {
  BODY_BYTES_MAX,
  batchBodyBytes,
  CHANNEL_FD,
  ENGINE_DIRECTORY,
  encodeBatch,
  singleBodyBytes,
} from "./channel.ts";
import { type ChildOutput, captureOutput } from "./child-output.ts";
import { type Ending, spawnEngine, whenEnded, whenReady } from "./engine-child.ts";
import type { EngineLoad } from "./load.ts";
import { createParser } from "./message-parser.ts";
import { createOpenBatches, type OpenBatches } from "./open-batches.ts";

export interface EngineOptions {
  /** The built `engine/main.js`. */
  readonly modulePath: string | URL;
  /** Arguments of node itself, before the module. */
  readonly nodeArgs?: readonly string[];
  readonly load: EngineLoad;
  /** From the start until the engine must have said that it is ready. */
  readonly startDeadlineMs: number;
  /** How long the oldest batch may stay unanswered before the engine is killed; default 30,000. */
  readonly judgeDeadlineMs?: number;
  /** How long `close` waits for open batches, and then for the process; default 5,000. */
  readonly closeDeadlineMs?: number;
  /** Each line that the engine writes to standard error or output. */
  readonly onStderr: (line: string) => void;
  /** The end of an engine that had been ready; called once. */
  readonly onExit: (exit: EngineExit) => void;
}

export interface EngineExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether `close` was asked for it. */
  readonly expected: boolean;
  readonly lastLines: readonly string[];
}

export interface EngineProcess extends Engine {
  readonly pid: number;
  /** Waits for open batches, then ends the process. Later batches are refused with EngineLost at once. */
  close(): Promise<void>;
}

const CLOSE_DEADLINE_MS = 5_000;
const JUDGE_DEADLINE_MS = 30_000;

/**
 * Starts an engine and waits until it has proved that it works.
 * @throws EngineRefused with the engine's reason
 * @throws Error if the process can't be started, ends, or is not ready by the deadline
 */
export async function startEngine(options: EngineOptions): Promise<EngineProcess> {
  // Empty: a model loaded from bytes can still read files beside it. Its own: nobody else can fill it.
  const directory = await mkdtemp(join(tmpdir(), ENGINE_DIRECTORY));
  const removeDirectory = (): Promise<void> =>
    rm(directory, { recursive: true, force: true }).catch(() => {});
  let child: ChildProcess;
  try {
    child = spawnEngine(options.modulePath, options.nodeArgs ?? [], directory);
  } catch (error) {
    await removeDirectory();
    throw error;
  }
  const output = captureOutput([child.stdout, child.stderr], options.onStderr);
  const ended = whenEnded(child, output).finally(removeDirectory);
  try {
    await whenReady(child, ended, options.load, options.startDeadlineMs);
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    throw error;
  }
  return handleOn(child, ended, output, options);
}

function handleOn(
  child: ChildProcess,
  ended: Promise<Ending>,
  output: ChildOutput,
  options: EngineOptions,
): EngineProcess {
  const { load, judgeDeadlineMs = JUDGE_DEADLINE_MS, closeDeadlineMs = CLOSE_DEADLINE_MS, onExit } = options;
  const channel = child.stdio[CHANNEL_FD] as Socket;
  const batches = createOpenBatches(() => performance.now());
  const judging = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  const lose = (reason: string): void => {
    batches.fail(reason);
    child.kill("SIGKILL");
  };
  receive(channel, batches, lose);
  const watch = setInterval(() => {
    if (batches.oldestAgeMs() <= judgeDeadlineMs) return;
    lose(`the engine gave no answer within ${judgeDeadlineMs} ms`);
  }, judgeDeadlineMs / 4).unref();

  const over = ended.then(({ code, signal, how }) => {
    clearInterval(watch);
    batches.fail(`the engine ended: ${how}`);
    onExit({ code, signal, expected: closing !== undefined, lastLines: output.lastLines() });
  });

  const judge = async (frames: readonly EngineFrame[]): Promise<readonly Outcome[]> => {
    if (closing !== undefined) throw new EngineLost("the engine is closed");
    const outcomes = judgeOn(channel, batches, load.batchMax, frames);
    judging.add(outcomes);
    try {
      return await outcomes;
    } finally {
      judging.delete(outcomes);
    }
  };

  const close = async (): Promise<void> => {
    const kill = (): void => lose(`the engine did not end within ${closeDeadlineMs} ms`);
    const drainTimer = setTimeout(kill, closeDeadlineMs).unref();
    await Promise.allSettled(judging);
    clearTimeout(drainTimer);
    channel.end();
    const endTimer = setTimeout(kill, closeDeadlineMs).unref();
    await over;
    clearTimeout(endTimer);
  };

  return { pid: child.pid!, judge, close: () => (closing ??= close()) };
}

function receive(channel: Socket, batches: OpenBatches, lose: (reason: string) => void): void {
  const parser = createParser({
    bodyBytesMax: BODY_BYTES_MAX,
    onBody(body) {
      batches.answer(body);
      parser.recycle(body);
    },
  });
  channel.on("data", (chunk: Buffer) => {
    try {
      parser.push(chunk);
    } catch (error) {
      lose(`the engine's answer made no sense: ${String(error)}`);
    }
  });
  // An error is followed by the child's end, which says more.
  channel.on("error", () => {});
}

async function judgeOn(
  channel: Socket,
  batches: OpenBatches,
  batchMax: number,
  frames: readonly EngineFrame[],
): Promise<readonly Outcome[]> {
  if (frames.length > batchMax) {
    throw new RangeError(`a batch of ${frames.length} frames; at most ${batchMax} are taken`);
  }
  if (frames.length === 0) return [];
  if (batchBodyBytes(frames) > BODY_BYTES_MAX) return judgeInHalves(channel, batches, batchMax, frames);
  const { id, answer } = batches.open(frames.length);
  const pieces = encodeBatch(id, frames);
  if (pieces.length === 1) {
    channel.write(pieces[0]!);
  } else {
    channel.cork();
    for (const piece of pieces) channel.write(piece);
    channel.uncork();
  }
  return answer;
}

/** A batch too large for one message goes in two; a single frame too large for one is never sent. */
async function judgeInHalves(
  channel: Socket,
  batches: OpenBatches,
  batchMax: number,
  frames: readonly EngineFrame[],
): Promise<readonly Outcome[]> {
  const [only] = frames;
  if (frames.length === 1 && only !== undefined && singleBodyBytes(only) > BODY_BYTES_MAX) {
    return [{ kind: "reject", reason: "too-large" }];
  }
  const middle = frames.length >> 1;
  const first = await judgeOn(channel, batches, batchMax, frames.slice(0, middle));
  return [...first, ...(await judgeOn(channel, batches, batchMax, frames.slice(middle)))];
}
