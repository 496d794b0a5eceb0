/** What the gateway relies on in its intake, against a real broker. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { aClientId, anIntake, aSensor, aSilentClient, KEEPALIVE_MISSED, textOf } from "../support/mqtt.ts";
import { aRecordingProxy, type RecordingProxy } from "../support/recording-proxy.ts";
import { aScriptedBroker } from "../support/scripted-broker.ts";

const pubackIds = (proxy: RecordingProxy, connection = 1) =>
  proxy.packets.all
    .filter(
      ({ from, packet, ...at }) =>
        from === "client" && packet.cmd === "puback" && at.connection === connection,
    )
    .map(({ packet }) => packet.messageId);

const publishedIds = (proxy: RecordingProxy, connection = 1) =>
  proxy.packets.all
    .filter(
      ({ from, packet, ...at }) =>
        from === "broker" && packet.cmd === "publish" && at.connection === connection,
    )
    .map(({ packet }) => packet.messageId);

const isPuback = ({ from, packet }: RecordingProxy["packets"]["all"][number]) =>
  from === "client" && packet.cmd === "puback";

async function aProxy(broker: Mosquitto): Promise<RecordingProxy> {
  const proxy = await aRecordingProxy(broker.port);
  onTestFinished(proxy.close);
  return proxy;
}

describeWithMosquitto("the intake on mosquitto", () => {
  let broker: Mosquitto;
  beforeAll(async () => {
    broker = await aMosquitto();
  });
  afterAll(() => broker.stop());

  describe.each(["5", "3.1.1"] as const)("MQTT %s", (protocol) => {
    // Every test has topics of its own: sessions of other tests live on in the broker.
    let topic = "";
    let filters: string[] = [];
    const ownTopic = () => {
      const line = aClientId();
      topic = `${line}/cam/frames`;
      filters = [`${line}/+/frames`];
    };

    test("delivers frames with what the message says of them", async () => {
      ownTopic();
      const { deliveries, start } = anIntake(broker.url, { protocol }, { filters });
      await start();
      const sensor = await aSensor(broker.url);
      await sensor.send(topic, "frame", {
        properties: {
          contentType: "image/png",
          correlationData: Buffer.from([1, 2]),
          userProperties: { "frame-id": ["f-1", "f-2"], "part-id": "p-1", "part-count": "3" },
        },
      });
      const delivery = await deliveries.first(() => true);
      expect(textOf(delivery)).toBe("frame");
      const five = protocol === "5";
      expect(delivery).toMatchObject({
        topic,
        contentType: five ? "image/png" : undefined,
        correlation: five ? Buffer.from([1, 2]) : undefined,
        frameId: five ? "f-1" : undefined,
        partId: five ? "p-1" : undefined,
        partCount: five ? 3 : undefined,
        receivedAtMs: 1_700_000_000_000,
      });
    });

    test("acknowledges nothing until told so: a session that breaks off gets it all again", async () => {
      ownTopic();
      const proxy = await aProxy(broker);
      const { intake, deliveries, events, start } = anIntake(proxy.url, { protocol }, { filters });
      await start();
      const sensor = await aSensor(broker.url);
      for (const text of ["a", "b", "c"]) await sensor.send(topic, text);
      const [first] = await deliveries.count(3);
      intake.acknowledge([first!.ticket]);
      await proxy.packets.first(isPuback);
      // So that the broker has read the acknowledgement before the line is cut.
      await sensor.send(topic, "d");
      await deliveries.count(4);

      proxy.cut();
      const again = (await deliveries.count(7)).slice(4);
      expect(again.map(textOf)).toEqual(["b", "c", "d"]);
      expect(pubackIds(proxy)).toHaveLength(1);
      expect(events.all.filter(({ kind }) => kind === "connected")).toMatchObject([
        { sessionPresent: false },
        { sessionPresent: true },
      ]);
    });

    test("acknowledges in the order of receipt, whatever the order it is told in", async () => {
      ownTopic();
      const proxy = await aProxy(broker);
      const { intake, deliveries, start } = anIntake(proxy.url, { protocol }, { filters });
      await start();
      const sensor = await aSensor(broker.url);
      for (let i = 0; i < 6; i++) await sensor.send(topic, `${i}`);
      const tickets = (await deliveries.count(6)).map(({ ticket }) => ticket);
      expect(tickets).toEqual([...tickets].sort((a, b) => a - b));

      intake.acknowledge([tickets[5]!, tickets[2]!]);
      intake.acknowledge([tickets[1]!]);
      intake.acknowledge([tickets[0]!, tickets[0]!]);
      await proxy.packets.count(3, isPuback);
      expect(pubackIds(proxy)).toEqual(publishedIds(proxy).slice(0, 3));
      intake.acknowledge([tickets[4]!, tickets[3]!]);
      await proxy.packets.count(6, isPuback);
      expect(pubackIds(proxy)).toEqual(publishedIds(proxy));
    });

    test("loses nothing of a backlog, which comes with the CONNACK", async () => {
      ownTopic();
      const clientId = aClientId();
      const before = anIntake(broker.url, { protocol, clientId }, { filters });
      await before.start();
      await before.intake.close();
      const sensor = await aSensor(broker.url);
      const texts = Array.from({ length: 300 }, (_, i) => `${i}`);
      await Promise.all(texts.map((text) => sensor.send(topic, text)));

      const after = anIntake(broker.url, { protocol, clientId }, { filters });
      await after.start();
      const deliveries = await after.deliveries.count(300);
      expect(deliveries.map(textOf)).toEqual(texts);
      after.intake.acknowledge(deliveries.map(({ ticket }) => ticket));
      // Subscribing again has neither doubled the backlog nor dropped the session.
      await sensor.send(topic, "one more");
      expect(textOf((await after.deliveries.count(301)).at(-1)!)).toBe("one more");
    });

    test("takes no more than its window, and goes on when there is room", async () => {
      ownTopic();
      const { intake, deliveries, events, start } = anIntake(
        broker.url,
        { protocol },
        { filters, receiveMaximum: 5 },
      );
      await start();
      const sensor = await aSensor(broker.url);
      for (let i = 0; i < 12; i++) await sensor.send(topic, `${i}`);
      const first = await deliveries.count(5);
      // MQTT 5 brokers count for themselves; on 3.1.1 the sixth comes, and waits.
      if (protocol === "3.1.1") await events.first(({ kind }) => kind === "window-full");
      // A round trip through the broker: what it would have sent is here by now.
      await sensor.subscribe(topic);
      await sensor.send(topic, "12");
      await sensor.received.first(({ text }) => text === "12");
      expect(deliveries.all).toHaveLength(5);
      intake.acknowledge(first.map(({ ticket }) => ticket));
      intake.acknowledge((await deliveries.count(10)).slice(5).map(({ ticket }) => ticket));
      expect((await deliveries.count(13)).map(textOf)).toEqual(Array.from({ length: 13 }, (_, i) => `${i}`));
    });

    test("bounds QoS 0 frames as well, which a broker does not count", async () => {
      ownTopic();
      const { intake, deliveries, events, start } = anIntake(
        broker.url,
        { protocol },
        { filters, receiveMaximum: 2 },
      );
      await start();
      const sensor = await aSensor(broker.url);
      for (let i = 0; i < 4; i++) await sensor.send(topic, `${i}`, { qos: 0 });
      await events.first(({ kind }) => kind === "window-full");
      expect(deliveries.all.map(textOf)).toEqual(["0", "1"]);
      intake.acknowledge(deliveries.all.map(({ ticket }) => ticket));
      expect((await deliveries.count(4)).map(textOf)).toEqual(["0", "1", "2", "3"]);
    });

    test("delivers QoS 0 frames, for which there is nothing to acknowledge", async () => {
      ownTopic();
      const proxy = await aProxy(broker);
      const { intake, deliveries, start } = anIntake(proxy.url, { protocol }, { filters });
      await start();
      const sensor = await aSensor(broker.url);
      await sensor.send(topic, "zero", { qos: 0 });
      await sensor.send(topic, "one");
      const [zero, one] = await deliveries.count(2);
      intake.acknowledge([zero!.ticket, one!.ticket]);
      await proxy.packets.first(isPuback);
      expect(pubackIds(proxy)).toEqual(publishedIds(proxy).filter((id) => id !== undefined));
    });

    test("drops retained frames, which are old, and counts those that come", async () => {
      ownTopic();
      const sensor = await aSensor(broker.url);
      await sensor.send(topic, "old", { retain: true });
      const proxy = await aProxy(broker);
      const { deliveries, events, start } = anIntake(proxy.url, { protocol }, { filters });
      await start();
      await sensor.send(topic, "new");
      expect(textOf(await deliveries.first(() => true))).toBe("new");
      const dropped = events.all.filter(({ kind }) => kind === "retained-dropped");
      // MQTT 5 can ask for none; on 3.1.1 it comes, and is acknowledged.
      expect(dropped).toEqual(protocol === "5" ? [] : [{ kind: "retained-dropped", topic }]);
      expect(pubackIds(proxy)).toHaveLength(dropped.length);
      await sensor.send(topic, "", { retain: true });
    });

    test("takes a live frame that is published with the retain flag", async () => {
      ownTopic();
      const { deliveries, start } = anIntake(broker.url, { protocol }, { filters });
      await start();
      const sensor = await aSensor(broker.url);
      await sensor.send(topic, "live", { retain: true });
      expect(textOf(await deliveries.first(() => true))).toBe("live");
      await sensor.send(topic, "", { retain: true });
    });

    test("delivers nothing once paused, and still acknowledges", async () => {
      ownTopic();
      const clientId = aClientId();
      const proxy = await aProxy(broker);
      const { intake, deliveries, events, start } = anIntake(proxy.url, { protocol, clientId }, { filters });
      await start();
      const sensor = await aSensor(broker.url);
      await sensor.send(topic, "before");
      const before = await deliveries.first(() => true);
      intake.pause();
      await sensor.send(topic, "after");
      await events.first(({ kind }) => kind === "paused-dropped");
      intake.acknowledge([before.ticket]);
      await proxy.packets.first(isPuback);
      await intake.close();
      expect(deliveries.all).toHaveLength(1);

      const next = anIntake(broker.url, { protocol, clientId }, { filters });
      await next.start();
      expect(textOf(await next.deliveries.first(() => true))).toBe("after");
    });

    test("passes over stale tickets after a restart of the broker, without a protocol error", async () => {
      ownTopic();
      const durable = await aMosquitto({ persistence: true });
      onTestFinished(durable.stop);
      const { intake, deliveries, events, start } = anIntake(durable.url, { protocol }, { filters });
      await start();
      await (await aSensor(durable.url)).send(topic, "kept");
      const stale = await deliveries.first(() => true);
      await durable.restart();
      const fresh = (await deliveries.count(2))[1]!;
      expect(textOf(fresh)).toBe("kept");
      expect(fresh.ticket).toBeGreaterThan(stale.ticket);

      intake.acknowledge([stale.ticket]);
      intake.acknowledge([fresh.ticket]);
      const sensor = await aSensor(durable.url);
      await sensor.send(topic, "next");
      expect(textOf((await deliveries.count(3))[2]!)).toBe("next");
      const kinds = events.all.map(({ kind }) => kind).filter((kind) => kind !== "connect-failed");
      expect(kinds).toEqual(["connected", "connection-lost", "connected"]);
      expect(events.all.findLast(({ kind }) => kind === "connected")).toMatchObject({ sessionPresent: true });
    });
  });

  test.each(["5", "3.1.1"] as const)(
    "on MQTT %s a gateway without room for longer than the keepalive is not dropped for it",
    async (protocol) => {
      const strict = await aMosquitto({ keepLog: KEEPALIVE_MISSED });
      onTestFinished(strict.stop);
      const connection = { protocol, clientId: "slow", keepaliveSeconds: 1 };
      const { intake, deliveries, resumes, events, start } = anIntake(strict.url, connection, {
        filters: ["line/+"],
      });
      await start();
      const sensor = await aSensor(strict.url);
      await sensor.send("line/cam", "0");
      await deliveries.count(1);
      intake.hold();
      for (let i = 1; i < 5; i++) await sensor.send("line/cam", `${i}`);
      await aSilentClient(strict.port, "silent", 1);
      expect(await strict.log.first((line) => line.includes("silent"))).toMatch(KEEPALIVE_MISSED);
      expect(deliveries.all).toHaveLength(1);

      intake.resume();
      // The first one was not acknowledged either.
      expect((await deliveries.count(6)).map(textOf)).toEqual(["0", "0", "1", "2", "3", "4"]);
      expect(resumes.all).toEqual([1]);
      const kinds = events.all.map(({ kind }) => kind).filter((kind) => kind !== "paused-dropped");
      expect(kinds).toEqual(["connected", "backlog-full", "left", "connected"]);
      expect(strict.log.all.filter((line) => line.includes("slow"))).toEqual([]);
    },
  );

  test("stays where nothing comes while it holds, and its keepalive goes on", async () => {
    const strict = await aMosquitto({ keepLog: KEEPALIVE_MISSED });
    onTestFinished(strict.stop);
    const connection = { clientId: "slow", keepaliveSeconds: 1 };
    const { intake, events, start } = anIntake(strict.url, connection, { filters: ["line/+"] });
    await start();
    intake.hold();
    await aSilentClient(strict.port, "silent", 1);
    await strict.log.first((line) => line.includes("silent"));
    expect(events.all.map(({ kind }) => kind)).toEqual(["connected"]);
  });

  test("reads on at once where there is room again before the keepalive matters", async () => {
    const proxy = await aProxy(broker);
    const filters = [`${aClientId()}/+`];
    const { intake, deliveries, events, start } = anIntake(proxy.url, {}, { filters });
    await start();
    intake.hold();
    const sensor = await aSensor(broker.url);
    const topic = filters[0]!.replace("+", "cam");
    for (const text of ["a", "b"]) await sensor.send(topic, text);
    await events.first(({ kind }) => kind === "backlog-full");
    expect(deliveries.all).toEqual([]);
    intake.resume();
    const both = await deliveries.count(2);
    expect(both.map(textOf)).toEqual(["a", "b"]);
    intake.acknowledge(both.map(({ ticket }) => ticket));
    await proxy.packets.count(2, isPuback);
    expect(events.all.map(({ kind }) => kind)).toEqual(["connected", "backlog-full"]);
  });

  test("waits for a broker that is not there yet, and says why", async () => {
    const late = await aMosquitto();
    onTestFinished(late.stop);
    await late.kill();
    const { events, start } = anIntake(late.url);
    const started = start();
    const failed = await events.first(({ kind }) => kind === "connect-failed");
    expect(failed).toMatchObject({ broker: late.url, reason: expect.stringContaining("ECONNREFUSED") });
    await late.restart();
    await started;
  });

  test("subscribes again where the broker has lost the session", async () => {
    const forgetful = await aMosquitto();
    onTestFinished(forgetful.stop);
    // A forwarder stands before it, as with containers: it takes connections while the broker is down.
    const proxy = await aProxy(forgetful);
    const { deliveries, events, start } = anIntake(proxy.url, {}, { filters: ["line/+"] });
    await start();
    await forgetful.kill();
    await forgetful.restart();
    await proxy.packets.count(2, ({ from, packet }) => from === "broker" && packet.cmd === "suback");
    const sensor = await aSensor(forgetful.url);
    await sensor.send("line/cam", "after");
    expect(textOf(await deliveries.first(() => true))).toBe("after");
    // The second may be present again: a look at 3.1.1 while the broker came up leaves one, without a filter.
    expect(events.all.filter(({ kind }) => kind === "connected")).toMatchObject([
      { version: "5", sessionPresent: false },
      { version: "5" },
    ]);
  });

  test("gives up starting when it is closed", async () => {
    const gone = await aMosquitto();
    onTestFinished(gone.stop);
    await gone.kill();
    const { intake, events, start } = anIntake(gone.url);
    const started = expect(start()).rejects.toThrow("closed before it had subscribed");
    await events.first(({ kind }) => kind === "connect-failed");
    await intake.close();
    await started;
    expect(events.all.at(-1)?.kind).toBe("closed");
  });
});

describe("the intake", () => {
  // A mosquitto without plugins grants every subscription.
  test.each([
    ["5", 0x87, "line/b (Not authorized)"],
    ["3.1.1", 0x80, "line/b (no reason given)"],
    ["5", 0, "line/b (granted at QoS 0 only)"],
  ] as const)(
    "on MQTT %s names the filter that the broker refuses with %i",
    async (protocol, code, words) => {
      const broker = await aScriptedBroker((packet, line) => {
        if (packet.cmd !== "subscribe") return undefined;
        line.send({ cmd: "suback", messageId: packet.messageId!, granted: [1, code] });
        return true;
      });
      const { events, start } = anIntake(broker.url, { protocol }, { filters: ["line/a", "line/b"] });
      await start();
      expect(events.all).toMatchObject([
        { kind: "connected" },
        { kind: "subscription-refused", problem: `the broker refuses to subscribe to ${words}` },
      ]);
    },
  );

  test("asks again for what was refused until it is granted, and says so", async () => {
    let asked = 0;
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "subscribe") return undefined;
      line.send({ cmd: "suback", messageId: packet.messageId!, granted: [++asked > 2 ? 1 : 0x87] });
      return true;
    });
    const { events, start } = anIntake(broker.url, { protocol: "5", firstRetryMs: 4 });
    await start();
    await events.first(({ kind }) => kind === "subscribed");
    const refusals = events.all.filter(({ kind }) => kind === "subscription-refused");
    const waits = refusals.map((event) => (event.kind === "subscription-refused" ? event.retryInMs : -1));
    expect(waits).toHaveLength(2);
    // Half of 4 and of 8 ms, and what is drawn on top.
    expect(waits[0]).toBeGreaterThanOrEqual(2);
    expect(waits[1]).toBeGreaterThanOrEqual(4);
    expect(asked).toBe(3);
  });

  test("goes on with the other filters where one is refused later", async () => {
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "subscribe" || line.connection === 1) {
        if (packet.cmd === "subscribe") setImmediate(line.hangUp);
        return undefined;
      }
      line.send({ cmd: "suback", messageId: packet.messageId!, granted: [1, 0x87] });
      line.send({ cmd: "publish", topic: "line/a", payload: "x", qos: 0, dup: false, retain: false });
      return true;
    });
    const { deliveries, events, start } = anIntake(
      broker.url,
      { protocol: "5" },
      { filters: ["line/a", "line/b"] },
    );
    await start();
    expect(await events.first(({ kind }) => kind === "subscription-refused")).toMatchObject({
      problem: expect.stringContaining("line/b (Not authorized)"),
    });
    expect(textOf(await deliveries.first(() => true))).toBe("x");
  });

  test("whose window stays full leaves in good order before the keepalive is missed, and comes back", async () => {
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "subscribe") return undefined;
      line.send({ cmd: "suback", messageId: packet.messageId!, granted: [1] });
      for (const messageId of [1, 2, 3, 4]) {
        line.send({ cmd: "publish", topic: "t", payload: "", qos: 1, messageId, dup: false, retain: false });
      }
      return true;
    });
    const connection = { protocol: "3.1.1", keepaliveSeconds: 1 } as const;
    const { intake, deliveries, events, start } = anIntake(broker.url, connection, { receiveMaximum: 2 });
    await start();
    await events.first(({ kind }) => kind === "left");
    const sent = broker.packets.all.map(({ cmd }) => cmd);
    expect(sent).toEqual(["connect", "subscribe", "pingreq", "disconnect"]);
    // Half of the window is done: there is a point in coming back.
    intake.acknowledge([deliveries.all[0]!.ticket]);
    await deliveries.count(4);
    expect(broker.connects.all).toHaveLength(2);
    const kinds = events.all.map(({ kind }) => kind).filter((kind) => kind !== "paused-dropped");
    expect(kinds).toEqual(["connected", "window-full", "left", "connected", "window-full"]);
  });

  test("says which property of a message it could not use", async () => {
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "subscribe") return undefined;
      const properties = { userProperties: { "frame-id": "a\nb" } };
      line.send({ cmd: "publish", topic: "t", payload: "", qos: 0, dup: false, retain: false, properties });
      return undefined;
    });
    const { deliveries, events, start } = anIntake(broker.url, { protocol: "5" });
    await start();
    expect((await deliveries.first(() => true)).frameId).toBeUndefined();
    expect(await events.first(({ kind }) => kind === "property-ignored")).toMatchObject({
      property: "frame-id",
    });
  });

  test("asks the broker for its window", async () => {
    const broker = await aScriptedBroker(() => undefined);
    await anIntake(broker.url, { protocol: "5" }, { receiveMaximum: 77 }).start();
    expect((await broker.connects.first(() => true)).properties).toMatchObject({ receiveMaximum: 77 });
  });

  test.each([0, 65_536, 1.5, Number.NaN])("cannot have a window of %d", (receiveMaximum) => {
    expect(() => anIntake("mqtt://h", {}, { receiveMaximum })).toThrow(`found ${receiveMaximum}`);
  });

  test("cannot be without a filter, or started twice", async () => {
    expect(() => anIntake("mqtt://h", {}, { filters: [] })).toThrow("needs a topic filter");
    const broker = await aScriptedBroker(() => undefined);
    const { start } = anIntake(broker.url);
    await start();
    await expect(start()).rejects.toThrow("started already");
    const closed = anIntake(broker.url);
    await closed.intake.close();
    await expect(closed.start()).rejects.toThrow("or closed");
  });
});
