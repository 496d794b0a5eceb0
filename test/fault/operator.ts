/** A scripted operator: answers every alert, over a session of its own, and remembers each reply. */

import { connectAsync, type MqttClient } from "mqtt";
import { aClientId } from "../support/mqtt.ts";

export interface Reply {
  readonly ok: boolean;
  readonly transaction?: string;
  readonly review: string | null;
  readonly reviewRevision: number | null;
  readonly state: string | null;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface Answer {
  readonly verdict: "confirm" | "correct" | "label" | "unusable";
  readonly class?: string;
}

export interface Operator {
  readonly client: MqttClient;
  /** What was answered, by review. */
  readonly given: ReadonlyMap<string, Answer>;
  /** Replies, by review, each as often as it came. */
  readonly replies: ReadonlyMap<string, readonly Reply[]>;
  /** Bodies of `open`, `update` and `close`, by review and type, each as often as it came. */
  readonly heard: ReadonlyMap<string, Readonly<Record<"open" | "update" | "close", readonly string[]>>>;
  /** Reviews whose verdict was taken, by its reply. */
  taken(): readonly string[];
  when(holds: () => boolean): Promise<void>;
}

const ANSWERS: readonly Answer[] = [
  { verdict: "confirm" },
  { verdict: "unusable" },
  { verdict: "label", class: "shirt" },
];

/**
 * @param mayAnswer whether this operator answers at present; what it then does not answer it answers never
 */
export async function anOperator(url: string, name: string, mayAnswer: () => boolean): Promise<Operator> {
  const client = await connectAsync(url, {
    protocolVersion: 5,
    clientId: aClientId(),
    clean: false,
    properties: { sessionExpiryInterval: 3600, receiveMaximum: 1000 },
    reconnectPeriod: 100,
    keepalive: 60,
  });
  const given = new Map<string, Answer>();
  const replies = new Map<string, Reply[]>();
  const heard = new Map<string, Record<"open" | "update" | "close", string[]>>();
  const waiting = new Set<() => void>();
  const replyTopic = `operators/${name}/replies`;

  function onReview(text: string): void {
    const body = JSON.parse(text) as { type: "open"; review: string; reviewRevision: number };
    const { type, review, reviewRevision } = body;
    const of = heard.get(review) ?? { open: [], update: [], close: [] };
    heard.set(review, of);
    of[type].push(text);
    if (type !== "open" || given.has(review) || !mayAnswer()) return;
    const answer = ANSWERS[given.size % ANSWERS.length]!;
    given.set(review, answer);
    client.publish(
      `sekisho/test/verdicts/${name}`,
      JSON.stringify({ review, reviewRevision, transaction: `t-${review}`, ...answer }),
      { qos: 1, properties: { responseTopic: replyTopic, correlationData: Buffer.from(review) } },
    );
  }

  client.on("message", (topic, payload, { properties }) => {
    if (topic === replyTopic) {
      const review = String(properties?.correlationData);
      replies.set(review, [...(replies.get(review) ?? []), JSON.parse(payload.toString()) as Reply]);
    } else if (topic.includes("/reviews/")) onReview(payload.toString());
    for (const look of waiting) look();
  });
  await client.subscribeAsync(["sekisho/test/reviews/#", replyTopic], { qos: 1 });
  return {
    client,
    given,
    replies,
    heard,
    taken: () => [...replies].filter(([, all]) => all.some(({ ok }) => ok)).map(([review]) => review),
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
