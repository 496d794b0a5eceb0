/** What the log says of frames that are not judged: each kind once, since a sensor that errs does so at its full rate. */

import type { DecisionRecord } from "../core/record.ts";
import { firstOfKind } from "./first-of-kind.ts";
import type { Log } from "./ports.ts";

/** Kinds of trouble that the log names, each once. */
const KINDS_NAMED_MAX = 1000;

export function createNotes(log: Log) {
  const isNewTopic = firstOfKind(KINDS_NAMED_MAX);
  const isNewReject = firstOfKind(KINDS_NAMED_MAX);

  return {
    unrouted(topic: string): void {
      if (!isNewTopic(topic)) return;
      log.warn({ topic }, "no station takes this topic; its messages are acknowledged and dropped");
    },

    reject({ station, source, frame, reason }: DecisionRecord): void {
      if (!isNewReject(`${station} ${source} ${reason}`)) return;
      log.warn(
        { station, source, frame, reason },
        "a frame cannot be judged; further ones like it are only counted",
      );
    },
  };
}
