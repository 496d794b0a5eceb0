/**
 * Signatures over bytes and what kind of bytes they are: DSSE envelopes (Dead Simple Signing Envelope, v1) with Ed25519.
 *
 * Stricter than the specification asks: every signature must be by a trusted key, and right. An envelope that anybody
 * has changed in any place is then refused, and not only one whose changed place was needed.
 */

import { sign as ed25519Sign, verify as ed25519Verify, type KeyObject } from "node:crypto";
import Type, { type Static } from "typebox";

const closed = { additionalProperties: false } as const;
const BASE64 = "^[A-Za-z0-9+/]*={0,2}$";
const SIGNATURES_MAX = 16;

export const SignatureSchema = Type.Object(
  {
    keyid: Type.String({
      pattern: "^[0-9a-f]{16}$",
      description: "First 16 hex digits of the SHA-256 of the raw public key.",
    }),
    sig: Type.String({ pattern: BASE64, maxLength: 88, description: "Ed25519, base64." }),
  },
  closed,
);

export const DsseEnvelopeSchema = Type.Object(
  {
    payloadType: Type.String({ minLength: 1, maxLength: 256 }),
    payload: Type.String({ pattern: BASE64, description: "The signed bytes, base64." }),
    signatures: Type.Array(SignatureSchema, { minItems: 1, maxItems: SIGNATURES_MAX }),
  },
  { ...closed, title: "DSSE envelope" },
);

export type DsseEnvelope = Static<typeof DsseEnvelopeSchema>;

/** A public key, and whose it is. A person may have several. */
export interface TrustedKey {
  readonly keyId: string;
  readonly person: string;
  readonly publicKey: KeyObject;
}

export interface SigningKey {
  readonly keyId: string;
  readonly person: string;
  readonly privateKey: KeyObject;
}

export type Verification =
  | {
      readonly ok: true;
      readonly payload: Buffer;
      /** One key of each person who signed, in the order of the signatures. */
      readonly signers: readonly TrustedKey[];
    }
  | { readonly ok: false; readonly reason: string };

/** What is signed: DSSE's pre-authentication encoding, so that bytes of one type are never taken for another's. */
export function preAuthentication(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, "utf8");
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
}

export function sign(payloadType: string, payload: Uint8Array, key: SigningKey): DsseEnvelope {
  return {
    payloadType,
    payload: Buffer.from(payload).toString("base64"),
    signatures: [signatureOf(payloadType, payload, key)],
  };
}

/** Another signature over the same bytes; none where this key has signed already. */
export function cosign(envelope: DsseEnvelope, key: SigningKey): DsseEnvelope {
  if (envelope.signatures.some(({ keyid }) => keyid === key.keyId)) return envelope;
  const payload = Buffer.from(envelope.payload, "base64");
  return {
    ...envelope,
    signatures: [...envelope.signatures, signatureOf(envelope.payloadType, payload, key)],
  };
}

function signatureOf(payloadType: string, payload: Uint8Array, { keyId, privateKey }: SigningKey) {
  const sig = ed25519Sign(null, preAuthentication(payloadType, payload), privateKey);
  return { keyid: keyId, sig: sig.toString("base64") };
}

/**
 * Verifies all signatures of an envelope.
 * @returns the signed bytes, which alone may be believed, and who signed them; or why it is refused
 */
export function verify(
  envelope: DsseEnvelope,
  payloadType: string,
  trusted: readonly TrustedKey[],
): Verification {
  const refused = (reason: string): Verification => ({ ok: false, reason });
  if (envelope.payloadType !== payloadType) {
    return refused(`expected a signed ${payloadType}, found ${JSON.stringify(envelope.payloadType)}`);
  }
  const payload = bytesOf(envelope.payload);
  if (payload === undefined) return refused("its payload is no base64");
  const { signatures } = envelope;
  if (signatures.length === 0) return refused("it bears no signature; sign it with a key of trust.keys");
  if (signatures.length > SIGNATURES_MAX) {
    return refused(`expected at most ${SIGNATURES_MAX} signatures, found ${signatures.length}`);
  }
  const signed = preAuthentication(payloadType, payload);
  const signers = new Map<string, TrustedKey>();
  const seen = new Set<string>();
  for (const { keyid, sig } of signatures) {
    const key = trusted.find(({ keyId }) => keyId === keyid);
    if (key === undefined) {
      return refused(
        `it is signed with key ${keyid}, which trust.keys does not name; add that key, or take its signature away and have one that is named sign it`,
      );
    }
    if (seen.has(keyid)) return refused(`key ${keyid} of ${key.person} has signed it twice; sign it anew`);
    seen.add(keyid);
    const bytes = bytesOf(sig);
    if (bytes === undefined || !ed25519Verify(null, signed, key.publicKey, bytes)) {
      return refused(
        `the signature of ${key.person} (key ${keyid}) is not over this content: it was changed after it was signed; put it back, or have it signed anew`,
      );
    }
    if (!signers.has(key.person)) signers.set(key.person, key);
  }
  return { ok: true, payload, signers: [...signers.values()] };
}

/** The bytes of base64 text, if it is the one text that they have. */
function bytesOf(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, "base64");
  return bytes.toString("base64") === base64 ? bytes : undefined;
}
