/** Latency in the open loop: from the time at which a frame was to be sent to the arrival of its decision. */

import type { BenchStudent } from "./students.ts";
import { aBroker, aGenerator, aSystem, type SystemName } from "./systems.ts";

export interface LatencyOptions {
  readonly rounds: number;
  readonly perSecond: number;
  readonly warmupFrames: number;
  readonly frames: number;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly lost: number;
}

async function turn(name: SystemName, student: BenchStudent, options: LatencyOptions): Promise<Latency> {
  const { perSecond, warmupFrames, frames } = options;
  const broker = await aBroker();
  const system = await aSystem(name, student, broker.port);
  const generator = await aGenerator(broker.port, system, student);
  try {
    const command = {
      kind: "open-loop",
      perSecond,
      warmup: warmupFrames,
      frames: warmupFrames + frames,
    } as const;
    const { latenciesMs = [] } = await generator.ask(command);
    // A frame without a decision was not faster than the slowest: it counts as one without end.
    const at = (share: number): number =>
      latenciesMs[Math.ceil(share * frames) - 1] ?? Number.POSITIVE_INFINITY;
    return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1), lost: frames - latenciesMs.length };
  } finally {
    await generator.stop();
    await system.stop();
    await broker.stop();
  }
}

export async function latency(
  systems: readonly SystemName[],
  student: BenchStudent,
  options: LatencyOptions,
  onTurn: (name: SystemName, latency: Latency) => void,
): Promise<ReadonlyMap<SystemName, readonly Latency[]>> {
  const turns = new Map<SystemName, Latency[]>(systems.map((name) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const name of round % 2 === 0 ? systems : systems.toReversed()) {
      const one = await turn(name, student, options);
      turns.get(name)!.push(one);
      onTurn(name, one);
    }
  }
  return turns;
}
