/** A bundle that somebody answers for, and what is refused where nobody does. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readBundle } from "../../src/bundle/bundle.ts";
import { MODELS, THRESHOLDS } from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { aPerson, signedByBoth } from "../support/keys.ts";

const HANAKO = aPerson("hanako");
const TARO = aPerson("taro");
const STRANGER = aPerson("jiro");
const TRUSTED = [HANAKO.trusted, TARO.trusted];

/** A copy of the apparel bundle with a configuration that demands signatures, or does not. */
function aPlace(bundles: "any" | "signed" = "signed") {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-signed-"));
  const path = (name: string): string => join(folder, name);
  const files = ["bundle.json", "student.onnx", "teacher.onnx", "envelope.json", "evidence.sqlite"];
  for (const file of files) cpSync(join(MODELS, "apparel", file), path(join("bundle", file)));
  const thresholds = readFileSync(join(THRESHOLDS, "apparel.json"), "utf8");
  writeFileSync(path("apparel.json"), signedByBoth(thresholds, [HANAKO, TARO]));
  writeFileSync(
    path("sekisho.yaml"),
    `gateway: test
broker: { url: "mqtt://127.0.0.1:1" }
trust:
  bundles: ${bundles}
  keys:
    - { person: hanako, file: ${HANAKO.publicFile} }
    - { person: taro, file: ${TARO.publicFile} }
stations:
  apparel: { frames: { topic: "a/{source}", encodings: [raw] }, bundle: bundle, thresholds: apparel.json }
`,
  );
  const signature = path("bundle/bundle.sig.json");
  return {
    path,
    signature,
    sign: (key: string) => sekisho(["bundle", "sign", path("bundle"), "--key", key, "--json"]),
    check: () => sekisho(["check", "--config", path("sekisho.yaml")]),
    verify: (...more: string[]) =>
      sekisho(["bundle", "verify", path("bundle"), "--config", path("sekisho.yaml"), ...more]),
    read: () => readBundle(path("bundle"), [], TRUSTED),
  };
}

describe("a bundle where signatures are demanded", () => {
  let place: ReturnType<typeof aPlace>;
  beforeAll(() => {
    place = aPlace();
  });

  test("is refused unsigned, with what to do", async () => {
    const { status, stderr } = await place.check();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /bundle\.sig\.json:1:1: the bundle is not signed; sign it with `sekisho bundle sign/,
    );
    expect((await place.verify()).stderr).toMatch(/the bundle is not signed/);
  });

  test("is taken signed, by one person or by two", async () => {
    const first = await place.sign(HANAKO.privateFile);
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(first.stdout)).toMatchObject({
      bundle: "apparel",
      person: "hanako",
      signedWith: [HANAKO.trusted.keyId],
    });
    expect(await place.check()).toMatchObject({ status: 0 });
    await place.sign(TARO.privateFile);
    await place.sign(TARO.privateFile); // Once more changes nothing.
    const { stdout } = await place.verify("--json");
    expect(JSON.parse(stdout)).toMatchObject({ bundle: "apparel", signedBy: ["hanako", "taro"] });
    expect((await place.verify()).stdout).toMatch(
      /envelope bound to this student, signed by hanako and taro\n$/,
    );
  });

  test("is refused once its bundle.json is another, until it is signed anew", async () => {
    const file = place.path("bundle/bundle.json");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, before.replace('"provenance": {', '"provenance": { "quietly": "changed",'));
    expect((await place.check()).stderr).toMatch(/it signs another bundle\.json than this one; look at what/);
    // The same members laid out otherwise are other bytes.
    writeFileSync(file, `${before} `);
    expect((await place.check()).stderr).toMatch(/it signs another bundle\.json/);
    await place.sign(TARO.privateFile);
    expect(JSON.parse((await place.verify("--json")).stdout)).toMatchObject({ signedBy: ["taro"] });
    expect(await place.check()).toMatchObject({ status: 0 });
  });

  test("is refused where only a stranger signed it", async () => {
    rmSync(place.signature);
    await place.sign(STRANGER.privateFile);
    expect((await place.check()).stderr).toMatch(
      new RegExp(`signed with key ${STRANGER.trusted.keyId}, which trust.keys does not name`),
    );
  });

  test("is not signed where it is not whole, nor with a key that is none", async () => {
    const broken = aPlace();
    writeFileSync(broken.path("bundle/student.onnx"), "other");
    expect(await broken.sign(HANAKO.privateFile)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/is not the file this bundle was made with/),
    });
    expect((await place.sign(HANAKO.publicFile)).stderr).toMatch(/expected a private key/);
  });

  test("is refused by any single character changed in its signature", () => {
    const whole = aPlace();
    cpSync(place.path("bundle/bundle.json"), whole.path("bundle/bundle.json"));
    expect(whole.read().ok).toBe(false);
    return whole.sign(HANAKO.privateFile).then(() => {
      const good = readFileSync(whole.signature, "utf8");
      expect(whole.read()).toMatchObject({ ok: true, bundle: { signers: ["hanako"] } });
      let refused = 0;
      for (let at = 0; at < good.length; at += 7) {
        // Laid out otherwise, or another way to write the same, it is no other signature.
        if (/\s/.test(good[at]!)) continue;
        writeFileSync(
          whole.signature,
          good.slice(0, at) + (good[at] === "A" ? "B" : "A") + good.slice(at + 1),
        );
        expect(whole.read().ok).toBe(false);
        refused++;
      }
      expect(refused).toBeGreaterThan(400);
    });
  });
});

describe("a bundle where signatures are not demanded", () => {
  test("runs unsigned and wrongly signed alike, but `bundle verify` says that somebody changed it", async () => {
    const place = aPlace("any");
    expect(await place.check()).toMatchObject({ status: 0 });
    expect(JSON.parse((await place.verify("--json")).stdout)).toMatchObject({ signedBy: [] });
    await place.sign(HANAKO.privateFile);
    expect(JSON.parse((await place.verify("--json")).stdout)).toMatchObject({ signedBy: ["hanako"] });
    const file = place.path("bundle/bundle.json");
    writeFileSync(file, `${readFileSync(file, "utf8")} `);
    expect(await place.check()).toMatchObject({ status: 0 });
    expect((await place.verify()).stderr).toMatch(/it signs another bundle\.json/);
  });
});
