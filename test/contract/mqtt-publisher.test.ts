/** What the relay relies on in its publisher, against a real broker. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Message } from "../../src/gateway/ports.ts";
import type { PublishError } from "../../src/mqtt/publisher.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { aClientId, aPublisher, aSensor } from "../support/mqtt.ts";
import { aRecordingProxy, type RecordingProxy } from "../support/recording-proxy.ts";
import { aScriptedBroker, connack, type Line } from "../support/scripted-broker.ts";

const failureOf = (error: Error | undefined) => (error as PublishError | undefined)?.failure;

async function aProxy(broker: Mosquitto): Promise<RecordingProxy> {
  const proxy = await aRecordingProxy(broker.port);
  onTestFinished(proxy.close);
  return proxy;
}

describeWithMosquitto("the publisher on mosquitto", () => {
  let broker: Mosquitto;
  beforeAll(async () => {
    broker = await aMosquitto();
  });
  afterAll(() => broker.stop());

  describe.each(["5", "3.1.1"] as const)("MQTT %s", (protocol) => {
    test.each([0, 1] as const)("publishes at QoS %i, with what MQTT 5 can say beside it", async (qos) => {
      const topic = aClientId();
      const sensor = await aSensor(broker.url);
      await sensor.subscribe(topic);
      const { publisher, publish } = aPublisher(broker.url, { protocol });
      await publisher.connect();
      const message: Message = {
        topic,
        payload: '{"a":1}',
        qos,
        correlation: Buffer.from("c"),
        expirySeconds: 60,
      };
      expect(await publish(message)).toBeUndefined();
      const received = await sensor.received.first(() => true);
      expect(received).toMatchObject({ text: '{"a":1}', qos, retain: false });
      if (protocol === "5") {
        expect(received.properties).toMatchObject({
          contentType: "application/json",
          correlationData: Buffer.from("c"),
          messageExpiryInterval: expect.toSatisfy((seconds: number) => seconds > 50 && seconds <= 60),
        });
      }
    });

    test("keeps the order of a burst", async () => {
      const topic = aClientId();
      const sensor = await aSensor(broker.url);
      await sensor.subscribe(topic);
      const { publisher, publish } = aPublisher(broker.url, { protocol });
      await publisher.connect();
      const texts = Array.from({ length: 500 }, (_, i) => `${i}`);
      const errors = await Promise.all(texts.map((payload) => publish({ topic, payload, qos: 1 })));
      expect(errors.filter((error) => error !== undefined)).toEqual([]);
      expect((await sensor.received.count(500)).map(({ text }) => text)).toEqual(texts);
    });

    test("fails what was not acknowledged when the connection goes, each once, and sends none of it again", async () => {
      const proxy = await aProxy(broker);
      const { publisher, publish, events } = aPublisher(proxy.url, { protocol });
      await publisher.connect();
      const topic = aClientId();
      const answers: (Error | undefined)[] = [];
      proxy.muteBroker();
      const all = Promise.all(
        Array.from({ length: 3 }, (_, i) => {
          return new Promise<void>((resolve) => {
            publisher.publish({ topic, payload: `${i}`, qos: 1 }, (error) => {
              answers.push(error);
              resolve();
            });
          });
        }),
      );
      await proxy.packets.count(3, ({ from, packet }) => from === "broker" && packet.cmd === "puback");
      expect(answers).toEqual([]);
      proxy.cut();
      await all;
      expect(answers.map(failureOf)).toEqual(["lost", "lost", "lost"]);
      await events.count(2, ({ kind }) => kind === "connected");
      const published = () => proxy.packets.all.filter(({ packet }) => packet.cmd === "publish");
      expect(published()).toHaveLength(3);
      // The next connection works, and nothing of the old one came along or is answered twice.
      expect(await publish({ topic, payload: "new", qos: 1 })).toBeUndefined();
      expect(published()).toHaveLength(4);
      expect(answers).toHaveLength(3);
    });

    test.each([0, 1] as const)("publishes nothing while there is no connection (QoS %i)", async (qos) => {
      const proxy = await aProxy(broker);
      const { publisher, publish, events } = aPublisher(proxy.url, { protocol });
      expect(failureOf(await publish({ topic: "t", payload: "", qos }))).toBe("offline");
      await publisher.connect();
      const lost = events.first(({ kind }) => kind === "connection-lost");
      proxy.cut();
      await lost;
      expect(publisher.connected).toBe(false);
      expect(failureOf(await publish({ topic: "t", payload: "", qos }))).toBe("offline");
      await events.count(2, ({ kind }) => kind === "connected");
      expect(await publish({ topic: "t", payload: "now", qos })).toBeUndefined();
      await proxy.packets.first(({ packet }) => packet.cmd === "publish");
      const published = proxy.packets.all.filter(({ packet }) => packet.cmd === "publish");
      expect(published).toMatchObject([{ connection: 2, packet: { payload: Buffer.from("now") } }]);
    });

    test("leaves its will when the line breaks, and none when it closes", async () => {
      const gateway = aClientId();
      const sensor = await aSensor(broker.url);
      await sensor.subscribe(`sekisho/${gateway}/state`);
      const proxy = await aProxy(broker);
      const { publisher } = aPublisher(proxy.url, { protocol }, { gateway, session: 42 });
      await publisher.connect();
      const connectedAgain = new Promise<void>((resolve) => publisher.onConnect(resolve));
      proxy.cut();
      const will = await sensor.received.first(() => true);
      expect(JSON.parse(will.text)).toEqual({ state: "offline", session: 42 });
      await connectedAgain;

      const stopped: Message = {
        topic: `sekisho/${gateway}/state`,
        payload: '{"state":"stopped","session":42}',
        qos: 1,
        retain: true,
      };
      await publisher.close([stopped]);
      // The broker has ended the connection; a will would be out before what comes now.
      await sensor.send(`sekisho/${gateway}/state`, "mark");
      await sensor.received.first(({ text }) => text === "mark");
      expect(sensor.received.all.map(({ text }) => text)).toEqual([will.text, stopped.payload, "mark"]);
      const late = await aSensor(broker.url);
      await late.subscribe(`sekisho/${gateway}/state`);
      expect(await late.received.first(() => true)).toMatchObject({ text: stopped.payload, retain: true });
    });
  });

  test("tells those who listen of each connection", async () => {
    const proxy = await aProxy(broker);
    const { publisher, events } = aPublisher(proxy.url);
    let connections = 0;
    publisher.onConnect(() => {
      connections++;
      expect(publisher.connected).toBe(true);
    });
    await publisher.connect();
    expect(connections).toBe(1);
    proxy.cut();
    await events.count(2, ({ kind }) => kind === "connected");
    expect(connections).toBe(2);
  });
});

describe("the publisher", () => {
  test("keeps to the broker's receive maximum, and answers each message", async () => {
    const ids: number[] = [];
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd === "connect") line.send(connack(line, 0, { receiveMaximum: 2 }));
      if (packet.cmd === "publish") ids.push(packet.messageId!);
      return packet.cmd === "connect" || packet.cmd === "publish" ? hold(line) : undefined;
    });
    let lineToClient: Line | undefined;
    const hold = (line: Line) => {
      lineToClient = line;
      return true;
    };
    const { publisher, publish } = aPublisher(broker.url);
    await publisher.connect();
    const sends = ["a", "b", "c"].map((payload) => publish({ topic: "t", payload, qos: 1 }));
    await broker.packets.count(2, ({ cmd }) => cmd === "publish");
    // All three were published in one go: a third on the line would have come with the first two.
    expect(ids).toHaveLength(2);
    for (const messageId of [...ids]) lineToClient?.send({ cmd: "puback", messageId });
    await broker.packets.count(3, ({ cmd }) => cmd === "publish");
    lineToClient?.send({ cmd: "puback", messageId: ids[2]! });
    expect(await Promise.all(sends)).toEqual([undefined, undefined, undefined]);
  });

  test("takes no more than its bound, and says so", async () => {
    const broker = await aScriptedBroker(({ cmd }) => cmd === "publish");
    const { publisher, publish } = aPublisher(broker.url, { closeTimeoutMs: 30 }, { pendingMax: 2 });
    await publisher.connect();
    const open = [0, 1].map(() => publish({ topic: "t", payload: "", qos: 1 }));
    expect(failureOf(await publish({ topic: "t", payload: "", qos: 1 }))).toBe("full");
    expect(failureOf(await publish({ topic: "t", payload: "", qos: 0 }))).toBe("full");
    await publisher.close();
    expect((await Promise.all(open)).map(failureOf)).toEqual(["lost", "lost"]);
  });

  test("answers each QoS 0 message once, also those that the socket never took", async () => {
    let line: Line | undefined;
    const broker = await aScriptedBroker((packet, connected) => {
      if (packet.cmd !== "connect" || line !== undefined) return undefined;
      line = connected;
      connected.send(connack(connected));
      connected.stopReading();
      return true;
    });
    const bounds = { unwrittenBytesMax: 30_000_000 };
    const { publisher, events } = aPublisher(broker.url, {}, bounds);
    await publisher.connect();
    const answers: (string | undefined)[][] = [[], [], []];
    const all = answers.map(
      (own) =>
        new Promise<void>((resolve) => {
          publisher.publish({ topic: "t", payload: new Uint8Array(20_000_000), qos: 0 }, (error) => {
            own.push(failureOf(error));
            resolve();
          });
        }),
    );
    await all[2];
    line?.hangUp();
    await Promise.all(all);
    await events.count(2, ({ kind }) => kind === "connected");
    expect(answers).toEqual([["lost"], ["lost"], ["full"]]);
  });

  test.each<[string, object, Message]>([
    [
      "too large for this broker",
      { maximumPacketSize: 100 },
      { topic: "t", payload: "x".repeat(90), qos: 1 },
    ],
    ["QoS 1 where there is none", { maximumQoS: 0 }, { topic: "t", payload: "", qos: 1 }],
    [
      "retained where nothing is",
      { retainAvailable: false },
      { topic: "t", payload: "", qos: 0, retain: true },
    ],
    ["without a topic", {}, { topic: "", payload: "", qos: 0 }],
    ["to a wildcard", {}, { topic: "a/#", payload: "", qos: 1 }],
  ])("does not send a message that would end the connection: %s", async (_what, properties, message) => {
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "connect") return undefined;
      line.send(connack(line, 0, properties));
      return true;
    });
    const { publisher, publish } = aPublisher(broker.url);
    await publisher.connect();
    expect(failureOf(await publish(message))).toBe("unsendable");
    expect(await publish({ topic: "t", payload: "", qos: 0 })).toBeUndefined();
    await publisher.close();
    expect(broker.packets.all.filter(({ cmd }) => cmd === "publish")).toHaveLength(1);
  });

  test("says what the broker answered to a message it refuses", async () => {
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "publish") return undefined;
      line.send({ cmd: "puback", messageId: packet.messageId!, reasonCode: 0x87 });
      return true;
    });
    const { publisher, publish } = aPublisher(broker.url);
    await publisher.connect();
    const error = await publish({ topic: "secret/topic", payload: "", qos: 1 });
    expect(failureOf(error)).toBe("refused");
    expect(error?.message).toBe("secret/topic: the broker refuses the message: Not authorized (135)");
  });

  test("says that its last messages are lost where nobody answers", async () => {
    const broker = await aScriptedBroker(({ cmd }) => cmd === "publish");
    const { publisher, events } = aPublisher(broker.url, { closeTimeoutMs: 30 });
    await publisher.connect();
    await publisher.close([{ topic: "t", payload: "", qos: 1 }]);
    expect(events.all.map(({ kind }) => kind)).toEqual(["connected", "closed", "final-messages-lost"]);
    expect(broker.packets.all.at(-1)?.cmd).toBe("disconnect");
  });

  test("can be closed before it has connected", async () => {
    const broker = await aScriptedBroker(({ cmd }) => cmd === "connect");
    const { publisher } = aPublisher(broker.url);
    const connecting = expect(publisher.connect()).rejects.toThrow("closed before it had connected");
    await broker.connects.first(() => true);
    await publisher.close();
    await connecting;
    const never = aPublisher(broker.url);
    await never.publisher.close();
    await expect(never.publisher.connect()).rejects.toThrow("closed before it had connected");
  });
});
