/** docs/mosquitto.acl on a mosquitto with TLS and client certificates: who can do what, and that nobody can do more. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { aGateway, aGatewayFolder, apparelFrames } from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto, freePort } from "../support/mosquitto.ts";
import { aCertificate, anAuthority, type Pair } from "../support/pki.ts";

const ACL = readFileSync(new URL("../../docs/mosquitto.acl", import.meta.url), "utf8");
const BASE = "sekisho/gateway-1";

/** Every kind of topic there is, the plant's own and others' among them. */
const TOPICS = [
  "apparel/cam-1/frames/f1",
  "apparel/cam-2/frames/f1",
  `${BASE}/state`,
  `${BASE}/info`,
  `${BASE}/stations/apparel`,
  `${BASE}/decisions/apparel/cam-1`,
  `${BASE}/decisions/apparel/cam-2`,
  `${BASE}/reviews/apparel`,
  `${BASE}/verdicts/hanako`,
  `${BASE}/verdicts/taro`,
  `${BASE}/request/thresholds`,
  `${BASE}/response/verdict`,
  `${BASE}/response/thresholds`,
  `${BASE}/teacher/request`,
  `${BASE}/teacher/response`,
  `${BASE}/doctor/queue`,
  "sekisho/gateway-2/state",
  "sekisho/gateway-2/verdicts/hanako",
  "elsewhere/in/the/plant",
] as const;

const ROLES = {
  "gateway-1": {
    writes: TOPICS.filter((topic) => topic.startsWith(`${BASE}/`)),
    reads: [
      "apparel/cam-1/frames/f1",
      "apparel/cam-2/frames/f1",
      `${BASE}/verdicts/hanako`,
      `${BASE}/verdicts/taro`,
      `${BASE}/request/thresholds`,
      `${BASE}/teacher/response`,
      `${BASE}/doctor/queue`,
    ],
  },
  "cam-1": { writes: ["apparel/cam-1/frames/f1"], reads: [`${BASE}/decisions/apparel/cam-1`] },
  hanako: {
    writes: [`${BASE}/verdicts/hanako`],
    reads: [
      `${BASE}/state`,
      `${BASE}/stations/apparel`,
      `${BASE}/reviews/apparel`,
      `${BASE}/response/verdict`,
    ],
  },
  "teacher-1": { writes: [`${BASE}/teacher/response`], reads: [`${BASE}/teacher/request`] },
  /** A certificate of the plant's, and no line in the list. */
  visitor: { writes: [], reads: [] },
} as const;

/** All who are named in the list, and the test itself, which does and sees everything; each hears its own mark. */
const FOR_TEST = `${ACL}\nuser observer\ntopic readwrite #\n\npattern read mark/%u\n`;

describeWithMosquitto("the access list of the docs", () => {
  let ca: Pair;
  const pairs = new Map<string, Pair>();
  beforeAll(() => {
    ca = anAuthority("Plant CA");
    for (const name of [...Object.keys(ROLES), "observer"]) pairs.set(name, aCertificate(name, { by: ca }));
  });

  async function aBroker(acl: string): Promise<string> {
    const port = await freePort();
    const server = aCertificate("broker", { by: ca, host: "localhost" });
    const broker = await aMosquitto({
      files: { "ca.crt": ca.crt, "broker.crt": server.crt, "broker.key": server.key, acl },
      extraConfig: [
        ...["per_listener_settings false", `listener ${port} 127.0.0.1`, "cafile DIR/ca.crt"],
        ...["certfile DIR/broker.crt", "keyfile DIR/broker.key", "require_certificate true"],
        ...["use_identity_as_username true", "acl_file DIR/acl"],
      ].join("\n"),
    });
    onTestFinished(broker.stop);
    return `mqtts://localhost:${port}`;
  }

  async function as(name: string, url: string): Promise<{ client: MqttClient; heard: string[] }> {
    const { crt: cert, key } = pairs.get(name)!;
    const client = await connectAsync(url, { protocolVersion: 5, ca: ca.crt, cert, key, reconnectPeriod: 0 });
    onTestFinished(() => client.endAsync(true));
    const heard: string[] = [];
    client.on("message", (topic) => heard.push(topic));
    return { client, heard };
  }

  test("gives each role what it needs and nothing else", async () => {
    const url = await aBroker(FOR_TEST);
    const observer = await as("observer", url);
    for (const [name, { writes, reads }] of Object.entries(ROLES)) {
      const { client, heard } = await as(name, url);
      await client.subscribeAsync("#", { qos: 1 });
      const marked = new Promise<void>((resolve) => {
        client.on("message", (topic) => topic === `mark/${name}` && resolve());
      });
      for (const topic of TOPICS) await observer.client.publishAsync(topic, "{}", { qos: 1 });
      await observer.client.publishAsync(`mark/${name}`, "", { qos: 1 });
      await marked; // Behind all the others, in the order of one session.
      expect([name, heard.slice(0, -1)]).toEqual([
        name,
        TOPICS.filter((one) => reads.includes(one as never)),
      ]);

      const taken: string[] = [];
      for (const topic of TOPICS) {
        // By a connection of its own: over TLS mosquitto 2.0.11 ends one on which it has refused a message.
        const { client: sender } = await as(name, url);
        const refused = await sender.publishAsync(topic, "{}", { qos: 1 }).then(
          () => undefined,
          (error: Error) => error.message,
        );
        if (refused === undefined) taken.push(topic);
        else expect(refused).toMatch(/Not authorized/);
      }
      expect([name, taken]).toEqual([name, TOPICS.filter((one) => writes.includes(one as never))]);
    }
  });

  test("is enough for a gateway, a camera and a person, and for the doctor", async () => {
    const url = await aBroker(ACL);
    const files = {
      "ca.crt": ca.crt,
      "own.crt": pairs.get("gateway-1")!.crt,
      "own.key": pairs.get("gateway-1")!.key,
    };
    const place = aGatewayFolder(
      `${url}\n  tls: { caFile: ca.crt, certFile: own.crt, keyFile: own.key }`,
      "auto",
      { gateway: "gateway-1", thresholds: { lambda: null, classes: [] } },
    );
    onTestFinished(() => rmSync(place.folder, { recursive: true, force: true }));
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(place.folder, name), bytes);
    const gateway = await aGateway(place);
    onTestFinished(() => void gateway.process.kill("SIGKILL"));

    const camera = await as("cam-1", url);
    const hanako = await as("hanako", url);
    const first = (client: MqttClient, wanted: string) =>
      new Promise<Record<string, unknown>>((resolve) => {
        client.on("message", (topic, payload) => {
          if (topic === wanted) resolve(JSON.parse(payload.toString()) as Record<string, unknown>);
        });
      });
    await camera.client.subscribeAsync(`${BASE}/decisions/apparel/cam-1`, { qos: 1 });
    await hanako.client.subscribeAsync([`${BASE}/reviews/+`, `${BASE}/response/verdict`], { qos: 1 });
    const decision = first(camera.client, `${BASE}/decisions/apparel/cam-1`);
    const review = first(hanako.client, `${BASE}/reviews/apparel`);
    const reply = first(hanako.client, `${BASE}/response/verdict`);
    const [frame] = await apparelFrames();
    await camera.client.publishAsync("apparel/cam-1/frames/f1", Buffer.from(frame!), { qos: 1 });
    expect(await decision).toMatchObject({ frame: "f1", decision: "review" });
    const { review: id, reviewRevision } = await review;
    const verdict = { review: id, reviewRevision, verdict: "unusable" };
    await hanako.client.publishAsync(`${BASE}/verdicts/hanako`, JSON.stringify(verdict), { qos: 1 });
    expect(await reply).toMatchObject({ ok: true, review: id, state: "resolved" });

    const { status, stdout } = await sekisho(["doctor", "--config", place.config]);
    expect(stdout).not.toMatch(/^FAIL/m);
    expect(status).toBe(0);
    expect((await gateway.stop()).stdout).not.toMatch(/refused|cannot connect/);
  });
});
