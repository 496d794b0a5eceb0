/** Parts through the whole gateway, sent the ways that docs/frames.md shows. */

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  aConsumer,
  aGateway,
  apparelFrames,
  type Consumer,
  type GatewayFolder,
  type Heard,
  ledgerRows,
  metric,
  type RunningGateway,
} from "../support/apparel.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { aPartsFolder } from "../support/parts-plant.ts";

const run = promisify(execFile);

describeWithMosquitto("parts on mosquitto", () => {
  let broker: Mosquitto;
  let place: GatewayFolder;
  let gateway: RunningGateway;
  let consumer: Consumer;
  let passing: Uint8Array;
  let reviewed: Uint8Array;

  beforeAll(async () => {
    broker = await aMosquitto();
    place = aPartsFolder(broker.url, 2);
    consumer = await aConsumer(broker.url);
    gateway = await aGateway(place);
    const frames = await apparelFrames();
    for (let i = 0; passing === undefined || reviewed === undefined; i++) {
      await publish(`alone-${i}`, frames[i]!);
      const { body } = await decision(({ body }) => body.frame === `alone-${i}`);
      if (body.decision === "pass") passing ??= frames[i]!;
      else reviewed ??= frames[i]!;
    }
  });
  afterAll(async () => {
    await gateway?.stop();
    await consumer?.end();
    await broker?.stop();
  });

  async function publish(frame: string, payload: Uint8Array | string, more: readonly string[] = []) {
    const file = join(place.folder, "payload");
    writeFileSync(file, payload);
    await run("mosquitto_pub", [
      ...["-h", "127.0.0.1", "-p", String(broker.port), "-V", "5", "-q", "1"],
      ...["-t", `apparel/cam-1/frames/${frame}`, "-f", file, ...more],
    ]);
  }

  const ofPart = (part: string, count?: number): string[] => [
    ...["-D", "publish", "user-property", "part-id", part],
    ...(count === undefined ? [] : ["-D", "publish", "user-property", "part-count", String(count)]),
  ];
  const decision = (is: (heard: Heard) => boolean): Promise<Heard> =>
    consumer.waitFor((one) => one.topic.includes("/decisions/") && is(one));
  const decisionOn = (part: string): Promise<Heard> =>
    decision(({ body }) => body.part === part && body.frames !== undefined);
  const heardOf = (part: string): Heard[] => consumer.heard.filter(({ body }) => body.part === part);

  test("a part by user properties is decided with its last frame, and only it is published", async () => {
    await publish("a-1", passing, ofPart("a", 2));
    await publish("a-2", passing, ofPart("a", 2));
    const { body } = await decisionOn("a");
    expect(body).toMatchObject({
      part: "a",
      frames: 2,
      decision: "pass",
      reason: "faithful",
      source: "cam-1",
    });
    expect(heardOf("a")).toHaveLength(1);
    expect(ledgerRows(place.ledger, "a-1").filter(({ identified }) => identified === 1)).toMatchObject([
      { decision: "held", would: "pass:faithful", part: "a" },
    ]);
  });

  test("a part by members of JSON frames, which name the frames too, is held to all of them", async () => {
    const asJson = (id: string, values: Uint8Array): string =>
      JSON.stringify({ id, part: "j", partCount: 2, values: [...values] });
    const json = ["-D", "publish", "content-type", "application/json"];
    await publish("topic-1", asJson("j-1", passing), json);
    await publish("topic-2", asJson("j-2", reviewed), json);
    const { body } = await decisionOn("j");
    expect(body).toMatchObject({ frame: "j-2", frames: 2, decision: "review" });
    const alert = await consumer.waitFor(
      ({ topic, body }) => topic.endsWith("/reviews/apparel") && body.part === "j",
    );
    expect(alert.body).toMatchObject({ frame: "j-2", frames: 2, reason: body.reason, type: "open" });
    expect(heardOf("j").filter(({ topic }) => topic.endsWith("/reviews/apparel"))).toHaveLength(1);
  });

  test("without a count the window decides, and what comes later goes to a person", async () => {
    await publish("w-1", passing, ofPart("w"));
    expect((await decisionOn("w")).body).toMatchObject({ decision: "pass", frames: 1 });
    await publish("w-2", passing, ofPart("w"));
    const late = await decision(({ body }) => body.frame === "w-2");
    expect(late.body).toMatchObject({ part: "w", decision: "review", reason: "late-frame" });
    await consumer.waitFor(({ topic, body }) => topic.endsWith("/reviews/apparel") && body.frame === "w-2");
  });

  test("one that is not complete by then goes to a person", async () => {
    await publish("i-1", passing, ofPart("i", 2));
    expect((await decisionOn("i")).body).toMatchObject({ decision: "review", reason: "part-incomplete" });
  });

  test("the metrics say what is held, decided and open", async () => {
    const text = await gateway.metrics();
    expect(metric(text, "sekisho_frames_total", /decision="held",reason="part-open"/)).toBe(6);
    expect(metric(text, "sekisho_parts_total")).toBe(4);
    expect(metric(text, "sekisho_parts_total", /decision="pass"/)).toBe(2);
    expect(metric(text, "sekisho_parts_open")).toBe(0);
  });
});
