/** Memory of daemon and engine over a long saturated run, and whether it grows. */

import { rssMb } from "../support/processes.ts";
import type { BenchStudent } from "./students.ts";
import { aBroker, aGenerator, aSystem } from "./systems.ts";
import { sleep } from "./throughput.ts";

export interface Memory {
  readonly frames: number;
  /** RSS of both processes together, in MB (10^6 bytes), at every hundredth of the frames. */
  readonly rssMb: readonly number[];
  /** Median of the last tenth of the samples less that of the tenth behind the middle. */
  readonly secondHalfGrowthMb: number;
}

const WINDOW = 640;
const SAMPLES = 100;
const LOOK_MS = 50;

export async function memory(
  student: BenchStudent,
  frames: number,
  onSample: (frames: number, mb: number) => void,
): Promise<Memory> {
  const broker = await aBroker();
  const system = await aSystem("sekisho", student, broker.port);
  const generator = await aGenerator(broker.port, system, student);
  try {
    await generator.ask({ kind: "saturate", window: WINDOW });
    const samples: number[] = [];
    while (samples.length < SAMPLES) {
      const { received } = await generator.ask({ kind: "count" });
      if (received < ((samples.length + 1) * frames) / SAMPLES) {
        await sleep(LOOK_MS);
        continue;
      }
      const mb = [system.pid, ...system.engines()].reduce((sum, pid) => sum + rssMb(pid), 0);
      samples.push(mb);
      onSample(received, mb);
    }
    await generator.ask({ kind: "stop" });
    const tenth = (from: number): number => {
      const sorted = samples.slice(from, from + SAMPLES / 10).sort((a, b) => a - b);
      return sorted[sorted.length >> 1]!;
    };
    return { frames, rssMb: samples, secondHalfGrowthMb: tenth(SAMPLES * 0.9) - tenth(SAMPLES * 0.5) };
  } finally {
    await generator.stop();
    await system.stop();
    await broker.stop();
  }
}
