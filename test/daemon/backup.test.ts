/** A backup beside a gateway under load, and what a gateway does that starts with it. */

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openReadOnly } from "../../src/ledger/read-only.ts";
import { verifyLedgerFile } from "../../src/ledger/verify-file.ts";
import {
  aConsumer,
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type Consumer,
  type GatewayFolder,
  metric,
} from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { aSensor, type Sensor } from "../support/mqtt.ts";

const FRAMES = 1000;
const PER_SECOND = 500;

describeWithMosquitto("backup and restore on mosquitto", () => {
  async function aPlant(): Promise<{ place: GatewayFolder; consumer: Consumer; sensor: Sensor }> {
    const broker = await aMosquitto();
    onTestFinished(broker.stop);
    const place = aGatewayFolder(broker.url, "5");
    onTestFinished(() => rmSync(place.folder, { recursive: true, force: true }));
    const consumer = await aConsumer(broker.url);
    onTestFinished(consumer.end);
    return { place, consumer, sensor: await aSensor(broker.url) };
  }

  const decided = (consumer: Consumer, frame: string) =>
    consumer.waitFor(({ topic, body }) => topic.includes("/decisions/") && body.frame === frame);

  test("a backup taken under load loses no frame; restored, everything goes to review until it is accepted", async () => {
    const { place, consumer, sensor } = await aPlant();
    const frames = await apparelFrames();
    const send = (name: string, i: number) =>
      sensor.send(`apparel/cam-1/frames/${name}`, Buffer.from(frames[i % frames.length]!));
    const to = join(place.folder, "backup");
    const gateway = await aGateway(place);
    onTestFinished(() => void gateway.process.kill("SIGKILL"));

    const sent: Promise<void>[] = [];
    const load = new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        for (let n = 0; n < PER_SECOND / 50 && sent.length < FRAMES; n++) {
          sent.push(send(`load-${sent.length}`, sent.length));
        }
        if (sent.length < FRAMES) return;
        clearInterval(timer);
        resolve();
      }, 20);
    });
    await decided(consumer, "load-0");
    const done = await sekisho(["backup", "--config", place.config, "--to", to]);
    expect(done).toMatchObject({ status: 0, stderr: "" });
    await load;
    await Promise.all(sent);
    const passed = new Set<string>();
    for (let i = 0; i < FRAMES; i++) {
      const { body } = await decided(consumer, `load-${i}`);
      if (body.decision === "pass") passed.add(`load-${i}`);
    }
    expect(passed.size).toBeGreaterThan(0);
    expect((await gateway.stop()).status).toBe(0);
    const again = await sekisho(["backup", "--config", place.config, "--to", to]);
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining("overwrites nothing") });

    const over = await sekisho(["restore", "--config", place.config, "--from", to]);
    expect(over).toMatchObject({ status: 1, stderr: expect.stringContaining("move this file") });
    const before = epochOf(place.ledger);
    moveAway(place.ledger, "away");
    rmSync(join(place.folder, "thresholds.json"));
    const restored = await sekisho(["restore", "--config", place.config, "--from", to]);
    expect(restored).toMatchObject({ status: 0, stdout: expect.stringContaining("until a signed act") });
    expect(existsSync(join(place.folder, "thresholds.json"))).toBe(true);
    expect(verifyLedgerFile(place.ledger)).toMatchObject({ ok: true });
    expect(epochOf(place.ledger)).not.toBe(before); // Ids given out since must not be given out again.

    const i = Number([...passed][0]!.slice("load-".length));
    const held = await aGateway(place);
    onTestFinished(() => void held.process.kill("SIGKILL"));
    await send("after-restore", i);
    expect((await decided(consumer, "after-restore")).body).toMatchObject({
      decision: "review",
      reason: "stopped",
    });
    const stands = (is: (restored: unknown) => boolean) =>
      consumer.waitFor(({ topic, body }) => topic === "sekisho/test/stations/apparel" && is(body.restored));
    const { body } = await stands((restored) => restored !== undefined);
    const { at: restoredAt } = body.restored as { at: string };
    expect(body.restored).toEqual({ at: expect.any(String), backupAt: expect.any(String) });
    expect(metric(await held.metrics(), "sekisho_station_restored")).toBe(1);
    const shown = await sekisho(["thresholds", "show", "apparel", "--config", place.config]);
    expect(shown.stdout).toContain("everything goes to review until a revision that is made since");

    // What was made before the restore comes into force, but answers nothing: at a reload as at a start.
    revise(place, 2, Date.parse(restoredAt) - 1);
    held.process.kill("SIGHUP");
    await held.shows(/"outcome":"in-force"/);
    await send("after-old", i);
    expect((await decided(consumer, "after-old")).body).toMatchObject({ reason: "stopped", revision: 2 });
    const { stdout } = await held.stop();
    expect(stdout).toContain("the ledger was restored from a backup");
    revise(place, 3, Date.parse(restoredAt));
    const answered = await aGateway(place);
    onTestFinished(() => void answered.process.kill("SIGKILL"));
    await send("after-start", i);
    expect((await decided(consumer, "after-start")).body).toMatchObject({ reason: "stopped", revision: 3 });
    revise(place, 4, Date.now());
    consumer.heard.length = 0;
    answered.process.kill("SIGHUP");
    await answered.shows(/"outcome":"in-force"/);
    await send("after-answer", i);
    expect((await decided(consumer, "after-answer")).body).toMatchObject({ decision: "pass", revision: 4 });
    await stands((restored) => restored === undefined);
    expect(metric(await answered.metrics(), "sekisho_station_restored")).toBe(0);
    await answered.stop();

    moveAway(place.ledger, "held");
    revise(place, 1, 0);
    rmSync(`${place.ledger}-ballast`, { force: true });
    const word = [
      "restore",
      "--config",
      place.config,
      "--from",
      to,
      "--accept",
      "the disk died, nothing was sent",
    ];
    expect(await sekisho(word)).toMatchObject({ status: 0 });
    const accepted = await aGateway(place);
    onTestFinished(() => void accepted.process.kill("SIGKILL"));
    await send("after-word", i);
    expect((await decided(consumer, "after-word")).body).toMatchObject({ decision: "pass" });
    await accepted.stop();
  });

  test("a backup that was changed is refused, and leaves nothing in place", async () => {
    const { place } = await aPlant();
    const gateway = await aGateway(place);
    await gateway.stop();
    const to = join(place.folder, "backup");
    expect(await sekisho(["backup", "--config", place.config, "--to", to])).toMatchObject({ status: 0 });
    moveAway(place.ledger, "away");
    const copy = join(to, "ledger.sqlite");
    const bytes = readFileSync(copy);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(copy, bytes);
    const refused = await sekisho(["restore", "--config", place.config, "--from", to]);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("expected SHA-256") });
    expect(existsSync(place.ledger)).toBe(false);
    expect(existsSync(`${place.ledger}.restoring`)).toBe(false);
  });
});

/** The next revision, of the same content, as if made then. */
function revise({ folder }: GatewayFolder, revision: number, atMs: number): void {
  const file = join(folder, "thresholds.json");
  const before = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...before, revision, at: new Date(atMs).toISOString() }));
}

function epochOf(ledger: string): unknown {
  const db = openReadOnly(ledger);
  try {
    return db.prepare("SELECT value FROM counters WHERE name = 'epoch'").pluck().get();
  } finally {
    db.close();
  }
}

/** With its log and index, which whoever reads it as the last one leaves there. */
function moveAway(ledger: string, name: string): void {
  for (const part of ["", "-wal", "-shm"]) {
    if (existsSync(ledger + part)) renameSync(ledger + part, `${ledger}.${name}${part}`);
  }
}
