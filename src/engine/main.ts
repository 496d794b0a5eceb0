/**
 * The engine's process: loads what the main process sends, then judges batches until its channel closes. It
 * opens no socket and no file of its own, says nothing on standard output, and ends on any defect: it is
 * disposable.
 */

import { rmdirSync } from "node:fs";
import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";
import { basename } from "node:path";
import {
  type Batch,
  BODY_BYTES_MAX,
  CHANNEL_FD,
  ChannelBroken,
  createReply,
  decodeBatch,
  ENGINE_DIRECTORY,
  IN_FLIGHT_MAX,
} from "./channel.ts";
import { type EngineLoad, type LoadAnswer, type LoadedEngine, loadEngine } from "./load.ts";
import { createParser } from "./message-parser.ts";

const READ_BYTES = 256 * 1024;

// A Ctrl-C or a closed terminal reaches the whole process group; the main process drains first, and then
// ends this one.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

process.once("disconnect", abandoned);
process.once("message", (load: EngineLoad) => {
  loadEngine(load).then(
    (engine) => {
      process.off("disconnect", abandoned);
      serve(engine);
      // From here on the engine lives as long as the channel of batches. This end hangs up: where the parent
      // does, its child process never emits `close`.
      answer({ type: "ready" }, () => process.connected && process.disconnect());
    },
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      answer({ type: "refused", reason }, () => process.exit(0));
    },
  );
});

function answer(message: LoadAnswer, done: () => void): void {
  process.send?.(message, undefined, undefined, done);
}

/** The main process is done with this one, or gone and can't remove the folder that it made. */
function abandoned(): void {
  try {
    // Only if it is empty, as it should be.
    if (basename(process.cwd()).startsWith(ENGINE_DIRECTORY)) rmdirSync(process.cwd());
  } catch {
    // The main process was quicker.
  }
  process.exit(0);
}

function serve(engine: LoadedEngine): void {
  const waiting: { readonly batch: Batch; readonly body: Uint8Array }[] = [];
  let judging = false;

  const judgeWaiting = async (): Promise<void> => {
    judging = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { batch, body } = next;
      const reply = createReply(batch.id, batch.frames.length);
      await engine.judge(batch.frames, reply);
      socket.write(reply.message);
      parser.recycle(body);
    }
    judging = false;
  };

  const parser = createParser({
    bodyBytesMax: BODY_BYTES_MAX,
    onBody(body) {
      if (waiting.length >= IN_FLIGHT_MAX) {
        throw new ChannelBroken(`more than ${IN_FLIGHT_MAX} batches in flight`);
      }
      waiting.push({ batch: decodeBatch(body), body });
      // A rejection is a defect: unhandled, it ends the process with its stack on standard error.
      if (!judging) void judgeWaiting();
    },
  });

  // `onread` is documented for the constructor; the types leave it out.
  const options: SocketConstructorOpts & { onread: OnReadOpts } = {
    fd: CHANNEL_FD,
    readable: true,
    writable: true,
    onread: {
      // One buffer for all reads; the parser keeps none of it.
      buffer: new Uint8Array(READ_BYTES),
      callback(bytes, buffer) {
        parser.push(buffer.subarray(0, bytes));
        return true;
      },
    },
  };
  const socket = new Socket(options);
  socket.on("end", abandoned);
  socket.on("error", abandoned);
  socket.on("close", abandoned);
  socket.resume();
}
