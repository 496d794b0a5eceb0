/** A decoder for commands: payloads of frames in, their numbers out, by way of a process that is fenced in. */

import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineFrame } from "../gateway/ports.ts";
import { CHANNEL_FD, ENGINE_DIRECTORY } from "./channel.ts";
import { captureOutput } from "./child-output.ts";
import { type Decoded, decode } from "./decode.ts";
import { answerBytesMax, type DecoderTask, questionOf, readAnswer, taskMessage } from "./decoder-channel.ts";
import { spawnEngine, whenEnded } from "./engine-child.ts";
import { createParser } from "./message-parser.ts";

export interface DecoderOptions extends DecoderTask {
  /** The built `engine/decoder-main.js`. */
  readonly modulePath: string | URL;
  /** How long it may be at one frame, its start included, before it is killed; default 30,000. */
  readonly frameDeadlineMs?: number;
  /** Each line that the process writes to standard error. */
  readonly onStderr: (line: string) => void;
}

export interface Decoder {
  /** The frame's own numbers, or why there are none. A frame that ends the process is `poison`; the next has another. */
  decode(frame: EngineFrame): Promise<Decoded>;
  close(): Promise<void>;
}

const FRAME_DEADLINE_MS = 30_000;

/** One process, started with the first frame that needs it. */
interface Running {
  ask(frame: EngineFrame): Promise<Decoded>;
  end(): Promise<void>;
}

export function openDecoder(options: DecoderOptions): Decoder {
  const { spec, preprocessing } = options;
  let running: Promise<Running> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function ask(frame: EngineFrame): Promise<Decoded> {
    running ??= startDecoder(options);
    const process = await running;
    try {
      return await process.ask(frame);
    } catch {
      running = undefined;
      await process.end();
      return { kind: "reject", reason: "poison" };
    }
  }

  return {
    async decode(frame) {
      // Its bytes are its numbers: nothing is parsed.
      if (frame.encoding === "raw") return decode(frame, spec, preprocessing);
      const answer = last.then(() => ask(frame));
      last = answer.catch(() => {});
      return answer;
    },
    async close() {
      await last;
      await (await running)?.end();
    },
  };
}

async function startDecoder(options: DecoderOptions): Promise<Running> {
  const { spec, frameDeadlineMs = FRAME_DEADLINE_MS } = options;
  const directory = await mkdtemp(join(tmpdir(), ENGINE_DIRECTORY));
  const child = spawnEngine(options.modulePath, [], directory, undefined);
  const ended = whenEnded(child, captureOutput([child.stderr], options.onStderr)).finally(() =>
    rm(directory, { recursive: true, force: true }),
  );
  const channel = child.stdio[CHANNEL_FD] as Socket;
  let waiting: { resolve(answer: Decoded): void; reject(error: Error): void } | undefined;
  const lose = (reason: string): void => {
    waiting?.reject(new Error(reason));
    waiting = undefined;
    child.kill("SIGKILL");
    channel.destroy();
  };
  const parser = createParser({
    bodyBytesMax: answerBytesMax(spec),
    onBody: (body) => {
      waiting?.resolve(readAnswer(body, spec));
      waiting = undefined;
    },
  });
  channel.on("data", (chunk: Buffer) => {
    try {
      parser.push(chunk);
    } catch (error) {
      lose(`the decoder's answer made no sense: ${String(error)}`);
    }
  });
  // An error is followed by the child's end, which says more.
  channel.on("error", () => {});
  void ended.then(({ how }) => lose(`the decoder ended: ${how}`));
  for (const piece of taskMessage(options)) channel.write(piece);
  return {
    ask: (frame) =>
      within(
        frameDeadlineMs,
        lose,
        send(frame, child, channel, (one) => (waiting = one)),
      ),
    async end() {
      channel.end();
      await ended;
    },
  };
}

function send(
  frame: EngineFrame,
  child: ChildProcess,
  channel: Socket,
  wait: (waiting: { resolve(answer: Decoded): void; reject(error: Error): void }) => void,
): Promise<Decoded> {
  return new Promise((resolve, reject) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      reject(new Error("the decoder has ended"));
      return;
    }
    wait({ resolve, reject });
    for (const piece of questionOf(frame)) channel.write(piece);
  });
}

async function within<T>(deadlineMs: number, lose: (reason: string) => void, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => lose(`the decoder gave no answer within ${deadlineMs} ms`), deadlineMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
