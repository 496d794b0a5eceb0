/**
 * The ballast: a file beside the ledger that only takes up room. On a full disk it is given up, since there even a
 * DELETE needs room; decisions wait until there is space for it again, so that what it freed is left for the notes,
 * deletions and last words that must still be written.
 */

import { randomFillSync } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

const CHUNK_BYTES = 1024 * 1024;

export function ballastPath(ledger: string): string {
  return `${ledger}-ballast`;
}

export type Ballast = ReturnType<typeof openBallast>;

/** @param bytes its size; 0 for none */
export function openBallast(ledger: string, bytes: number) {
  const path = ballastPath(ledger);
  let isThere = sizeOf(path) === bytes;
  let givenUp = 0;

  const ballast = {
    /** Whether it takes up its room, and decisions may be written. */
    isThere: (): boolean => isThere,

    timesGivenUp: (): number => givenUp,

    /** Frees its room. */
    giveUp(): void {
      if (sizeOf(path) < 0) return;
      rmSync(path);
      isThere = false;
      givenUp++;
    },

    /** Makes it again where there is room for it and as much again; whether it is there. */
    make(): boolean {
      if (isThere) return true;
      // Twice its size, so that it is not made and given up in turn at the brink.
      if (freeBytes(dirname(ledger)) < 2 * bytes) return false;
      try {
        write(`${path}.part`, bytes);
        renameSync(`${path}.part`, path);
        isThere = true;
      } catch {
        // No room after all: a quota, or someone was faster. What was written of it must not fill the disk.
        rmSync(`${path}.part`, { force: true });
      }
      return isThere;
    },
  };
  if (bytes === 0) {
    rmSync(path, { force: true });
    isThere = true; // Nothing to wait for.
  }
  return ballast;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1;
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Writes bytes that no file system can make smaller. */
function write(path: string, bytes: number): void {
  const chunk = randomFillSync(Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes)));
  const file = openSync(path, "w", 0o600);
  try {
    for (let at = 0; at < bytes; ) at += writeSync(file, chunk, 0, Math.min(chunk.length, bytes - at));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
