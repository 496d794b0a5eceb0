/** One connection for looking at a broker: made once, never again, and told why where it fails. */

import type { IConnackPacket, MqttClient } from "mqtt";
import { type AttemptEnd, beginAttempt, type Link } from "./attempt.ts";
import { readBrokerUrl } from "./broker-url.ts";
import { CLOSE_TIMEOUT_MS, type ConnectionOptions, checkTls, clientOptions } from "./client-options.ts";
import type { ProtocolVersion } from "./packets.ts";

export interface Probe {
  readonly version: "5" | "3.1.1";
  readonly sessionPresent: boolean;
  /** What the broker says it takes (MQTT 5); empty on 3.1.1. */
  readonly limits: NonNullable<IConnackPacket["properties"]>;
  /**
   * Undefined where it is granted; else the broker's own words.
   * @param retained whether what is retained there is to come as well
   */
  subscribe(filter: string, qos: 0 | 1, retained?: "retained"): Promise<string | undefined>;
  unsubscribe(filter: string): Promise<void>;
  /** Undefined where the broker took it; else its own words, or how the connection ended. */
  publish(topic: string, payload: string): Promise<string | undefined>;
  close(): Promise<void>;
}

export type Probed =
  | { readonly ok: true; readonly probe: Probe }
  | { readonly ok: false; readonly reason: string };

/** A promise whose end is told from elsewhere; Node 20 has no Promise.withResolvers. */
export function openPromise<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((call) => {
    resolve = call;
  });
  return { promise, resolve };
}

/** Unread probe messages go by themselves. */
const MESSAGE_EXPIRY_SECONDS = 60;

/**
 * Connects once, by the version that the broker speaks.
 * @param onMessage told each message, from before the first that a session found again may bring
 * @throws Error on an address or TLS files that can never work
 */
export async function connectProbe(
  options: ConnectionOptions,
  onMessage: (topic: string, payload: string) => void = () => {},
): Promise<Probed> {
  const address = readBrokerUrl(options.url);
  checkTls(options.tls, address);
  const versions: readonly ProtocolVersion[] =
    options.protocol === "auto" ? [5, 4] : [options.protocol === "5" ? 5 : 4];
  let reason = "";
  for (const version of versions) {
    const tried = await attemptOnce(options, version, onMessage);
    if ("probe" in tried) return { ok: true, probe: tried.probe };
    // The first answer says more: that of the version which the broker prefers.
    reason ||= tried.end.reason;
    if (tried.end.outcome === "other") break;
  }
  return { ok: false, reason };
}

function attemptOnce(
  options: ConnectionOptions,
  version: ProtocolVersion,
  onMessage: (topic: string, payload: string) => void,
): Promise<{ readonly probe: Probe } | { readonly end: AttemptEnd }> {
  return new Promise((resolve) => {
    const lost = openPromise<string>();
    const attempt = beginAttempt(clientOptions(options, readBrokerUrl(options.url), version), version, {
      onAccepted: () => "use",
      onUp: (link) =>
        resolve({
          probe: probeOn(link, lost.promise, () => attempt.end(options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS)),
        }),
      onMessage(packet, proceed) {
        onMessage(packet.topic, packet.payload.toString());
        proceed();
      },
      onPuback() {},
      slabs: undefined,
      onEnd(end) {
        lost.resolve(end.reason);
        resolve({ end });
      },
    });
  });
}

function probeOn(link: Link, lost: Promise<string>, end: () => void): Probe {
  const { client, version, sessionPresent, limits } = link;
  /** A broker may answer a forbidden packet by ending the connection: mqtt.js would wait for the answer for ever. */
  const answered = (work: Promise<unknown>): Promise<string | undefined> =>
    Promise.race([
      work.then(
        () => undefined,
        (error: Error) => error.message,
      ),
      lost,
    ]);
  return {
    version: version === 5 ? "5" : "3.1.1",
    sessionPresent,
    limits,
    subscribe: (filter, qos, retained) =>
      answered(granted(client, filter, qos, retained === undefined ? 2 : 0)),
    unsubscribe: async (filter) => void (await answered(client.unsubscribeAsync(filter))),
    publish: (topic, payload) =>
      answered(
        client.publishAsync(topic, payload, {
          qos: 1,
          ...(version === 5 && { properties: { messageExpiryInterval: MESSAGE_EXPIRY_SECONDS } }),
        }),
      ),
    async close() {
      end();
      await lost;
    },
  };
}

/** @throws Error where the broker's answer is a refusal, which mqtt.js does not take for an error on 3.1.1 */
async function granted(client: MqttClient, filter: string, qos: 0 | 1, rh: 0 | 2): Promise<void> {
  for (const grant of await client.subscribeAsync(filter, { qos, rh })) {
    if (grant.qos >= 128) throw new Error("Not authorized");
  }
}
