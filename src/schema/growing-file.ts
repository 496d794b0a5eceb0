/** A file that is written piece by piece and is there whole or not at all. */

import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { syncFolder } from "./atomic-file.ts";

export interface GrowingFile {
  /** Bytes written so far. */
  bytes(): number;
  append(content: string | Uint8Array): void;
  /** Writes over what is there already. */
  overwrite(at: number, content: Uint8Array): void;
  /** Fills the target from what has been written; returns how many bytes there were. */
  read(at: number, target: Uint8Array): number;
  /** Puts it in its place. */
  commit(): void;
  /** Leaves nothing behind; does nothing after `commit`. */
  abandon(): void;
}

/** Begins a file beside its final place. */
export function openGrowingFile(file: string): GrowingFile {
  const temporary = `${file}.new`;
  const descriptor = openSync(temporary, "w+", 0o644);
  let bytes = 0;
  let isOpen = true;
  const writeAt = (at: number, content: Uint8Array): void => {
    for (let done = 0; done < content.length; ) {
      done += writeSync(descriptor, content, done, content.length - done, at + done);
    }
  };
  const close = (): void => {
    isOpen = false;
    closeSync(descriptor);
  };
  return {
    bytes: () => bytes,
    append(content) {
      const piece = typeof content === "string" ? Buffer.from(content) : content;
      writeAt(bytes, piece);
      bytes += piece.length;
    },
    overwrite: writeAt,
    read: (at, target) => readSync(descriptor, target, 0, target.length, at),
    commit() {
      fsyncSync(descriptor);
      close();
      renameSync(temporary, file);
      syncFolder(dirname(file));
    },
    abandon() {
      if (!isOpen) return;
      close();
      rmSync(temporary, { force: true });
    },
  };
}
