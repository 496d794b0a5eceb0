/** The demo as a consumer of the gateway: it hears what is published, and tidies up what is retained. */

import { connectAsync } from "mqtt";
import { baseTopics } from "../../mqtt/topics.ts";
import { Refusal } from "../terminal.ts";
import type { SeenAlert, SeenDecision, Tally } from "./tally.ts";

/** A consumer like any other: it hears decisions and alerts from the broker. */
export async function listen(
  brokerUrl: string,
  gateway: string,
  tally: Tally,
): Promise<{ end(): Promise<void> }> {
  const base = `sekisho/${gateway}`;
  const client = await connectAsync(brokerUrl, { protocolVersion: 4 }, false).catch((error: Error) => {
    const isUnreached = "code" in error && typeof error.code === "string"; // Words of the network; a broker has numbers.
    throw new Refusal(
      `cannot reach the broker at ${brokerUrl}: ${error.message || String(error)}${isUnreached ? "; is it running?" : ""}`,
    );
  });
  client.on("error", () => {}); // It connects again by itself.
  client.on("message", (topic, payload) => {
    const body = parsed(payload);
    if (body === undefined) return; // Somebody else's message on a broker that is not ours.
    if (topic.startsWith(`${base}/decisions/`)) tally.decided(body as SeenDecision);
    else if ((body as { type?: unknown }).type === "open") tally.alerted(body as SeenAlert);
  });
  await client.subscribeAsync([`${base}/decisions/#`, `${base}/reviews/#`], { qos: 1 });
  return { end: () => client.endAsync() };
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Clears what the gateway retains on a broker, which outlives it. */
export async function clearRetained(brokerUrl: string, gateway: string, station: string): Promise<void> {
  const { state, info, station: stationTopic } = baseTopics(gateway);
  const client = await connectAsync(brokerUrl, { protocolVersion: 4 }, false).catch(() => undefined);
  if (client === undefined) return; // The broker is gone, and with it what it retained for us.
  for (const topic of [state, info, stationTopic(station)]) {
    await client.publishAsync(topic, "", { qos: 1, retain: true });
  }
  await client.endAsync();
}
