/** The whole gateway in its own process, on a real mosquitto, with the real bundle. */

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseHead } from "../../src/ledger/published-head.ts";
import { verifyLedgerFile } from "../../src/ledger/verify-file.ts";
import {
  aConsumer,
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type Consumer,
  type GatewayFolder,
  ledgerRows,
  metric,
  type RunningGateway,
} from "../support/apparel.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";

const run = promisify(execFile);

describeWithMosquitto("the gateway on mosquitto", () => {
  describe.each([
    ["5", "mqttv5"],
    ["3.1.1", "mqttv311"],
  ] as const)("over MQTT %s", (protocol, publisherVersion) => {
    let broker: Mosquitto;
    let place: GatewayFolder;
    let gateway: RunningGateway;
    let consumer: Consumer;
    let frames: readonly Uint8Array[];

    beforeAll(async () => {
      frames = await apparelFrames();
      broker = await aMosquitto();
      place = aGatewayFolder(broker.url, protocol);
      consumer = await aConsumer(broker.url);
      gateway = await aGateway(place);
    });
    afterAll(async () => {
      await gateway?.stop();
      await consumer?.end();
      await broker?.stop();
    });

    /** One message by a publisher that is not ours; waits for its decision. */
    async function send(
      frame: string,
      payload: Uint8Array | string,
      source = "cam-1",
      more: readonly string[] = [],
    ) {
      const file = join(place.folder, "payload");
      writeFileSync(file, payload);
      await run("mosquitto_pub", [
        ...["-h", "127.0.0.1", "-p", String(broker.port), "-V", publisherVersion, "-q", "1"],
        ...["-t", `apparel/${source}/frames/${frame}`, "-f", file, ...more],
      ]);
      const { body } = await consumer.waitFor(
        (one) => one.topic.includes("/decisions/") && one.body.frame === frame,
      );
      return body;
    }

    async function heardOf(frame: string, topic: string): Promise<number> {
      return consumer.heard.filter((one) => one.topic.includes(topic) && one.body.frame === frame).length;
    }

    test("one real frame gives one decision, one row, one count, and an alert if it is unfaithful", async () => {
      const seen = new Set<unknown>();
      for (let i = 0; !(seen.has("pass") && seen.has("review")); i++) {
        const before = metric(await gateway.metrics(), "sekisho_frames_total");
        const frame = `real-${i}`;
        const decision = await send(frame, frames[i]!);
        expect(decision).toMatchObject({ station: "apparel", source: "cam-1", mode: "guarded", revision: 1 });
        seen.add(decision.decision);
        if (decision.decision === "review") {
          const { body } = await consumer.waitFor(
            (one) => one.topic.endsWith("/reviews/apparel") && one.body.frame === frame,
          );
          expect(body).toMatchObject({
            type: "open",
            reviewRevision: 1,
            count: 1,
            reason: decision.reason,
          });
          expect(Buffer.from((body.frameInline as { base64: string }).base64, "base64")).toEqual(
            Buffer.from(frames[i]!),
          );
        }
        const labels = new RegExp(`decision="${decision.decision}",reason="${decision.reason}"`);
        expect(metric(await gateway.metrics(), "sekisho_frames_total", labels)).toBeGreaterThan(0);
        expect(metric(await gateway.metrics(), "sekisho_frames_total")).toBe(before + 1);
        expect(ledgerRows(place.ledger, frame)).toHaveLength(1);
        expect(await heardOf(frame, "/decisions/")).toBe(1);
        expect(await heardOf(frame, "/reviews/")).toBe(decision.decision === "review" ? 1 : 0);
      }
    });

    test("the same picture as PNG and as JSON gets the same prediction", async () => {
      const grey = frames[3]!;
      const png = await sharp(grey, { raw: { width: 28, height: 28, channels: 1 } })
        .png()
        .toBuffer();
      const raw = await send("same-raw", grey);
      if (protocol === "5") {
        const asPng = await send("same-png", png, "cam-1", ["-D", "publish", "content-type", "image/png"]);
        const asJson = await send("same-json", JSON.stringify({ values: [...grey] }), "cam-1", [
          ...["-D", "publish", "content-type", "application/json"],
        ]);
        for (const other of [asPng, asJson]) {
          expect(other.class).toBe(raw.class);
          expect(other.score).toBeCloseTo(raw.score as number, 6);
        }
      }
      expect(raw.class).toBeTypeOf("string");
    });

    test("a frame delivered twice is decided once", async () => {
      const before = metric(await gateway.metrics(), "sekisho_frames_redelivered_total");
      await send("twice", frames[5]!);
      await send("twice", frames[5]!);
      await consumer.waitFor(
        () =>
          consumer.heard.filter((one) => one.body.frame === "twice" && one.topic.includes("/decisions/"))
            .length === 2,
      );
      expect(ledgerRows(place.ledger, "twice")).toHaveLength(1);
      expect(metric(await gateway.metrics(), "sekisho_frames_redelivered_total")).toBe(before + 1);
    });

    describe("bad input becomes a reject with its reason", () => {
      type Bad = readonly [what: string, payload: () => Uint8Array | string, source: string, reason: string];
      const always: readonly Bad[] = [
        ["too short", () => frames[0]!.subarray(1), "cam-1", "too-short"],
        ["too long", () => Buffer.concat([frames[0]!, Buffer.of(0)]), "cam-1", "too-long"],
        ["empty", () => "", "cam-1", "too-short"],
        ["larger than the station takes", () => new Uint8Array(20_001), "cam-1", "too-large"],
        ["from an unknown source", () => frames[0]!, "cam-9", "unknown-source"],
        ["from a source that is no name", () => frames[0]!, "cam 1", "unknown-source"],
      ];
      /** Content types are a property of MQTT 5; the third column names them here. */
      const typed: readonly Bad[] = [
        ["not an image", () => "no png at all", "image/png", "not-an-image"],
        ["a cut PNG", () => "\x89PNG\r\n\x1a\n", "image/png", "not-an-image"],
        ["of a type the station does not take", () => frames[0]!, "image/jpeg", "wrong-content-type"],
        ["of a type nobody knows", () => frames[0]!, "text/html", "wrong-content-type"],
        ["no JSON", () => "{values:", "application/json", "invalid-json"],
        ["JSON with NaN", () => '{"values": [NaN]}', "application/json", "invalid-json"],
        ["JSON of another shape", () => '{"value": 3}', "application/json", "invalid-json"],
        ["JSON with too few values", () => '{"values": [1, 2]}', "application/json", "too-short"],
        [
          "JSON with an infinite value",
          () => JSON.stringify({ values: Array(784).fill(0) }).replace("0", "1e999"),
          "application/json",
          "not-finite",
        ],
      ];
      const cases = [
        ...always.map(([what, payload, source, reason]) => ({
          what,
          payload,
          source,
          reason,
          more: [] as string[],
        })),
        ...(protocol === "5" ? typed : []).map(([what, payload, contentType, reason]) => ({
          ...{ what, payload, source: "cam-2", reason },
          more: ["-D", "publish", "content-type", contentType],
        })),
      ].map((one, i) => ({ ...one, frame: `bad-${i}` }));

      test.each(cases)("$what", async ({ frame, payload, source, reason, more }) => {
        const decision = await send(frame, payload(), source, more);
        expect(decision).toMatchObject({ decision: "reject", reason, class: null, score: null, band: null });
        expect(ledgerRows(place.ledger, frame)).toHaveLength(1);
        expect(await heardOf(frame, "/reviews/")).toBe(0);
      });

      test("acknowledged and counted, and never seen again after a restart", async () => {
        expect(metric(await gateway.metrics(), "sekisho_frames_total", /decision="reject"/)).toBe(
          cases.length,
        );
        const { status, stdout } = await gateway.stop();
        expect(status).toBe(0);
        expect(stdout).toContain('"msg":"stopped"');
        gateway = await aGateway(place);
        await send("after-restart", frames[7]!);
        const metrics = await gateway.metrics();
        expect(metric(metrics, "sekisho_frames_redelivered_total")).toBe(0);
        expect(metric(metrics, "sekisho_frames_total")).toBe(1);
      });
    });

    test("says on its retained topics that it is on line and how its station stands", async () => {
      const state = await consumer.waitFor(
        (one) => one.topic === "sekisho/test/state" && one.body.state === "online",
      );
      expect(state.body.session).toBeGreaterThan(0);
      const station = await consumer.waitFor((one) => one.topic === "sekisho/test/stations/apparel");
      expect(station.body).toMatchObject({
        station: "apparel",
        mode: "guarded",
        monitor: "green",
        revision: 1,
      });
      const info = await consumer.waitFor((one) => one.topic === "sekisho/test/info");
      expect(info.body).toMatchObject({
        gateway: "test",
        stations: [{ station: "apparel", bundle: "apparel" }],
      });
    });

    test("answers on /healthz, /readyz and /metrics", async () => {
      expect((await fetch(`${gateway.httpUrl}/healthz`)).status).toBe(200);
      expect(await (await fetch(`${gateway.httpUrl}/readyz`)).json()).toEqual({ ready: true });
      const metrics = await gateway.metrics();
      for (const name of [
        ...[
          "sekisho_frame_latency_seconds_count",
          "sekisho_stage_duration_seconds_count",
          "sekisho_reviews_open",
        ],
        ...["sekisho_review_oldest_age_seconds", "sekisho_certificate_risk_bound", "sekisho_outbox_pending"],
        ...[
          "sekisho_intake_backlog",
          "sekisho_engine_up",
          "sekisho_thresholds_info",
          "process_cpu_seconds_total",
        ],
      ]) {
        expect(metrics).toMatch(new RegExp(`^${name}[{ ]`, "m"));
      }
      expect(metric(metrics, "sekisho_engine_up", /engine="apparel-1"/)).toBe(1);
    });

    test("a SIGTERM ends it in order: all decided, state stopped, exit status 0", async () => {
      await gateway.stop();
      await consumer.waitFor((one) => one.topic === "sekisho/test/state" && one.body.state === "stopped");
      expect(consumer.heard.filter((one) => one.topic === "sekisho/test/state").at(-1)?.body.state).toBe(
        "stopped",
      );
      // Whoever kept it can tell whether anything was taken from the ledger while nobody ran it.
      const info = consumer.heard.filter((one) => one.topic === "sekisho/test/info").at(-1);
      const head = parseHead(info?.body.chainHead as string)!;
      expect(head.seq).toBeGreaterThan(0);
      expect(verifyLedgerFile(place.ledger, [head])).toMatchObject({ ok: true, whole: { head } });
      const log = (await gateway.finished).stdout.trim().split("\n");
      expect(log.at(-1)).toContain(`"chainHead":"${head.sha256}@${head.seq}"`);
      for (const line of log) expect(() => JSON.parse(line)).not.toThrow();
      gateway = await aGateway(place);
    });
  });

  test("waits for a broker that is not there yet, and is not ready until then", async () => {
    const broker = await aMosquitto();
    await broker.kill();
    const place = aGatewayFolder(broker.url);
    const starting = aGateway(place);
    await broker.restart();
    const gateway = await starting;
    expect((await fetch(`${gateway.httpUrl}/readyz`)).status).toBe(200);
    await broker.kill();
    // Verdicts have a connection of their own, whose loss stops no frame.
    await gateway.shows(/"connection":"(intake|publisher)".*connection to the broker was lost/);
    expect((await fetch(`${gateway.httpUrl}/readyz`)).status).toBe(503);
    expect((await gateway.stop()).status).toBe(0);
    await broker.stop();
  });
});
