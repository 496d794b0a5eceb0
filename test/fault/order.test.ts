/** The order that the promise rests on, by the system calls themselves: no PUBACK before its decision is on disk. */

import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { aGatewayFolder, apparelFrames } from "../support/apparel.ts";
import { inheritedEnvironment, MAIN } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { childrenOf } from "../support/processes.ts";
import { missing, readBooks } from "./books.ts";
import { aBrokerJournal } from "./broker-journal.ts";
import { aRecordingConsumer, aSteadySensor } from "./plant.ts";
import { eventsOf, TRACE_ARGUMENTS, type TraceEvent } from "./trace.ts";

const FRAMES = 400;
const FRAMES_PER_SECOND = 400;
const MISSING =
  "strace is missing, or may not trace here. Install it: apt-get install strace (Debian, Ubuntu)";

describeWithMosquitto("the order of commit and acknowledgement", () => {
  describeWithStrace("by the system calls of the daemon", () => {
    test("every PUBACK follows the sync of the WAL that holds its decision", async () => {
      const journal = aBrokerJournal("sekisho-test");
      const broker = await aMosquitto({ onLog: journal.read });
      onTestFinished(broker.stop);
      const place = aGatewayFolder(broker.url);
      const consumer = await aRecordingConsumer(broker.url);
      onTestFinished(() => consumer.client.endAsync(true));
      const traced = await aTracedGateway(place.config, join(place.folder, "trace"));
      const sensor = await aSteadySensor(
        broker.url,
        await apparelFrames(),
        FRAMES_PER_SECOND,
        () => consumer.decisions.size,
      );
      onTestFinished(sensor.stop);
      await consumer.when(() => consumer.decisions.size >= FRAMES);
      await sensor.stop();
      await consumer.when(() => missing(sensor.acknowledged, consumer.decisions).length === 0);
      await traced.end();

      const events = eventsOf(readFileSync(traced.file, "latin1"), traced.pid);
      const frames = readBooks(place.ledger).frames;
      const { acknowledged, early } = replay(events, journal.sent, frames);
      expect(early, "acknowledged before their decision was on disk").toEqual([]);
      expect(missing(frames, acknowledged), "never acknowledged in the trace").toEqual([]);
      expect(acknowledged.size).toBeGreaterThanOrEqual(FRAMES);
      const count = (kind: TraceEvent["kind"]): number => events.filter((one) => one.kind === kind).length;
      process.stderr.write(
        `  ${acknowledged.size} frames, ${count("puback")} writes of PUBACKs, ${count("wal-sync")} syncs of the WAL\n`,
      );
    }, 180_000);
  });
});

describe("the reader of traces", () => {
  const wal = String.raw`7 pwrite64(9</x/a.ledger-wal>, "\x66\x2d\x31", 3, 0) = 3`;
  const sync = "7 fdatasync(9</x/a.ledger-wal>) = 0";
  const puback = String.raw`7 write(5<TCP:[127.0.0.1:1->127.0.0.1:2]>, "\x40\x02\x00\x08", 4) = 4`;
  const sent = [{ packetId: 8, frame: "f-1" }];
  const early = (...lines: string[]): readonly string[] =>
    replay(eventsOf(lines.join("\n"), 7), sent, new Set(["f-1"])).early;

  test("finds a PUBACK that leaves too early, and none that waits", () => {
    expect(early(wal, sync, puback)).toEqual([]);
    expect(early(wal, puback, sync)).toEqual(["f-1"]);
    expect(early(puback, wal, sync)).toEqual(["f-1"]);
    expect(early(sync, wal, puback)).toEqual(["f-1"]);
  });

  test("counts a sync from its end, also where another thread comes between, and no other thread's", () => {
    const begun = "7 fdatasync(9</x/a.ledger-wal> <unfinished ...>";
    expect(
      early(wal, begun, '8 write(1<pipe:[3]>, "", 0) = 0', "7 <... fdatasync resumed>) = 0", puback),
    ).toEqual([]);
    expect(early(wal, begun, puback.replace(/^7/, "8"), puback)).toEqual(["f-1"]);
    expect(early(wal, sync.replace(/^7/, "8"), puback)).toEqual(["f-1"]);
  });
});

/** Goes through the events in order; packet ids are used again, so each stands for the frame last sent under it. */
function replay(
  events: readonly TraceEvent[],
  sent: readonly { readonly packetId: number; readonly frame: string }[],
  frames: ReadonlySet<string>,
): { readonly acknowledged: ReadonlySet<string>; readonly early: readonly string[] } {
  const framesOfPacket = new Map<number, string[]>();
  for (const { packetId, frame } of sent) {
    const known = framesOfPacket.get(packetId);
    if (known === undefined) framesOfPacket.set(packetId, [frame]);
    else known.push(frame);
  }
  const acknowledged = new Set<string>();
  const early: string[] = [];
  const onDisk = new Set<string>();
  let written: string[] = [];
  for (const event of events) {
    if (event.kind === "wal-write") written.push(event.text);
    else if (event.kind === "wal-sync") {
      for (const [id] of written.join("\n").matchAll(/f-\d+/g)) if (frames.has(id)) onDisk.add(id);
      written = [];
    } else {
      for (const packetId of event.packetIds) {
        const frame =
          framesOfPacket.get(packetId)?.shift() ?? `packet ${packetId} that the broker never sent`;
        if (!onDisk.has(frame)) early.push(frame);
        acknowledged.add(frame);
      }
    }
  }
  return { acknowledged, early };
}

interface TracedGateway {
  readonly pid: number;
  readonly file: string;
  end(): Promise<void>;
}

/** The daemon under strace, judging frames. */
async function aTracedGateway(config: string, file: string): Promise<TracedGateway> {
  const command = [process.execPath, MAIN, "run", "--config", config];
  const tracer = spawn("strace", [...TRACE_ARGUMENTS, "-o", file, "--", ...command], {
    env: inheritedEnvironment(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => tracer.once("exit", () => resolve()));
  let log = "";
  await new Promise<void>((resolve, reject) => {
    tracer.stdout.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (log.includes("judging frames")) resolve();
    });
    void ended.then(() => reject(new Error(`the traced gateway ended before it judged frames:\n${log}`)));
  });
  const [pid] = childrenOf(tracer.pid!);
  onTestFinished(() => {
    if (tracer.exitCode === null) process.kill(pid!, "SIGKILL");
  });
  return {
    pid: pid!,
    file,
    async end() {
      process.kill(pid!, "SIGTERM");
      await ended;
    },
  };
}

/** Not run without strace, and said so loudly; under CI=true a failure. */
function describeWithStrace(name: string, suite: () => void): void {
  const tried = spawnSync("strace", ["-o", "/dev/null", "true"], { stdio: "ignore" });
  if (tried.error === undefined && tried.status === 0) {
    describe(name, suite);
  } else if (process.env.CI === "true") {
    test(`${name}: needs strace`, () => {
      throw new Error(MISSING);
    });
  } else {
    process.stderr.write(`\n!!! NOT RUN: suite "${name}". ${MISSING}\n\n`);
    describe.skip(name, suite);
  }
}
