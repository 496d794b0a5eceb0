/** What a broker tells of itself under $SYS, where it does and the gateway may read it. */

import { openPromise, type Probe } from "../../mqtt/probe.ts";
import { type Finding, ok, warn } from "./finding.ts";

const VERSION = "$SYS/broker/version";
/** mosquitto has it from the first message on that it dropped. */
const DROPPED = "$SYS/broker/publish/messages/dropped";
/** Retained, so that they come at once or not at all. */
const ANSWER_MS = 500;
const CHECK = "broker counts";

/** Made before the connection, whose messages `heard` is told. */
export function brokerCounters() {
  const values = new Map<string, string>();
  const whole = openPromise<void>();
  return {
    heard(topic: string, payload: string): void {
      values.set(topic, payload);
      if (values.has(VERSION) && values.has(DROPPED)) whole.resolve();
    },
    async findings(probe: Probe): Promise<readonly Finding[]> {
      for (const topic of [VERSION, DROPPED]) await probe.subscribe(topic, 0, "retained");
      const timer = setTimeout(whole.resolve, ANSWER_MS);
      await whole.promise;
      clearTimeout(timer);
      return [judged(values.get(VERSION), Number(values.get(DROPPED) ?? 0))];
    },
  };
}

/** What was dropped may have been anybody's, the doctor's own of an earlier run included: a hint, and no proof. */
function judged(version: string | undefined, dropped: number): Finding {
  if (dropped > 0) {
    return warn(
      CHECK,
      `${version ?? "it"} has dropped ${dropped} messages since its start`,
      "some session's queue was full: its log says whose; where `queue` fails, each run of the doctor adds some",
    );
  }
  return version === undefined
    ? ok(CHECK, "not shown; where the broker has them, allow: topic read $SYS/broker/#")
    : ok(CHECK, `${version} tells of no message that it dropped`);
}
