/** The bench's results as Markdown tables, for the terminal and for docs/performance.md. */

import type { Latency } from "./latency.ts";
import type { Memory } from "./memory.ts";
import type { Account } from "./profile.ts";
import type { ScoreCost } from "./score.ts";
import type { BenchStudent } from "./students.ts";
import type { SystemName } from "./systems.ts";
import type { Turn } from "./throughput.ts";

const TITLES: Readonly<Record<SystemName, string>> = {
  sekisho: "Sekisho, everything on",
  naive: "naive Node, decisions at QoS 1",
  "naive-qos0": "naive Node, decisions at QoS 0",
};

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function scoreTable(costs: readonly ScoreCost[]): string {
  const rows = costs.map((one) => [
    count(one.fitParts),
    count(one.prototypes),
    one.medianUs.toFixed(2),
    one.p95Us.toFixed(2),
  ]);
  return `### Band, novelty and score of one frame\n\n${table(
    ["parts fitted on", "prototypes", "median, us", "95th percentile, us"],
    rows,
  )}`;
}

/** Ratios are of one round each, Sekisho's to the peer's, and then their median: the machine's moods cancel. */
export function throughputTable(
  student: BenchStudent,
  turns: ReadonlyMap<SystemName, readonly Turn[]>,
): string {
  const ours = turns.get("sekisho") ?? [];
  const rows = [...turns].map(([name, all]) => {
    const of = (pick: (turn: Turn) => number): number => median(all.map(pick));
    const rates = all.map((one) => one.framesPerSecond);
    const allCpu = ({ cpu }: Turn): number => cpu.system + cpu.engine + cpu.broker + cpu.generator;
    const ratios = all.map(
      (one, round) => (ours[round]?.framesPerSecond ?? Number.NaN) / one.framesPerSecond,
    );
    return [
      TITLES[name],
      count(of((one) => one.framesPerSecond)),
      `${count(Math.min(...rates))} to ${count(Math.max(...rates))}`,
      name === "sekisho" ? "1" : `${median(ratios).toFixed(2)} (${spread(ratios)})`,
      of((one) => one.cpu.system).toFixed(1),
      name === "sekisho" ? of((one) => one.cpu.engine).toFixed(1) : "",
      of((one) => one.cpu.broker).toFixed(1),
      of((one) => one.cpu.generator).toFixed(1),
      of(allCpu).toFixed(1),
      of((one) => one.cpu.others).toFixed(1),
      of((one) => one.rssMb).toFixed(0),
    ];
  });
  const passRate = median(ours.map((one) => one.passRate ?? Number.NaN));
  const batch = median(ours.map((one) => one.framesPerBatch ?? Number.NaN));
  const missing = [...turns.values()].flat().reduce((sum, one) => sum + Math.abs(one.missing), 0);
  return [
    `### Saturated throughput: ${student.title}`,
    "",
    table(
      [
        "",
        "frames/s",
        "lowest to highest",
        "Sekisho is so many times as fast",
        "CPU us/frame: itself",
        "engine",
        "broker",
        "generator",
        "all",
        "other programs",
        "RSS, MB",
      ],
      rows,
    ),
    "",
    `Medians of ${ours.length} alternating rounds. ${(100 * passRate).toFixed(1)}% of Sekisho's decisions were \`pass\`, the rest opened reviews; ${batch.toFixed(1)} frames a batch. Frames without a decision, all systems: ${missing}.`,
  ].join("\n");
}

export function latencyTable(
  student: BenchStudent,
  perSecond: number,
  turns: ReadonlyMap<SystemName, readonly Latency[]>,
): string {
  const rows = [...turns].map(([name, all]) => {
    const of = (pick: (one: Latency) => number): string => median(all.map(pick)).toFixed(2);
    return [
      TITLES[name],
      of((one) => one.p50),
      of((one) => one.p99),
      of((one) => one.p999),
      of((one) => one.max),
      String(all.reduce((sum, one) => sum + one.lost, 0)),
    ];
  });
  return [
    `### Latency at ${perSecond} frames/s: ${student.title}`,
    "",
    table(["milliseconds", "p50", "p99", "p99.9", "worst", "lost"], rows),
    "",
    "From the intended time of sending to the decision's arrival (open loop), medians of the rounds.",
  ].join("\n");
}

export function accountTable(student: BenchStudent, { stages, ...account }: Account): string {
  const sum = stages.reduce((all, one) => all + one.usPerFrame, 0);
  const rows = [
    ...stages.map((one) => [
      one.stage,
      one.usPerFrame.toFixed(2),
      one.functions
        .filter((each) => each.usPerFrame >= 0.1)
        .map((each) => `${each.name} ${each.usPerFrame.toFixed(2)}`)
        .join("; "),
    ]),
    ["all stages", sum.toFixed(2), ""],
  ];
  return [
    `### The time of the daemon's main thread, stage by stage: ${student.title}`,
    "",
    table(["stage", "us/frame", "what costs most in it"], rows),
    "",
    `By V8's sampling profiler, which sees time and not CPU: a sync counts with its wait for the disk, and on a busy machine every stage with its wait for a core. At ${count(account.framesPerSecond)} frames/s with the profiler on, in which the whole process used ${account.cpuUsPerFrame.toFixed(1)} us of CPU a frame.`,
  ].join("\n");
}

export function memoryTable(student: BenchStudent, { frames, rssMb, secondHalfGrowthMb }: Memory): string {
  const marks = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.max(0, Math.ceil(share * rssMb.length) - 1));
  return [
    `### Memory of daemon and engine: ${student.title}`,
    "",
    table(
      [
        "frames",
        ...marks.map((i) => count(((i + 1) * frames) / rssMb.length)),
        "largest",
        "growth over the second half",
      ],
      [
        [
          "RSS, MB",
          ...marks.map((i) => rssMb[i]!.toFixed(0)),
          Math.max(...rssMb).toFixed(0),
          secondHalfGrowthMb.toFixed(1),
        ],
      ],
    ),
  ].join("\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function spread(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;
}
