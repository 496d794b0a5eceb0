/** What is signed is what is verified: no place of an envelope can be changed, and no person counts twice. */

import { createPublicKey, verify as ed25519Verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cosign,
  type DsseEnvelope,
  preAuthentication,
  sign,
  type TrustedKey,
  verify,
} from "../../src/signing/dsse.ts";
import { aPerson } from "../support/keys.ts";

const TYPE = "application/vnd.sekisho.thresholds+json";
const HANAKO = aPerson("hanako");
const TARO = aPerson("taro");
const TRUSTED = [HANAKO.trusted, TARO.trusted];

const people = (envelope: DsseEnvelope, trusted: readonly TrustedKey[] = TRUSTED): string[] | string => {
  const verified = verify(envelope, TYPE, trusted);
  return verified.ok ? verified.signers.map(({ person }) => person) : verified.reason;
};

describe("the encoding before a signature", () => {
  test("is that of the DSSE protocol's example", () => {
    const bytes = preAuthentication("http://example.com/HelloWorld", Buffer.from("hello world"));
    expect(bytes.toString()).toBe("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  });

  test("counts bytes, not characters", () => {
    expect(preAuthentication("型", Buffer.from("é")).toString()).toBe("DSSEv1 3 型 2 é");
  });
});

describe("an envelope", () => {
  test("gives back the bytes that were signed, and who signed them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
        const envelope = cosign(sign(TYPE, payload, HANAKO.signing), TARO.signing);
        const verified = verify(JSON.parse(JSON.stringify(envelope)) as DsseEnvelope, TYPE, TRUSTED);
        if (!verified.ok) throw new Error(verified.reason);
        expect([...verified.payload]).toEqual([...payload]);
        expect(verified.signers).toEqual(TRUSTED);
      }),
      { numRuns: 50, seed: 7 },
    );
  });

  test("is verified by anybody who has Ed25519 and the public key", () => {
    const payload = Buffer.from("hello world");
    const { signatures } = sign("http://example.com/HelloWorld", payload, HANAKO.signing);
    const signed = Buffer.from("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    const key = createPublicKey(HANAKO.signing.privateKey);
    expect(ed25519Verify(null, signed, key, Buffer.from(signatures[0]!.sig, "base64"))).toBe(true);
  });

  test("any single character changed in payload, type, key or signature fails", () => {
    const good = cosign(sign(TYPE, Buffer.from('{"lambda":0.2}'), HANAKO.signing), TARO.signing);
    expect(people(good)).toEqual(["hanako", "taro"]);
    const places: ((change: (text: string) => string) => DsseEnvelope)[] = [
      (change) => ({ ...good, payload: change(good.payload) }),
      (change) => ({ ...good, payloadType: change(good.payloadType) }),
      ...[0, 1].flatMap((i) => [
        (change: (text: string) => string) => ({
          ...good,
          signatures: good.signatures.map((one, k) => (k === i ? { ...one, keyid: change(one.keyid) } : one)),
        }),
        (change: (text: string) => string) => ({
          ...good,
          signatures: good.signatures.map((one, k) => (k === i ? { ...one, sig: change(one.sig) } : one)),
        }),
      ]),
    ];
    let changed = 0;
    const aUnit = fc.integer({ min: 0x20, max: 0x7e }).map((unit) => String.fromCharCode(unit));
    fc.assert(
      fc.property(fc.nat(places.length - 1), fc.nat(999), aUnit, fc.boolean(), (place, at, unit, isCut) => {
        const mutant = places[place]!((text) => {
          const i = at % text.length;
          return text.slice(0, i) + (isCut ? "" : unit) + text.slice(i + 1);
        });
        if (JSON.stringify(mutant) === JSON.stringify(good)) return;
        changed++;
        expect(typeof people(mutant)).toBe("string");
      }),
      { numRuns: 2000, seed: 7 },
    );
    expect(changed).toBeGreaterThan(1900);
  });

  test("the signed bytes of one type are not taken for another's", () => {
    const envelope = sign("application/vnd.sekisho.bundle+json", Buffer.from("{}"), HANAKO.signing);
    expect(people(envelope)).toMatch(/expected a signed application\/vnd.sekisho.thresholds/);
    expect(people({ ...envelope, payloadType: TYPE })).toMatch(/of hanako .* is not over this content/);
  });

  test("signed twice with one key is refused, and `cosign` does not do it", () => {
    const once = sign(TYPE, Buffer.from("x"), HANAKO.signing);
    expect(cosign(once, HANAKO.signing)).toEqual(once);
    const twice = { ...once, signatures: [...once.signatures, ...once.signatures] };
    expect(people(twice)).toMatch(/of hanako has signed it twice/);
  });

  test("two keys of one person are one person", () => {
    const other = aPerson("hanako");
    const envelope = cosign(sign(TYPE, Buffer.from("x"), HANAKO.signing), other.signing);
    expect(people(envelope, [HANAKO.trusted, other.trusted, TARO.trusted])).toEqual(["hanako"]);
    expect(people(cosign(envelope, TARO.signing), [HANAKO.trusted, other.trusted, TARO.trusted])).toEqual([
      "hanako",
      "taro",
    ]);
  });

  test.each<[string, DsseEnvelope, RegExp]>([
    ["a stranger's", sign(TYPE, Buffer.from("x"), aPerson("jiro").signing), /which trust.keys does not name/],
    [
      "a stranger's beside a good one",
      cosign(sign(TYPE, Buffer.from("x"), HANAKO.signing), aPerson("jiro").signing),
      /which trust.keys does not name/,
    ],
    [
      "one under another person's key id",
      {
        ...sign(TYPE, Buffer.from("x"), TARO.signing),
        signatures: [
          { keyid: HANAKO.signing.keyId, sig: sign(TYPE, Buffer.from("x"), TARO.signing).signatures[0]!.sig },
        ],
      },
      /of hanako .* is not over this content/,
    ],
    ["none", { payloadType: TYPE, payload: "eA==", signatures: [] }, /bears no signature/],
    [
      "too many",
      {
        ...sign(TYPE, Buffer.from("x"), HANAKO.signing),
        signatures: Array(17).fill({ keyid: "0", sig: "" }),
      },
      /at most 16 signatures, found 17/,
    ],
    [
      "one over bytes that base64 says in another way",
      { ...sign(TYPE, Buffer.from("x"), HANAKO.signing), payload: "eB==" },
      /no base64/,
    ],
  ])("with signatures such as %s is refused", (_, envelope, reason) => {
    expect(people(envelope)).toMatch(reason);
  });
});
