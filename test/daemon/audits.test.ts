/** Audits with a real gateway, student and broker: drawn frames are asked about blind, and an alarm follows a wrong one. */

import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AUDIT_COINS } from "../../src/commands/audit-coins.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { Database } from "../../src/sqlite/database.ts";
import {
  aConsumer,
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type Consumer,
  type GatewayFolder,
  MODELS,
  metric,
  type RunningGateway,
} from "../support/apparel.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";

const FRAMES = 60;
const AUDIT_RATE = 0.4;

interface Body {
  readonly what: string;
  readonly commitment: string;
  readonly seed: string;
}

describeWithMosquitto("audits on mosquitto", () => {
  let broker: Mosquitto;
  let place: GatewayFolder;
  let gateway: RunningGateway;
  let consumer: Consumer;
  let client: MqttClient;

  beforeAll(async () => {
    broker = await aMosquitto();
    place = aGatewayFolder(broker.url, "auto", {
      review: ["alertsPerHour: 1000", "coalesceSeconds: 1", "brokerVouches: true"],
      thresholds: { auditRate: AUDIT_RATE },
      station: [`knownFrames: { from: ${MODELS}/apparel/frames/demo.npz, perAudit: 0.5 }`],
    });
    consumer = await aConsumer(broker.url);
    gateway = await aGateway(place);
    client = await connectAsync(broker.url, { protocolVersion: 5 });
  });
  afterAll(async () => {
    await client?.endAsync();
    await gateway?.stop();
    await consumer?.end();
    await broker?.stop();
  });

  const read = <T>(sql: string): T[] => {
    const db = new Database(place.ledger, { readonly: true });
    try {
      return db.prepare(sql).all() as T[];
    } finally {
      db.close();
    }
  };
  const isAmong = (table: string, column: string, review: unknown): boolean =>
    read(`SELECT 1 FROM ${table} WHERE ${column} = '${String(review)}'`).length === 1;
  const acts = (): Body[] =>
    read<{ body: string }>("SELECT body FROM acts WHERE kind = 'audit-policy' ORDER BY seq").map(
      ({ body }) => JSON.parse(body) as Body,
    );

  test("pass at once, are asked about without the student's answer, and raise an alarm where it was wrong", async () => {
    const frames = await apparelFrames();
    for (let n = 0; n < FRAMES; n++)
      await client.publishAsync(`apparel/cam-1/frames/f${n}`, Buffer.from(frames[n]!), { qos: 1 });
    const { body } = await consumer.waitFor(
      ({ body: { type, reason, review } }) =>
        type === "open" && reason === "audit" && isAmong("audits", "id", review),
    );
    expect(body).toMatchObject({ class: null, classIndex: null, confidence: null, score: null, band: null });
    expect(body.frameInline).toBeDefined();
    const { review, frame } = body as { review: string; frame: string };
    const decided = await consumer.waitFor((one) => one.body.decision === "pass" && one.body.frame === frame);
    const passedAs = decided.body.class as string;
    const other = passedAs === "bag" ? "coat" : "bag";
    const verdict = { review, reviewRevision: body.reviewRevision, verdict: "label", class: other };
    await client.publishAsync("sekisho/test/verdicts/hanako", JSON.stringify(verdict), { qos: 1 });
    const alarm = await consumer.waitFor((one) => one.body.type === "alarm");
    expect(alarm.topic).toBe("sekisho/test/reviews/apparel");
    expect(alarm.body).toMatchObject({
      review,
      frame,
      source: "cam-1",
      passedAs,
      class: other,
      reviewer: "hanako",
    });
    expect(
      read(
        "SELECT person, teacher FROM audits WHERE id = (SELECT audit FROM audit_log WHERE question = 'person')",
      ),
    ).toEqual([{ person: "bad", teacher: "waiting" }]);
  });

  test("have known frames among them, whose answers tell how well reviewers see, and raise no alarm", async () => {
    const { body } = await consumer.waitFor(
      ({ body: { type, review } }) => type === "open" && isAmong("known_reviews", "review", review),
    );
    expect(body).toMatchObject({
      reason: "audit",
      class: null,
      confidence: null,
      frameInline: expect.anything(),
    });
    const { review, reviewRevision } = body;
    const [known] = read<{ label: string }>(
      `SELECT label FROM known_reviews WHERE review = '${String(review)}'`,
    );
    const verdict = { review, reviewRevision, verdict: "label", class: known!.label };
    await client.publishAsync("sekisho/test/verdicts/hanako", JSON.stringify(verdict), { qos: 1 });
    await consumer.waitFor((one) => one.body.type === "close" && one.body.review === review);
    const metrics = await gateway.metrics();
    expect(metric(metrics, "sekisho_reviewer_sensitivity", /bound="upper"/)).toBe(1);
    // Clopper and Pearson for one of one: 0.025.
    expect(metric(metrics, "sekisho_reviewer_sensitivity", /bound="lower"/)).toBeCloseTo(0.025, 6);
    expect(metric(metrics, "sekisho_audits_waiting", /question="teacher"/)).toBeGreaterThan(0);
    expect(consumer.heard.filter((one) => one.body.type === "alarm")).toHaveLength(1);
  });

  test("were drawn by what was on record before, as the seed shows that the next start gives out", async () => {
    await consumer.waitFor((one) => one.body.frame === `f${FRAMES - 1}`);
    expect(acts()).toMatchObject([
      { what: "begins", auditRate: AUDIT_RATE, piMin: AUDIT_RATE, amberFactor: 4 },
    ]);
    const { status } = await gateway.stop();
    expect(status).toBe(0);
    gateway = await aGateway(place);
    await expect.poll(() => acts().length).toBe(2);
    const [begun, ended] = acts() as [Body, Body];
    expect(ended).toMatchObject({ what: "ended", commitment: begun.commitment });
    const rows = read<{ frame: string; source: string; received_at: number; audit: string | null }>(
      `SELECT d.frame, d.source, d.received_at, a.id AS audit FROM decisions d LEFT JOIN audits a ON a.decision = d.id
       WHERE d.decision = 'pass'`,
    );
    expect(rows.length).toBeGreaterThan(20);
    for (const { frame: id, source, received_at: receivedAtMs, audit } of rows) {
      const subject = { station: "apparel", source, id, part: undefined, receivedAtMs };
      expect(AUDIT_COINS.coinOf(ended.seed, subject).value < AUDIT_RATE).toBe(audit !== null);
    }
    const db = new Database(place.ledger);
    expect(verifyLedger(db)).toBeUndefined();
    db.close();
  });
});
