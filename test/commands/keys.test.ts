/** Keys as people make them, and as a configuration trusts them. */

import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readTrust } from "../../src/commands/trust.ts";
import { readConfig } from "../../src/config/config.ts";
import { sign, verify } from "../../src/signing/dsse.ts";
import { readPublicKey, readSigningKey } from "../../src/signing/keys.ts";
import { sekisho } from "../support/cli.ts";
import { aPerson } from "../support/keys.ts";

function aFolder() {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-keys-"));
  return (name: string): string => join(folder, name);
}

describe("`keys`", () => {
  test("makes a pair that signs and verifies, the private one for its owner only", async () => {
    const path = aFolder();
    const made = await sekisho(["keys", "new", "hanako", "--out", path("key"), "--json"]);
    expect(made).toMatchObject({ status: 0, stderr: "" });
    const { keyId } = JSON.parse(made.stdout) as { keyId: string };
    expect(JSON.parse(made.stdout)).toEqual({
      person: "hanako",
      keyId: expect.stringMatching(/^[0-9a-f]{16}$/),
      privateKeyFile: path("key"),
      publicKeyFile: path("key.pub"),
    });
    expect(statSync(path("key")).mode & 0o777).toBe(0o600);
    const signing = readSigningKey(path("key"));
    const trusted = readPublicKey(path("key.pub"));
    if (!signing.ok || !trusted.ok) throw new Error("cannot read them");
    expect(verify(sign("t", Buffer.from("x"), signing.key), "t", [trusted.key])).toMatchObject({ ok: true });
    for (const [file, kind] of [
      ["key", "private"],
      ["key.pub", "public"],
    ]) {
      const shown = await sekisho(["keys", "show", path(file!), "--json"]);
      expect(JSON.parse(shown.stdout)).toEqual({ person: "hanako", keyId, kind });
    }
    expect((await sekisho(["keys", "show", path("key.pub")])).stdout).toBe(`public key ${keyId} of hanako\n`);
  });

  test("overwrites nothing, neither the private key nor the public one", async () => {
    const path = aFolder();
    await sekisho(["keys", "new", "hanako", "--out", path("key")]);
    const before = readFileSync(path("key"), "utf8");
    const again = await sekisho(["keys", "new", "taro", "--out", path("key")]);
    expect(again).toMatchObject({ status: 1, stdout: "" });
    expect(again.stderr).toMatch(/exists, and a key is not overwritten/);
    expect(readFileSync(path("key"), "utf8")).toBe(before);
    writeFileSync(path("other.pub"), "");
    expect(await sekisho(["keys", "new", "taro", "--out", path("other")])).toMatchObject({ status: 1 });
    expect(() => statSync(path("other"))).toThrow();
    expect(await sekisho(["keys", "new", "ta ro", "--out", path("third")])).toMatchObject({ status: 1 });
  });

  test("are read by other programs too", () => {
    const { privateFile, publicFile } = aPerson("hanako");
    const derived = execFileSync(process.execPath, [
      "-e",
      `const c = require("node:crypto"); const f = require("node:fs");
       const key = c.createPublicKey(f.readFileSync(${JSON.stringify(privateFile)}));
       process.stdout.write(key.export({ type: "spki", format: "pem" }));`,
    ]).toString();
    expect(readFileSync(publicFile, "utf8").endsWith(derived)).toBe(true);
  });
});

describe("a key file", () => {
  const hanako = aPerson("hanako");
  const pem = (kind: "ed25519" | "ed448"): { privateKey: string; publicKey: string } =>
    generateKeyPairSync(kind as "ed25519", {
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
  const written = (content: string | Buffer, mode = 0o600): string => {
    const file = aFolder()("key");
    writeFileSync(file, content, { mode });
    return file;
  };

  test.each<[string, () => string, RegExp]>([
    ["others may read", () => written(readFileSync(hanako.privateFile), 0o640), /chmod 600/],
    ["there is none", () => "/nowhere/key", /cannot read the key: ENOENT/],
    ["it is a public one", () => written(readFileSync(hanako.publicFile)), /expected a private key/],
    ["it has no person", () => written(pem("ed25519").privateKey), /write a line "person: NAME"/],
    [
      "it is of another kind",
      () => written(`person: h\n${pem("ed448").privateKey}`),
      /expected an Ed25519 key, found one of ed448/,
    ],
    [
      "it is broken",
      () => written(readFileSync(hanako.privateFile, "utf8").replace("MC4C", "MC4D")),
      /expected an Ed25519 key in PEM/,
    ],
    ["it is huge", () => written("x".repeat(20_000)), /found 20000 bytes/],
  ])("to sign with is refused where %s", (_, make, reason) => {
    const read = readSigningKey(make());
    expect(read.ok ? "" : read.reason).toMatch(reason);
  });

  test.each<[string, () => string, RegExp]>([
    ["it is private", () => hanako.privateFile, /must stay with its owner/],
    [
      "it is another's",
      () => written(readFileSync(aPerson("taro").publicFile)),
      /is the key of taro, not of hanako/,
    ],
    ["it is of another kind", () => written(pem("ed448").publicKey), /expected an Ed25519 key/],
    ["it is no key", () => written("hello"), /expected an Ed25519 key in PEM/],
  ])("to trust is refused where %s", (_, make, reason) => {
    const read = readPublicKey(make(), "hanako");
    expect(read.ok ? "" : read.reason).toMatch(reason);
  });

  test("that another program has made is taken, for the person that the configuration names", () => {
    expect(readPublicKey(written(pem("ed25519").publicKey), "jiro")).toMatchObject({
      key: { person: "jiro" },
    });
  });
});

describe("`trust` in the configuration", () => {
  function trustOf(lines: string, files: Record<string, string> = {}) {
    const path = aFolder();
    for (const [name, from] of Object.entries(files)) copyFileSync(from, path(name));
    writeFileSync(
      path("sekisho.yaml"),
      `gateway: line-1
broker: { url: "mqtt://127.0.0.1:1" }
stations:
  press: { frames: { topic: "press/{source}", encodings: [raw] }, bundle: bundle, thresholds: press.json }
${lines}`,
    );
    const parsed = readConfig(path("sekisho.yaml"), {});
    if (!parsed.ok) return parsed.problems.map(({ line, message }) => `${line}: ${message}`).join("\n");
    const read = readTrust(parsed.value, parsed.locate);
    if (!read.ok) return read.problems.map(({ line, message }) => `${line}: ${message}`).join("\n");
    return read.trust;
  }
  const hanako = aPerson("hanako");
  const files = { "hanako.pub": hanako.publicFile, "taro.pub": aPerson("taro").publicFile };

  test("gives keys with their persons, from files beside it", () => {
    const trust = trustOf(
      "trust:\n  bundles: signed\n  keys:\n    - { person: hanako, file: hanako.pub }\n    - { person: taro, file: taro.pub }\n",
      files,
    );
    expect(trust).toMatchObject({
      bundles: "signed",
      keys: [{ keyId: hanako.trusted.keyId }, { person: "taro" }],
    });
    expect(trustOf("")).toBeUndefined();
    expect(trustOf("trust: { keys: [{ person: hanako, file: hanako.pub }] }", files)).toMatchObject({
      bundles: "any",
    });
  });

  test.each<[string, RegExp]>([
    ["trust: { keys: [] }", /^5: .*keys/],
    ["trust: { keys: [{ person: hanako, file: nowhere.pub }] }", /^5: trust.keys.0.file: cannot read/],
    [
      "trust:\n  keys:\n    - { person: hanako, file: hanako.pub }\n    - { person: hanako, file: taro.pub }",
      /^8: trust.keys.1.file: .*taro.pub: is the key of taro, not of hanako/,
    ],
    [
      "trust:\n  keys:\n    - { person: hanako, file: hanako.pub }\n    - { person: hanako, file: hanako.pub }",
      /^8: .*is there already as hanako's/,
    ],
    ["trust: { keys: [{ person: ha nako, file: hanako.pub }] }", /^5: .*person/],
    ["trust: { keys: [{ person: h, file: hanako.pub }], bundle: signed }", /did you mean "bundles"/],
  ])("is refused as %s", (lines, reason) => {
    expect(trustOf(lines, files)).toMatch(reason);
  });

  test("does not take one key for two persons", () => {
    const bare = readFileSync(hanako.publicFile, "utf8").replace(/^person: .*$/m, "");
    const path = aFolder();
    writeFileSync(path("bare.pub"), bare);
    chmodSync(path("bare.pub"), 0o644);
    const lines =
      "trust:\n  keys:\n    - { person: hanako, file: a.pub }\n    - { person: taro, file: b.pub }";
    expect(trustOf(lines, { "a.pub": hanako.publicFile, "b.pub": path("bare.pub") })).toMatch(
      /is there already as hanako's; name each key once/,
    );
  });
});
