/** A decoder for commands: payloads of frames in, their numbers out, by way of a process that is fenced in. */

import type { EngineFrame } from "../gateway/ports.ts";
import { type Decoded, decode } from "./decode.ts";
import { answerBytesMax, type DecoderTask, questionOf, readAnswer, taskMessage } from "./decoder-channel.ts";
import { openFenced } from "./fenced.ts";

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

export function openDecoder(options: DecoderOptions): Decoder {
  const { spec, preprocessing } = options;
  const fenced = openFenced<Decoded>({
    modulePath: options.modulePath,
    task: taskMessage(options),
    answerBytesMax: answerBytesMax(spec),
    readAnswer: (body) => readAnswer(body, spec),
    deadlineMs: options.frameDeadlineMs,
    onStderr: options.onStderr,
  });
  return {
    async decode(frame) {
      // Its bytes are its numbers: nothing is parsed.
      if (frame.encoding === "raw") return decode(frame, spec, preprocessing);
      return (await fenced.ask(questionOf(frame))) ?? { kind: "reject", reason: "poison" };
    },
    close: fenced.close,
  };
}
