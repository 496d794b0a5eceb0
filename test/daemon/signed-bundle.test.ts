/** A running gateway that demands signatures: what nobody answers for does not come into force, and the old serves on. */

import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256 } from "../../src/bundle/bundle.ts";
import { signBundle } from "../../src/bundle/signature.ts";
import {
  aConsumer,
  aGateway,
  apparelFrames,
  type Consumer,
  MODELS,
  metric,
  type RunningGateway,
  THRESHOLDS,
} from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { aPerson, signedByBoth } from "../support/keys.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";

const HANAKO = aPerson("hanako");
const TARO = aPerson("taro");

describeWithMosquitto("a gateway that demands signed bundles", () => {
  let broker: Mosquitto;
  let gateway: RunningGateway;
  let consumer: Consumer;
  let frame: Uint8Array;
  const folder = mkdtempSync(join(tmpdir(), "sekisho-signed-"));
  const path = (name: string): string => join(folder, name);
  const manifest = path("bundle/bundle.json");
  const signAs = (who: typeof HANAKO): void =>
    void signBundle(path("bundle"), readFileSync(manifest), who.signing);
  const changeManifest = (note: string): void =>
    writeFileSync(
      manifest,
      JSON.stringify({ ...JSON.parse(readFileSync(manifest, "utf8")), provenance: { note } }),
    );

  async function reread(): Promise<string> {
    const before = /"changes":\[[^\]]*\]/g;
    const seen = (text: string): number => [...text.matchAll(before)].length;
    const answer = new Promise<string>((resolve) => {
      let text = "";
      const listen = (chunk: string): void => {
        text += chunk;
        if (seen(text) === 0) return;
        gateway.process.stdout!.off("data", listen);
        resolve(text.match(before)![0]);
      };
      gateway.process.stdout!.on("data", listen);
    });
    gateway.process.kill("SIGHUP");
    return answer;
  }

  /** The decision on one more frame is that of the bundle with this digest. */
  async function servesBy(digest: string, id: string): Promise<void> {
    const publisher = await connectAsync(broker.url);
    await publisher.publishAsync(`apparel/cam-1/frames/${id}`, Buffer.from(frame), { qos: 1 });
    await publisher.endAsync();
    await consumer.waitFor(({ body }) => body.frame === id);
    const info = consumer.heard.findLast(({ topic }) => topic === "sekisho/test/info");
    expect(info?.body.stations).toMatchObject([{ bundleSha256: digest, bundleSignedBy: ["hanako"] }]);
  }

  beforeAll(async () => {
    broker = await aMosquitto();
    consumer = await aConsumer(broker.url);
    [frame] = (await apparelFrames()) as [Uint8Array];
    for (const file of ["bundle.json", "student.onnx", "envelope.json"])
      cpSync(join(MODELS, "apparel", file), path(join("bundle", file)));
    const thresholds = readFileSync(join(THRESHOLDS, "apparel.json"), "utf8");
    writeFileSync(path("apparel.json"), signedByBoth(thresholds, [HANAKO, TARO]));
    writeFileSync(
      path("sekisho.yaml"),
      `gateway: test
broker: { url: "${broker.url}" }
trust: { bundles: signed, keys: [{ person: hanako, file: ${HANAKO.publicFile} }, { person: taro, file: ${TARO.publicFile} }] }
stations:
  apparel:
    frames: { topic: "apparel/{source}/frames/{frame}", encodings: [raw] }
    bundle: bundle
    thresholds: apparel.json
engines: { count: 1 }
ledger: { path: test.ledger, ballastBytes: 65536 }
http: { port: 0 }
`,
    );
  });
  afterAll(async () => {
    await gateway?.stop();
    await consumer?.end();
    await broker?.stop();
  });

  test("does not start on one that nobody signed, or that a stranger signed", async () => {
    const start = () => sekisho(["run", "--config", path("sekisho.yaml")]);
    expect(await start()).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/the bundle is not signed; sign it with/),
    });
    signAs(aPerson("jiro"));
    expect((await start()).stderr).toMatch(/which trust\.keys does not name/);
    expect(consumer.heard).toEqual([]);
  });

  test("goes on with the signed one until another is signed too", async () => {
    const first = sha256(readFileSync(manifest));
    signAs(HANAKO);
    // Beside the stranger's signature it would not do; so it is signed alone.
    expect((await sekisho(["check", "--config", path("sekisho.yaml")])).status).toBe(1);
    writeFileSync(path("bundle/bundle.sig.json"), "{}");
    signAs(HANAKO);
    gateway = await aGateway({ folder, config: path("sekisho.yaml"), ledger: path("test.ledger") });
    await consumer.waitFor(({ topic }) => topic === "sekisho/test/info");
    await servesBy(first, "first");
    const status = await consumer.waitFor(({ topic }) => topic === "sekisho/test/stations/apparel");
    expect(status.body).toMatchObject({ signed: true });

    changeManifest("a new bundle");
    expect(await reread()).toMatch(/"refused".*it signs another bundle\.json than this one/);
    expect(metric(await gateway.metrics(), "sekisho_bundle_refused_total")).toBe(1);
    await servesBy(first, "second");
    const refused = await consumer.waitFor(
      ({ topic, body }) => topic === "sekisho/test/stations/apparel" && body.refused !== undefined,
    );
    expect(refused.body.refused).toMatchObject({ reason: expect.stringMatching(/sekisho bundle sign/) });

    signAs(HANAKO);
    expect(await reread()).toMatch(/"in-force"/);
    const second = sha256(readFileSync(manifest));
    await consumer.waitFor(
      ({ topic, body }) =>
        topic === "sekisho/test/info" &&
        (body.stations as { bundleSha256: string }[])[0]?.bundleSha256 === second,
    );
    await servesBy(second, "third");
  });
});
