/** Where the HTTP side may listen, and what is refused before it does. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/config/config.ts";
import { originOf } from "../../src/config/http.ts";
import { formatProblems } from "../../src/schema/document.ts";

const BASE = `gateway: test
broker: {url: "mqtt://127.0.0.1:1883"}
stations:
  a: {frames: {topic: "a/{source}", encodings: [raw]}, bundle: b, thresholds: t.json}
http:
`;

function readWith(http: string) {
  const file = join(mkdtempSync(join(tmpdir(), "sekisho-config-")), "sekisho.yaml");
  writeFileSync(file, BASE + http);
  return { file, read: readConfig(file, {}) };
}

describe("http", () => {
  test.each(["127.0.0.1", "127.1.2.3", "localhost", "::1"])("may listen on %s as it is", (host) => {
    expect(readWith(`  host: "${host}"\n`).read.ok).toBe(true);
  });

  test.each(["0.0.0.0", "::", "10.0.0.5", "gateway.plant", "127.0.0.1.evil.example"])(
    "is refused on %s without TLS or a proxy, with file, line and column",
    (host) => {
      const { file, read } = readWith(`  host: "${host}"\n`);
      const text = read.ok ? "" : formatProblems(read.problems);
      expect(text.startsWith(`${file}:6:9: http.host: ${host} is reached from beyond this machine`)).toBe(
        true,
      );
      expect(text).toMatch(/http\.tls.*http\.behindProxy.*127\.0\.0\.1/);
    },
  );

  test("may listen beyond this machine behind a proxy that is named", () => {
    const { read } = readWith('  host: 0.0.0.0\n  behindProxy: [10.0.0.2, "fd00::/64"]\n');
    expect(read.ok && read.value.http.behindProxy).toEqual(["10.0.0.2", "fd00::/64"]);
  });

  test.each([
    ["behindProxy: [everyone]", /:6:17: http\.behindProxy\.0: expected an address/],
    ["behindProxy: [0.0.0.0/0]", /:6:17: http\.behindProxy\.0: expected an address/],
    ["behindProxy: [10.0.0.0/33]", /:6:17: http\.behindProxy\.0: expected an address/],
    ["publicUrl: https://gateway.plant/console", /:6:14: http\.publicUrl: expected no more than/],
    ["publicUrl: https://me:secret@gateway.plant", /:6:14: http\.publicUrl: expected no more than/],
    ["publicUrl: ftp://gateway.plant", /:6:14: http\.publicUrl: expected text that matches/],
    ["tls: {certFile: cert.pem}", /:6:8: http\.tls: "keyFile" is missing/],
    ["tls: {certFile: cert.pem, keyFile: key.pem}", /http\.tls\.keyFile: cannot read/],
    ["userFile: users.json", /:6:3: unknown key "userFile" in http; did you mean "usersFile"/],
    ["sessionHours: 0", /:6:17: http\.sessionHours: must be >= 1/],
  ])("with %s is refused", (line, words) => {
    const { read } = readWith(`  ${line}\n`);
    expect(read.ok ? "" : formatProblems(read.problems)).toMatch(words);
  });
});

test.each<[object, string | undefined]>([
  [{}, "http://127.0.0.1:8477"],
  [{ host: "0.0.0.0", tls: { certFile: "c", keyFile: "k" } }, "https://127.0.0.1:8477"],
  [{ host: "::1" }, "http://[::1]:8477"],
  [{ publicUrl: "https://hall-2.plant/", port: 0 }, "https://hall-2.plant"],
  [{ port: 0 }, undefined],
])("%j is reached at %s", (is, origin) => {
  const http = { host: "127.0.0.1", port: 8477, behindProxy: [], sessionIdleMinutes: 60, sessionHours: 12 };
  expect(originOf({ ...http, ...is })).toBe(origin);
});
