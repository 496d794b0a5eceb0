/** Writes a file whole or not at all. */

import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/**
 * Replaces `file` by way of a temporary file beside it: written, synced, renamed, folder synced.
 * @param access "owner": nobody else may read it, from its first byte on
 */
export function writeFileAtomically(
  file: string,
  content: string | Uint8Array,
  access: "all" | "owner" = "all",
): void {
  const temporary = `${file}.new`;
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const descriptor = openSync(temporary, "w", access === "owner" ? 0o600 : 0o644);
  try {
    // One that a broken-off write left behind keeps the access that it had.
    if (access === "owner") fchmodSync(descriptor, 0o600);
    let written = 0;
    while (written < bytes.length) written += writeSync(descriptor, bytes, written);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  syncFolder(dirname(file));
}

/**
 * Writes a file that is not there yet; one that is stays as it is.
 * @param access "owner": nobody else may read it, from its first byte on
 */
export function writeNewFile(file: string, content: string, access: "all" | "owner"): void {
  const descriptor = openSync(file, "wx", access === "owner" ? 0o600 : 0o644);
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  syncFolder(dirname(file));
}

/** Makes the names in a folder durable. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
