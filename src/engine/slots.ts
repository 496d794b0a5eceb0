/**
 * Slots in shared memory: by them a batch's payloads come to an engine with one copy in and one out, where a socket
 * takes two more, and a system call for each buffer of its own that they fill. Only the main process writes and
 * nothing is read back, so that whatever an engine does with its end can harm nobody but itself.
 */

import { randomUUID } from "node:crypto";
import { closeSync, openSync, rmSync, statfsSync, writeSync, writevSync } from "node:fs";
import { join } from "node:path";
import { frameBytes } from "../core/frame.ts";
import type { EngineFrame } from "../gateway/ports.ts";
import { payloadBytes } from "./channel.ts";
import type { EngineLoad } from "./load.ts";

export interface Slots {
  /** The file for the engine, to read from. */
  readonly readFd: number;
  /** Once the engine's process has it. */
  closeReadFd(): void;
  /**
   * Writes payloads one after another into a free slot.
   * @returns where they begin in the file; undefined where they are better sent, or have to be
   */
  put(frames: readonly EngineFrame[]): number | undefined;
  /** The slot at this place may be written again: its batch has been answered. */
  free(place: number): void;
  close(): void;
}

const FOLDER = "/dev/shm";
/** How the file system of shared memory calls itself; on any other, each batch would end on a disk. */
const TMPFS_MAGIC = 0x01021994;

/** As many as the gateway has batches in flight to one engine. */
const SLOTS = 2;

/** Bytes of one slot: a container may have no more than 64 MB of shared memory, for all its engines. */
const SLOT_BYTES_MAX = 4 * 2 ** 20;

/** Fewer are better sent: one system call more at each end costs more than the copies. */
const PAYLOAD_BYTES_MIN = 4096;

const PAGE_BYTES = 4096;

/**
 * Opens slots for full batches of a load's frames. The file has no name any more when this returns: it goes with the
 * processes that hold it, however they end.
 * @returns undefined where there is no room for them, no shared memory, or batches so small that they are better sent
 */
export function openSlots(
  { frame, batchMax }: Pick<EngineLoad, "frame" | "batchMax">,
  folder: string = FOLDER,
): Slots | undefined {
  const batchBytes = batchMax * frameBytes(frame);
  if (!(batchBytes >= PAYLOAD_BYTES_MIN)) return undefined;
  const slotBytes = PAGE_BYTES * Math.ceil(Math.min(batchBytes, SLOT_BYTES_MAX) / PAGE_BYTES);
  const opened: number[] = [];
  const path = join(folder, `sekisho-${randomUUID()}`);
  try {
    if (statfsSync(folder).type !== TMPFS_MAGIC) return undefined;
    const writeFd = openSync(path, "wx", 0o600);
    opened.push(writeFd);
    const readFd = openSync(path, "r");
    opened.push(readFd);
    rmSync(path);
    // Written through, so that memory that is not there is missed now and not in the middle of a batch.
    const zeros = new Uint8Array(slotBytes);
    for (let slot = 0; slot < SLOTS; slot++) {
      const written = writeSync(writeFd, zeros, 0, slotBytes, slot * slotBytes);
      if (written !== slotBytes) throw new Error(`${written} of ${slotBytes} bytes written`);
    }
    return slotsIn(writeFd, readFd, slotBytes);
  } catch {
    // An engine without slots serves as well, only dearer.
    for (const fd of opened) closeSync(fd);
    rmSync(path, { force: true });
    return undefined;
  }
}

function slotsIn(writeFd: number, readFd: number, slotBytes: number): Slots {
  const free = Array.from({ length: SLOTS }, (_, slot) => slot * slotBytes);
  let isOpen = true;
  let isReadOpen = true;
  const closeReadFd = (): void => {
    if (isReadOpen) closeSync(readFd);
    isReadOpen = false;
  };
  return {
    readFd,
    closeReadFd,
    put(frames) {
      const bytes = payloadBytes(frames);
      // Closed, its number may be another file's.
      if (!isOpen || bytes < PAYLOAD_BYTES_MIN || bytes > slotBytes) return undefined;
      const place = free.pop();
      if (place === undefined) return undefined;
      if (isWritten(writeFd, frames, bytes, place)) return place;
      free.push(place);
      return undefined;
    },
    free: (place) => void free.push(place),
    close() {
      closeReadFd();
      if (isOpen) closeSync(writeFd);
      isOpen = false;
    },
  };
}

/** Whether all of it could be written: what can't goes over the channel. */
function isWritten(fd: number, frames: readonly EngineFrame[], bytes: number, place: number): boolean {
  try {
    return (
      writevSync(
        fd,
        frames.map((frame) => frame.payload),
        place,
      ) === bytes
    );
  } catch {
    return false;
  }
}
