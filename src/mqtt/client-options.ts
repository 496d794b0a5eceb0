/** What a connection to the broker is made with, and how mqtt.js is told. */
import { createSecureContext } from "node:tls";
import type { IClientOptions } from "mqtt";
import type { BrokerAddress } from "./broker-url.ts";
import type { ProtocolVersion } from "./packets.ts";

export interface ConnectionOptions {
  /** mqtt://, mqtts://, ws:// or wss://. */
  readonly url: string;
  readonly clientId: string;
  /** False: the broker keeps the session, and what it could not deliver, while we are away. */
  readonly clean: boolean;
  /** MQTT 5, with `clean` false. On 3.1.1 the broker decides. */
  readonly sessionExpirySeconds: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: TlsFiles | undefined;
  readonly protocol: "auto" | "5" | "3.1.1";
  readonly keepaliveSeconds: number;
  readonly will?: Will | undefined;
  /** MQTT 5: how many messages the broker may have unacknowledged. */
  readonly receiveMaximum?: number | undefined;
  /** From the first byte to the CONNACK; default 10 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a broker may take to end a connection that we have ended; default 2 s. */
  readonly closeTimeoutMs?: number | undefined;
  /** Wait after the first loss, about; it doubles with each further one. Default 250 ms. */
  readonly firstRetryMs?: number | undefined;
  /** Default 30 s. */
  readonly retryMaxMs?: number | undefined;
}

/** PEM contents. The broker's certificate is always verified. */
export interface TlsFiles {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** What the broker publishes for us where the connection ends without a DISCONNECT. */
interface Will {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

export const CLOSE_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 10_000;

export function clientOptions(
  options: ConnectionOptions,
  address: BrokerAddress,
  version: ProtocolVersion,
): IClientOptions {
  const five = version === 5;
  return {
    ...given({
      port: address.port,
      path: address.path,
      username: options.username ?? address.username,
      password: options.password ?? address.password,
      ca: options.tls?.ca,
      cert: options.tls?.cert,
      key: options.tls?.key,
      will: options.will && willPacket(options.will, five),
      properties: five ? connectProperties(options) : undefined,
    }),
    protocol: address.protocol,
    host: address.host,
    hostname: address.host,
    rejectUnauthorized: true,
    protocolVersion: version,
    clientId: options.clientId,
    clean: options.clean,
    keepalive: options.keepaliveSeconds,
    connectTimeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    manualConnect: true,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // mqtt.js logs whole packets where DEBUG is set, a CONNECT with its password among them.
    log: () => {},
  };
}

/** mqtt.js tells a member that is undefined from one that is absent. */
function given<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function willPacket(will: Will, five: boolean): NonNullable<IClientOptions["will"]> {
  const packet = { ...will, payload: Buffer.from(will.payload) };
  return five ? { ...packet, properties: { contentType: "application/json" } } : packet;
}

function connectProperties(options: ConnectionOptions): NonNullable<IClientOptions["properties"]> {
  return given({
    sessionExpiryInterval: options.clean ? undefined : options.sessionExpirySeconds,
    receiveMaximum: options.receiveMaximum,
  });
}

/**
 * mqtt.js would turn mqtt:// with a certificate silently into mqtts://, and ignore a lone `ca`.
 * @throws Error on TLS files that can never work
 */
export function checkTls(tls: TlsFiles | undefined, address: BrokerAddress): void {
  if (tls?.ca === undefined && tls?.cert === undefined && tls?.key === undefined) return;
  if (address.protocol === "mqtt" || address.protocol === "ws") {
    throw new Error(
      `TLS files are given, but ${address.name} is not encrypted; write ${address.protocol}s://`,
    );
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new Error(`TLS to ${address.name}: a certificate needs its key, and a key its certificate`);
  }
  try {
    createSecureContext({ ca: tls.ca, cert: tls.cert, key: tls.key });
  } catch (error) {
    throw new Error(`TLS to ${address.name}: ${(error as Error).message}`);
  }
}
