/**
 * The engine's process: loads what the main process sends, then judges batches until its channel closes. It
 * opens no socket and no file of its own, says nothing on standard output, and ends on any defect: it is
 * disposable.
 */

import { readSync } from "node:fs";
import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";
import {
  ANSWER_BYTES_MAX,
  type Batch,
  BODY_BYTES_MAX,
  CHANNEL_FD,
  ChannelBroken,
  decodeBatch,
  decodeLoad,
  encodeLoadAnswer,
  framesOf,
  IN_FLIGHT_MAX,
  LOAD_BYTES_MAX,
  SLOTS_FD,
} from "./channel.ts";
import { type LoadedEngine, loadEngine } from "./load.ts";
import { createParser, type MessageParser } from "./message-parser.ts";
import { createReply, replyBytes } from "./reply.ts";

const READ_BYTES = 256 * 1024;

// A Ctrl-C or a closed terminal reaches the whole process group; the main process drains first, and then
// ends this one.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

let parser = createParser({ bodyBytesMax: LOAD_BYTES_MAX, onBody: (body) => void begin(body) });

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
const channel = new Socket(options);
// The main process is done with this one, or gone.
for (const event of ["end", "error", "close"] as const) channel.on(event, () => process.exit(0));
channel.resume();

async function begin(body: Uint8Array): Promise<void> {
  let engine: LoadedEngine;
  try {
    const load = decodeLoad(body);
    if (replyBytes(load.batchMax) > ANSWER_BYTES_MAX)
      throw new RangeError(`a batchMax of ${load.batchMax} is more than a reply can carry`);
    engine = await loadEngine(load);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    channel.end(encodeLoadAnswer({ type: "refused", reason }), () => process.exit(0));
    return;
  }
  parser = serve(engine);
  channel.write(encodeLoadAnswer({ type: "ready" }));
}

/** Takes the channel's messages for batches, and answers them one by one, in their order. */
function serve(engine: LoadedEngine): MessageParser {
  const waiting: { readonly batch: Batch; readonly body: Uint8Array }[] = [];
  let judging = false;

  const judgeWaiting = async (): Promise<void> => {
    judging = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { batch, body } = next;
      const { entries, payloads } = batch;
      const reply = createReply(batch.id, entries.length);
      if (typeof payloads === "number") {
        await engine.judgeStored(entries, (target) => readSlot(target, payloads), reply);
      } else {
        await engine.judge(framesOf(entries, payloads), reply);
      }
      channel.write(reply.message());
      batches.recycle(body);
    }
    judging = false;
  };

  const batches = createParser({
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
  return batches;
}

function readSlot(target: Uint8Array, place: number): void {
  const bytes = readSync(SLOTS_FD, target, 0, target.length, place);
  if (bytes !== target.length) throw new ChannelBroken(`${bytes} of ${target.length} bytes in a slot`);
}
