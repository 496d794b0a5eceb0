/** A gateway whose frames drift: red, told of, and red again after kill -9, on a real mosquitto. */

import { once } from "node:events";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  aConsumer,
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type Consumer,
  type GatewayFolder,
  metric,
  type RunningGateway,
} from "../support/apparel.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";

const FRAMES_MAX = 300;

describeWithMosquitto("a station whose frames drift", () => {
  let broker: Mosquitto;
  let consumer: Consumer;
  let publisher: MqttClient;
  let folder: GatewayFolder;
  let gateway: RunningGateway;
  let frames: readonly Uint8Array[];
  let sent = 0;

  /** Sends one frame, upside down in light and dark, and waits for what is decided on it. */
  async function send(): Promise<Record<string, unknown>> {
    const frame = `f${sent}`;
    const negative = Buffer.from(frames[sent++]!.map((pixel) => 255 - pixel));
    const decided = consumer.waitFor(
      ({ topic, body }) => topic.includes("/decisions/") && body.frame === frame,
    );
    await publisher.publishAsync(`apparel/cam-1/frames/${frame}`, negative, { qos: 1 });
    return (await decided).body;
  }

  const isRed = async (): Promise<boolean> =>
    metric(await gateway.metrics(), "sekisho_monitor_state", /state="red"/) === 1;

  beforeAll(async () => {
    broker = await aMosquitto();
    consumer = await aConsumer(broker.url);
    publisher = await connectAsync(broker.url, { protocolVersion: 5 });
    frames = await apparelFrames();
    folder = aGatewayFolder(broker.url, "auto", {
      station: ["monitor: { windowParts: 1, windowSeconds: 0 }"],
    });
    gateway = await aGateway(folder);
  });
  afterAll(async () => {
    await gateway?.stop();
    await publisher?.endAsync();
    await consumer?.end();
    await broker?.stop();
  });

  test("turns red, sends everything to review, and tells operators why", async () => {
    expect(await isRed()).toBe(false);
    let last = await send();
    while (last.reason !== "monitor-red" && sent < FRAMES_MAX) last = await send();
    expect(last).toMatchObject({ decision: "review", reason: "monitor-red" });
    expect(await isRed()).toBe(true);
    const { topic, body } = await consumer.waitFor(
      (one) => one.body.type === "monitor" && one.body.state === "red",
    );
    expect(topic).toBe("sekisho/test/reviews/apparel");
    expect(body.text).toMatch(/is red.*Look at lens, light and product/);
    await consumer.waitFor((one) => one.topic.endsWith("/stations/apparel") && one.body.monitor === "red");
  });

  test("is red after kill -9, from its first frame on", async () => {
    gateway.process.kill("SIGKILL");
    if (gateway.process.exitCode === null && gateway.process.signalCode === null)
      await once(gateway.process, "exit");
    gateway = await aGateway(folder);
    expect(await send()).toMatchObject({ decision: "review", reason: "monitor-red" });
    expect(await isRed()).toBe(true);
  });
});
