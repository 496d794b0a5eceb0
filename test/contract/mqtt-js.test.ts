/**
 * What we rely on in mqtt.js beyond its documentation. It is pinned to one version; these tests say whether
 * another one can take its place.
 */
import { Socket } from "node:net";
import { connect, type IPublishPacket, MqttClient } from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { DEFERRED } from "../../src/mqtt/attempt.ts";
import { pubacks } from "../../src/mqtt/packets.ts";
import { anEventLog } from "../support/event-log.ts";
import { aScriptedBroker, connack, type ScriptedBroker } from "../support/scripted-broker.ts";

async function aClient(
  broker: ScriptedBroker,
  protocolVersion: 4 | 5,
  prepare: (client: MqttClient) => void = () => {},
) {
  const client = connect({
    ...{ host: "127.0.0.1", port: Number(new URL(broker.url).port), protocol: "mqtt", protocolVersion },
    ...{ clientId: "c", manualConnect: true, reconnectPeriod: 0, resubscribe: false, queueQoSZero: false },
  });
  const errors = anEventLog<Error>();
  client.on("error", errors.push);
  prepare(client);
  const connected = new Promise((resolve) => client.once("connect", resolve));
  client.connect();
  onTestFinished(() => client.endAsync(true));
  await connected;
  return { client, errors };
}

/** Sends three messages right behind the CONNACK, and answers a ping. */
const threeFrames = () =>
  aScriptedBroker((packet, line) => {
    if (packet.cmd !== "connect") return undefined;
    line.send(connack(line));
    for (const messageId of [1, 2, 3]) {
      line.send({ cmd: "publish", topic: "t", payload: "x", qos: 1, messageId, dup: false, retain: false });
    }
    return true;
  });

test("it is the version that was looked into", () => {
  expect(MqttClient.VERSION).toBe("5.16.0");
});

test.each([4, 5] as const)(
  "level %i: an error given back by handleMessage sends no PUBACK, makes no noise and goes on",
  async (version) => {
    const broker = await threeFrames();
    const messages = anEventLog<IPublishPacket>();
    const { client, errors } = await aClient(broker, version, (client) => {
      client.handleMessage = (packet, proceed) => {
        messages.push(packet);
        proceed(DEFERRED);
      };
    });
    const received = await messages.count(3);
    expect(received.map(({ messageId }) => messageId)).toEqual([1, 2, 3]);
    // A ping behind them is answered, so that the connection is whole and nothing else is on its way.
    const ponged = new Promise<void>((resolve) => {
      client.on("packetreceive", ({ cmd }) => {
        if (cmd === "pingresp") resolve();
      });
    });
    client.sendPing();
    await ponged;
    expect(broker.packets.all.map(({ cmd }) => cmd)).toEqual(["connect", "pingreq"]);
    expect(errors.all).toEqual([]);
  },
);

test("messages reach handleMessage ahead of the connect event, and it must be in place before", async () => {
  const broker = await threeFrames();
  const order: string[] = [];
  const messages = anEventLog<IPublishPacket>();
  await aClient(broker, 5, (client) => {
    client.handleMessage = (packet, proceed) => {
      order.push("message");
      messages.push(packet);
      proceed(DEFERRED);
    };
    client.once("connect", () => order.push("connect"));
  });
  await messages.count(3);
  expect(order).toHaveLength(4);
  expect(order.filter((what) => what === "message")).toHaveLength(3);
});

test.each([4, 5] as const)(
  "level %i: its stream is the socket, and takes whole packets between its own",
  async (version) => {
    const broker = await aScriptedBroker(() => undefined);
    const { client, errors } = await aClient(broker, version);
    expect(client.stream).toBeInstanceOf(Socket);
    client.sendPing();
    client.stream.write(pubacks([7, 8]));
    client.sendPing();
    await broker.packets.count(2, ({ cmd }) => cmd === "pingreq");
    expect(broker.packets.all.map(({ cmd, messageId }) => [cmd, messageId])).toEqual([
      ["connect", undefined],
      ["pingreq", undefined],
      ["puback", 7],
      ["puback", 8],
      ["pingreq", undefined],
    ]);
    expect(errors.all).toEqual([]);
  },
);

test("it takes for its socket what its builder of streams gives, which can be replaced until it connects", async () => {
  const broker = await aScriptedBroker(() => undefined);
  const given: unknown[] = [];
  const { client } = await aClient(broker, 5, (client) => {
    const building = client as unknown as { streamBuilder(...args: unknown[]): unknown };
    const build = building.streamBuilder;
    building.streamBuilder = (...args) => {
      given.push(build(...args));
      return given[0];
    };
  });
  expect(given).toHaveLength(1);
  expect(client.stream).toBe(given[0]);
});

test("a PUBACK for a message that it did not send itself is passed on, and no error", async () => {
  const broker = await aScriptedBroker((packet, line) => {
    if (packet.cmd === "pingreq") line.send({ cmd: "puback", messageId: 99 });
    return undefined;
  });
  const { client, errors } = await aClient(broker, 5);
  const seen = anEventLog<string | undefined>();
  client.on("packetreceive", ({ cmd }) => seen.push(cmd));
  client.sendPing();
  await seen.first((cmd) => cmd === "pingresp");
  expect(seen.all).toEqual(["puback", "pingresp"]);
  expect(errors.all).toEqual([]);
});

test("a client that does not reconnect ends with one close event, and tries no more", async () => {
  const broker = await aScriptedBroker((packet, line) => {
    if (packet.cmd !== "pingreq") return undefined;
    line.hangUp();
    return true;
  });
  const { client } = await aClient(broker, 5);
  const events = anEventLog<string>();
  for (const event of ["close", "reconnect", "offline", "end"] as const)
    client.on(event, () => events.push(event));
  client.sendPing();
  await events.first((event) => event === "close");
  await new Promise(setImmediate);
  expect(events.all).toEqual(["close"]);
  expect(broker.connects.all).toHaveLength(1);
});
