/** Ed25519 keys as PEM files: made, read, and told apart by their ids. */

import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { SigningKey, TrustedKey } from "./dsse.ts";

/** Above the PEM block, where programs that read PEM pass over it. */
const PERSON_LINE = /^person: ([A-Za-z0-9_-]{1,64})$/m;
/** A key file has some hundred bytes. */
const FILE_BYTES_MAX = 16_384;
const RAW_KEY_BYTES = 32;

export type Read<K> =
  | { readonly ok: true; readonly key: K }
  | { readonly ok: false; readonly reason: string };

/** First 16 hex digits of the SHA-256 of the raw 32-byte public key. */
export function keyIdOf(publicKey: KeyObject): string {
  // SPKI of Ed25519 ends with the raw key.
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-RAW_KEY_BYTES);
  return hash("sha256", raw, "hex").slice(0, 16);
}

/** Makes a pair of keys for a person: the two files' content, and the id. */
export function newKeyPair(person: string): {
  readonly keyId: string;
  readonly privatePem: string;
  readonly publicPem: string;
} {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const keyId = keyIdOf(publicKey);
  const about = (what: string): string => `Sekisho ${what} key ${keyId}\nperson: ${person}\n`;
  return {
    keyId,
    privatePem: about("signing") + privateKey.export({ type: "pkcs8", format: "pem" }),
    publicPem: about("public") + publicKey.export({ type: "spki", format: "pem" }),
  };
}

/** Reads a private key, which nobody but its owner may be able to read. */
export function readSigningKey(file: string): Read<SigningKey> {
  return reading(file, (pem) => {
    if (!pem.includes("PRIVATE KEY-----")) {
      return no(
        "expected a private key, found none; name the file that `sekisho keys new` wrote, without .pub",
      );
    }
    if ((statSync(file).mode & 0o077) !== 0) return no("others may read this private key; chmod 600 it");
    const person = PERSON_LINE.exec(pem)?.[1];
    if (person === undefined) {
      return no('it does not say whose key it is; write a line "person: NAME" above -----BEGIN');
    }
    const privateKey = createPrivateKey(pem);
    const wrong = kindProblem(privateKey);
    if (wrong !== undefined) return no(wrong);
    return { ok: true, key: { keyId: keyIdOf(createPublicKey(privateKey)), person, privateKey } };
  });
}

/** Reads a public key. @param person whose it is, if that is known; the file must not say otherwise */
export function readPublicKey(file: string, person?: string): Read<TrustedKey> {
  return reading(file, (pem) => {
    // createPublicKey would take it.
    if (pem.includes("PRIVATE KEY-----")) {
      return no("is a private key, which must stay with its owner; name the public one, which ends in .pub");
    }
    const named = PERSON_LINE.exec(pem)?.[1];
    if (person !== undefined && named !== undefined && named !== person) {
      return no(`is the key of ${named}, not of ${person}; name its person, or another file`);
    }
    const whose = person ?? named;
    if (whose === undefined) {
      return no('it does not say whose key it is; write a line "person: NAME" above -----BEGIN');
    }
    const publicKey = createPublicKey(pem);
    const wrong = kindProblem(publicKey);
    if (wrong !== undefined) return no(wrong);
    return { ok: true, key: { keyId: keyIdOf(publicKey), person: whose, publicKey } };
  });
}

function reading<K>(file: string, read: (pem: string) => Read<K>): Read<K> {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > FILE_BYTES_MAX) return no(`expected a PEM file, found ${bytes.length} bytes`);
    return read(bytes.toString("utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isOfFile = code !== undefined && /^E[A-Z]+$/.test(code);
    return no(isOfFile ? `cannot read the key: ${message}` : "expected an Ed25519 key in PEM, found none");
  }
}

function kindProblem({ asymmetricKeyType: type }: KeyObject): string | undefined {
  return type === "ed25519"
    ? undefined
    : `expected an Ed25519 key, found one of ${String(type)}; make one with \`sekisho keys new\``;
}

function no(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
