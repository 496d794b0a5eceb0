/** The intake on mosquitto and the simulation's keep one contract. */

import { afterAll, beforeAll, onTestFinished } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import type { Delivery } from "../../src/gateway/ports.ts";
import { aJournal } from "../simulation/journal.ts";
import { aLife, virtualTime } from "../simulation/life.ts";
import { aSession } from "../simulation/session.ts";
import { anEventLog } from "../support/event-log.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { aClientId, anIntake, aSensor, textOf } from "../support/mqtt.ts";
import { aRecordingProxy, type RecordingProxy } from "../support/recording-proxy.ts";
import { intakeContract } from "./intake-contract.ts";

describeWithMosquitto("on mosquitto", () => {
  let broker: Mosquitto;
  beforeAll(async () => {
    broker = await aMosquitto();
  });
  afterAll(() => broker.stop());

  for (const protocol of ["5", "3.1.1"] as const) {
    intakeContract(`the intake over MQTT ${protocol}`, async (receiveMaximum) => {
      const proxy = await aRecordingProxy(broker.port);
      onTestFinished(proxy.close);
      const topic = `${aClientId()}/cam`;
      const options = { filters: [topic], receiveMaximum };
      const tested = anIntake(proxy.url, { protocol }, options);
      const sensor = await aSensor(broker.url);
      await sensor.subscribe("marker");
      let markers = 0;
      return {
        ...tested,
        textOf,
        publish: (text, qos = 1) => sensor.send(topic, text, { qos }),
        async cut() {
          const before = tested.resumes.all.length;
          proxy.cut();
          await tested.resumes.count(before + 1);
        },
        async quiet() {
          // A round trip behind all that was sent.
          await sensor.send("marker", `${++markers}`);
          await sensor.received.first(({ text }) => text === `${markers}`);
        },
        async acknowledged(count) {
          await proxy.packets.count(count, isPuback);
          return acknowledgedTexts(proxy);
        },
      };
    });
  }
});

const isPuback = ({ from, packet }: RecordingProxy["packets"]["all"][number]): boolean =>
  from === "client" && packet.cmd === "puback";

/** Message ids begin again with each connection. */
function acknowledgedTexts({ packets }: RecordingProxy): string[] {
  const sent = new Map<string, string>();
  const acknowledged: string[] = [];
  for (const one of packets.all) {
    const { packet, connection } = one;
    const key = `${connection} ${packet.messageId}`;
    if (packet.cmd === "publish" && one.from === "broker") sent.set(key, String(packet.payload));
    if (isPuback(one)) acknowledged.push(sent.get(key) ?? `unknown message ${key}`);
  }
  return acknowledged;
}

intakeContract("the simulation's intake", async (receiveMaximum) => {
  const time = virtualTime();
  const journal = aJournal();
  const acknowledged: string[] = [];
  const texts: string[] = [];
  const session = aSession({
    receiveMaximum,
    holdMaxMs: 60_000,
    time,
    random: seededRandom(1),
    journal,
    mayHoldSince: () => true,
    isDecided: ({ seq }) => {
      acknowledged.push(texts[seq]!);
      return true;
    },
  });
  const intake = session.intakeFor(aLife(() => {}));
  const deliveries = anEventLog<Delivery>();
  const resumes = anEventLog<number>();
  const quiet = async (): Promise<void> => {
    await time.pass(1000);
    session.deliver(1000);
    if (journal.violations.length > 0) throw new Error(journal.violations.join("\n"));
  };
  return {
    intake,
    deliveries,
    resumes,
    textOf: ({ payload }) => new TextDecoder().decode(payload),
    async start() {
      await intake.start(deliveries.push, () => resumes.push(deliveries.all.length));
      await quiet();
    },
    async publish(text, qos = 1) {
      const seq = texts.push(text) - 1;
      session.publish({
        seq,
        topic: "cam",
        payload: new TextEncoder().encode(text),
        frameId: undefined,
        partId: undefined,
        partCount: undefined,
        qos,
      });
      await quiet();
    },
    async cut() {
      session.drop();
      await quiet();
    },
    quiet,
    async acknowledged(count) {
      if (acknowledged.length < count) throw new Error(`${acknowledged.length} acknowledged, not ${count}`);
      return acknowledged;
    },
  };
});
