/** `sekisho bundle sign`: a person answers for a bundle, as it is now. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MANIFEST_FILE, readBundle, sha256 } from "../../bundle/bundle.ts";
import { SIGNATURE_FILE, signBundle } from "../../bundle/signature.ts";
import { formatJson } from "../../schema/format-json.ts";
import { readSigningKey } from "../../signing/keys.ts";
import { Refusal, refuse, type Terminal } from "../terminal.ts";

export interface SignOptions {
  readonly key: string;
  readonly json?: boolean;
}

export function sign(dir: string, { key: file, json }: SignOptions, terminal: Terminal): void {
  const key = readSigningKey(file);
  if (!key.ok) throw new Refusal(`${file}: ${key.reason}`);
  const read = readBundle(dir);
  const { manifest, digest } = read.ok ? read.bundle : refuse(read.problems);
  const bytes = readFileSync(join(dir, MANIFEST_FILE));
  // What is signed is what was verified, whatever happens to the file meanwhile.
  if (sha256(bytes) !== digest) throw new Refusal(`${dir}: it was changed just now; sign it again`);
  const signedWith = signBundle(dir, bytes, key.key);
  const { person, keyId } = key.key;
  if (json) {
    const bundle = { bundle: manifest.name, version: manifest.version, sha256: digest };
    terminal.out(formatJson({ ...bundle, person, keyId, signedWith }));
    return;
  }
  const others = signedWith.length - 1;
  terminal.out(
    `${join(dir, SIGNATURE_FILE)}: ${manifest.name} ${manifest.version} signed by ${person}, key ${keyId}` +
      `${others > 0 ? `, beside ${others} more` : ""}\n`,
  );
}
