/** A new bundle beside the live one, on a real mosquitto with real engines: compared, killed, promoted, still there. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256 } from "../../src/bundle/bundle.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aConsumer, aGateway, type Consumer, metric, type RunningGateway } from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { aCertifiedWorkshop, SIDES, someFrames, type Workshop } from "../support/workshop.ts";

const FRAMES = Array.from({ length: 64 }, (_, i) => Buffer.from(someFrames(1, 500 + i).buffer, 0, SIDES * 4));

describeWithMosquitto("a bundle in shadow", () => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-shadow-"));
  const inFolder = (name: string): string => join(folder, name);
  const config = inFolder("sekisho.yaml");
  const workshops: Workshop[] = [];
  const digestOf = (which: 0 | 1): string =>
    sha256(readFileSync(join(workshops[which]!.bundle, "bundle.json")));
  let broker: Mosquitto;
  let gateway: RunningGateway;
  let consumer: Consumer;
  let publisher: MqttClient;
  let sent = 0;

  /** Sends frames one after the other, each once the one before is decided. */
  async function send(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const frame = `f${sent++}`;
      const decided = consumer.waitFor((one) => one.body.frame === frame);
      await publisher.publishAsync(`press/cam-1/frames/${frame}`, FRAMES[sent % FRAMES.length]!, { qos: 1 });
      await decided;
    }
  }

  const counted = async (name: string, labels?: RegExp): Promise<number> =>
    metric(await gateway.metrics(), name, labels);
  const shown = async () =>
    JSON.parse((await sekisho(["shadow", "show", "press", "--config", config, "--json"])).stdout);
  const rows = (): { frame: string; bundle: string; revision: number }[] => {
    const db = new Database(inFolder("test.ledger"), { readonly: true });
    try {
      return db.prepare("SELECT frame, bundle, revision FROM decisions ORDER BY id").all() as ReturnType<
        typeof rows
      >;
    } finally {
      db.close();
    }
  };
  const runs = async (): Promise<RunningGateway> => {
    const started = await aGateway({ folder, config, ledger: inFolder("test.ledger") });
    await started.shows(/a bundle runs in shadow|is in force now|nothing runs in shadow/);
    return started;
  };

  beforeAll(async () => {
    for (const seed of [5, 23]) workshops.push(await aCertifiedWorkshop(undefined, undefined, seed));
    const thresholds = (which: 0 | 1) => {
      const { bundle } = workshops[which]!;
      const { certificate } = JSON.parse(readFileSync(join(bundle, "envelope.json"), "utf8"));
      const { envelope } = JSON.parse(readFileSync(join(bundle, "bundle.json"), "utf8"));
      return JSON.stringify({
        ...{ schema: "sekisho.thresholds/1", station: "press", revision: 1, envelope: envelope.sha256 },
        ...{ mode: "guarded", alpha: certificate.alpha, alphaClass: certificate.alphaClass, eta: 0.05 },
        ...{ lambda: null, classes: [], reviewDeadlineSeconds: 900 },
        ...{ proposedBy: "a", approvedBy: "b", at: "2026-06-01T08:00:00Z", why: "a test" },
      });
    };
    writeFileSync(inFolder("press.json"), thresholds(0));
    broker = await aMosquitto();
    consumer = await aConsumer(broker.url);
    publisher = await connectAsync(broker.url, { protocolVersion: 5 });
    writeFileSync(
      config,
      `gateway: test
broker: { url: "${broker.url}" }
stations:
  press:
    frames: { topic: "press/{source}/frames/{frame}", encodings: [raw] }
    bundle: ${workshops[0]!.bundle}
    thresholds: press.json
    shadow: { bundle: ${workshops[1]!.bundle} }
engines: { count: 1 }
ledger: { path: test.ledger }
http: { port: 0 }
`,
    );
    gateway = await runs();
  });
  afterAll(async () => {
    await gateway?.stop();
    await publisher?.endAsync();
    await consumer?.end();
    await broker?.stop();
  });

  test("judges the frames that the live one decides, and what it would do otherwise is shown", async () => {
    await send(64);
    await expect.poll(() => counted("sekisho_shadow_frames_total"), { timeout: 20_000 }).toBe(64);
    await expect
      .poll(async () => (await shown()).comparison?.judged, { timeout: 20_000, interval: 500 })
      .toBe(64);
    const { state, comparison, examples } = await shown();
    expect(state).toBe("running");
    expect(comparison).toMatchObject({
      liveBundle: digestOf(0),
      shadowBundle: digestOf(1),
      dropped: 0,
      lost: 0,
    });
    const total = comparison.pairs.reduce((sum: number, { frames }: { frames: number }) => sum + frames, 0);
    expect(total).toBe(64);
    expect(comparison.differing).toBe(await counted("sekisho_shadow_differences_total"));
    if (comparison.differing > 0) expect(examples[0][0].frame).toMatch(/^f\d+$/);
    expect(new Set(rows().map(({ bundle }) => bundle))).toEqual(new Set([digestOf(0)]));
  });

  test("whose engine is killed takes nothing with it", async () => {
    const before = await counted("sekisho_engine_restarts_total");
    const pid = await childAtLeastPriority(gateway.process.pid!);
    process.kill(pid, "SIGKILL");
    await send(32);
    expect(rows()).toHaveLength(96);
    await expect
      .poll(() => counted("sekisho_engine_restarts_total", /press-shadow/), { timeout: 20_000 })
      .toBe(before + 1);
    expect(await counted("sekisho_engine_restarts_total", /press-1/)).toBe(0);
  });

  test("is promoted while frames flow: none is lost, none decided by a mixture", async () => {
    const promoted = await sekisho([
      "shadow",
      "promote",
      "press",
      "--config",
      config,
      "--by",
      "hanako",
      "--why",
      "better",
    ]);
    expect(promoted.stderr).toBe("");
    expect(promoted.stdout).toMatch(/is revision 2 now, guarded, for the bundle in/);
    let isFlowing = true;
    const flow = (async () => {
      while (isFlowing) await send(1);
    })();
    gateway.process.kill("SIGHUP");
    await gateway.shows(/"changes":\[\{"station":"press","outcome":"in-force"\}\]/);
    isFlowing = false;
    await flow;
    await send(8);
    const decided = rows();
    expect(new Set(decided.map(({ frame }) => frame)).size).toBe(sent);
    for (const { bundle, revision } of decided) expect(bundle).toBe(digestOf(revision === 1 ? 0 : 1));
    expect(decided.at(-1)!.revision).toBe(2);
    expect((await shown()).state).toBe("promoted");
    const db = new Database(inFolder("test.ledger"), { readonly: true });
    const acts = db.prepare("SELECT revision, body FROM acts WHERE kind = 'promoted'").all() as {
      revision: number;
      body: string;
    }[];
    db.close();
    expect(acts).toHaveLength(1);
    expect(acts[0]!.revision).toBe(2);
    expect(JSON.parse(acts[0]!.body)).toMatchObject({
      bundle: digestOf(1),
      proposedBy: "hanako",
      why: "better",
    });
  });

  test("is in force after a restart too, without a change of the configuration", async () => {
    await gateway.stop();
    gateway = await aGateway({ folder, config, ledger: inFolder("test.ledger") });
    await send(4);
    expect(rows().at(-1)).toMatchObject({ bundle: digestOf(1), revision: 2 });
    const again = await sekisho([
      "shadow",
      "promote",
      "press",
      "--config",
      config,
      "--by",
      "a",
      "--why",
      "b",
    ]);
    expect(again).toMatchObject({ status: 1, stderr: expect.stringMatching(/is in force already/) });
  });

  test("that cannot run leaves the live one alone, and says why", async () => {
    await gateway.stop();
    const text = readFileSync(config, "utf8");
    writeFileSync(
      config,
      text
        .replace(/shadow: .*/, `shadow: { bundle: ${inFolder("nowhere")} }`)
        .replace(workshops[0]!.bundle, workshops[1]!.bundle),
    );
    gateway = await runs();
    await send(4);
    expect(rows().at(-1)).toMatchObject({ bundle: digestOf(1), revision: 2 });
    expect(await shown()).toMatchObject({ state: "refused", reason: expect.stringMatching(/nowhere/) });
    const refused = await sekisho([
      "shadow",
      "promote",
      "press",
      "--config",
      config,
      "--by",
      "a",
      "--why",
      "b",
    ]);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringMatching(/nowhere/) });
  });
});

/** The engine in shadow is the one child of the gateway with the least priority. */
async function childAtLeastPriority(parent: number): Promise<number> {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8")
    .trim()
    .split(" ")
    .map(Number);
  const found = children.filter(
    (pid) =>
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ")[16] === "19",
  );
  expect(found).toHaveLength(1);
  return found[0]!;
}
