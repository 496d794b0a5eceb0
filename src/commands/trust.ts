/** The keys that a configuration trusts, read from their files. */

import type { Config } from "../config/schema.ts";
import type { Locate, Problem } from "../schema/document.ts";
import type { TrustedKey } from "../signing/dsse.ts";
import { readPublicKey } from "../signing/keys.ts";

/** Whose signatures count, and whether bundles must be signed. */
export interface Trust {
  readonly keys: readonly TrustedKey[];
  readonly bundles: "any" | "signed";
}

export type ReadTrust =
  | {
      readonly ok: true;
      /** Undefined where no signatures are demanded. */
      readonly trust: Trust | undefined;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function readTrust({ trust }: Config, locate: Locate): ReadTrust {
  if (trust === undefined) return { ok: true, trust: undefined };
  const problems: Problem[] = [];
  const keys: TrustedKey[] = [];
  for (const [i, { person, file }] of trust.keys.entries()) {
    const at = ["trust", "keys", i, "file"] as const;
    const problem = (message: string): void =>
      void problems.push(locate(at, `${at.join(".")}: ${file}: ${message}`));
    const read = readPublicKey(file, person);
    if (!read.ok) {
      problem(read.reason);
      continue;
    }
    const { key } = read;
    const twin = keys.find(({ keyId }) => keyId === key.keyId);
    if (twin === undefined) keys.push(key);
    // One private key would otherwise be two persons.
    else problem(`is key ${key.keyId}, which is there already as ${twin.person}'s; name each key once`);
  }
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, trust: { keys, bundles: trust.bundles } };
}
