/** One attempt to connect, and the connection that comes of it: one mqtt.js client, from CONNECT to the end. */
import type { Duplex } from "node:stream";
import {
  type IClientOptions,
  type IConnackPacket,
  type MqttClient,
  connect as mqttConnect,
  type Packet,
  ReasonCodes,
} from "mqtt";
import { withoutCredentials } from "./broker-url.ts";
import { CLOSE_TIMEOUT_MS } from "./client-options.ts";
import { createFront, type Front } from "./front.ts";
import { DISCONNECT, type ProtocolVersion } from "./packets.ts";
import type { AttemptOutcome } from "./protocol-version.ts";
import type { PublishPacket } from "./publish-packet.ts";
import type { Slabs } from "./slabs.ts";

/** One connection while it is up. */
export interface Link {
  readonly client: MqttClient;
  readonly stream: Duplex;
  readonly version: ProtocolVersion;
  readonly sessionPresent: boolean;
  /** What the broker says it takes (MQTT 5); empty on 3.1.1. */
  readonly limits: NonNullable<IConnackPacket["properties"]>;
}

export interface AttemptHandlers {
  /** The broker said yes: use this connection, or leave it at once? */
  readonly onAccepted: (sessionPresent: boolean) => "use" | "leave";
  /** Packets may come before this. */
  readonly onUp: (link: Link) => void;
  /** `proceed(error)` goes on to the next packet without acknowledging this one. */
  readonly onMessage: (packet: PublishPacket, proceed: (error?: Error) => void) => void;
  /** The broker's answer to a message. */
  readonly onPuback: (messageId: number, reasonCode: number) => void;
  /** Where the front reads to; undefined where mqtt.js may read all that comes. */
  readonly slabs: Slabs | undefined;
  /** Called once, and last. */
  readonly onEnd: (end: AttemptEnd) => void;
}

export interface AttemptEnd {
  readonly outcome: AttemptOutcome;
  /** Accepted, and left because `onAccepted` said so. */
  readonly left: boolean;
  readonly wasUp: boolean;
  readonly reason: string;
}

export interface Attempt {
  readonly client: MqttClient;
  /** Says DISCONNECT where there is somebody to say it to, and ends the connection. */
  end(timeoutMs: number): void;
}

/** Given in place of a new error for each message, which would cost a stack trace each. */
export const DEFERRED = new Error("deferred");

const MQTT_PORT = 1883;

interface Progress {
  readonly reasons: Set<string>;
  connack: IConnackPacket | undefined;
  unreachable: boolean;
  left: boolean;
  wasUp: boolean;
  ending: boolean;
  over: boolean;
}

export function beginAttempt(
  options: IClientOptions,
  version: ProtocolVersion,
  handlers: AttemptHandlers,
): Attempt {
  const progress: Progress = {
    reasons: new Set(),
    connack: undefined,
    unreachable: false,
    left: false,
    wasUp: false,
    ending: false,
    over: false,
  };
  const client = mqttConnect(options);
  const over = () => {
    if (progress.over) return;
    progress.over = true;
    handlers.onEnd(endOf(progress));
  };
  const failed = (error: Error) => {
    progress.reasons.add(reasonOf(error));
    if (!leavesReachOpen(error)) progress.unreachable = true;
    // After an error of the parser mqtt.js would go on in the middle of a packet.
    if (!progress.ending) client.stream?.destroy();
  };
  // Handlers before connecting: a resumed session's backlog comes right behind the CONNACK.
  const message = (packet: PublishPacket, proceed: (error?: Error) => void): void => {
    if (!progress.left) {
      handlers.onMessage(packet, proceed);
      return;
    }
    packet.slab?.release();
    proceed(DEFERRED);
  };
  client.handleMessage = message;
  const { slabs, onPuback } = handlers;
  const front =
    slabs && putBefore(client, options, createFront({ version, slabs, onPublish: message, onPuback }));
  client.on("packetreceive", (packet) => {
    received(client, progress, handlers, packet);
    if (packet.cmd === "connack") front?.greeted();
  });
  client.on("connect", () => {
    if (progress.left || progress.ending || progress.over) return;
    progress.wasUp = true;
    handlers.onUp(linkOf(client, version, progress));
  });
  client.on("error", failed);
  client.on("close", over);
  try {
    client.connect();
    // mqtt.js keeps stream errors that have no code to itself.
    client.stream.on("error", failed);
  } catch (error) {
    failed(error as Error);
    queueMicrotask(over);
  }
  return {
    client,
    end(timeoutMs) {
      if (progress.ending || progress.over) return;
      progress.ending = true;
      if (progress.connack === undefined) client.stream?.destroy();
      else if (!progress.left) endPolitely(client, timeoutMs);
    },
  };
}

/** Where mqtt.js makes its stream; of no account in its types. */
interface Building {
  streamBuilder: (client: MqttClient, options: IClientOptions) => Duplex;
}

function putBefore(client: MqttClient, { protocol, port, hostname }: IClientOptions, front: Front): Front {
  const building = client as unknown as Building;
  const build = building.streamBuilder;
  building.streamBuilder = (...args) =>
    protocol === "mqtt"
      ? front.connect(port ?? MQTT_PORT, hostname ?? "localhost")
      : front.over(build(...args));
  return front;
}

function received(client: MqttClient, progress: Progress, handlers: AttemptHandlers, packet: Packet): void {
  if (packet.cmd === "connack") {
    if (progress.connack !== undefined) return;
    progress.connack = packet;
    if (codeOf(packet) === 0 && handlers.onAccepted(packet.sessionPresent === true) === "leave") {
      progress.left = true;
      endPolitely(client, CLOSE_TIMEOUT_MS);
    }
  } else if (packet.cmd === "disconnect") {
    const code = packet.reasonCode ?? 0;
    const text = (ReasonCodes as Record<number, string>)[code];
    progress.reasons.add(`the broker disconnected: ${text || "no reason given"} (${code})`);
  } else if (!progress.left && packet.cmd === "puback") {
    handlers.onPuback(packet.messageId!, packet.reasonCode ?? 0);
  }
}

function linkOf(client: MqttClient, version: ProtocolVersion, progress: Progress): Link {
  // Nagle's algorithm would hold small packets back, for up to 40 ms. WebSocket streams see to it themselves.
  (client.stream as { setNoDelay?(on: boolean): void }).setNoDelay?.(true);
  return {
    client,
    stream: client.stream as Duplex,
    version,
    sessionPresent: progress.connack?.sessionPresent === true,
    limits: progress.connack?.properties ?? {},
  };
}

function endPolitely(client: MqttClient, timeoutMs: number): void {
  const { stream } = client;
  const timer = setTimeout(() => stream.destroy(), timeoutMs);
  stream.once("close", () => clearTimeout(timer));
  stream.end(DISCONNECT);
}

function endOf(progress: Progress): AttemptEnd {
  return {
    outcome: outcomeOf(progress),
    left: progress.left,
    wasUp: progress.wasUp,
    reason: withoutCredentials([...progress.reasons].join("; ")) || "the broker ended the connection",
  };
}

function outcomeOf({ connack, unreachable }: Progress): AttemptOutcome {
  if (connack === undefined) return unreachable ? "other" : "no-answer";
  const code = codeOf(connack);
  if (code === 0) return "accepted";
  return code === 1 || code === 0x84 ? "version-refused" : "other";
}

function codeOf(connack: IConnackPacket): number {
  return connack.reasonCode ?? connack.returnCode ?? 0;
}

/** A broker that was reached may reset a connection whose version it dislikes, or keep silent. */
function leavesReachOpen(error: Error & { code?: string | number }): boolean {
  return error.code === undefined || error.code === "ECONNRESET" || error.code === "EPIPE";
}

/** Node gives an AggregateError without a text of its own where a host has several addresses. */
function reasonOf(error: Error & { code?: string | number; errors?: readonly Error[] }): string {
  return error.message || error.errors?.map(({ message }) => message).join(", ") || String(error.code);
}
