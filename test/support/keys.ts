/** Keys of people, made anew for each run. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatJson } from "../../src/schema/format-json.ts";
import type { SigningKey, TrustedKey } from "../../src/signing/dsse.ts";
import { newKeyPair, readPublicKey, readSigningKey } from "../../src/signing/keys.ts";
import type { Thresholds } from "../../src/thresholds/file.ts";
import { signThresholds } from "../../src/thresholds/signed.ts";

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

/** A thresholds document as two people have signed it: the first proposed it, the second approved it. */
export function signedByBoth(text: string, [first, second]: readonly [Person, Person]): string {
  const keys = [first.trusted, second.trusted];
  const { person } = first.trusted;
  const document: Thresholds = { ...JSON.parse(text), proposedBy: person, approvedBy: person };
  return formatJson(signThresholds(signThresholds(document, first.signing, keys), second.signing, keys));
}
