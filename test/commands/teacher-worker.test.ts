/** `sekisho teacher` on a real broker: what it answers, what it refuses, and that nothing ends it. */

import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readBundle } from "../../src/bundle/bundle.ts";
import type { FrameRow } from "../../src/bundle/evidence.ts";
import { frameSpecOf } from "../../src/bundle/manifest.ts";
import { openFrames } from "../../src/commands/frames.ts";
import { studentSpec } from "../../src/commands/models.ts";
import { recordFrames } from "../../src/commands/recorder.ts";
import { openTeacher } from "../../src/commands/teacher.ts";
import { openReplay } from "../../src/commands/teacher-worker/replay.ts";
import type { Terminal } from "../../src/commands/terminal.ts";
import { unfaithfulFrames } from "../../src/core/envelope/unfaithful.ts";
import type { NeighbourhoodRecipe } from "../../src/core/nuisance.ts";
import { createPreprocessor } from "../../src/engine/preprocess.ts";
import { openStudent } from "../../src/engine/student.ts";
import { messageReader } from "../../src/schema/message.ts";
import { type TeacherResponse, TeacherResponseSchema } from "../../src/schema/teacher-messages.ts";
import { apparelFrames, MODELS } from "../support/apparel.ts";
import { type Started, sekisho, startSekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { aCertifiedWorkshop } from "../support/workshop.ts";

const APPAREL = join(MODELS, "apparel");
const AT = "2026-11-25T08:31:02.114Z";
const read = messageReader(TeacherResponseSchema, 8192);

const raw = (frame: Uint8Array) => ({
  contentType: "application/octet-stream" as const,
  payload: Buffer.from(frame).toString("base64"),
});

function digestOf(dir: string): string {
  const found = readBundle(dir, []);
  if (!found.ok) throw new Error("no bundle");
  return found.bundle.digest;
}

/** Each frame of an audit of its own as `record` sees it, with the copies that this audit's have. */
async function recorded(payloads: readonly Uint8Array[]): Promise<readonly FrameRow[]> {
  const found = readBundle(APPAREL, ["envelope"]);
  if (!found.ok) throw new Error("no bundle");
  const { bundle } = found;
  const { manifest } = bundle;
  const spec = frameSpecOf(manifest.frame);
  const silent = { out() {}, err() {}, isInteractive: false } as unknown as Terminal;
  const frames = await openFrames(join(APPAREL, "frames", "demo.npz"), manifest, silent);
  const { teacher } = await openTeacher("test", { teacher: join(APPAREL, "teacher.onnx") }, bundle, 1);
  const student = await openStudent(bundle.studentBytes, studentSpec(manifest));
  const rows: FrameRow[] = [];
  for (const [n, payload] of payloads.entries()) {
    const chance = createHash("sha256").update(`r-${n}\n0`).digest().readUInt32LE(0);
    await recordFrames({
      // Frames are numbered, and the number is the chance of the copies.
      frames: {
        ...frames,
        count: chance + 1,
        load: async () => {},
        values: () => Float32Array.from(payload),
      },
      partOf: new Int32Array(1),
      spec,
      preprocessor: createPreprocessor(spec, manifest.preprocessing),
      student,
      teacher,
      recipe: bundle.envelope!.neighbourhood as NeighbourhoodRecipe,
      sink: { recorded: chance, append: (some) => void rows.push(...some) },
      progress: { at() {}, end() {} },
    });
  }
  return rows;
}

describe("a replay", () => {
  const SOME = 100;

  test("finds U just as it is recorded, and the same whenever it is asked", async () => {
    const payloads = (await apparelFrames()).slice(0, SOME);
    const rows = await recorded(payloads);
    const flat = (of: "studentLogits" | "teacherLogits") =>
      Float32Array.from(rows.flatMap((row) => [...row[of]]));
    const found = readBundle(APPAREL, ["envelope"]);
    if (!found.ok) throw new Error("no bundle");
    const u = unfaithfulFrames(
      {
        classes: found.bundle.manifest.classes,
        studentLogits: flat("studentLogits"),
        teacherLogits: flat("teacherLogits"),
        largestGap: Float32Array.from(rows, (row) => row.largestGap),
      },
      found.bundle.envelope!.fitted.delta,
    );
    const replay = await openReplay(APPAREL, () => {});
    const answers = [];
    for (const [n, payload] of payloads.entries())
      answers.push(await replay.answer({ audit: `r-${n}`, frames: [raw(payload)] }));
    expect(answers.map(({ unfaithful }) => (unfaithful ? 1 : 0))).toEqual([...u]);
    expect(answers.map(({ gapMax }) => gapMax)).toEqual(rows.map(({ largestGap }) => largestGap));
    expect(u).toContain(1);
    expect(u).toContain(0);
    expect(await replay.answer({ audit: "r-7", frames: [raw(payloads[7]!)] })).toEqual(answers[7]);

    // A part is unfaithful if any of its frames is.
    const [good, bad] = [payloads[u.indexOf(0)]!, payloads[u.indexOf(1)]!];
    const audit = `r-${u.indexOf(0)}`;
    expect(await replay.answer({ audit, frames: [raw(good)] })).toMatchObject({ unfaithful: false });
    const { gapMax } = await replay.answer({ audit, frames: [raw(good), raw(bad)] });
    expect(gapMax!).toBeGreaterThan(answers[u.indexOf(0)]!.gapMax!);

    await expect(replay.answer({ audit: "r", frames: [raw(new Uint8Array(3))] })).rejects.toThrow(
      /too-short/,
    );
    const png = { contentType: "image/png" as const, payload: "iVBORw0KGgo=" };
    await expect(replay.answer({ audit: "r", frames: [png] })).rejects.toThrow(/frame 0 of 1/);
    await replay.close();
  });
});

describe("the command", () => {
  test("refuses bundles that it cannot answer for, and options that make no sense", async () => {
    const workshop = await aCertifiedWorkshop();
    const url = "mqtt://127.0.0.1:1";
    const empty = mkdtempSync(join(tmpdir(), "sekisho-no-bundle-"));
    writeFileSync(join(empty, "bundle.json"), "{");
    const cases: readonly (readonly [readonly string[], RegExp, number])[] = [
      [[workshop.bundle, "--broker", url], /with teacher\.onnx, found none/, 1],
      [[empty, "--broker", url], /bundle\.json/, 1],
      [[APPAREL, "--broker", "nonsense"], /expected a broker url/, 1],
      [[APPAREL, "--broker", url, "--gateway", "a/b"], /expected a name/, 1],
      [[APPAREL, "--broker", url, "--protocol", "4"], /--protocol takes/, 1],
      [[APPAREL, "--broker", url, "--password-file", "/nowhere/password"], /ENOENT.*\/nowhere\/password/, 1],
      [[APPAREL, "--broker", url, "--ca-file", "package.json"], /TLS files are given/, 1],
      [[APPAREL], /--broker/, 2],
    ];
    for (const [args, says, status] of cases) {
      const ended = await sekisho(["teacher", ...args]);
      expect(ended.stderr).toMatch(says);
      expect(ended.status).toBe(status);
    }
  });
});

describeWithMosquitto("on mosquitto", () => {
  let broker: Mosquitto;
  let client: MqttClient;
  let frames: readonly Uint8Array[];
  const digest = digestOf(APPAREL);
  const heard: { topic: string; response: TeacherResponse; correlation: string | undefined }[] = [];

  beforeAll(async () => {
    broker = await aMosquitto();
    frames = await apparelFrames();
    client = await connectAsync(broker.url, { protocolVersion: 5 });
    client.on("message", (topic, payload, { properties }) => {
      const found = read(payload);
      if (!found.ok) throw new Error(found.problem);
      heard.push({ topic, response: found.value, correlation: properties?.correlationData?.toString() });
    });
    await client.subscribeAsync("sekisho/+/teacher/response", { qos: 1 });
  });
  afterAll(async () => {
    await client?.endAsync();
    await broker?.stop();
  });

  const aWorker = async (...more: string[]): Promise<Started> => {
    const started = startSekisho(["teacher", APPAREL, "--broker", broker.url, "--name", "w-1", ...more]);
    await started.shows("; bundles");
    await started.shows("answering");
    return started;
  };
  const stopped = async (worker: Started): Promise<void> => {
    worker.process.kill("SIGTERM");
    expect((await worker.finished).status).toBe(0);
  };
  const ask = async (body: object | string, gateway = "plant-1"): Promise<void> => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const properties = { correlationData: Buffer.from("c-1"), responseTopic: "elsewhere" };
    await client.publishAsync(`sekisho/${gateway}/teacher/request`, text, { qos: 1, properties });
  };
  const aRequest = (audit: string, more: object = {}) => ({
    ...{ audit, bundle: digest, station: "apparel", at: AT },
    frames: [raw(frames[0]!)],
    ...more,
  });
  const answerTo = async (audit: string | null) => {
    await expect
      .poll(() => heard.some(({ response }) => response.audit === audit), { timeout: 20_000 })
      .toBe(true);
    return heard.find(({ response }) => response.audit === audit)!;
  };

  test("it answers each gateway on its own topic, refuses what it cannot answer, and goes on", async () => {
    const worker = await aWorker();
    await ask(aRequest("a-1"), "plant-1");
    await ask(aRequest("a-2"), "plant-2");
    const first = await answerTo("a-1");
    expect(first.topic).toBe("sekisho/plant-1/teacher/response");
    expect(first.correlation).toBe("c-1");
    expect(first.response).toMatchObject({
      bundle: digest,
      worker: "w-1",
      answer: { neighbourhood: "recorded" },
    });
    expect((await answerTo("a-2")).topic).toBe("sekisho/plant-2/teacher/response");

    const code = async (audit: string | null) => (await answerTo(audit)).response.refused?.code;
    await ask("garbage");
    expect(await code(null)).toBe("malformed");
    await ask(aRequest("other", { bundle: "0".repeat(64) }));
    expect(await code("other")).toBe("unknown-bundle");
    await ask(aRequest("short", { frames: [raw(new Uint8Array(3))] }));
    expect(await code("short")).toBe("unreadable-frame");
    await ask(aRequest("bomb", { frames: [{ contentType: "image/png", payload: "iVBORw0KGgo=" }] }));
    expect(await code("bomb")).toBe("unreadable-frame");

    await broker.restart();
    await client.subscribeAsync("sekisho/+/teacher/response", { qos: 1 }).catch(() => {});
    await expect
      .poll(
        async () => {
          await ask(aRequest("after")).catch(() => {});
          return heard.some(({ response }) => response.audit === "after");
        },
        { timeout: 30_000, interval: 500 },
      )
      .toBe(true);
    await stopped(worker);
  });

  test("on MQTT 3.1.1 it subscribes plainly, and serves the gateways named only", async () => {
    const worker = await aWorker("--protocol", "3.1.1", "--gateway", "plant-3");
    await ask(aRequest("d-1"), "plant-4");
    await ask(aRequest("d-2"), "plant-3");
    expect((await answerTo("d-2")).response.answer).toBeDefined();
    expect(heard.some(({ response }) => response.audit === "d-1")).toBe(false);
    await stopped(worker);
  });

  test("of two workers each question has one answer", async () => {
    const before = heard.length;
    const workers = [await aWorker(), await aWorker()];
    for (let n = 0; n < 20; n++) await ask(aRequest(`s-${n}`));
    for (let n = 0; n < 20; n++) await answerTo(`s-${n}`);
    for (const worker of workers) await stopped(worker);
    expect(heard.length - before).toBe(20);
    for (const worker of workers)
      expect((await worker.finished).stdout).toMatch(/answered; gateway "plant-1"/);
  });
});
