/**
 * The process of a gateway's own teacher, which is asked while no frame waits. Messages of u32 length and body: first
 * the folders of its bundles, as JSON; then questions, and the other way their answers, as over the broker.
 */

import { Socket } from "node:net";
import { CHANNEL_FD } from "../../engine/channel.ts";
import { createParser } from "../../engine/message-parser.ts";
import { baseTopics } from "../../mqtt/topics.ts";
import { createWorkerLog } from "../../telemetry/log.ts";
import { systemClock } from "../clock.ts";
import { createTeacherAnswering } from "./answering.ts";
import { framed, IDLE_MESSAGE_BYTES_MAX, IDLE_NAME } from "./idle-channel.ts";
import { openReplay, type Replay } from "./replay.ts";

const { teacherRequest: topic } = baseTopics(IDLE_NAME);
const STDERR_FD = 2;
// Warnings only: what was answered the gateway has in its ledger.
const log = createWorkerLog(IDLE_NAME, "warn", STDERR_FD);

// Ends by itself when the other end closes the channel: nothing else keeps it.
const channel = new Socket({ fd: CHANNEL_FD, readable: true, writable: true });
channel.on("error", () => channel.destroy());
const ended = new Promise<void>((resolve) => channel.once("close", () => resolve()));

let answering: Promise<ReturnType<typeof createTeacherAnswering>> | undefined;
const parser = createParser({
  bodyBytesMax: IDLE_MESSAGE_BYTES_MAX,
  onBody(body) {
    // Copied: it lies in a buffer that is used again.
    const payload = Buffer.from(body);
    if (answering === undefined) answering = open(JSON.parse(payload.toString()) as readonly string[]);
    else void answering.then((one) => one.receive({ topic, payload, correlation: undefined }));
  },
});
channel.on("data", (chunk: Buffer) => parser.push(chunk));

async function open(dirs: readonly string[]): Promise<ReturnType<typeof createTeacherAnswering>> {
  const replays: Replay[] = [];
  for (const dir of dirs) {
    try {
      replays.push(await openReplay(dir, (line) => log.warn({ line }, "the decoder says")));
    } catch (error) {
      // Another station's may do all the same.
      log.warn({ dir, why: (error as Error).message }, "cannot answer for a bundle");
    }
  }
  void ended.then(async () => {
    for (const one of replays) await one.close();
  });
  return createTeacherAnswering({
    ...{ replays, worker: IDLE_NAME, clock: systemClock, log },
    send({ payload }, done) {
      channel.write(framed(Buffer.from(payload)), (error) => done(error ?? undefined));
    },
  });
}
