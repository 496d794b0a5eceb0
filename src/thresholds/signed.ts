/** Who answers for a revision of thresholds: signatures over what the document says, and the persons behind them. */

import { canonicalJson } from "../signing/canonical.ts";
import { cosign, type DsseEnvelope, type SigningKey, type TrustedKey, verify } from "../signing/dsse.ts";
import type { Thresholds } from "./file.ts";

export const THRESHOLDS_TYPE = "application/vnd.sekisho.thresholds+json";

export type Answering =
  | { readonly ok: true; readonly persons: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** The envelope whose signatures the document bears; its payload is made from what the document says now. */
export function envelopeOf(document: Thresholds): DsseEnvelope {
  const { signatures = [], approvedBy: _, ...said } = document;
  return { payloadType: THRESHOLDS_TYPE, payload: canonicalJson(said).toString("base64"), signatures };
}

/** The document with one more signature, and with who then approves it. */
export function signThresholds(
  document: Thresholds,
  key: SigningKey,
  trusted: readonly TrustedKey[],
): Thresholds {
  const { signatures } = cosign(envelopeOf(document), key);
  const persons = signatures.map(
    ({ keyid }) => trusted.find(({ keyId }) => keyId === keyid)?.person ?? key.person,
  );
  return { ...document, approvedBy: approverOf(document.proposedBy, persons), signatures: [...signatures] };
}

/**
 * The document that an envelope carries, with the envelope's signatures. Nothing of it may be believed before
 * `answeringFor` has verified them, over bytes made anew.
 * @throws SyntaxError if the payload is no JSON
 */
export function documentOf(envelope: DsseEnvelope, trusted: readonly TrustedKey[]): Record<string, unknown> {
  const said: unknown = JSON.parse(Buffer.from(envelope.payload, "base64").toString("utf8"));
  if (typeof said !== "object" || said === null || Array.isArray(said)) throw new SyntaxError("no object");
  const { proposedBy } = said as { readonly proposedBy?: unknown };
  const persons = envelope.signatures.flatMap(({ keyid }) => {
    const person = trusted.find(({ keyId }) => keyId === keyid)?.person;
    return person === undefined ? [] : [person];
  });
  return { ...said, approvedBy: approverOf(String(proposedBy), persons), signatures: envelope.signatures };
}

/**
 * Who answers for a document.
 * @param trusted undefined where no keys are trusted: then the names in the document are taken at their word
 */
export function answeringFor(document: Thresholds, trusted: readonly TrustedKey[] | undefined): Answering {
  const { proposedBy, approvedBy } = document;
  if (trusted === undefined) return { ok: true, persons: [...new Set([proposedBy, approvedBy])] };
  const verified = verify(envelopeOf(document), THRESHOLDS_TYPE, trusted);
  if (!verified.ok) return verified;
  const persons = verified.signers.map(({ person }) => person);
  if (!persons.includes(proposedBy)) {
    return {
      ok: false,
      reason: `proposedBy says ${proposedBy}, who has not signed; ${persons.join(", ")} did`,
    };
  }
  const approver = approverOf(proposedBy, persons);
  if (approvedBy !== approver) {
    return { ok: false, reason: `approvedBy says ${approvedBy}, the signatures say ${approver}` };
  }
  return { ok: true, persons };
}

/** Whether two documents are one and the same, signatures and all. */
export function isSameDocument(a: Thresholds, b: Thresholds): boolean {
  return canonicalJson(a).equals(canonicalJson(b));
}

/** The first to sign beside the proposer; who signs alone answers alone. */
function approverOf(proposedBy: string, persons: readonly string[]): string {
  return persons.find((person) => person !== proposedBy) ?? proposedBy;
}
