/** A gateway whose frames drift: red, told of, and red again after kill -9, on a real mosquitto. */

import { hash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeUsers } from "../../src/http/auth/users-file.ts";
import { formatJson } from "../../src/schema/format-json.ts";
import { signThresholds } from "../../src/thresholds/signed.ts";
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
import { sekisho } from "../support/cli.ts";
import { aPerson } from "../support/keys.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";

const FRAMES_MAX = 300;
const TOKEN = "t".repeat(43);

describeWithMosquitto("a station whose frames drift", () => {
  let broker: Mosquitto;
  let consumer: Consumer;
  let publisher: MqttClient;
  let folder: GatewayFolder;
  let gateway: RunningGateway;
  let frames: readonly Uint8Array[];
  let sent = 0;
  const [aki, ben] = [aPerson("aki"), aPerson("ben")];
  const monitor = (act: string, ...options: string[]) =>
    sekisho([
      ...["monitor", act, "apparel", "--url", gateway.httpUrl],
      ...["--token-file", join(folder.folder, "token"), ...options],
    ]);

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
    const trust = [aki, ben].map(
      ({ publicFile, trusted }) => `    - { person: ${trusted.person}, file: "${publicFile}" }`,
    );
    const config = readFileSync(folder.config, "utf8").replace("port: 0", "port: 0\n  usersFile: users.json");
    writeFileSync(folder.config, `${config}trust:\n  keys:\n${trust.join("\n")}\n`);
    const tokens = [{ name: "office", role: "engineer" as const, sha256: hash("sha256", TOKEN, "hex") }];
    writeUsers(join(folder.folder, "users.json"), { users: [], tokens });
    writeFileSync(join(folder.folder, "token"), TOKEN, { mode: 0o600 });
    const keys = [aki.trusted, ben.trusted];
    const file = join(folder.folder, "thresholds.json");
    const first = { ...JSON.parse(readFileSync(file, "utf8")), proposedBy: "aki", approvedBy: "aki" };
    const signed = signThresholds(signThresholds(first, aki.signing, keys), ben.signing, keys);
    writeFileSync(file, formatJson(signed));
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

  test("is cleared by what a trusted person signed, on a ground that proves the promise again, and by nothing else", async () => {
    const why = ["--why", "lens cleaned"];
    const refused = async (...options: string[]): Promise<string> => {
      const { status, stderr } = await monitor("clear", ...why, ...options);
      expect(status).toBe(1);
      expect(await isRed()).toBe(true);
      return stderr;
    };
    expect(await refused("--audit", "500:0")).toContain("the configuration trusts keys");
    expect(await refused("--audit", "500:0", "--key", aPerson("eve").privateFile)).toMatch(/not-cleared/);
    const enough = ["--key", aki.privateFile];
    expect(await refused("--audit", "100:0", ...enough)).toContain(
      "0 unfaithful of 100 audited parts prove a risk",
    );
    const { envelope } = JSON.parse(readFileSync(join(folder.folder, "thresholds.json"), "utf8"));
    expect(await refused("--envelope", envelope, ...enough)).toContain(
      "is the one that the monitor turned red with",
    );

    const cleared = await monitor("clear", "--audit", "500:0", ...why, ...enough);
    expect(cleared).toMatchObject({ status: 0, stdout: expect.stringContaining("A person cleared it") });
    expect(await isRed()).toBe(false);
    expect(await send()).not.toMatchObject({ reason: "monitor-red" });
    expect((await monitor("show")).stdout).toMatch(/^apparel's monitor is green/);
  });
});
