/** kill -9 while passed parts are drawn: none is uncounted, none drawn twice, and each as the seed of its run says. */

import { connectAsync } from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { AUDIT_COINS } from "../../src/commands/audit-coins.ts";
import { seededRandom } from "../../src/core/random.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aConsumer, aGateway, aGatewayFolder, apparelFrames } from "../support/apparel.ts";
import { startSekisho } from "../support/cli.ts";
import { aRealLedger } from "../support/ledger.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { aClientId } from "../support/mqtt.ts";

const LONG = process.env.SEKISHO_SOAK === "1";
const FRAMES = LONG ? 20_000 : 1500;
const KILLS = LONG ? 40 : 6;
const AUDIT_RATE = 0.3;
const TIMEOUT_MS = LONG ? 1_800_000 : 240_000;

interface Row {
  readonly frame: string;
  readonly source: string;
  readonly received_at: number;
  readonly passed_as: number | null;
  readonly audit: string | null;
  readonly review: string | null;
  /** The last act when it was written. */
  readonly acts: number;
}

describeWithMosquitto("audits under kill -9", () => {
  test(
    `${KILLS} kills while ${FRAMES} frames come in`,
    async () => {
      const broker = await aMosquitto();
      onTestFinished(broker.stop);
      const place = aGatewayFolder(broker.url, "auto", { thresholds: { auditRate: AUDIT_RATE } });
      const consumer = await aConsumer(broker.url);
      onTestFinished(() => consumer.end());
      let running = (await aGateway(place)) as Pick<ReturnType<typeof startSekisho>, "process" | "finished">;
      onTestFinished(() => void running.process.kill("SIGKILL"));
      const sensor = await connectAsync(broker.url, { protocolVersion: 5, clientId: aClientId() });
      onTestFinished(() => sensor.endAsync(true));
      const frames = await apparelFrames();
      const random = seededRandom(31);
      const decided = (frame: string) =>
        consumer.waitFor(({ topic, body }) => topic.includes("/decisions/") && body.frame === frame);
      const killEvery = Math.ceil(FRAMES / (KILLS + 1));
      let killIn = -1;
      let kills = 0;
      for (let n = 0; n < FRAMES; n++) {
        const payload = Buffer.from(frames[n % frames.length]!);
        await sensor.publishAsync(`apparel/cam-1/frames/f${n}`, payload, { qos: 1 });
        if (n % killEvery === killEvery - 1 && kills < KILLS) {
          // Behind it some of this run is on disk; what follows is at any stage when the kill strikes.
          await decided(`f${n}`);
          killIn = Math.floor(random.next() * 30);
        }
        if (killIn-- !== 0) continue;
        kills++;
        running.process.kill("SIGKILL");
        await running.finished;
        running = startSekisho(["run", "--config", place.config]);
      }
      await decided(`f${FRAMES - 1}`);
      running.process.kill("SIGTERM");
      expect((await running.finished).status).toBe(0);

      const ledger = aRealLedger({ path: place.ledger });
      expect(ledger.setAsideNow).toBeUndefined();
      expect(ledger.verifyChain()).toBeUndefined();
      ledger.close();
      const db = new Database(place.ledger, { readonly: true });
      const acts = (
        db.prepare("SELECT seq, body FROM acts WHERE kind = 'audit-policy'").all() as {
          seq: number;
          body: string;
        }[]
      ).map(({ seq, body }) => ({
        seq,
        ...(JSON.parse(body) as { what: string; commitment: string; seed: string }),
      }));
      const secret = db.prepare("SELECT commitment, seed FROM audit_seeds").all() as {
        commitment: string;
        seed: string;
      }[];
      const seedOf = new Map(
        [...acts.filter(({ what }) => what === "ended"), ...secret].map((one) => [one.commitment, one.seed]),
      );
      const begun = acts.filter(({ what }) => what === "begins");
      expect(begun.length).toBeGreaterThan(KILLS / 2);
      const rows = db
        .prepare(
          `SELECT d.frame, d.source, d.received_at, d.passed_as, d.review, a.id AS audit, c.acts FROM decisions d
           JOIN chain c ON d.id BETWEEN c.first AND c.last LEFT JOIN audits a ON a.decision = d.id
           WHERE d.decision = 'pass' ORDER BY d.id`,
        )
        .all() as Row[];
      db.close();
      expect(rows.map(({ passed_as }) => passed_as)).toEqual(rows.map((_, place) => place));
      let drawn = 0;
      for (const { frame: id, source, received_at: receivedAtMs, audit, review, acts: last } of rows) {
        const seed = seedOf.get(begun.findLast(({ seq }) => seq <= last)!.commitment)!;
        const subject = { station: "apparel", source, id, part: undefined, receivedAtMs };
        expect(audit !== null, id).toBe(AUDIT_COINS.coinOf(seed, subject).value < AUDIT_RATE);
        expect(review, id).toBe(audit);
        if (audit !== null) drawn++;
      }
      process.stderr.write(
        `  ${kills} kills, ${rows.length} of ${FRAMES} frames passed, ${drawn} were drawn\n`,
      );
      expect(kills).toBe(KILLS);
    },
    TIMEOUT_MS,
  );
});
