/** Ordered shutdown under load: what systemd does at each update. A few in every run; a hundred by `npm run test:soak`. */

import { expect, onTestFinished, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { aGatewayFolder, apparelFrames } from "../support/apparel.ts";
import { type Started, startSekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { expectAllHeard, expectDecidedOnce, missing, readBooks } from "./books.ts";
import { aRecordingConsumer, aSteadySensor, someMore } from "./plant.ts";

const LONG = process.env.SEKISHO_SOAK === "1";
const STOPS = LONG ? 100 : 4;
const FRAMES_PER_SECOND = 1000;
/** Frames decided between two stops, at most. */
const SPAN = 1500;

describeWithMosquitto("SIGTERM under load", () => {
  test(
    `${STOPS} times: exit status 0, nothing lost, nothing decided twice`,
    async () => {
      const broker = await aMosquitto();
      onTestFinished(broker.stop);
      const place = aGatewayFolder(broker.url);
      const random = seededRandom(21);
      const consumer = await aRecordingConsumer(broker.url);
      onTestFinished(() => consumer.client.endAsync(true));
      const begun = (): Started => {
        const gateway = startSekisho(["run", "--config", place.config]);
        onTestFinished(() => void gateway.process.kill("SIGKILL"));
        return gateway;
      };
      let running = begun();
      await running.shows("judging frames"); // Its session must exist before frames come.
      const decided = (): number => consumer.decisions.size;
      const sensor = await aSteadySensor(broker.url, await apparelFrames(), FRAMES_PER_SECOND, decided);
      onTestFinished(sensor.stop);

      let slowestMs = 0;
      for (let stop = 0; stop < STOPS; stop++) {
        await someMore(consumer, random, SPAN);
        const askedAtMs = performance.now();
        running.process.kill("SIGTERM");
        const { status, stderr } = await running.finished;
        slowestMs = Math.max(slowestMs, performance.now() - askedAtMs);
        expect(status, stderr).toBe(0);
        running = begun();
      }
      await sensor.stop();
      await sensor.send("last");
      await consumer.when(() => consumer.decisions.has("last"));
      running.process.kill("SIGTERM");
      expect((await running.finished).status).toBe(0);

      const books = readBooks(place.ledger);
      process.stderr.write(
        `  ${STOPS} stops at ${sensor.rate().toFixed(0)} frames/s, ${books.frames.size} frames, the slowest ${slowestMs.toFixed(0)} ms\n`,
      );
      expectDecidedOnce(books);
      expect(missing(sensor.acknowledged, books.frames), "acknowledged and not decided").toEqual([]);
      expect(books.frames.size).toBe(sensor.acknowledged.size);
      expectAllHeard(books, consumer);
    },
    LONG ? 3_600_000 : 120_000,
  );
});
