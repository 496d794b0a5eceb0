/** Verdicts over a real mosquitto: good and bad ones, two people at once, who is vouched for, and what is retained. */

import { connectAsync, type IClientPublishOptions, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { Database } from "../../src/sqlite/database.ts";
import type { Reply } from "../fault/operator.ts";
import {
  ALL_TO_REVIEW,
  aConsumer,
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type Consumer,
  type GatewayFolder,
  type Heard,
  metric,
  type RunningGateway,
} from "../support/apparel.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";

const HANAKOS_TOKEN = "hanakos token, long enough";

describeWithMosquitto("verdicts on mosquitto", () => {
  let broker: Mosquitto;
  let place: GatewayFolder;
  let gateway: RunningGateway;
  let consumer: Consumer;
  let client: MqttClient;
  let frames: readonly Uint8Array[];
  let sent = 0;

  beforeAll(async () => {
    frames = await apparelFrames();
    broker = await aMosquitto();
    place = aGatewayFolder(broker.url, "auto", {
      review: [
        "alertsPerHour: 1000",
        "brokerVouches: true",
        "reviewers: { hanako: { tokenFile: hanako.token }, taro: {}, jiro: {} }",
      ],
      thresholds: ALL_TO_REVIEW,
      files: { "hanako.token": `${HANAKOS_TOKEN}\n` },
    });
    consumer = await aConsumer(broker.url);
    gateway = await aGateway(place);
    client = await connectAsync(broker.url, { protocolVersion: 5 });
    await client.subscribeAsync("answers/#", { qos: 1 });
  });
  afterAll(async () => {
    await client?.endAsync();
    await gateway?.stop();
    await consumer?.end();
    await broker?.stop();
  });

  /** A review of a new frame; its alert. Reviews of one source would be coalesced, so the desk is emptied before. */
  async function aReview(): Promise<{ review: string; student: string }> {
    const frame = `f${++sent}`;
    const payload = Buffer.from(frames[sent % frames.length]!);
    await client.publishAsync(`apparel/cam-1/frames/${frame}`, payload, { qos: 1 });
    const { body } = await consumer.waitFor(({ body }) => body.type === "open" && body.frame === frame);
    return { review: body.review as string, student: body.class as string };
  }

  async function answered(
    reviewer: string,
    verdict: string | Buffer | object,
    properties?: IClientPublishOptions["properties"],
  ): Promise<{ topic: string; reply: Reply; correlation: string | undefined }> {
    const reply = new Promise<{ topic: string; reply: Reply; correlation: string | undefined }>((resolve) => {
      const listen = (
        topic: string,
        payload: Buffer,
        packet: { properties?: { correlationData?: Buffer } },
      ) => {
        if (topic.startsWith("sekisho/test/") && !topic.includes("/response/")) return;
        client.off("message", listen);
        resolve({
          topic,
          reply: JSON.parse(payload.toString()) as Reply,
          correlation: packet.properties?.correlationData?.toString(),
        });
      };
      client.on("message", listen);
    });
    const payload =
      typeof verdict === "string" || Buffer.isBuffer(verdict) ? verdict : JSON.stringify(verdict);
    await client.publishAsync(`sekisho/test/verdicts/${reviewer}`, payload, {
      qos: 1,
      ...(properties !== undefined && { properties }),
    });
    return reply;
  }

  const toUs = { responseTopic: "answers/here", correlationData: Buffer.from("c-1") };
  const isClose =
    (review: string) =>
    ({ body }: Heard): boolean =>
      body.type === "close" && body.review === review;

  test("one that is good is taken, replied to where it asks, closed, counted and in the ledger", async () => {
    const { review, student } = await aReview();
    const verdict = { review, reviewRevision: 1, verdict: "confirm", transaction: "t-9" };
    const { topic, reply, correlation } = await answered("taro", verdict, toUs);
    expect({ topic, correlation }).toEqual({ topic: "answers/here", correlation: "c-1" });
    expect(reply).toEqual({ ok: true, transaction: "t-9", review, reviewRevision: 2, state: "resolved" });
    const { topic: on, body } = await consumer.waitFor(isClose(review));
    expect(on).toBe("sekisho/test/reviews/apparel");
    expect(body).toMatchObject({ reviewRevision: 2, state: "resolved", verdict: "confirm", class: student });
    expect(body).toMatchObject({ reviewer: "taro", vouched: true });
    expect(metric(await gateway.metrics(), "sekisho_verdicts_total", /verdict="confirm"/)).toBe(1);
    const again = await answered("taro", verdict, toUs);
    expect(again.reply).toEqual(reply);
  });

  describe("that is bad gets a clear reply, and changes nothing", () => {
    let review: string;
    let student: string;
    beforeAll(async () => {
      ({ review, student } = await aReview());
    });

    const good = () => ({ review, reviewRevision: 1, verdict: "confirm" });
    test.each<[string, string, () => string | Buffer | object, string, RegExp]>([
      ["no JSON", "taro", () => "confirm, please", "malformed", /JSON/],
      ["no UTF-8", "taro", () => Buffer.from([0x22, 0xff, 0x22]), "malformed", /UTF-8/],
      ["nothing", "taro", () => "", "malformed", /JSON/],
      ["a list", "taro", () => "[]", "malformed", /object/],
      ["too much", "taro", () => ({ ...good(), transaction: "x".repeat(9000) }), "malformed", /8192 bytes/],
      ["deep nesting", "taro", () => "[".repeat(4000), "malformed", /JSON/],
      ["an unknown member", "taro", () => ({ ...good(), mood: "bad" }), "malformed", /"mood"/],
      ["no review", "taro", () => ({ reviewRevision: 1, verdict: "confirm" }), "malformed", /review/],
      ["a revision that is text", "taro", () => ({ ...good(), reviewRevision: "1" }), "malformed", /integer/],
      [
        "a verdict of its own",
        "taro",
        () => ({ ...good(), verdict: "maybe" }),
        "malformed",
        /confirm, correct/,
      ],
      ["another prototype", "taro", () => '{"__proto__":{"review":"x"}}', "malformed", /./],
      [
        "an unknown review",
        "taro",
        () => ({ ...good(), review: "apparel-none" }),
        "unknown-review",
        /no review/,
      ],
      [
        "a revision to come",
        "taro",
        () => ({ ...good(), reviewRevision: 2 }),
        "stale-revision",
        /look again/,
      ],
      [
        "an unknown class",
        "taro",
        () => ({ ...good(), verdict: "label", class: "hat" }),
        "unknown-class",
        /t-shirt/,
      ],
      ["no class", "taro", () => ({ ...good(), verdict: "correct" }), "class-missing", /class/],
      ["a class too many", "taro", () => ({ ...good(), class: "bag" }), "class-not-expected", /no class/],
      [
        "the student's class",
        "taro",
        () => ({ ...good(), verdict: "correct", class: student }),
        "class-not-expected",
        /own/,
      ],
      ["a reviewer who is none", "saburo", good, "not-allowed", /none of the reviewers/],
      ["a name that is none", "hana ko", good, "not-allowed", /name/],
      ["a member of every object", "constructor", good, "not-allowed", /none of the reviewers/],
      ["no token", "hanako", good, "not-allowed", /token/],
      [
        "a wrong token",
        "hanako",
        () => ({ ...good(), token: HANAKOS_TOKEN.slice(1) }),
        "not-allowed",
        /token/,
      ],
    ])("%s", async (_, reviewer, verdict, code, message) => {
      const { reply } = await answered(reviewer, verdict(), toUs);
      expect(reply).toMatchObject({ ok: false, error: { code, message: expect.stringMatching(message) } });
      expect(JSON.stringify(reply)).not.toContain(HANAKOS_TOKEN);
    });

    test("and the next good one is taken", async () => {
      const { reply } = await answered("hanako", { ...good(), token: HANAKOS_TOKEN }, toUs);
      expect(reply).toMatchObject({ ok: true, reviewRevision: 2 });
      expect((await consumer.waitFor(isClose(review))).body).toMatchObject({
        reviewer: "hanako",
        vouched: true,
      });
    });
  });

  test("two at once: one outcome, and the other is told whose it is", async () => {
    const { review } = await aReview();
    const others = await connectAsync(broker.url, { protocolVersion: 5 });
    const replies: Reply[] = [];
    const both = new Promise<void>((resolve) => {
      client.on("message", function listen(topic, payload) {
        if (!topic.startsWith("answers/both")) return;
        replies.push(JSON.parse(payload.toString()) as Reply);
        if (replies.length < 2) return;
        client.off("message", listen);
        resolve();
      });
    });
    const properties = { responseTopic: "answers/both" };
    const give = (by: MqttClient, name: string, verdict: object) =>
      by.publishAsync(
        `sekisho/test/verdicts/${name}`,
        JSON.stringify({ review, reviewRevision: 1, ...verdict }),
        {
          qos: 1,
          properties,
        },
      );
    await Promise.all([
      give(client, "taro", { verdict: "unusable" }),
      give(others, "jiro", { verdict: "label", class: "bag" }),
    ]);
    await both;
    await others.endAsync();
    expect(replies.map(({ ok }) => ok).sort()).toEqual([false, true]);
    const { body } = await consumer.waitFor(isClose(review));
    const late = replies.find(({ ok }) => !ok)!;
    expect(late).toMatchObject({ review, reviewRevision: 2, state: "resolved", error: { code: "closed" } });
    expect(late.error!.message).toContain(`${String(body.reviewer)} answered it`);
    expect(consumer.heard.filter(isClose(review))).toHaveLength(1);
  });

  test.each([
    ["a wildcard", "answers/+"],
    ["the frames", "apparel/cam-1/frames/evil"],
    ["the verdicts", "sekisho/test/verdicts/taro"],
    ["the decisions", "sekisho/test/decisions/apparel/cam-1"],
    ["the state", "sekisho/test/state"],
    ["the broker's own", "$SYS/broker"],
  ])("a reply that is wished for on %s goes to the gateway's own topic", async (_, responseTopic) => {
    const { review } = await aReview();
    await client.subscribeAsync("sekisho/test/response/#", { qos: 1 });
    const verdict = { review, reviewRevision: 1, verdict: "unusable" };
    // mosquitto itself ends a client that names a wildcard; the gateway must not rely on it.
    if (responseTopic.includes("+")) {
      const { reply } = await answered("taro", verdict);
      expect(reply.ok).toBe(true);
      return;
    }
    const { topic, reply } = await answered("taro", verdict, { responseTopic });
    expect(topic).toBe("sekisho/test/response/verdict");
    expect(reply).toMatchObject({ ok: true, review });
  });

  test("a verdict that is published as retained is taken as it comes", async () => {
    const { review } = await aReview();
    const verdict = JSON.stringify({ review, reviewRevision: 1, verdict: "unusable" });
    await client.publishAsync("sekisho/test/verdicts/taro", verdict, { qos: 1, retain: true });
    // To who is subscribed already it comes as an ordinary message; what was retained before is not asked for.
    await consumer.waitFor(isClose(review));
    await client.publishAsync("sekisho/test/verdicts/taro", "", { qos: 1, retain: true });
  });

  test("what is retained of the station says how many wait, and since when", async () => {
    const { review } = await aReview();
    const isOf =
      (open: number) =>
      ({ topic, body }: Heard): boolean =>
        topic === "sekisho/test/stations/apparel" && body.openReviews === open;
    const { body } = await consumer.waitFor(
      (heard) => isOf(1)(heard) && heard.body.oldestReviewAt !== undefined,
    );
    expect(body).toMatchObject({ heldReviews: 0, overdueReviews: 0 });
    await answered("taro", { review, reviewRevision: 1, verdict: "unusable" }, toUs);
    const before = consumer.heard.length;
    await consumer.waitFor((heard) => consumer.heard.indexOf(heard) >= before - 2 && isOf(0)(heard));
  });

  test("all of it is in a ledger that verifies", async () => {
    await gateway.stop();
    const db = new Database(place.ledger, { readonly: true });
    try {
      expect(verifyLedger(db)).toBeUndefined();
      const twice =
        "SELECT count(*) FROM review_events WHERE state = 'resolved' GROUP BY review HAVING count(*) > 1";
      expect(db.prepare(twice).all()).toEqual([]);
      const people = db
        .prepare("SELECT DISTINCT via FROM review_events WHERE person IS NOT NULL")
        .pluck()
        .all();
      expect(people).toEqual(["mqtt"]);
    } finally {
      db.close();
    }
  });
});

describeWithMosquitto("verdicts over MQTT 3.1.1", () => {
  test("are replied to on the gateway's own topic; nobody is vouched for unless it is said how", async () => {
    const broker = await aMosquitto();
    const gateway = await aGateway(aGatewayFolder(broker.url, "3.1.1", { thresholds: ALL_TO_REVIEW }));
    const consumer = await aConsumer(broker.url);
    const client = await connectAsync(broker.url, { protocolVersion: 4 });
    try {
      const payload = Buffer.from((await apparelFrames())[0]!);
      await client.publishAsync("apparel/cam-1/frames/f", payload, { qos: 1 });
      const { body } = await consumer.waitFor(({ body }) => body.type === "open");
      const verdict = { review: body.review, reviewRevision: 1, verdict: "unusable", transaction: "t" };
      await client.publishAsync("sekisho/test/verdicts/anyone", JSON.stringify(verdict), { qos: 1 });
      const reply = await consumer.waitFor(({ topic }) => topic === "sekisho/test/response/verdict");
      expect(reply.body).toMatchObject({ ok: true, transaction: "t", review: body.review });
      const close = await consumer.waitFor(({ body }) => body.type === "close");
      expect(close.body).toMatchObject({ reviewer: "anyone", vouched: false });
    } finally {
      await client.endAsync();
      await consumer.end();
      await gateway.stop();
      await broker.stop();
    }
  });
});
