/** A gateway that would be reached from elsewhere in the clear, or by users who are not in order, does not start. */

import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MODELS, THRESHOLDS } from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";

function aConfig(http: string, users?: { text: string; mode: number }): string {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-plant-"));
  const config = join(folder, "sekisho.yaml");
  writeFileSync(
    config,
    `gateway: test
broker: {url: "mqtt://127.0.0.1:9"}
stations:
  apparel:
    frames: {topic: "apparel/{source}/frames", encodings: [raw]}
    bundle: ${MODELS}/apparel
    thresholds: ${THRESHOLDS}/apparel.json
http: ${http}
`,
  );
  if (users !== undefined) {
    writeFileSync(join(folder, "users.json"), users.text);
    chmodSync(join(folder, "users.json"), users.mode);
  }
  for (const file of ["cert.pem", "key.pem"]) writeFileSync(join(folder, file), "not a certificate");
  return config;
}

test.each([
  [
    "an address beyond this machine",
    "{host: 0.0.0.0}",
    undefined,
    /sekisho\.yaml:8:14: http\.host: 0\.0\.0\.0 is reached/,
  ],
  [
    "a users file that is not there",
    "{usersFile: users.json}",
    undefined,
    /users\.json:1:1: cannot read the users file/,
  ],
  [
    "a users file that others can read",
    "{usersFile: users.json}",
    { text: "{}", mode: 0o644 },
    /users\.json:1:1: others may read .* chmod 600/,
  ],
  [
    "a role that there is not",
    "{usersFile: users.json}",
    { text: '{"tokens": [\n  {"name": "a", "role": "root", "sha256": "x"}]}', mode: 0o600 },
    /users\.json:2:25: tokens\.0\.role: expected one of "viewer", "reviewer", "engineer", found "root"/,
  ],
  [
    "a certificate that is none",
    "{host: 0.0.0.0, tls: {certFile: cert.pem, keyFile: key.pem}}",
    undefined,
    /sekisho\.yaml:8:28: http\.tls: expected a certificate in .*cert\.pem and its key in .*key\.pem, both PEM/,
  ],
] as const)("`check` and `run` refuse %s", async (_, http, users, words) => {
  const config = aConfig(http, users);
  for (const command of ["check", "run"]) {
    const { status, stdout, stderr } = await sekisho([command, "--config", config]);
    // Of what stands in the configuration alone no other try of `run` can make more.
    const isForGood = command === "run" && words.source.includes("http\\.host");
    expect([status, stdout]).toEqual([isForGood ? 2 : 1, ""]);
    expect(stderr).toMatch(words);
  }
});
