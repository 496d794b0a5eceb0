/** Where the daemon's CPU goes: a V8 profile at saturation, its samples summed by stage of the main path. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuUs } from "./proc.ts";
import type { BenchStudent } from "./students.ts";
import { aBroker, aGenerator, aSystem } from "./systems.ts";
import { sleep, type ThroughputOptions } from "./throughput.ts";

export interface StageCost {
  readonly stage: string;
  readonly usPerFrame: number;
  /** The functions that cost most in it. */
  readonly functions: readonly { readonly name: string; readonly usPerFrame: number }[];
}

export interface Account {
  readonly framesPerSecond: number;
  readonly cpuUsPerFrame: number;
  readonly stages: readonly StageCost[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A frame of the stack belongs to the first that matches; node's own belong to whoever called them. */
const STAGES: readonly (readonly [stage: string, url: RegExp])[] = [
  [
    "publish decisions and alerts",
    /dist\/(mqtt\/(packets|sender|publisher)|gateway\/(relay|messages|alert))/,
  ],
  ["publish decisions and alerts", /dist\/commands\/daemon-parts/],
  ["ledger", /dist\/(ledger|sqlite)|better-sqlite3/],
  ["engine channel", /dist\/(engine|commands\/kept-engine)/],
  ["metrics", /dist\/telemetry|prom-client/],
  ["gateway and judge", /dist\/(gateway|core)/],
  ["receive and acknowledge frames", /dist\/mqtt/],
  [
    "receive: mqtt.js and its parser",
    /node_modules\/(mqtt|mqtt-packet|readable-stream|bl|process-nextick-args)\//,
  ],
  ["other modules", /dist|node_modules/],
];
const BARE = new Map([
  ["(garbage collector)", "garbage collection"],
  ["(program)", "native code outside JavaScript: event loop, system calls"],
]);
const UNCALLED = "node's sockets and streams, called by nobody";
const FUNCTIONS_MAX = 6;
const WINDOW = 640;

export async function account(student: BenchStudent, options: ThroughputOptions): Promise<Account> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-bench-profile-"));
  const broker = await aBroker();
  const system = await aSystem("sekisho", student, broker.port, [
    "--cpu-prof",
    "--cpu-prof-interval=250",
    `--cpu-prof-dir=${folder}`,
  ]);
  const generator = await aGenerator(broker.port, system, student);
  try {
    await generator.ask({ kind: "saturate", window: WINDOW });
    await sleep(options.warmupMs);
    const first = await generator.ask({ kind: "count" });
    const before = cpuUs(system.pid);
    await sleep(options.measureMs);
    const last = await generator.ask({ kind: "count" });
    const after = cpuUs(system.pid);
    await generator.ask({ kind: "stop" });
    await system.stop();
    const [file] = readdirSync(folder);
    const profile = JSON.parse(readFileSync(join(folder, file!), "utf8")) as Profile;
    const frames = last.received - first.received;
    return {
      framesPerSecond: frames / ((last.atUs - first.atUs) / 1e6),
      cpuUsPerFrame: (after - before) / frames,
      stages: stagesOf(profile, first.atUs, last.atUs, frames),
    };
  } finally {
    await generator.stop();
    await system.stop();
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Samples between two points of the monotonic clock, which V8 stamps its profiles with as well. */
function stagesOf(profile: Profile, fromUs: number, toUs: number, frames: number): readonly StageCost[] {
  const places = placesOf(profile);
  const sums = new Map<string, Map<string, number>>();
  let atUs = profile.startTime;
  for (const [i, id] of profile.samples.entries()) {
    atUs += profile.timeDeltas[i]!;
    const place = places.get(id);
    if (place === undefined || atUs < fromUs || atUs > toUs) continue;
    const functions = sums.get(place.stage) ?? new Map<string, number>();
    sums.set(place.stage, functions);
    // A sample stands for the time up to the next one.
    const us = profile.timeDeltas[i + 1] ?? 0;
    functions.set(place.name, (functions.get(place.name) ?? 0) + us / frames);
  }
  return [...sums]
    .map(([stage, functions]) => ({
      stage,
      usPerFrame: [...functions.values()].reduce((a, b) => a + b),
      functions: [...functions]
        .map(([name, usPerFrame]) => ({ name, usPerFrame }))
        .sort((a, b) => b.usPerFrame - a.usPerFrame)
        .slice(0, FUNCTIONS_MAX),
    }))
    .sort((a, b) => b.usPerFrame - a.usPerFrame);
}

/** Of each node of the profile: its stage, and what to call it. Idle time has none. */
function placesOf({
  nodes,
}: Profile): ReadonlyMap<number, { readonly stage: string; readonly name: string }> {
  const parents = new Map<number, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  const places = new Map<number, { stage: string; name: string }>();
  for (const node of nodes) {
    const { functionName, url } = node.callFrame;
    if (functionName === "(idle)") continue;
    const bare = BARE.get(functionName);
    const caller = callerOf(node, parents);
    const own = functionName || "(anonymous)";
    const where = caller?.node === node ? ` ${shortUrl(url)}` : caller ? ` < ${caller.name}` : "";
    places.set(node.id, { stage: bare ?? caller?.stage ?? UNCALLED, name: `${own}${where}` });
  }
  return places;
}

function callerOf(
  node: ProfileNode,
  parents: ReadonlyMap<number, ProfileNode>,
): { readonly node: ProfileNode; readonly stage: string; readonly name: string } | undefined {
  for (let at: ProfileNode | undefined = node; at !== undefined; at = parents.get(at.id)) {
    const { url, functionName } = at.callFrame;
    const found = url.startsWith("node:") ? undefined : STAGES.find(([, pattern]) => pattern.test(url));
    if (found !== undefined) {
      return { node: at, stage: found[0], name: `${functionName || "(anonymous)"} ${shortUrl(url)}` };
    }
  }
  return undefined;
}

function shortUrl(url: string): string {
  return url.replace(/^.*\/(dist|node_modules)\//, "");
}
