/** Whether the broker keeps what comes for a gateway that is away: tried, on a topic and a session of the doctor's own. */

import { connectProbe, openPromise, type Probe } from "../../mqtt/probe.ts";
import type { BrokerConnection } from "../broker-files.ts";
import { doctorClient, doctorTopic } from "./broker.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

/** More than mosquitto's default of 1,000 queued messages and the 20 under way. */
const MESSAGES = 1_200;
const ECHO_MS = 1_000;
const MARK_EVERY_MS = 200;
const COUNT_MS = 5_000;
const SESSION_SECONDS = 60;
const MARK = "mark";

/** Publishes more than a broker's default queue holds while its reader is away, and counts what is left. */
export async function queueFindings(
  gateway: string,
  connection: BrokerConnection,
): Promise<readonly Finding[]> {
  const topic = `${doctorTopic(gateway)}/queue`;
  const sender = await opened(doctorClient(gateway, connection, "-sender"));
  const reader = {
    ...doctorClient(gateway, connection, ""),
    clean: false,
    sessionExpirySeconds: SESSION_SECONDS,
  };
  try {
    const away = await leaveSession(reader, sender, topic);
    if (away !== undefined) return [away];
    const refusals = await Promise.all(
      Array.from({ length: MESSAGES }, (_, i) => sender.publish(topic, String(i))),
    );
    const refused = refusals.find((one) => one !== undefined);
    if (refused !== undefined) {
      return [fail("queue", `the broker refused a message: ${refused}`, "see the broker's log")];
    }
    return [judged(await countOf(reader, sender, topic))];
  } finally {
    await sender.close();
    // Clean: the session and what is left in it go.
    await (await opened({ ...reader, clean: true })).close();
  }
}

async function opened(
  options: Parameters<typeof connectProbe>[0],
  onMessage?: (topic: string, payload: string) => void,
): Promise<Probe> {
  const connected = await connectProbe(options, onMessage);
  if (!connected.ok) throw new Error(connected.reason);
  return connected.probe;
}

/** Subscribes, makes sure that it hears itself, and goes away; a finding where that cannot be. */
async function leaveSession(
  options: Parameters<typeof connectProbe>[0],
  sender: Probe,
  topic: string,
): Promise<Finding | undefined> {
  const heard = openPromise<boolean>();
  const reader = await opened(options, () => heard.resolve(true));
  const refused = await reader.subscribe(topic, 1);
  const timer = setTimeout(() => heard.resolve(false), ECHO_MS);
  if (refused === undefined) await sender.publish(topic, MARK);
  const hearsItself = refused === undefined && (await heard.promise);
  clearTimeout(timer);
  await reader.close();
  if (hearsItself) return undefined;
  return warn(
    "queue",
    `not measured: the broker does not let the doctor read ${topic}`,
    `add to the access list: topic read ${topic}`,
  );
}

/** Messages go in their order: once a mark is heard that was sent after the reader came back, all there are were heard. */
async function countOf(
  options: Parameters<typeof connectProbe>[0],
  sender: Probe,
  topic: string,
): Promise<number> {
  const numbers = new Set<string>();
  const done = openPromise<undefined>();
  const reader = await opened(options, (_, payload) => {
    if (payload === MARK) done.resolve(undefined);
    else numbers.add(payload);
  });
  // Again and again: the first may be dropped as well, while the queue is still full.
  const marking = setInterval(() => void sender.publish(topic, MARK), MARK_EVERY_MS);
  const timer = setTimeout(() => done.resolve(undefined), COUNT_MS);
  await done.promise;
  clearInterval(marking);
  clearTimeout(timer);
  await reader.close();
  return numbers.size;
}

function judged(kept: number): Finding {
  if (kept === MESSAGES)
    return ok("queue", `the broker kept all of ${MESSAGES} messages for a session that was away`);
  return fail(
    "queue",
    `the broker kept ${kept} of ${MESSAGES} messages for a session that was away, and dropped the rest`,
    "frames are lost while the gateway is away: set max_queued_messages 0 and max_queued_bytes in mosquitto.conf (docs/mosquitto.conf)",
  );
}
