/**
 * The viewer's process: makes of a payload what a person is shown, anew from its decoded numbers. It is fenced in as an
 * engine is and as disposable, so that a hostile frame costs this process and nothing else.
 */

import { Socket } from "node:net";
import { CHANNEL_FD, LOAD_BYTES_MAX } from "./channel.ts";
import { readQuestion } from "./decoder-channel.ts";
import { createParser } from "./message-parser.ts";
import { readViewerTask, viewAnswer } from "./viewer-channel.ts";
import { createViewing, type Viewing } from "./viewing.ts";

// Ends by itself when the other end closes the channel: nothing else keeps it.
const channel = new Socket({ fd: CHANNEL_FD, readable: true, writable: true });
channel.on("error", () => channel.destroy());

let viewing: Viewing | undefined;
const parser = createParser({
  bodyBytesMax: LOAD_BYTES_MAX,
  onBody(body) {
    if (viewing === undefined) viewing = createViewing(readViewerTask(body));
    else void answer(body, viewing);
  },
});
channel.on("data", (chunk: Buffer) => parser.push(chunk));

/** One question is asked at a time, so that answers come in their order. */
async function answer(body: Uint8Array, { view }: Viewing): Promise<void> {
  for (const piece of viewAnswer(await view(readQuestion(body)))) channel.write(piece);
}
