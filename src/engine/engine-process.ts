/** The main process's end of an engine: starts the child, hands it batches, and ends it without losing any. */

import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine, EngineFrame, Outcome } from "../gateway/ports.ts";
import { EngineLost } from "../gateway/ports.ts";
import {
  answerBytesMax,
  BODY_BYTES_MAX,
  batchBodyBytes,
  CHANNEL_FD,
  decodeLoadAnswer,
  ENGINE_DIRECTORY,
  encodeBatch,
  encodeLoad,
  singleBodyBytes,
} from "./channel.ts";
import { type ChildOutput, captureOutput } from "./child-output.ts";
import { type Ending, spawnEngine, whenEnded, whenReady } from "./engine-child.ts";
import type { EngineLoad, LoadAnswer } from "./load.ts";
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
  let child: ChildProcess;
  try {
    child = spawnEngine(options.modulePath, options.nodeArgs ?? [], directory);
  } catch (error) {
    await removeDirectory();
    throw error;
  }
  const output = captureOutput([child.stderr], options.onStderr);
  const ended = whenEnded(child, output).finally(removeDirectory);
  const line = createLine(child, options.load.batchMax);
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

/** The main process's end of the channel to one engine. */
interface Line {
  readonly batches: OpenBatches;
  /** What the engine says to its load; rejects if that makes no sense. */
  readonly answered: Promise<LoadAnswer>;
  send(pieces: readonly Uint8Array[]): void;
  /** Nothing more to come; the engine ends. */
  end(): void;
  /** Gives the engine up, and kills it. */
  lose(reason: string): void;
}

function createLine(child: ChildProcess, batchMax: number): Line {
  const channel = child.stdio[CHANNEL_FD] as Socket | undefined;
  const batches = createOpenBatches(() => performance.now());
  let answer: (answer: LoadAnswer) => void = () => {};
  let refuse: (error: Error) => void = () => {};
  const answered = new Promise<LoadAnswer>((resolve, reject) => {
    answer = resolve;
    refuse = reject;
  });
  answered.catch(() => {}); // Whoever awaits it is told.
  let isAnswered = false;
  const parser = createParser({
    bodyBytesMax: answerBytesMax(batchMax),
    onBody(body) {
      if (isAnswered) batches.answer(body);
      else answer(decodeLoadAnswer(body));
      isAnswered = true;
      parser.recycle(body);
    },
  });
  const lose = (reason: string): void => {
    batches.fail(reason);
    refuse(new Error(reason));
    child.kill("SIGKILL");
    // Not a byte more is taken of what it has sent.
    channel?.destroy();
  };
  channel?.on("data", (chunk: Buffer) => {
    try {
      parser.push(chunk);
    } catch (error) {
      lose(`the engine's answer made no sense: ${String(error)}`);
    }
  });
  // An error is followed by the child's end, which says more.
  channel?.on("error", () => {});
  return {
    batches,
    answered,
    send(pieces) {
      if (pieces.length > 1) channel?.cork();
      for (const piece of pieces) channel?.write(piece);
      if (pieces.length > 1) channel?.uncork();
    },
    end: () => void channel?.end(),
    lose,
  };
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

  const over = ended.then(({ code, signal, how }) => {
    stopWatching();
    line.batches.fail(`the engine ended: ${how}`);
    onExit({ code, signal, expected: closing !== undefined, lastLines: output.lastLines() });
  });

  const judge = async (frames: readonly EngineFrame[]): Promise<readonly Outcome[]> => {
    if (closing !== undefined) throw new EngineLost("the engine is closed", false);
    const outcomes = judgeOn(line, load.batchMax, frames);
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

async function judgeOn(
  line: Line,
  batchMax: number,
  frames: readonly EngineFrame[],
): Promise<readonly Outcome[]> {
  if (frames.length > batchMax) {
    throw new RangeError(`a batch of ${frames.length} frames; at most ${batchMax} are taken`);
  }
  if (frames.length === 0) return [];
  if (batchBodyBytes(frames) > BODY_BYTES_MAX) return judgeInHalves(line, batchMax, frames);
  const { id, answer } = line.batches.open(frames.length);
  line.send(encodeBatch(id, frames));
  return answer;
}

/** A batch too large for one message goes in two; a single frame too large for one is never sent. */
async function judgeInHalves(
  line: Line,
  batchMax: number,
  frames: readonly EngineFrame[],
): Promise<readonly Outcome[]> {
  const [only] = frames;
  if (frames.length === 1 && only !== undefined && singleBodyBytes(only) > BODY_BYTES_MAX) {
    return [{ kind: "reject", reason: "too-large" }];
  }
  const middle = frames.length >> 1;
  const first = await judgeOn(line, batchMax, frames.slice(0, middle));
  return [...first, ...(await judgeOn(line, batchMax, frames.slice(middle)))];
}
