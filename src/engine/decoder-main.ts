/**
 * The decoder's process: turns payloads of frames into their numbers for a command that shows or exports them. It is
 * fenced in as an engine is and as disposable, so that a hostile image costs this process and nothing else.
 */

import { Socket } from "node:net";
import { CHANNEL_FD, LOAD_BYTES_MAX } from "./channel.ts";
import { decode } from "./decode.ts";
import { answerOf, readQuestion, readTask } from "./decoder-channel.ts";
import { createParser } from "./message-parser.ts";

// Ends by itself when the other end closes the channel: nothing else keeps it.
const channel = new Socket({ fd: CHANNEL_FD, readable: true, writable: true });
channel.on("error", () => channel.destroy());

let task: ReturnType<typeof readTask> | undefined;
const parser = createParser({
  bodyBytesMax: LOAD_BYTES_MAX,
  onBody(body) {
    if (task === undefined) task = readTask(body);
    else void answer(body, task);
  },
});
channel.on("data", (chunk: Buffer) => parser.push(chunk));

/** One question is asked at a time, so that answers come in their order. */
async function answer(body: Uint8Array, { spec, preprocessing }: ReturnType<typeof readTask>): Promise<void> {
  const decoded = await decode(readQuestion(body), spec, preprocessing);
  for (const piece of answerOf(decoded)) channel.write(piece);
}
