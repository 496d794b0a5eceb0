/** What a gateway serves whose configuration is wrong: all of it to this machine, and to others that it is so. */

import { afterEach, describe, expect, test } from "vitest";
import { createErrorsServer, type ErrorsServerOptions } from "../../src/http/configuration-errors.ts";
import { peersOf } from "../../src/http/peers.ts";
import { type Asked, send } from "../support/http.ts";

const ERRORS = [
  { file: "/etc/sekisho/<b>.yaml", line: 3, column: 7, message: 'expected "x" & <script>alert(1)</script>' },
];

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function aServer(is: Partial<ErrorsServerOptions> = {}) {
  const server = createErrorsServer({
    ...{ host: "127.0.0.1", port: 0, tls: undefined, behindProxy: [], publicUrl: undefined },
    ...{ isPeer: () => true, errors: () => ERRORS, ...is },
  });
  ends.push(() => server.close());
  const origin = await server.listen({ host: "127.0.0.1", port: 0 });
  return (path: string, asked?: Asked) => send(origin, path, asked);
}

test("every error with its place, escaped, on a page that runs no script but its own", async () => {
  const ask = await aServer();
  const page = await ask("/");
  expect(page.status).toBe(503);
  expect(page.text).toContain("/etc/sekisho/&#60;b&#62;.yaml:3:7");
  expect(page.text).toContain("&#60;script&#62;alert(1)");
  expect(page.text).not.toContain("<script>alert");
  expect(page.headers["content-security-policy"]).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'sha256-/,
  );
  expect(page.headers["content-security-policy"]).not.toContain("unsafe");
  expect((await ask("/api/configuration-errors")).json).toEqual({ count: 1, errors: ERRORS });
  expect((await ask("/reload.js")).headers["content-type"]).toMatch(/^text\/javascript/);
});

test("it lives, and judges no frames", async () => {
  const ask = await aServer();
  expect((await ask("/healthz")).json).toEqual({ ok: true });
  const ready = await ask("/readyz");
  expect([ready.status, ready.json]).toEqual([503, { ready: false, reason: "the configuration is wrong" }]);
});

describe("nobody else is told what stands in the files:", () => {
  test.each([
    ["through a named proxy", { behindProxy: ["127.0.0.1"], isPeer: peersOf(["127.0.0.1"]) }],
    ["through one that is not named", {}],
  ])("whoever comes %s hears how many errors there are", async (_, is) => {
    const ask = await aServer(is);
    const headers = { "x-forwarded-for": "10.0.0.7" };
    expect((await ask("/api/configuration-errors", { headers })).json).toEqual({ count: 1 });
    const { text } = await ask("/", { headers });
    expect(text).toContain("1 errors");
    expect(text).not.toContain("etc/sekisho");
  });

  test("a page by a name that was made to point here is refused", async () => {
    const ask = await aServer();
    for (const path of ["/", "/api/configuration-errors"]) {
      const answer = await ask(path, { headers: { host: "evil.example" } });
      expect([answer.status, answer.json.error.code]).toEqual([403, "foreign-host"]);
    }
  });

  test.each(["/etc/passwd", "/api/session", "/../sekisho.yaml"])("%s is not there", async (path) => {
    expect((await (await aServer())(path)).status).toBe(404);
  });
});
