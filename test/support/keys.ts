/** Keys of people, made anew for each run. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SigningKey, TrustedKey } from "../../src/signing/dsse.ts";
import { newKeyPair, readPublicKey, readSigningKey } from "../../src/signing/keys.ts";

export interface Person {
  readonly privateFile: string;
  readonly publicFile: string;
  readonly signing: SigningKey;
  readonly trusted: TrustedKey;
}

/** A person with a new key, in files of their own. */
export function aPerson(name: string): Person {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-keys-"));
  const { privatePem, publicPem } = newKeyPair(name);
  const privateFile = join(folder, name);
  const publicFile = join(folder, `${name}.pub`);
  writeFileSync(privateFile, privatePem, { mode: 0o600 });
  writeFileSync(publicFile, publicPem);
  const signing = readSigningKey(privateFile);
  const trusted = readPublicKey(publicFile);
  if (!signing.ok || !trusted.ok) throw new Error("a key just made cannot be read");
  return { privateFile, publicFile, signing: signing.key, trusted: trusted.key };
}
