/**
 * Reviews under fire, against a real mosquitto: an operator answers while frames come in and the daemon is killed, and
 * floods in which every frame goes to review. A minute in every run; the long form by `npm run test:soak`.
 */

import { expect, onTestFinished, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { Database } from "../../src/sqlite/database.ts";
import {
  ALL_TO_REVIEW,
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type GatewayFolder,
  metric,
} from "../support/apparel.ts";
import { type Started, startSekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { type Answer, anOperator, type Operator } from "./operator.ts";
import { aSteadySensor } from "./plant.ts";

const LONG = process.env.SEKISHO_SOAK === "1";
const ANSWERS = LONG ? 1000 : 100;
const KILLS = LONG ? 10 : 2;
const FRAMES_PER_SECOND = 200;
const FLOOD_FRAMES = LONG ? 24_000 : 1600;
const TIMEOUT_MS = LONG ? 1_800_000 : 240_000;

interface ReviewRow {
  readonly id: string;
  readonly state: string;
  readonly verdict: string | null;
  readonly class: string | null;
  readonly reviewer: string | null;
  readonly student: string | null;
}

function booksOf(ledger: string) {
  const db = new Database(ledger, { readonly: true });
  try {
    const reviews = db
      .prepare(
        `SELECT r.id, r.state, r.verdict, r.class, r.reviewer, d.class AS student
         FROM reviews r JOIN decisions d ON d.id = r.decision`,
      )
      .all() as ReviewRow[];
    const answers = db
      .prepare("SELECT review, count(*) FROM review_events WHERE state = 'resolved' GROUP BY review")
      .raw()
      .all() as [string, number][];
    const pending = db.prepare("SELECT count(*) FROM outbox").pluck().get();
    return {
      reviews: new Map(reviews.map((row) => [row.id, row])),
      answers,
      pending,
      fault: verifyLedger(db),
    };
  } finally {
    db.close();
  }
}

async function ended(gateway: Started): Promise<void> {
  gateway.process.kill("SIGTERM");
  expect((await gateway.finished).status).toBe(0);
}

function begun({ config }: GatewayFolder): Started {
  const gateway = startSekisho(["run", "--config", config]);
  onTestFinished(() => void gateway.process.kill("SIGKILL"));
  return gateway;
}

/** How many decisions have come to where this operator listens. */
async function decisionsHeardBy({ client }: Operator): Promise<() => number> {
  let heard = 0;
  client.on("message", (topic) => {
    if (topic.includes("/decisions/")) heard++;
  });
  await client.subscribeAsync("sekisho/test/decisions/#", { qos: 1 });
  return () => heard;
}

function classOf({ verdict, class: name }: Answer, student: string | null): string | null {
  return verdict === "confirm" ? student : (name ?? null);
}

/** Each verdict that was replied to is in the ledger as it was given, once, and its close was published, once. */
function expectAnswersKept(ledger: string, operator: Operator, name: string): void {
  const { reviews, answers, pending, fault } = booksOf(ledger);
  expect(fault).toBeUndefined();
  expect(pending, "messages left in the outbox").toBe(0);
  for (const review of operator.taken()) {
    const given = operator.given.get(review)!;
    const row = reviews.get(review)!;
    expect(row, review).toMatchObject({ state: "resolved", verdict: given.verdict, reviewer: name });
    expect(row.class, review).toBe(classOf(given, row.student));
    const closes = new Set(operator.heard.get(review)?.close);
    expect(closes.size, `closes of ${review}`).toBe(1);
    const [close] = [...closes].map((text) => JSON.parse(text) as object);
    expect(close).toMatchObject({ state: "resolved", verdict: given.verdict, reviewer: name });
    // A reply that came twice, since the first was lost or thought so, says the same.
    expect(new Set(operator.replies.get(review)!.map((reply) => JSON.stringify(reply))).size).toBe(1);
  }
  for (const [review, times] of answers) expect(times, `answers to ${review}`).toBe(1);
  const resolved = [...reviews.values()].filter(({ state }) => state === "resolved").map(({ id }) => id);
  expect(resolved.sort()).toEqual([...operator.taken()].sort());
}

describeWithMosquitto("reviews", () => {
  test(
    `${ANSWERS} answered at ${FRAMES_PER_SECOND} frames/s, the daemon killed ${KILLS} times: each closes once, no verdict is lost`,
    async () => {
      const broker = await aMosquitto();
      onTestFinished(broker.stop);
      const place = aGatewayFolder(broker.url, "auto", {
        review: ["alertsPerHour: 1000000", "coalesceSeconds: 1", "brokerVouches: true"],
      });
      let running: Started = await aGateway(place); // Its sessions must exist before anything comes.
      onTestFinished(() => void running.process.kill("SIGKILL"));
      let mayAnswer = true;
      const operator = await anOperator(broker.url, "hanako", () => mayAnswer);
      onTestFinished(() => operator.client.endAsync(true));
      const decided = await decisionsHeardBy(operator);
      const sensor = await aSteadySensor(broker.url, await apparelFrames(), FRAMES_PER_SECOND, decided);
      const random = seededRandom(21);

      for (let kill = 1; kill <= KILLS; kill++) {
        const enough =
          operator.taken().length + Math.ceil((ANSWERS / (KILLS + 1)) * (0.5 + random.next() / 2));
        await operator.when(() => operator.taken().length >= enough);
        running.process.kill("SIGKILL");
        await running.finished;
        running = begun(place);
      }
      await operator.when(() => operator.taken().length >= ANSWERS);
      mayAnswer = false;
      await sensor.stop();
      // Every verdict has its reply, and every review that was answered its close.
      const isDone = (review: string): boolean =>
        operator.replies.has(review) && operator.heard.get(review)!.close.length > 0;
      await operator.when(() => [...operator.given.keys()].every(isDone));
      const refused = [...operator.replies.values()].flat().filter(({ ok }) => !ok);
      expect(refused).toEqual([]);
      await ended(running);

      expect(operator.taken().length).toBeGreaterThanOrEqual(ANSWERS);
      expectAnswersKept(place.ledger, operator, "hanako");
      const copies = [...operator.replies.values()].reduce((sum, all) => sum + all.length - 1, 0);
      process.stderr.write(
        `  ${operator.taken().length} verdicts at ${sensor.rate().toFixed(0)} frames/s over ${KILLS} kills; ${copies} replies heard again\n`,
      );
    },
    TIMEOUT_MS,
  );

  test(
    `a flood of ${FLOOD_FRAMES} frames, all to review: one situation a source, within budget and bound, and drained by priority`,
    async () => {
      const broker = await aMosquitto();
      onTestFinished(broker.stop);
      const unresolvedMax = FLOOD_FRAMES / 2;
      const place = aGatewayFolder(broker.url, "auto", {
        review: ["alertsPerHour: 60", "coalesceSeconds: 2", `unresolvedMax: ${unresolvedMax}`],
        thresholds: ALL_TO_REVIEW,
      });
      const gateway = await aGateway(place);
      onTestFinished(() => void gateway.process.kill("SIGKILL"));
      let mayAnswer = false;
      const operator = await anOperator(broker.url, "hanako", () => mayAnswer);
      onTestFinished(() => operator.client.endAsync(true));
      const opened = (): readonly Record<string, unknown>[] =>
        [...operator.heard.values()].flatMap(({ open }) => open).map((text) => JSON.parse(text));
      const decided = await decisionsHeardBy(operator);
      const sensor = await aSteadySensor(broker.url, await apparelFrames(), FRAMES_PER_SECOND, decided);
      await operator.when(() => decided() >= FLOOD_FRAMES);
      const during = opened();
      expect(during.map((one) => one.source).sort()).toEqual(["cam-1", "cam-2"]); // One of each.
      mayAnswer = true;
      await sensor.stop();
      const text = await gateway.metrics();
      const open = metric(text, "sekisho_reviews_open");
      const held = metric(text, "sekisho_reviews_held");
      const expired = metric(text, "sekisho_reviews_expired_total");
      expect(open + held).toBeLessThanOrEqual(unresolvedMax + 128);
      expect(expired).toBeGreaterThan(0);
      expect(open + held + expired).toBe(metric(text, "sekisho_frames_total", /decision="review"/));
      expect(metric(text, "sekisho_frames_total", /decision="pass"/)).toBe(0);

      // The flood over, what was held is announced one by one, and answered.
      await operator.when(() => operator.taken().length >= 20);
      mayAnswer = false;
      await operator.when(() => operator.replies.size === operator.given.size);
      const drained = opened().slice(during.length);
      for (const source of ["cam-1", "cam-2"]) {
        const own = drained.filter((one) => one.source === source).map((one) => Number(one.priority));
        expect(own).toEqual([...own].sort((a, b) => b - a));
      }
      expect(opened().length).toBeLessThanOrEqual(61);
      await ended(gateway);
      process.stderr.write(
        `  ${sensor.acknowledged.size} frames to review: ${during.length} alerts while they came, ${held} held, ${expired} expired\n`,
      );
    },
    TIMEOUT_MS,
  );
});
