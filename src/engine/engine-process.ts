/** The main process's end of an engine: starts the child, hands it batches, and ends it without losing any. */

import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine, EngineFrame, Outcome } from "../gateway/ports.ts";
import { EngineLost } from "../gateway/ports.ts";
import { ENGINE_DIRECTORY, encodeLoad } from "./channel.ts";
import { type ChildOutput, captureOutput } from "./child-output.ts";
import { type Ending, spawnEngine, suspicionOf, whenEnded, whenReady } from "./engine-child.ts";
import { createLine, type Line } from "./line.ts";
import type { EngineLoad } from "./load.ts";
import { openSlots } from "./slots.ts";

export interface EngineOptions {
  /** The built `engine/main.js`. */
  readonly modulePath: string | URL;
  /** Arguments of node itself, before the module. */
  readonly nodeArgs?: readonly string[];
  readonly load: EngineLoad;
  /** From the start until the engine must have said that it is ready. */
  readonly startDeadlineMs: number;
  /** How long an engine may be at one batch before it is killed: this, and the next for each frame; default 10,000. */
  readonly judgeDeadlineMs?: number;
  /** Default 100. */
  readonly judgeDeadlinePerFrameMs?: number;
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
const JUDGE_DEADLINE_MS = 10_000;
const JUDGE_DEADLINE_PER_FRAME_MS = 100;

/**
 * Starts an engine and waits until it has proved that it works.
 * @throws EngineRefused with the engine's reason
 * @throws Error if the process can't be started, ends, or is not ready by the deadline
 */
export async function startEngine(options: EngineOptions): Promise<EngineProcess> {
  const load = encodeLoad(options.load);
  // Empty: a model loaded from bytes can still read files beside it. Its own: nobody else can fill it.
  const directory = await mkdtemp(join(tmpdir(), ENGINE_DIRECTORY));
  const removeDirectory = (): Promise<void> =>
    rm(directory, { recursive: true, force: true }).catch(() => {});
  const slots = openSlots(options.load);
  let child: ChildProcess;
  try {
    child = spawnEngine(options.modulePath, options.nodeArgs ?? [], directory, slots?.readFd);
  } catch (error) {
    slots?.close();
    await removeDirectory();
    throw error;
  }
  slots?.closeReadFd();
  const output = captureOutput([child.stderr], options.onStderr);
  const ended = whenEnded(child, output).finally(() => {
    slots?.close();
    return removeDirectory();
  });
  const line = createLine(child, slots, options.load.batchMax);
  try {
    line.send(load);
    await whenReady(child, ended, line.answered, options.startDeadlineMs);
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    throw error;
  }
  // Gone while the engine still has it for its working directory: nobody can put a file into it any more.
  await removeDirectory();
  return engineOn(child, line, ended, output, options);
}

function engineOn(
  child: ChildProcess,
  line: Line,
  ended: Promise<Ending>,
  output: ChildOutput,
  options: EngineOptions,
): EngineProcess {
  const { load, closeDeadlineMs = CLOSE_DEADLINE_MS, onExit } = options;
  const judging = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  const stopWatching = watchDeadlines(line, options);

  const over = ended.then((ending) => {
    const { code, signal, how } = ending;
    stopWatching();
    line.batches.fail(`the engine ended: ${how}`, suspicionOf(ending));
    onExit({ code, signal, expected: closing !== undefined, lastLines: output.lastLines() });
  });

  const judge = async (frames: readonly EngineFrame[]): Promise<readonly Outcome[]> => {
    if (closing !== undefined) throw new EngineLost("the engine is closed", "none");
    const outcomes = line.judge(load.batchMax, frames);
    judging.add(outcomes);
    try {
      return await outcomes;
    } finally {
      judging.delete(outcomes);
    }
  };

  const close = async (): Promise<void> => {
    const kill = (): void => line.lose(`the engine did not end within ${closeDeadlineMs} ms`);
    const drainTimer = setTimeout(kill, closeDeadlineMs).unref();
    await Promise.allSettled(judging);
    clearTimeout(drainTimer);
    line.end();
    const endTimer = setTimeout(kill, closeDeadlineMs).unref();
    await over;
    clearTimeout(endTimer);
  };

  return { pid: child.pid!, judge, close: () => (closing ??= close()) };
}

/** Kills an engine that is at one batch for longer than its frames can take. */
function watchDeadlines(line: Line, options: EngineOptions): () => void {
  const baseMs = options.judgeDeadlineMs ?? JUDGE_DEADLINE_MS;
  const perFrameMs = options.judgeDeadlinePerFrameMs ?? JUDGE_DEADLINE_PER_FRAME_MS;
  const watch = setInterval(() => {
    const batch = line.batches.oldest();
    if (batch === undefined) return;
    const deadlineMs = baseMs + perFrameMs * batch.count;
    if (batch.ageMs <= deadlineMs) return;
    line.lose(`the engine gave no answer to a batch of ${batch.count} within ${deadlineMs} ms`);
  }, baseMs / 4).unref();
  return () => clearInterval(watch);
}
