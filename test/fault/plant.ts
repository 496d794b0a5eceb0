/** A plant that goes on whatever ends around it: a sensor with a session, and a consumer that records. */

import { connectAsync, type MqttClient } from "mqtt";
import type { Random } from "../../src/core/random.ts";
import { aClientId } from "../support/mqtt.ts";

export interface SteadySensor {
  /** Ids of the frames whose receipt the broker has acknowledged. */
  readonly acknowledged: ReadonlySet<string>;
  /** Frames that the broker has acknowledged in a second, from the start until now. */
  rate(): number;
  /** No more frames; resolves when the broker has acknowledged all that were sent. */
  stop(): Promise<void>;
  /** One more frame; resolves when the broker has acknowledged it. */
  send(id: string): Promise<void>;
}

const TICK_MS = 10;
/** At most so many wait for the broker; a broker that is away is not flooded when it is back. */
const UNACKNOWLEDGED_MAX = 800;

/** Frames sent and not yet decided; a line waits where its gateway is this far behind, on a slow machine too. */
const UNDECIDED_MAX = 6000;

/**
 * Publishes numbered frames at a steady rate, over a session, and again what was not acknowledged.
 * @param decided how many frames have been decided
 */
export async function aSteadySensor(
  url: string,
  frames: readonly Uint8Array[],
  perSecond: number,
  decided: () => number,
): Promise<SteadySensor> {
  const client = await connectAsync(url, sessionOptions());
  const acknowledged = new Set<string>();
  const sending = new Set<Promise<void>>();
  let count = 0;

  async function send(id: string): Promise<void> {
    const source = `cam-${1 + (count % 2)}`;
    const payload = Buffer.from(frames[count++ % frames.length]!);
    await client.publishAsync(`apparel/${source}/frames/${id}`, payload, { qos: 1 });
    acknowledged.add(id);
  }

  const startMs = performance.now();
  let due = 0;
  const timer = setInterval(() => {
    due = Math.min(
      ((performance.now() - startMs) * perSecond) / 1000,
      due + (2 * TICK_MS * perSecond) / 1000,
    );
    const room = (): boolean => sending.size < UNACKNOWLEDGED_MAX && count - decided() < UNDECIDED_MAX;
    while (count < due && room() && client.connected) {
      const one = send(`f-${String(count).padStart(7, "0")}`).finally(() => sending.delete(one));
      sending.add(one);
    }
    due = Math.max(due, count);
  }, TICK_MS);

  return {
    acknowledged,
    rate: () => (acknowledged.size * 1000) / (performance.now() - startMs),
    send,
    async stop() {
      clearInterval(timer);
      await Promise.all(sending);
    },
  };
}

export interface RecordingConsumer {
  /** Decision bodies by frame id, each as often as it came. */
  readonly decisions: ReadonlyMap<string, readonly string[]>;
  /** Alert bodies by review id. */
  readonly alerts: ReadonlyMap<string, readonly string[]>;
  /** Resolves when this holds; looked at after every message. */
  when(holds: () => boolean): Promise<void>;
}

/** Hears all decisions and alerts on a session of its own, so that it misses none that the broker keeps. */
export async function aRecordingConsumer(url: string): Promise<RecordingConsumer & { client: MqttClient }> {
  const client = await connectAsync(url, sessionOptions());
  const decisions = new Map<string, string[]>();
  const alerts = new Map<string, string[]>();
  const waiting = new Set<() => void>();
  client.on("message", (topic, payload) => {
    const text = payload.toString();
    const body = JSON.parse(text) as { frame: string; review?: string };
    const kind = topic.split("/")[2];
    if (kind === "decisions") note(decisions, body.frame, text);
    if (kind === "reviews") note(alerts, body.review!, text);
    for (const look of waiting) look();
  });
  const filters = ["sekisho/+/decisions/#", "sekisho/+/reviews/#"];
  await client.subscribeAsync(filters, { qos: 1 });
  return {
    client,
    decisions,
    alerts,
    when: (holds) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!holds()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Waits until a random number more of frames is decided, so that what comes next strikes at any point. */
export function someMore(consumer: RecordingConsumer, random: Random, most: number): Promise<void> {
  const enough = consumer.decisions.size + Math.ceil(most * random.next());
  return consumer.when(() => consumer.decisions.size >= enough);
}

function sessionOptions() {
  return {
    protocolVersion: 5,
    clientId: aClientId(),
    clean: false,
    properties: { sessionExpiryInterval: 3600, receiveMaximum: 1000 },
    reconnectPeriod: 100,
    keepalive: 60,
  } as const;
}

function note(heard: Map<string, string[]>, id: string, text: string): void {
  const known = heard.get(id);
  if (known === undefined) heard.set(id, [text]);
  else known.push(text);
}
