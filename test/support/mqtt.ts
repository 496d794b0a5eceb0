/** Builders for tests that speak MQTT: an intake, a publisher and a plain sensor, closed when the test ends. */
import { connect as netConnect } from "node:net";
import { connectAsync, type IClientPublishOptions, type MqttClient } from "mqtt";
import { onTestFinished } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import type { Delivery, Intake, Message } from "../../src/gateway/ports.ts";
import type { ConnectionOptions } from "../../src/mqtt/client-options.ts";
import { createIntake, type IntakeEvent, type IntakeOptions } from "../../src/mqtt/intake.ts";
import {
  type BrokerPublisher,
  createPublisher,
  type PublisherEvent,
  type PublisherOptions,
} from "../../src/mqtt/publisher.ts";
import { createSlabs } from "../../src/mqtt/slabs.ts";
import { anEventLog, type EventLog } from "./event-log.ts";

let names = 0;

/** A client id that no other test uses. */
export function aClientId(): string {
  names++;
  return `test-${process.pid}-${names}`;
}

export interface TestIntake {
  readonly intake: Intake;
  readonly deliveries: EventLog<Delivery>;
  readonly events: EventLog<IntakeEvent>;
  /** One for each session that was found again, with the deliveries so far. */
  readonly resumes: EventLog<number>;
  start(): Promise<void>;
}

export function anIntake(
  url: string,
  connection: Partial<ConnectionOptions> = {},
  options: Partial<Omit<IntakeOptions, "connection">> = {},
): TestIntake {
  const deliveries = anEventLog<Delivery>();
  const events = anEventLog<IntakeEvent>();
  const resumes = anEventLog<number>();
  const intake = createIntake({
    connection: {
      url,
      clientId: aClientId(),
      protocol: "auto",
      sessionExpirySeconds: 60,
      keepaliveSeconds: 30,
      firstRetryMs: 20,
      retryMaxMs: 200,
      closeTimeoutMs: 500,
      ...connection,
    },
    filters: ["line/+/frames"],
    nowMs: () => 1_700_000_000_000,
    random: seededRandom(1),
    onEvent: events.push,
    // Whoever looks at a frame that is done with sees this.
    slabs: createSlabs((bytes) => bytes.fill(0xdb)),
    ...options,
  });
  onTestFinished(() => intake.close());
  const start = () => intake.start(deliveries.push, () => resumes.push(deliveries.all.length));
  return { intake, deliveries, events, resumes, start };
}

export interface TestPublisher {
  readonly publisher: BrokerPublisher;
  readonly events: EventLog<PublisherEvent>;
  /** Publishes and waits for the answer: undefined, or the error. */
  publish(message: Message): Promise<Error | undefined>;
}

export function aPublisher(
  url: string,
  connection: Partial<ConnectionOptions> = {},
  options: Partial<Omit<PublisherOptions, "connection">> = {},
): TestPublisher {
  const events = anEventLog<PublisherEvent>();
  const publisher = createPublisher({
    connection: {
      url,
      clientId: aClientId(),
      protocol: "auto",
      keepaliveSeconds: 30,
      firstRetryMs: 20,
      retryMaxMs: 200,
      closeTimeoutMs: 500,
      ...connection,
    },
    gateway: "gw",
    session: 7,
    random: seededRandom(2),
    onEvent: events.push,
    ...options,
  });
  onTestFinished(() => publisher.close());
  const publish = (message: Message) =>
    new Promise<Error | undefined>((resolve) => publisher.publish(message, resolve));
  return { publisher, events, publish };
}

interface Received {
  readonly topic: string;
  readonly text: string;
  readonly retain: boolean;
  readonly qos: number;
  readonly properties: object | undefined;
}

export interface Sensor {
  readonly client: MqttClient;
  readonly received: EventLog<Received>;
  send(topic: string, payload: string | Buffer, options?: IClientPublishOptions): Promise<void>;
  subscribe(filter: string): Promise<void>;
}

/** A plain client of the broker's: the plant, an operator or a dashboard. */
export async function aSensor(url: string, protocolVersion: 4 | 5 = 5): Promise<Sensor> {
  const client = await connectAsync(url, { protocolVersion, clientId: aClientId(), reconnectPeriod: 0 });
  onTestFinished(() => client.endAsync(true));
  const received = anEventLog<Received>();
  client.on("message", (topic, payload, { retain, qos, properties }) => {
    received.push({ topic, text: payload.toString(), retain, qos, properties });
  });
  return {
    client,
    received,
    async send(topic, payload, options) {
      await client.publishAsync(topic, payload, { qos: 1, ...options });
    },
    async subscribe(filter) {
      await client.subscribeAsync(filter, { qos: 1 });
    },
  };
}

export function textOf(delivery: Delivery): string {
  return Buffer.from(delivery.payload).toString();
}

/** What mosquitto says of a client whose keepalive it has missed. */
export const KEEPALIVE_MISSED = /has exceeded timeout/;

/**
 * A client that connects and then says nothing at all: when the broker gives it up, one keepalive and a half has
 * gone by, and is known to be watched over.
 */
export async function aSilentClient(port: number, clientId: string, keepaliveSeconds: number): Promise<void> {
  const id = Buffer.from(clientId);
  const header = Buffer.from([0x10, 12 + id.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, keepaliveSeconds]);
  const socket = netConnect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  socket.write(Buffer.concat([header, Buffer.from([0, id.length]), id]));
  await new Promise((resolve) => socket.once("data", resolve));
}
