/** Saturated throughput: the systems in turn in one run, several rounds, and CPU per frame of each process. */

import { rssMb } from "../support/processes.ts";
import { cpuUs, machineUs } from "./proc.ts";
import type { BenchStudent } from "./students.ts";
import { aBroker, aGenerator, aSystem, type SystemName } from "./systems.ts";

export interface ThroughputOptions {
  readonly rounds: number;
  readonly warmupMs: number;
  readonly measureMs: number;
}

/** Frames undecided at a time: enough that nobody waits for the generator, less than the broker's window. */
const WINDOW = 640;

export interface Turn {
  readonly framesPerSecond: number;
  /** Microseconds of CPU a frame. */
  readonly cpu: {
    readonly system: number;
    readonly engine: number;
    readonly broker: number;
    readonly generator: number;
    /** Whatever else ran on the machine meanwhile, the bench itself included. */
    readonly others: number;
  };
  readonly rssMb: number;
  /** Sent and never decided, or decided twice; 0. */
  readonly missing: number;
  /** Of the decisions, for Sekisho only. */
  readonly passRate: number | undefined;
  /** Frames a batch, and so a commit; of Sekisho only. */
  readonly framesPerBatch: number | undefined;
}

/** One system, started afresh on a broker of its own. */
export async function turn(
  name: SystemName,
  student: BenchStudent,
  options: ThroughputOptions,
): Promise<Turn> {
  const broker = await aBroker();
  const system = await aSystem(name, student, broker.port);
  const generator = await aGenerator(broker.port, system, student);
  try {
    await generator.ask({ kind: "saturate", window: WINDOW });
    await sleep(options.warmupMs);
    const engines = system.engines();
    const sample = () => ({
      system: cpuUs(system.pid),
      engine: engines.reduce((sum, pid) => sum + cpuUs(pid), 0),
      broker: cpuUs(broker.pid),
      generator: cpuUs(generator.pid),
      machine: machineUs().busy,
    });
    const first = await generator.ask({ kind: "count" });
    const before = sample();
    await sleep(options.measureMs);
    const last = await generator.ask({ kind: "count" });
    const after = sample();
    const memory = [system.pid, ...engines].reduce((sum, pid) => sum + rssMb(pid), 0);
    const final = await generator.ask({ kind: "stop" });
    const frames = last.received - first.received;
    const each = (key: keyof typeof before): number => (after[key] - before[key]) / frames;
    const own = each("system") + each("engine") + each("broker") + each("generator");
    return {
      framesPerSecond: frames / ((last.atUs - first.atUs) / 1e6),
      cpu: {
        system: each("system"),
        engine: each("engine"),
        broker: each("broker"),
        generator: each("generator"),
        others: each("machine") - own,
      },
      rssMb: memory,
      missing: final.sent - final.received,
      ...decisionsOf(await system.metrics()),
    };
  } finally {
    await generator.stop();
    await system.stop();
    await broker.stop();
  }
}

/** All systems in turn, round after round, so that whatever else the machine does meets them alike. */
export async function throughput(
  systems: readonly SystemName[],
  student: BenchStudent,
  options: ThroughputOptions,
  onTurn: (name: SystemName, turn: Turn) => void,
): Promise<ReadonlyMap<SystemName, readonly Turn[]>> {
  const turns = new Map<SystemName, Turn[]>(systems.map((name) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const name of round % 2 === 0 ? systems : systems.toReversed()) {
      const one = await turn(name, student, options);
      turns.get(name)!.push(one);
      onTurn(name, one);
    }
  }
  return turns;
}

function decisionsOf(metrics: string): Pick<Turn, "passRate" | "framesPerBatch"> {
  const sum = (start: string, label = ""): number =>
    metrics
      .split("\n")
      .filter((line) => line.startsWith(start) && line.includes(label))
      .reduce((all, line) => all + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  const frames = sum("sekisho_frames_total{");
  if (frames === 0) return { passRate: undefined, framesPerBatch: undefined };
  const commits = sum("sekisho_stage_duration_seconds_count{", 'stage="commit"');
  return {
    passRate: sum("sekisho_frames_total{", 'decision="pass"') / frames,
    framesPerBatch: frames / commits,
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
