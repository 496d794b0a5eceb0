/** A gateway tells operators that thresholds are in force which nothing proves, on a real broker. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  aConsumer,
  aGateway,
  aGatewayFolder,
  type Consumer,
  type GatewayFolder,
  MODELS,
  type RunningGateway,
} from "../support/apparel.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";

describeWithMosquitto("thresholds that nothing proves", () => {
  let broker: Mosquitto;
  let gateway: RunningGateway;
  let consumer: Consumer;
  let place: GatewayFolder;

  beforeAll(async () => {
    broker = await aMosquitto();
    consumer = await aConsumer(broker.url);
    place = aGatewayFolder(broker.url);
    gateway = await aGateway(place);
  }, 60_000);
  afterAll(async () => {
    await gateway?.stop();
    await consumer?.end();
    await broker?.stop();
  });

  const told = () => consumer.heard.filter(({ body }) => body.type === "thresholds");

  test("are a message beside the reviews, and in the station's status; told again after a restart", async () => {
    const { certificate } = JSON.parse(readFileSync(join(MODELS, "apparel", "envelope.json"), "utf8"));
    const file = join(place.folder, "thresholds.json");
    const first = JSON.parse(readFileSync(file, "utf8"));
    const lambda = certificate.lambdas[certificate.coarse[0]];
    writeFileSync(file, JSON.stringify({ ...first, revision: 2, lambda, certified: false, why: "a try" }));
    gateway.process.kill("SIGHUP");
    const { topic, body } = await consumer.waitFor((one) => one.body.type === "thresholds");
    expect(topic).toBe("sekisho/test/reviews/apparel");
    expect(body).toMatchObject({ revision: 2, certified: false, why: "a try" });
    await consumer.waitFor(
      (one) => one.topic === "sekisho/test/stations/apparel" && one.body.certified === false,
    );
    await gateway.stop();
    gateway = await aGateway(place);
    await consumer.waitFor(() => told().length === 2);
    expect(told()[1]!.body).toEqual(body);
  }, 60_000);
});
