/** The intake before mqtt.js, on brokers that do what no real one does. */

import type { Packet } from "mqtt";
import { expect, test } from "vitest";
import { createSlabs } from "../../src/mqtt/slabs.ts";
import { anIntake, textOf } from "../support/mqtt.ts";
import { aScriptedBroker, connack, type Line } from "../support/scripted-broker.ts";

const publish = (payload: string, messageId?: number): Packet =>
  ({
    ...{ cmd: "publish", topic: "t", payload, dup: false, retain: false },
    ...(messageId === undefined ? { qos: 0 } : { qos: 1, messageId }),
  }) as Packet;

test("a payload is whole until it is acknowledged, and its memory another frame's after", async () => {
  const count = 40;
  const pattern = (i: number): string => String.fromCharCode(65 + (i % 26)).repeat(9_000);
  const broker = await aScriptedBroker((packet, line) => {
    if (packet.cmd !== "subscribe") return undefined;
    for (let i = 1; i <= count; i++) line.send(publish(pattern(i), i));
    return undefined;
  });
  let freed = 0;
  const slabs = createSlabs((bytes) => {
    freed++;
    bytes.fill(0xdb);
  });
  const { intake, deliveries, start } = anIntake(broker.url, { protocol: "5" }, { slabs });
  await start();
  const all = await deliveries.count(count);
  expect(all.map(textOf)).toEqual(all.map((_, i) => pattern(i + 1)));
  const first = all.slice(0, count / 2);
  intake.acknowledge(first.map(({ ticket }) => ticket));
  expect(freed).toBeGreaterThan(0);
  expect(all[0]!.payload[0]).toBe(0xdb);
  expect(all.slice(count / 2).map(textOf)).toEqual(
    all.slice(count / 2).map((_, i) => pattern(count / 2 + i + 1)),
  );
});

test("memory of frames that come again is not used for others, since they may wait still", async () => {
  const lines: Line[] = [];
  const broker = await aScriptedBroker((packet, line) => {
    if (packet.cmd === "connect" && line.connection > 1) {
      line.send({ cmd: "connack", sessionPresent: true, reasonCode: 0 });
      return true;
    }
    if (packet.cmd !== "subscribe") return undefined;
    lines.push(line);
    line.send(publish(`over ${line.connection}`, 1));
    return undefined;
  });
  const { intake, deliveries, start } = anIntake(broker.url, { protocol: "5" });
  await start();
  await deliveries.first(() => true);
  lines[0]!.hangUp();
  const [first, second] = await deliveries.count(2);
  intake.acknowledge([first!.ticket, second!.ticket]);
  expect(textOf(first!)).toBe("over 1");
});

test("QoS 2, which nobody asked for, is left to mqtt.js and delivered all the same", async () => {
  const broker = await aScriptedBroker((packet, line) => {
    if (packet.cmd === "pubrec") line.send({ cmd: "pubrel", messageId: 7 });
    if (packet.cmd === "subscribe") {
      line.send(publish("before"));
      line.send({
        cmd: "publish",
        topic: "t",
        payload: "twice",
        qos: 2,
        messageId: 7,
        dup: false,
        retain: false,
      });
    }
    return undefined;
  });
  const { intake, deliveries, start } = anIntake(broker.url, { protocol: "5" });
  await start();
  const both = await deliveries.count(2);
  expect(both.map(textOf)).toEqual(["before", "twice"]);
  intake.acknowledge(both.map(({ ticket }) => ticket));
  await broker.packets.first(({ cmd }) => cmd === "pubcomp");
});

test.each([
  ["a PUBLISH ahead of the CONNACK", [0x30, 4, 0, 1, 0x74, 0], "ahead of its CONNACK"],
  ["a packet without an end", [0x30, 0xff, 0xff, 0xff, 0xff, 0xff], "more than four bytes"],
] as const)("%s ends the attempt, and says why", async (_what, bytes, words) => {
  const broker = await aScriptedBroker((packet, line) => {
    if (packet.cmd !== "connect" || line.connection > 1) return undefined;
    line.sendBytes(Buffer.from(bytes));
    return true;
  });
  const { events, start } = anIntake(broker.url, { protocol: "5" });
  await start();
  expect(events.all[0]).toMatchObject({ kind: "connect-failed", reason: expect.stringContaining(words) });
});

test("a connection whose frames make no sense any more is lost for that reason, and made again", async () => {
  const broker = await aScriptedBroker((packet, line) => {
    if (packet.cmd !== "connect") return undefined;
    line.send(connack(line));
    if (line.connection > 1) return true;
    // A frame, and behind it a topic alias.
    line.send(publish("good", 1));
    line.sendBytes(Buffer.from([0x30, 7, 0, 1, 0x74, 3, 0x23, 0, 1]));
    return true;
  });
  const { events, deliveries, start } = anIntake(broker.url, { protocol: "5" });
  await start();
  expect(deliveries.all.map(textOf)).toEqual(["good"]);
  const ended = events.all.filter(({ kind }) => kind === "connection-lost" || kind === "connect-failed");
  expect(ended).toMatchObject([{ reason: expect.stringContaining("topic alias") }]);
});
