/** What Linux says of processes: CPU used, memory held, children. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** CPU time of all threads of a process, user and system, in microseconds; in steps of a clock tick. */
export function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name may hold spaces; fields count from behind it. The 14th and 15th field are utime and stime.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
}

/** CPU time of the whole machine since its start, in microseconds: used, and idle. */
export function machineUs(): { readonly busy: number; readonly idle: number } {
  const [, ...fields] = readFileSync("/proc/stat", "utf8").split("\n")[0]!.trim().split(/\s+/).map(Number);
  const tick = 1e6 / TICKS_PER_SECOND;
  const idle = fields[3]! + fields[4]!;
  const all = fields.slice(0, 8).reduce((a, b) => a + b);
  return { busy: (all - idle) * tick, idle: idle * tick };
}

/** One line: processor, cores, memory, system. */
export function machine(): string {
  const cores = cpus();
  const kernel = readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
  const name = /PRETTY_NAME="(.*)"/.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  return `${cores[0]!.model.trim()}, ${cores.length} cores, ${(totalmem() / 1e9).toFixed(0)} GB, ${name}, kernel ${kernel}`;
}
