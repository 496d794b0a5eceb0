/**
 * `bundle.sig.json`: who answers for a bundle. A DSSE envelope over the very bytes of bundle.json, which holds the
 * digests of all the rest.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../schema/atomic-file.ts";
import { readDocument } from "../schema/document.ts";
import { formatJson } from "../schema/format-json.ts";
import {
  cosign,
  type DsseEnvelope,
  DsseEnvelopeSchema,
  type SigningKey,
  sign,
  type TrustedKey,
  verify,
} from "../signing/dsse.ts";

export const SIGNATURE_FILE = "bundle.sig.json";
const PAYLOAD_TYPE = "application/vnd.sekisho.bundle+json";

type Signers =
  | { readonly ok: true; readonly persons: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** Who signed these bytes of a bundle.json, or why nobody can be believed to have. */
export function bundleSigners(
  folder: string,
  manifestBytes: Uint8Array,
  trusted: readonly TrustedKey[],
): Signers {
  const read = readSignature(folder);
  if (read === undefined) {
    return no(`the bundle is not signed; sign it with \`sekisho bundle sign ${folder} --key FILE\``);
  }
  if (!read.ok) return read;
  const verified = verify(read.envelope, PAYLOAD_TYPE, trusted);
  if (!verified.ok) return no(verified.reason);
  if (!verified.payload.equals(manifestBytes)) {
    return no(
      `it signs another bundle.json than this one; look at what was changed, then sign it with \`sekisho bundle sign ${folder} --key FILE\`, or put back the one that was signed`,
    );
  }
  return { ok: true, persons: verified.signers.map(({ person }) => person) };
}

/**
 * Signs a bundle.json: beside the signatures over the same bytes that are there, in place of those over others.
 * @returns ids of all the keys that have signed it now
 */
export function signBundle(folder: string, manifestBytes: Uint8Array, key: SigningKey): readonly string[] {
  const before = readSignature(folder);
  const isOverSame = before?.ok && Buffer.from(manifestBytes).toString("base64") === before.envelope.payload;
  const envelope = isOverSame ? cosign(before.envelope, key) : sign(PAYLOAD_TYPE, manifestBytes, key);
  writeFileAtomically(join(folder, SIGNATURE_FILE), formatJson(envelope));
  return envelope.signatures.map(({ keyid }) => keyid);
}

type ReadSignature =
  | { readonly ok: true; readonly envelope: DsseEnvelope }
  | { readonly ok: false; readonly reason: string };

/** Undefined where there is none. */
function readSignature(folder: string): ReadSignature | undefined {
  const file = join(folder, SIGNATURE_FILE);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return no(`cannot read the signature: ${(error as Error).message}`);
  }
  const parsed = readDocument(text, file, DsseEnvelopeSchema);
  if (parsed.ok) return { ok: true, envelope: parsed.value };
  return no(
    `is no signature: ${parsed.problems.map(({ message }) => message).join("; ")}; sign the bundle anew`,
  );
}

function no(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
