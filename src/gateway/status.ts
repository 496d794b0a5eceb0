/** The retained status: that the gateway is on line, what it runs, and how each station stands. */

import type { Clock, Log, Message, Publisher } from "./ports.ts";

export interface StatusOptions {
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly log: Log;
  readonly stateTopic: string;
  readonly infoTopic: string;
  readonly session: number;
  /** What the gateway runs at present. */
  readonly info: () => object;
  /** The topic and present status of each station. */
  readonly stations: () => readonly { readonly topic: string; readonly status: object }[];
}

const LOOK_EVERY_MS = 1000;

/** Publishes the status at each connect, and again what changes of it, at most once a second. */
export function keepStatus({
  publisher,
  clock,
  log,
  stateTopic,
  infoTopic,
  session,
  info,
  stations,
}: StatusOptions) {
  const published = new Map<string, string>();
  let cancel: (() => void) | undefined;

  const retained = (topic: string, body: object): Message => ({
    topic,
    payload: JSON.stringify(body),
    qos: 1,
    retain: true,
  });
  const retain = (topic: string, body: object, done: () => void = () => {}): void => {
    publisher.publish(retained(topic, body), (error) => {
      if (error === undefined) done();
    });
  };
  const look = (): void => {
    if (publisher.connected) publishChanged();
    cancel = clock.after(LOOK_EVERY_MS, look);
  };
  const publishChanged = (): void => {
    try {
      for (const { topic, status } of [{ topic: infoTopic, status: info() }, ...stations()]) {
        const body = JSON.stringify(status);
        if (published.get(topic) !== body) retain(topic, status, () => published.set(topic, body));
      }
    } catch (error) {
      log.warn({ error: (error as Error).message }, "the status cannot be read; trying again");
    }
  };
  publisher.onConnect(() => {
    published.clear();
    retain(stateTopic, { state: "online", session });
    cancel?.();
    look();
  });

  return {
    /** Looks no more; returns what is to be the last word. */
    stop(): readonly Message[] {
      cancel?.();
      const stopped = retained(stateTopic, { state: "stopped", session });
      try {
        return [retained(infoTopic, info()), stopped];
      } catch (error) {
        log.warn({ error: (error as Error).message }, "the status cannot be read; the last one stays");
        return [stopped];
      }
    },
  };
}
