/** `npm run bench`: throughput, latency, the account of CPU and the score, against a naive Node peer in one run. */

import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { latency } from "./latency.ts";
import { memory } from "./memory.ts";
import { KEPT } from "./places.ts";
import { machine, machineUs } from "./proc.ts";
import { account } from "./profile.ts";
import { accountTable, latencyTable, memoryTable, scoreTable, throughputTable } from "./report.ts";
import { scoreCosts } from "./score.ts";
import { aBenchStudent, type BenchStudent, type StudentName } from "./students.ts";
import { brokerVersion, type SystemName } from "./systems.ts";
import { sleep, throughput } from "./throughput.ts";

const PARTS = ["score", "throughput", "latency", "account", "memory"] as const;
const SYSTEMS: readonly SystemName[] = ["sekisho", "naive", "naive-qos0"];
const FRAMES_PER_SECOND = 500;
/** Ahead of what counts as latency: V8 compiles meanwhile, on the cores that frames need. */
const WARMUP_SECONDS = 10;
const FIT_PARTS = [1_000, 10_000, 100_000];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    /** Of the memory's long run. */
    frames: { type: "string", default: "1000000" },
    student: { type: "string", multiple: true, default: ["image", "signal"] },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const wanted = positionals.length === 0 ? PARTS : positionals;
const unknown = wanted.filter((part) => !(PARTS as readonly string[]).includes(part));
if (unknown.length > 0 || !(rounds >= 1) || !(Number(options.frames) >= 1000) || !(seconds > 0)) {
  process.stderr.write(
    `expected [${PARTS.join("|")}] --rounds N --seconds N --frames N --student image|signal --json, found ${unknown.join(" ")}\n`,
  );
  process.exit(2);
}

const results: Record<string, unknown> = {};
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const show = (text: string): void => void (options.json || process.stdout.write(`${text}\n\n`));

async function main(): Promise<void> {
  const versions = {
    node: process.version,
    mosquitto: brokerVersion(),
    ...Object.fromEntries(
      ["mqtt", "onnxruntime-node", "better-sqlite3"].map((name) => {
        const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
        return [name, version];
      }),
    ),
  };
  const before = machineUs();
  await sleep(2000);
  const after = machineUs();
  const busy = after.busy - before.busy;
  const idle = after.idle - before.idle;
  results.machine = { description: machine(), versions, busyBeforehand: busy / (busy + idle) };
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  show(
    `${machine()}. ${named.join(", ")}. ${((100 * busy) / (busy + idle)).toFixed(0)}% of the machine was busy with other programs before the run.`,
  );
  if (wanted.includes("score")) benchScore();
  if (wanted.some((part) => part !== "score")) {
    mkdirSync(KEPT, { recursive: true });
    for (const name of options.student) await benchStudent(aBenchStudent(name as StudentName, KEPT));
  }
  if (options.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
}

function benchScore(): void {
  const costs = scoreCosts(FIT_PARTS, (parts) => say(`score: fitting on ${parts} parts`));
  results.score = costs;
  show(scoreTable(costs));
}

async function benchStudent(student: BenchStudent): Promise<void> {
  const timing = { rounds, warmupMs: 2000, measureMs: seconds * 1000 };
  const found: Record<string, unknown> = {};
  results[student.name] = found;
  if (wanted.includes("throughput")) {
    const turns = await throughput(SYSTEMS, student, timing, (name, turn) =>
      say(`${student.name}, ${name}: ${Math.round(turn.framesPerSecond)} frames/s`),
    );
    found.throughput = Object.fromEntries(turns);
    show(throughputTable(student, turns));
  }
  if (wanted.includes("latency")) {
    const frames = Math.ceil(FRAMES_PER_SECOND * seconds * 2);
    const settings = {
      rounds,
      perSecond: FRAMES_PER_SECOND,
      warmupFrames: WARMUP_SECONDS * FRAMES_PER_SECOND,
      frames,
    };
    const turns = await latency(["sekisho", "naive"], student, settings, (name, one) =>
      say(`${student.name}, ${name}: p50 ${one.p50.toFixed(2)} ms, p99 ${one.p99.toFixed(2)} ms`),
    );
    found.latency = Object.fromEntries(turns);
    show(latencyTable(student, FRAMES_PER_SECOND, turns));
  }
  if (wanted.includes("account")) {
    const one = await account(student, { ...timing, warmupMs: 4000 });
    found.account = one;
    show(accountTable(student, one));
  }
  if (wanted.includes("memory")) {
    const one = await memory(student, Number(options.frames), (frames, mb) =>
      say(`${student.name}, ${frames} frames: ${mb.toFixed(0)} MB`),
    );
    found.memory = one;
    show(memoryTable(student, one));
  }
}

await main();
