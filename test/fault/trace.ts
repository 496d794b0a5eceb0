/** Reads a trace of system calls: what one process wrote to the ledger's WAL, when it was on disk, what it acknowledged. */

export type TraceEvent =
  /** Bytes written to the WAL, as latin1 text. */
  | { readonly kind: "wal-write"; readonly text: string }
  /** All that was written to the WAL before is on disk. */
  | { readonly kind: "wal-sync" }
  /** PUBACKs begin to leave for the broker. */
  | { readonly kind: "puback"; readonly packetIds: readonly number[] };

/** What strace is to record for it. */
export const TRACE_ARGUMENTS = [
  ...["-f", "-yy", "-xx", "-s", "1000000"],
  ...["-e", "trace=fsync,fdatasync,write,writev,sendto,sendmsg,pwrite64,pwritev", "-e", "signal=none"],
];

/** The events of one thread, the main one, in order. A call counts as done where it is resumed. */
export function eventsOf(trace: string, pid: number): readonly TraceEvent[] {
  const events: TraceEvent[] = [];
  let unfinished: string | undefined;
  for (const line of trace.split("\n")) {
    const [, thread, call] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (Number(thread) !== pid || call === undefined) continue;
    const resumed = /^<\.\.\. (\w+) resumed>/.exec(call);
    const isDone = !call.endsWith("<unfinished ...>");
    const begun: string = resumed === null ? call : (unfinished ?? "");
    unfinished = isDone ? undefined : begun;
    const isWal = fileOf(begun).endsWith("-wal");
    // What reaches the broker or the WAL may be there before the call returns; what is synced is so only after it.
    if (resumed === null && isWal && /^p?write/.test(begun)) {
      events.push({ kind: "wal-write", text: bytesOf(begun).toString("latin1") });
    } else if (resumed === null && /^(write|writev|sendto|sendmsg)\(\d+<TCP/.test(begun)) {
      const packetIds = pubacksIn(bytesOf(begun));
      if (packetIds.length > 0) events.push({ kind: "puback", packetIds });
    } else if (isDone && isWal && /^f(data)?sync/.test(begun)) {
      if (!/= 0$/.test(call)) throw new Error(`a sync of the WAL failed: ${call}`);
      events.push({ kind: "wal-sync" });
    }
  }
  return events;
}

/** The file that a call's descriptor stands for; strace writes its name in hexadecimal as well. */
function fileOf(call: string): string {
  const [, name = ""] = /^\w+\(\d+<([^>]*)>/.exec(call) ?? [];
  return name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** All strings of a call in hexadecimal, one behind the other. */
function bytesOf(call: string): Buffer {
  const content = call.replace(/^\w+\(\d+<[^>]*>/, "");
  const strings = [...content.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, text]) =>
    text!.replaceAll("\\x", ""),
  );
  return Buffer.from(strings.join(""), "hex");
}

/** The packet ids, where the bytes are PUBACKs in their short form and nothing else. */
function pubacksIn(bytes: Buffer): readonly number[] {
  const ids: number[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    if (bytes[at] !== 0x40 || bytes[at + 1] !== 2 || at + 4 > bytes.length) return [];
    ids.push(bytes.readUInt16BE(at + 2));
  }
  return ids;
}
