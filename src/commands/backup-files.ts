/** What a backup's folder holds, and how it is shown that it still does. */

import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import Type, { type Static } from "typebox";
import { readDocument } from "../schema/document.ts";
import { Refusal, refuse } from "./terminal.ts";

export const LEDGER_COPY = "ledger.sqlite";
export const BACKUP_MANIFEST = "backup.json";
const READ_BYTES = 1024 * 1024;

const closed = { additionalProperties: false } as const;
const Name = Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}(\\.[a-z]+)?(\\.json)?$" });

const BackupSchema = Type.Object(
  {
    schema: Type.Literal("sekisho.backup/1"),
    gateway: Type.String({ minLength: 1 }),
    at: Type.String({ minLength: 1 }),
    chainHead: Type.String({ minLength: 1 }),
    files: Type.Array(
      Type.Object(
        {
          file: Name,
          sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
          station: Type.Union([Type.String(), Type.Null()], {
            description: "Whose thresholds it is; null for the ledger.",
          }),
        },
        closed,
      ),
      { minItems: 1 },
    ),
  },
  closed,
);

export type Backup = Static<typeof BackupSchema>;

export function thresholdsCopy(station: string): string {
  return `${station}.thresholds.json`;
}

/** SHA-256 of a file, in steps: a ledger may be larger than memory. */
export function digestOf(path: string): string {
  const digest = createHash("sha256");
  const chunk = Buffer.alloc(READ_BYTES);
  const file = openSync(path, "r");
  try {
    for (let length = -1; length !== 0; ) {
      length = readSync(file, chunk, 0, READ_BYTES, null);
      digest.update(chunk.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
  return digest.digest("hex");
}

/** Reads a backup, and holds every file to its digest. @throws Refusal with what is not as it was written */
export function readBackup(folder: string): Backup {
  const path = join(folder, BACKUP_MANIFEST);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Refusal(`${folder}: is no backup: ${(error as Error).message}`);
  }
  const parsed = readDocument(text, path, BackupSchema);
  if (!parsed.ok) return refuse(parsed.problems);
  for (const { file, sha256 } of parsed.value.files) {
    const found = digestOf(join(folder, file));
    if (found !== sha256) {
      throw new Refusal(
        `${join(folder, file)}: expected SHA-256 ${sha256}, found ${found}; this backup is damaged or was changed: take another`,
      );
    }
  }
  if (!parsed.value.files.some(({ file }) => file === LEDGER_COPY)) {
    throw new Refusal(`${path}: names no ${LEDGER_COPY}; this backup has no ledger`);
  }
  return parsed.value;
}
