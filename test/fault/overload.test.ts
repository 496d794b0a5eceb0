/**
 * More frames than the gateway can bear, on a real mosquitto: memory stays bounded, the keepalive is kept, and
 * whatever is shed is on record. `SEKISHO_SOAK=1` goes on for a minute.
 */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connectAsync } from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { Database } from "../../src/sqlite/database.ts";
import {
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type GatewayFolder,
  metric,
  type RunningGateway,
} from "../support/apparel.ts";
import { anEventLog } from "../support/event-log.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { aSilentClient, KEEPALIVE_MISSED } from "../support/mqtt.ts";

const SECONDS = process.env.SEKISHO_SOAK === "1" ? 60 : 5;
const FRAMES_A_SECOND = 1500;
const BURST_MS = 20;
const KEEPALIVE_SECONDS = 5;
const BACKLOG_FRAMES = 80;
const RECEIVE_MAXIMUM = 2000;
const MEMORY_MAX = 120 * 1024 * 1024;

/** The engine runs for a moment and then stands still, as on a machine with too much to do. */
const ENGINE_RUNS_MS = 4;
const ENGINE_STANDS_MS = 600;

describeWithMosquitto("overload", () => {
  test("a station that sheds keeps up with more than ten times its load, and accounts for every frame", async () => {
    const { broker, place, gateway } = await aPlace("5", "shed-oldest");
    const decisions = await allDecisions(broker);
    const watch = aWatch(gateway);
    const engines = slowed(gateway, ENGINE_RUNS_MS, ENGINE_STANDS_MS);
    const sent = await flood(broker, SECONDS);
    await watch.look();
    engines.release();
    await decisions.count(sent);

    const rows = rowsOf(place);
    const shed = rows.filter(({ reason }) => reason === "shed").length;
    expect(rows).toHaveLength(sent);
    expect(new Set(rows.map(({ frame }) => frame)).size).toBe(sent);
    expect(new Set(decisions.all).size).toBe(sent);
    const metrics = await gateway.metrics();
    expect(metric(metrics, "sekisho_frames_total", /decision="reject",reason="shed"/)).toBe(shed);
    expect(metric(metrics, "sekisho_frames_total")).toBe(sent);
    expect(sent / (sent - shed)).toBeGreaterThan(10);
    // A lost engine would give back two batches.
    expect(watch.backlogMax).toBeLessThanOrEqual(BACKLOG_FRAMES + 2 * 4);
    expect(watch.memoryMax - watch.memoryBefore).toBeLessThan(MEMORY_MAX);
    expect(broker.log.all.filter((line) => line.includes("sekisho-"))).toEqual([]);
    report({
      sent,
      shed,
      load: sent / (sent - shed),
      backlogMax: watch.backlogMax,
      memoryBeforeMiB: watch.memoryBefore / 1024 / 1024,
      memoryMaxMiB: watch.memoryMax / 1024 / 1024,
    });
  }, 240_000);

  test.each(["5", "3.1.1"] as const)(
    "over MQTT %s a station that holds outlasts an engine that stands still for longer than the keepalive",
    async (protocol) => {
      const { broker, place, gateway } = await aPlace(protocol, "hold");
      const decisions = await allDecisions(broker);
      const watch = aWatch(gateway);
      const engines = slowed(gateway, 0, Number.POSITIVE_INFINITY);
      const sent = await flood(broker, 2);
      await aSilentClient(broker.port, "silent", KEEPALIVE_SECONDS);
      await broker.log.first((line) => line.includes("silent"));
      await watch.look();
      // MQTT 5 lets us tell the broker how much to send; on 3.1.1 there is only leaving.
      if (protocol === "3.1.1") await gateway.shows("left the broker until there is room");
      engines.release();
      await decisions.count(sent);

      const rows = rowsOf(place);
      expect(rows).toHaveLength(sent);
      expect(rows.filter(({ reason }) => reason === "shed")).toEqual([]);
      expect(watch.backlogMax).toBeLessThanOrEqual(BACKLOG_FRAMES + 2 * 4);
      expect(watch.backlogMax).toBeGreaterThan(BACKLOG_FRAMES / 2);
      expect(broker.log.all.filter((line) => line.includes("sekisho-"))).toEqual([]);
      report({ protocol, sent, backlogMax: watch.backlogMax });
    },
    120_000,
  );
});

async function aPlace(protocol: "5" | "3.1.1", overload: "hold" | "shed-oldest") {
  const broker = await aMosquitto({
    keepLog: KEEPALIVE_MISSED,
    extraConfig: `max_inflight_messages ${RECEIVE_MAXIMUM}`,
  });
  onTestFinished(broker.stop);
  const place = aGatewayFolder(broker.url, protocol);
  const config = readFileSync(place.config, "utf8").replace(
    "    frames:\n",
    `    overload: ${overload}\n    frames:\n`,
  );
  writeFileSync(place.config, `${config}intake:\n  backlogMax: { frames: ${BACKLOG_FRAMES} }\n`);
  const gateway = await aGateway(place, {
    SEKISHO_BROKER_KEEPALIVE_SECONDS: String(KEEPALIVE_SECONDS),
    SEKISHO_BROKER_RECEIVE_MAXIMUM: String(RECEIVE_MAXIMUM),
    SEKISHO_ENGINES_BATCH_MAX: "4",
  });
  onTestFinished(async () => void (await gateway.stop()));
  return { broker, place, gateway };
}

/** The ids of the decisions as they are published; at least once, so perhaps some twice. */
async function allDecisions({ url }: Mosquitto) {
  const client = await connectAsync(url, { protocolVersion: 5 });
  onTestFinished(() => client.endAsync(true));
  const ids = anEventLog<string>();
  const seen = new Set<string>();
  client.on("message", (_, payload) => {
    const { frame } = JSON.parse(payload.toString()) as { frame: string };
    if (seen.has(frame)) return;
    seen.add(frame);
    ids.push(frame);
  });
  await client.subscribeAsync("sekisho/test/decisions/#", { qos: 1 });
  return ids;
}

/** Sends frames at a steady rate, whatever becomes of them. */
async function flood({ url }: Mosquitto, seconds: number): Promise<number> {
  const client = await connectAsync(url, { protocolVersion: 5 });
  onTestFinished(() => client.endAsync(true));
  const frames = await apparelFrames();
  const total = seconds * FRAMES_A_SECOND;
  const answers: Promise<unknown>[] = [];
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      for (let i = 0; i < (FRAMES_A_SECOND * BURST_MS) / 1000 && answers.length < total; i++) {
        const n = answers.length;
        const payload = Buffer.from(frames[n % frames.length]!);
        answers.push(client.publishAsync(`apparel/cam-1/frames/f${n}`, payload, { qos: 1 }));
      }
      if (answers.length < total) return;
      clearInterval(timer);
      resolve();
    }, BURST_MS);
  });
  await Promise.all(answers);
  return total;
}

/** Lets the engines run and stand still by turns. */
function slowed({ process: daemon }: RunningGateway, runsMs: number, standsMs: number) {
  let isReleased = false;
  let stopped: readonly number[] = [];
  const signal = (pid: number, name: "SIGSTOP" | "SIGCONT"): void => {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended meanwhile, and another is started.
    }
  };
  const run = (): void => {
    for (const pid of stopped) signal(pid, "SIGCONT");
    if (!isReleased) setTimeout(stand, runsMs);
  };
  const stand = (): void => {
    if (isReleased) return;
    for (const pid of stopped) signal(pid, "SIGSTOP");
    if (Number.isFinite(standsMs)) setTimeout(run, standsMs);
  };
  const look = (): void => {
    stopped = childrenOf(daemon.pid!);
  };
  look();
  stand();
  // An engine that is started meanwhile is slowed as well.
  const looking = setInterval(() => {
    look();
    if (!Number.isFinite(standsMs)) stand();
  }, 500);
  const release = (): void => {
    isReleased = true;
    clearInterval(looking);
    look();
    run();
  };
  onTestFinished(release);
  return { release };
}

function childrenOf(parent: number): readonly number[] {
  return execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => (ppid === parent ? [pid!] : []));
}

/** Looks at backlog and memory four times a second. */
function aWatch(gateway: RunningGateway) {
  const watch = { backlogMax: 0, memoryBefore: 0, memoryMax: 0, look };
  async function look(): Promise<void> {
    const text = await gateway.metrics();
    const memory = metric(text, "process_resident_memory_bytes");
    watch.memoryBefore ||= memory;
    watch.memoryMax = Math.max(watch.memoryMax, memory);
    watch.backlogMax = Math.max(watch.backlogMax, metric(text, "sekisho_intake_backlog"));
  }
  const timer = setInterval(() => void look().catch(() => {}), 250);
  onTestFinished(() => clearInterval(timer));
  return watch;
}

function rowsOf({ ledger }: GatewayFolder): readonly { readonly frame: string; readonly reason: string }[] {
  const db = new Database(ledger, { readonly: true });
  try {
    return db.prepare("SELECT frame, reason FROM decisions").all() as { frame: string; reason: string }[];
  } finally {
    db.close();
  }
}

/** The figures of a soak are its point; in every other run they would be noise. */
function report(figures: object): void {
  if (process.env.SEKISHO_SOAK === "1") process.stdout.write(`overload ${JSON.stringify(figures)}\n`);
}
