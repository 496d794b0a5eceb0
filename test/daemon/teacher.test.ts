/** Audits answered by a teacher: two gateways, one worker in a process of its own, killed and started again in between. */

import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { Database } from "../../src/sqlite/database.ts";
import {
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type GatewayFolder,
  MODELS,
  metric,
  type RunningGateway,
} from "../support/apparel.ts";
import { type Started, startSekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";

const ROUND = 80;
const WAIT = { timeout: 30_000, interval: 100 };

describeWithMosquitto("a teacher on mosquitto", () => {
  let broker: Mosquitto;
  let worker: Started;
  let client: MqttClient;
  let frames: readonly Uint8Array[];
  const places: GatewayFolder[] = [];
  const gateways: RunningGateway[] = [];

  const aWorker = async (): Promise<Started> => {
    const started = startSekisho(["teacher", `${MODELS}/apparel`, "--broker", broker.url, "--json"]);
    await started.shows('"msg":"answering"');
    return started;
  };
  const send = async (from: number): Promise<void> => {
    for (let n = from; n < from + ROUND; n++)
      await client.publishAsync(`apparel/cam-1/frames/f${n}`, Buffer.from(frames[n]!), { qos: 1 });
  };
  const asked = async (gateway: RunningGateway, name: string): Promise<number> =>
    metric(await gateway.metrics(), name, /question="teacher"/);
  const decided = async (gateway: RunningGateway): Promise<number> =>
    metric(await gateway.metrics(), "sekisho_frames_total");
  const rows = ({ ledger }: GatewayFolder) => {
    const db = new Database(ledger, { readonly: true });
    try {
      return db.prepare("SELECT id, teacher, person FROM audits").all() as { id: string; teacher: string }[];
    } finally {
      db.close();
    }
  };
  const allAnswered = async (): Promise<void> => {
    for (const gateway of gateways) {
      await expect
        .poll(async () => (await asked(gateway, "sekisho_audits_waiting")) === 0 && decided(gateway), WAIT)
        .toBeGreaterThanOrEqual(ROUND);
    }
  };

  beforeAll(async () => {
    broker = await aMosquitto();
    frames = await apparelFrames();
    client = await connectAsync(broker.url, { protocolVersion: 5 });
    for (const gateway of ["test", "other"]) {
      const place = aGatewayFolder(broker.url, "auto", {
        gateway,
        thresholds: { auditRate: 0.5 },
        audits: ["teacher: broker", "askAgainSeconds: 1"],
      });
      places.push(place);
      gateways.push(await aGateway(place));
    }
    worker = await aWorker();
  });
  afterAll(async () => {
    await client?.endAsync();
    for (const gateway of gateways) await gateway.stop();
    worker?.process.kill("SIGKILL");
    await broker?.stop();
  });

  let bounds: number[] = [];

  test("answers for both, and the bound falls", async () => {
    for (const gateway of gateways) expect(await asked(gateway, "sekisho_audit_risk_upper_bound")).toBe(1);
    await send(0);
    for (const gateway of gateways) await expect.poll(() => decided(gateway), WAIT).toBe(ROUND);
    await allAnswered();
    for (const [i, place] of places.entries()) {
      const audits = rows(place);
      expect(audits.length).toBeGreaterThan(10);
      // Nearly all that passes is faithful, as the certificate has it.
      expect(audits.filter(({ teacher }) => teacher === "good").length).toBeGreaterThan(0.8 * audits.length);
      expect(audits.every(({ teacher }) => teacher === "good" || teacher === "bad")).toBe(true);
      await expect
        .poll(
          async () => metric(await gateways[i]!.metrics(), "sekisho_audits_total", /question="teacher"/),
          WAIT,
        )
        .toBe(audits.length);
    }
    bounds = await Promise.all(gateways.map((one) => asked(one, "sekisho_audit_risk_upper_bound")));
    for (const bound of bounds) expect(bound).toBeLessThan(0.5);
  });

  test("killed and started again, it answers what was drawn meanwhile", async () => {
    worker.process.kill("SIGKILL");
    await worker.finished;
    await send(ROUND);
    for (const gateway of gateways) {
      await expect.poll(() => decided(gateway), WAIT).toBe(2 * ROUND);
      expect(await asked(gateway, "sekisho_audits_waiting")).toBeGreaterThan(10);
    }
    worker = await aWorker();
    await allAnswered();
    for (const [i, gateway] of gateways.entries()) {
      const count = async () => metric(await gateway.metrics(), "sekisho_audits_total", /question="teacher"/);
      await expect.poll(count, WAIT).toBe(rows(places[i]!).length);
      // Which parts are drawn is chance, and so is whether the bound falls from one round to the next.
      expect(await asked(gateway, "sekisho_audit_risk_upper_bound")).toBeLessThan(0.5);
    }
  });

  test("an answer that nobody asked for is counted and answers nothing", async () => {
    const before = rows(places[0]!);
    const bogus = {
      ...{ audit: before[0]!.id, bundle: "0".repeat(64), worker: "mallory", at: new Date(0).toISOString() },
      answer: {
        unfaithful: true,
        gapMax: 1,
        teacherClass: null,
        studentClass: null,
        neighbourhood: "recorded",
      },
    };
    for (const payload of [JSON.stringify(bogus), "garbage"])
      await client.publishAsync("sekisho/test/teacher/response", payload, { qos: 1 });
    await expect
      .poll(async () => metric(await gateways[0]!.metrics(), "sekisho_audit_answers_ignored_total"), WAIT)
      .toBe(2);
    expect(rows(places[0]!)).toEqual(before);
  });

  test("after a restart the estimates are what they were, from the ledger", async () => {
    const before = await asked(gateways[0]!, "sekisho_audit_risk_upper_bound");
    expect((await gateways[0]!.stop()).status).toBe(0);
    const db = new Database(places[0]!.ledger);
    expect(verifyLedger(db)).toBeUndefined();
    db.close();
    gateways[0] = await aGateway(places[0]!);
    await expect.poll(() => asked(gateways[0]!, "sekisho_audit_risk_upper_bound"), WAIT).toBe(before);
  });

  test("asked to stop, the worker ends in good order", async () => {
    worker.process.kill("SIGTERM");
    const { status, stdout } = await worker.finished;
    expect(status).toBe(0);
    expect(stdout).toContain("asked to stop");
  });
});
