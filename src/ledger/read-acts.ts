/** The acts of a ledger, read beside the gateway that writes it. */

import type { ActBook } from "../gateway/ports.ts";
import { actsReader } from "./acts.ts";
import { openReadOnly } from "./read-only.ts";

/** @throws LedgerError if there is none, it cannot be opened, or it is of another version */
export function openActsOf(path: string): Pick<ActBook, "latest" | "list"> & { readonly close: () => void } {
  const db = openReadOnly(path);
  return { ...actsReader(db), close: () => void db.close() };
}
