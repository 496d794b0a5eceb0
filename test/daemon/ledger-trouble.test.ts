/** The whole gateway while its ledger's disk is full, and after its ledger was damaged. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { Database } from "../../src/sqlite/database.ts";
import { aConsumer, aGateway, aGatewayFolder, apparelFrames, metric } from "../support/apparel.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { aSmallDisk, describeWithSmallDisk } from "../support/small-disk.ts";

const isDecision = (topic: string): boolean => topic.includes("/decisions/");

describeWithSmallDisk("the disk of the ledger", () => {
  describeWithMosquitto("of a gateway on mosquitto", () => {
    test("fills up: nothing is acknowledged, the gateway is not ready; with room again all frames are decided, once", async () => {
      const frames = await apparelFrames();
      const broker = await aMosquitto();
      onTestFinished(broker.stop);
      const disk = aSmallDisk(8 << 20);
      onTestFinished(disk.unmount);
      const ledger = join(disk.folder, "test.ledger");
      const consumer = await aConsumer(broker.url);
      onTestFinished(consumer.end);
      const gateway = await aGateway(aGatewayFolder(broker.url), {
        SEKISHO_LEDGER_PATH: ledger,
        SEKISHO_LEDGER_BALLAST_BYTES: String(512 << 10),
      });
      let isRunning = true;
      onTestFinished(async () => {
        if (isRunning) await gateway.stop();
      });
      disk.fill(1 << 20);

      const sensor = await connectAsync(broker.url, { protocolVersion: 5 });
      onTestFinished(() => sensor.endAsync());
      const ids = Array.from({ length: 1500 }, (_, i) => `f-${i}`);
      await Promise.all(
        ids.map((id, i) =>
          sensor.publishAsync(`apparel/cam-1/frames/${id}`, Buffer.from(frames[i % frames.length]!), {
            qos: 1,
          }),
        ),
      );
      await gateway.shows(/the disk is full/);
      const ready = await fetch(`${gateway.httpUrl}/readyz`);
      expect(ready.status).toBe(503);
      expect(await ready.text()).toContain("the ledger cannot be written");
      // Given up, and perhaps made again from what the emptied log has freed.
      expect(metric(await gateway.metrics(), "sekisho_ledger_ballast_given_up_total")).toBeGreaterThan(0);
      expect(metric(await gateway.metrics(), "sekisho_frames_total")).toBeLessThan(ids.length);

      disk.clear();
      const decided = new Set<unknown>();
      await consumer.waitFor((one) => {
        if (isDecision(one.topic)) decided.add(one.body.frame);
        return decided.size === ids.length;
      });
      expect((await fetch(`${gateway.httpUrl}/readyz`)).status).toBe(200);
      expect(metric(await gateway.metrics(), "sekisho_ledger_ballast")).toBe(1);
      expect(metric(await gateway.metrics(), "sekisho_frames_total")).toBe(ids.length);
      isRunning = false;
      expect((await gateway.stop()).status).toBe(0);
      const db = new Database(ledger, { readonly: true });
      expect(db.prepare("SELECT count(*), count(DISTINCT frame) FROM decisions").raw().get()).toEqual([
        ids.length,
        ids.length,
      ]);
      db.close();
    });
  });
});

describeWithMosquitto("a gateway whose ledger was damaged", () => {
  test("goes on with a new one, and says so in the log, in its metrics and to the plant", async () => {
    const frames = await apparelFrames();
    const broker = await aMosquitto();
    onTestFinished(broker.stop);
    const place = aGatewayFolder(broker.url);
    await (await aGateway(place)).stop();
    const bytes = readFileSync(place.ledger);
    writeFileSync(place.ledger, bytes.fill(0xa5, 4096, 16_384));

    const consumer = await aConsumer(broker.url);
    onTestFinished(consumer.end);
    const gateway = await aGateway(place);
    onTestFinished(async () => void (await gateway.stop()));
    await gateway.shows(/THE LEDGER IS DAMAGED and was set aside/);
    const { body } = await consumer.waitFor(
      (one) => one.topic === "sekisho/test/info" && "ledgersSetAside" in one.body,
    );
    const [setAside] = body.ledgersSetAside as { file: string; reason: string }[];
    expect(readFileSync(setAside!.file).equals(bytes)).toBe(true);
    expect(metric(await gateway.metrics(), "sekisho_ledger_set_aside_total")).toBe(1);
    await consumer.client.publishAsync("apparel/cam-1/frames/after", Buffer.from(frames[0]!), { qos: 1 });
    await consumer.waitFor((one) => isDecision(one.topic) && one.body.frame === "after");
  });
});
