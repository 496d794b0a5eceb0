/** Bundles and thresholds that come into force while frames flow, on a real mosquitto with real engines. */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256 } from "../../src/bundle/bundle.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aConsumer, aGateway, type Consumer, metric, type RunningGateway } from "../support/apparel.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { aCertifiedWorkshop, SIDES, someFrames, type Workshop } from "../support/workshop.ts";

const FRAME = Buffer.from(someFrames(1, 77).buffer, 0, SIDES * 4);
const FILES = ["bundle.json", "student.onnx", "envelope.json"];

interface Row {
  readonly frame: string;
  readonly revision: number;
  readonly bundle: string;
  readonly confidence: number;
}

describeWithMosquitto("a bundle swapped while frames flow", () => {
  let broker: Mosquitto;
  let gateway: RunningGateway;
  let consumer: Consumer;
  const bundles: Workshop[] = [];
  const folder = mkdtempSync(join(tmpdir(), "sekisho-swap-"));
  const inFolder = (name: string): string => join(folder, name);
  const digestOf = (workshop: Workshop): string => sha256(readFileSync(join(workshop.bundle, "bundle.json")));

  /** Puts a bundle, and thresholds for it, where the configuration looks for them. */
  function put(workshop: Workshop, changes: { revision: number; [member: string]: unknown }): void {
    mkdirSync(inFolder("bundle"), { recursive: true });
    for (const file of FILES) cpSync(join(workshop.bundle, file), join(inFolder("bundle"), file));
    const thresholds = JSON.parse(readFileSync(workshop.path("first.json"), "utf8"));
    writeFileSync(inFolder("press.json"), JSON.stringify({ ...thresholds, ...changes }));
  }

  /** Sends SIGHUP; what the gateway then made of its one station. */
  async function reread(): Promise<{ outcome: string; reason?: string }> {
    const answer = new Promise<{ outcome: string }>((resolve) => {
      let text = "";
      const listen = (chunk: string): void => {
        text += chunk;
        const line = text.split("\n").find((one) => one.includes('"changes"') && one.endsWith("}"));
        if (line === undefined) return;
        gateway.process.stdout!.off("data", listen);
        resolve(JSON.parse(line).changes[0]);
      };
      gateway.process.stdout!.on("data", listen);
    });
    gateway.process.kill("SIGHUP");
    return answer;
  }

  /** Hands on each decision's frame and revision; what it gives waits until something is so. */
  function listener(note: (frame: string, revision: number) => void): (isSo: () => boolean) => Promise<void> {
    let look = (): void => {};
    consumer.client.on("message", (topic, payload) => {
      if (!topic.includes("/decisions/")) return;
      const { frame, revision } = JSON.parse(payload.toString());
      note(frame, revision);
      look();
    });
    return (isSo) =>
      new Promise((resolve) => {
        look = () => isSo() && resolve();
        look();
      });
  }

  const rows = (): Row[] => {
    const db = new Database(inFolder("swap.ledger"), { readonly: true });
    try {
      return db
        .prepare("SELECT frame, revision, bundle, confidence FROM decisions ORDER BY id")
        .all() as Row[];
    } finally {
      db.close();
    }
  };

  beforeAll(async () => {
    for (const seed of [5, 23]) {
      const workshop = await aCertifiedWorkshop(undefined, undefined, seed);
      const { certificate } = JSON.parse(readFileSync(join(workshop.bundle, "envelope.json"), "utf8"));
      const { envelope } = JSON.parse(readFileSync(join(workshop.bundle, "bundle.json"), "utf8"));
      writeFileSync(
        workshop.path("first.json"),
        JSON.stringify({
          ...{ schema: "sekisho.thresholds/1", station: "press", revision: 1, envelope: envelope.sha256 },
          ...{ mode: "guarded", alpha: certificate.alpha, alphaClass: certificate.alphaClass, eta: 0.05 },
          ...{ lambda: certificate.chosen?.lambda ?? null, classes: [], reviewDeadlineSeconds: 900 },
          ...{ proposedBy: "a", approvedBy: "b", at: "2026-06-01T08:00:00Z", why: "a test" },
        }),
      );
      bundles.push(workshop);
    }
    broker = await aMosquitto();
    consumer = await aConsumer(broker.url);
    put(bundles[0]!, { revision: 1 });
    writeFileSync(
      inFolder("sekisho.yaml"),
      `gateway: test
broker: { url: "${broker.url}" }
stations:
  press:
    frames: { topic: "press/{source}/frames/{frame}", encodings: [raw] }
    bundle: bundle
    thresholds: press.json
engines: { count: 2 }
ledger: { path: swap.ledger }
http: { port: 0 }
`,
    );
    gateway = await aGateway({ folder, config: inFolder("sekisho.yaml"), ledger: inFolder("swap.ledger") });
  });
  afterAll(async () => {
    await gateway?.stop();
    await consumer?.end();
    await broker?.stop();
  });

  test("ten times: each frame is decided once, by one bundle and the thresholds bound to it", async () => {
    const publisher = await connectAsync(broker.url, { protocolVersion: 5 });
    const heard = new Map<unknown, number>();
    const arrivals = new Map<string, () => void>();
    let last = 0;
    const until = listener((frame, revision) => {
      heard.set(frame, revision);
      last = revision;
      arrivals.get(frame)?.();
    });
    let sent = 0;
    let isSwapping = true;
    // Sixteen frames are on their way at any time: the broker and this machine set the pace.
    const flow = async (): Promise<void> => {
      while (isSwapping) {
        const frame = `f${sent++}`;
        const arrived = new Promise<void>((resolve) => arrivals.set(frame, resolve));
        await publisher.publishAsync(`press/cam-1/frames/${frame}`, FRAME, { qos: 1 });
        await arrived;
        arrivals.delete(frame);
      }
    };
    const flowing = Array.from({ length: 16 }, flow);
    try {
      for (let revision = 2; revision <= 11; revision++) {
        // So that the swap comes in the middle of this revision's frames.
        await until(() => last === revision - 1);
        put(bundles[(revision + 1) % 2]!, { revision });
        expect(await reread()).toEqual({ station: "press", outcome: "in-force" });
      }
      await until(() => last === 11);
    } finally {
      isSwapping = false;
      await Promise.all(flowing);
      await publisher.endAsync();
    }
    expect(heard.size).toBe(sent);

    const decided = rows();
    expect(new Set(decided.map(({ frame }) => frame)).size).toBe(sent);
    const digests = bundles.map(digestOf);
    const confidences: readonly Set<number>[] = [new Set(), new Set()];
    for (const { frame, revision, bundle, confidence } of decided) {
      const which = (revision + 1) % 2;
      expect(bundle).toBe(digests[which]);
      expect(heard.get(frame)).toBe(revision);
      confidences[which]!.add(Math.round(1e4 * confidence));
    }
    // One frame over and over: each student has its own answer to it, and no other's stands under its name.
    const [a, b] = confidences.map((set) => [...set]);
    expect(a).toHaveLength(1);
    expect(b).toHaveLength(1);
    expect(a).not.toEqual(b);
    for (let revision = 1; revision <= 11; revision++) {
      expect(decided.filter((row) => row.revision === revision).length).toBeGreaterThan(0);
    }
    const metrics = await gateway.metrics();
    expect(metric(metrics, "sekisho_frames_total")).toBe(sent);
    expect(metric(metrics, "sekisho_frames_redelivered_total")).toBe(0);
    expect(metric(metrics, "sekisho_engine_up", /engine="press-[12]"/)).toBe(2);
    expect(metric(metrics, "sekisho_thresholds_info")).toBe(1);
    expect(metric(metrics, "sekisho_bundle_refused_total")).toBe(0);
    process.stdout.write(`${sent} frames through ten swaps\n`);
  });

  test("what BASE/info says follows", async () => {
    const found = await consumer.waitFor(({ topic, body }) => {
      const [station] = (body.stations ?? []) as { revision: number }[];
      return topic === "sekisho/test/info" && station?.revision === 11;
    });
    expect(found.body.stations).toMatchObject([{ bundleSha256: digestOf(bundles[0]!) }]);
  });

  /** What is in force judges on; its refusal is counted, logged and published. */
  async function staysInForce(frame: string, refusals: number, reason: RegExp): Promise<void> {
    const outcome = await reread();
    expect(outcome).toMatchObject({ outcome: "refused", reason: expect.stringMatching(reason) });
    expect(metric(await gateway.metrics(), "sekisho_bundle_refused_total", /station="press"/)).toBe(refusals);
    await consumer.waitFor(
      ({ topic, body }) =>
        topic === "sekisho/test/stations/press" &&
        reason.test((body.refused as { reason: string } | undefined)?.reason ?? ""),
    );
    const publisher = await connectAsync(broker.url);
    await publisher.publishAsync(`press/cam-1/frames/${frame}`, FRAME, { qos: 1 });
    await publisher.endAsync();
    const { body } = await consumer.waitFor((one) => one.body.frame === frame);
    expect(body.revision).toBe(11);
    expect(rows().at(-1)).toMatchObject({ frame, bundle: digestOf(bundles[0]!) });
  }

  test("a student that is not the bundle's is refused", async () => {
    put(bundles[1]!, { revision: 12 });
    cpSync(join(bundles[0]!.bundle, "student.onnx"), join(inFolder("bundle"), "student.onnx"));
    await staysInForce("after-1", 1, /student\.onnx is not the file this bundle was made with/);
  });

  test("a golden frame that comes out different is refused by the new engine", async () => {
    put(bundles[1]!, { revision: 12 });
    const file = join(inFolder("bundle"), "bundle.json");
    const manifest = JSON.parse(readFileSync(file, "utf8"));
    manifest.golden[1].logits[0] += 0.5;
    writeFileSync(file, JSON.stringify(manifest));
    await staysInForce("after-2", 2, /golden frame 1 comes out different/);
  });

  test("thresholds of another envelope are refused", async () => {
    put(bundles[1]!, { revision: 12, envelope: "0".repeat(64) });
    await staysInForce("after-3", 3, /these thresholds are for envelope 0000/);
  });

  test("other thresholds under a revision that is in force are refused", async () => {
    put(bundles[0]!, { revision: 11, why: "quietly changed" });
    await staysInForce("after-4", 4, /revision: expected one above 11, which is in force/);
  });

  test("what is in force already changes nothing, and takes the refusal off the station's status", async () => {
    put(bundles[0]!, { revision: 11 });
    expect(await reread()).toEqual({ station: "press", outcome: "unchanged" });
    await expect
      .poll(
        () => consumer.heard.filter(({ topic }) => topic.endsWith("/stations/press")).at(-1)?.body.refused,
      )
      .toBeUndefined();
  });

  test("thresholds alone come into force with the engines that run", async () => {
    put(bundles[0]!, { revision: 12, mode: "shadow" });
    expect(await reread()).toEqual({ station: "press", outcome: "in-force" });
    const publisher = await connectAsync(broker.url);
    await publisher.publishAsync("press/cam-1/frames/shadowed", FRAME, { qos: 1 });
    await publisher.endAsync();
    const { body } = await consumer.waitFor((one) => one.body.frame === "shadowed");
    expect(body).toMatchObject({ decision: "review", reason: "shadow", revision: 12 });
  });
});
