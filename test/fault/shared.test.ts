/** Several gateways on one station, by a shared subscription on a real mosquitto. */

import { readFileSync, writeFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { aGateway, aGatewayFolder, apparelFrames, type GatewayFolder } from "../support/apparel.ts";
import { type Started, startSekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { missing, readBooks } from "./books.ts";
import { aRecordingConsumer, aSteadySensor, someMore } from "./plant.ts";

const FRAMES_PER_SECOND = 400;
/** Frames decided before and after each fault, at most. */
const SPAN = 1500;

/** One of a group: a name and a ledger of its own, the same station. */
function aMember(url: string, gateway: string): GatewayFolder {
  const place = aGatewayFolder(url, "5");
  const text = readFileSync(place.config, "utf8")
    .replace("gateway: test", `gateway: ${gateway}`)
    .replace("topic: apparel/", "topic: $share/line/apparel/");
  writeFileSync(place.config, text);
  return place;
}

describeWithMosquitto("gateways that share a station", () => {
  test.each([2, 3])(
    "%i of them judge each frame exactly once in all, and none is lost with one that is killed under load",
    async (count) => {
      const broker = await aMosquitto();
      onTestFinished(broker.stop);
      const random = seededRandom(30 + count);
      const consumer = await aRecordingConsumer(broker.url);
      onTestFinished(() => consumer.client.endAsync(true));
      const places = Array.from({ length: count }, (_, i) => aMember(broker.url, `g${i + 1}`));
      const running: Started[] = [];
      for (const place of places) {
        const gateway = await aGateway(place);
        onTestFinished(() => void gateway.process.kill("SIGKILL"));
        running.push(gateway);
      }
      const decided = (): number => consumer.decisions.size;
      const sensor = await aSteadySensor(broker.url, await apparelFrames(), FRAMES_PER_SECOND, decided);
      onTestFinished(sensor.stop);

      await someMore(consumer, random, SPAN);
      running[0]!.process.kill("SIGKILL");
      await running[0]!.finished;
      await someMore(consumer, random, SPAN); // The others go on; the broker keeps what it had sent to the dead one.
      const again = startSekisho(["run", "--config", places[0]!.config]);
      onTestFinished(() => void again.process.kill("SIGKILL"));
      running[0] = again;
      await again.shows("judging frames");
      await someMore(consumer, random, SPAN);
      await sensor.stop();
      await consumer.when(() => consumer.decisions.size === sensor.acknowledged.size);
      for (const { process, finished } of running) {
        process.kill("SIGTERM");
        expect((await finished).status).toBe(0);
      }

      const books = places.map(({ ledger }) => readBooks(ledger));
      const rows = books.flatMap((book) => book.rows.map(({ frame }) => frame));
      process.stderr.write(
        `  ${rows.length} frames, by gateway ${books.map((book) => book.rows.length).join(", ")}\n`,
      );
      expect(new Set(rows).size, "distinct frames, against rows in all ledgers").toBe(rows.length);
      expect(
        missing(sensor.acknowledged, new Set(rows)),
        "acknowledged by the broker and not decided",
      ).toEqual([]);
      // Each had a share worth the name.
      for (const book of books) expect(book.rows.length).toBeGreaterThan(rows.length / (4 * count));
    },
    120_000,
  );
});
