/** The publisher on a broker and the simulation's keep one contract. */

import { afterAll, beforeAll, onTestFinished } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { aJournal } from "../simulation/journal.ts";
import { aLife, virtualTime } from "../simulation/life.ts";
import { anOutlet } from "../simulation/outlet.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { aClientId, aPublisher, aSensor } from "../support/mqtt.ts";
import { aRecordingProxy } from "../support/recording-proxy.ts";
import { aScriptedBroker, connack } from "../support/scripted-broker.ts";
import { publisherContract, publisherLimits } from "./publisher-contract.ts";

const PENDING_MAX = 20;
const PACKET_BYTES_MAX = 200;

const atOnce = async (): Promise<void> => {};

describeWithMosquitto("on mosquitto", () => {
  let broker: Mosquitto;
  beforeAll(async () => {
    broker = await aMosquitto();
  });
  afterAll(() => broker.stop());

  for (const protocol of ["5", "3.1.1"] as const) {
    publisherContract(`the publisher over MQTT ${protocol}`, async () => {
      const proxy = await aRecordingProxy(broker.port);
      onTestFinished(proxy.close);
      const topic = aClientId();
      const sensor = await aSensor(broker.url);
      await sensor.subscribe(topic);
      const { publisher, events } = aPublisher(proxy.url, { protocol });
      let connections = 0;
      return {
        publisher,
        topic,
        async connect() {
          await publisher.connect();
          connections++;
        },
        passTime: atOnce,
        mute: proxy.muteBroker,
        async cut() {
          const before = events.all.filter(({ kind }) => kind === "connection-lost").length;
          proxy.cut();
          await events.count(before + 1, ({ kind }) => kind === "connection-lost");
        },
        async back() {
          await events.count(++connections, ({ kind }) => kind === "connected");
        },
        async arrived(count) {
          await sensor.received.count(count);
          return sensor.received.all.map(({ text }) => text);
        },
      };
    });
  }
});

publisherLimits("the publisher", async () => {
  let isRefusing = false;
  const broker = await aScriptedBroker((packet, line) => {
    if (packet.cmd === "connect") line.send(connack(line, 0, { maximumPacketSize: PACKET_BYTES_MAX }));
    else if (packet.cmd === "publish" && isRefusing)
      line.send({ cmd: "puback", messageId: packet.messageId!, reasonCode: 0x87 });
    else return false;
    return true;
  });
  const { publisher } = aPublisher(broker.url, {}, { pendingMax: PENDING_MAX });
  return {
    publisher,
    connect: publisher.connect,
    passTime: atOnce,
    pendingMax: PENDING_MAX,
    frameBytesTooMany: PACKET_BYTES_MAX,
    refuse(is) {
      isRefusing = is;
    },
  };
});

function theSimulations() {
  const time = virtualTime();
  const arrived: string[] = [];
  const outlet = anOutlet({
    time,
    random: seededRandom(1),
    journal: aJournal(),
    pendingMax: PENDING_MAX * 10,
    onTried() {},
    onArrived: ({ payload }) => void arrived.push(String(payload)),
  });
  const publisher = outlet.publisherFor(aLife(() => {}));
  const passTime = (): Promise<void> => time.pass(1000);
  return { outlet, arrived, publisher, passTime, connect: passTime };
}

publisherContract("the simulation's publisher", async () => {
  const { outlet, arrived, ...connecting } = theSimulations();
  return {
    ...connecting,
    topic: "t",
    mute() {
      outlet.isMute = true;
    },
    async cut() {
      outlet.drop();
      outlet.isMute = false;
    },
    back: connecting.passTime,
    arrived: async () => arrived,
  };
});

publisherLimits("the simulation's publisher", async () => {
  const { outlet, ...connecting } = theSimulations();
  outlet.isSmall = true;
  return {
    ...connecting,
    pendingMax: PENDING_MAX * 10,
    frameBytesTooMany: PACKET_BYTES_MAX,
    refuse(is) {
      outlet.isRefusing = is;
    },
  };
});
