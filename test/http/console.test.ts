/** The console as it is served: the files of its build and nothing else, under headers that let a browser do no more. */

import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import Fastify from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConsole } from "../../src/http/console/files.ts";
import { consoleRoutes } from "../../src/http/console/routes.ts";
import { ApiError } from "../../src/http/errors.ts";
import { anHttpWorld, type HttpWorld } from "../support/http.ts";

const PAGE = '<!doctype html><script type="module" src="/assets/index-B4tX9aQz.js"></script>';
const SCRIPT = `${"// a line of the console\n".repeat(100)}`;

let folder: string;
let world: HttpWorld;

beforeAll(async () => {
  const root = mkdtempSync(join(tmpdir(), "sekisho-console-"));
  writeFileSync(join(root, "secret.js"), "not of the console");
  folder = join(root, "web");
  mkdirSync(join(folder, "assets"), { recursive: true });
  for (const [name, content] of [
    ["index.html", PAGE],
    ["assets/index-B4tX9aQz.js", SCRIPT],
    ["assets/index-C0ffee11.css", "body{}"],
    ["favicon.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"],
    ["assets/index-B4tX9aQz.js.map", "{}"],
    ["users.json", '{"users": []}'],
    [".env.js", "hidden"],
    ["assets/a b.js", "a name with a space"],
    ["assets/:id.js", "a name that a router would read"],
  ] as const)
    writeFileSync(join(folder, name), content);
  symlinkSync(join(root, "secret.js"), join(folder, "assets", "link.js"));
  symlinkSync(root, join(folder, "up"));
  world = await anHttpWorld({ console: await readConsole(folder) });
});
afterAll(() => world.end());

test("only regular files of known types are read, and no link is followed", async () => {
  const files = (await readConsole(folder))!;
  expect(files.map(({ path }) => path).sort()).toEqual([
    "/assets/index-B4tX9aQz.js",
    "/assets/index-C0ffee11.css",
    "/favicon.svg",
    "/index.html",
  ]);
});

test("the page comes anew each time, its files are kept for ever, the rest is asked after", async () => {
  const page = await world.ask("/");
  expect([page.status, page.text]).toEqual([200, PAGE]);
  expect(page.headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
  });
  const script = await world.ask("/assets/index-B4tX9aQz.js");
  expect(script.headers["cache-control"]).toBe("max-age=31536000, immutable");
  expect(script.headers["content-type"]).toBe("text/javascript; charset=utf-8");
  const icon = await world.ask("/favicon.svg");
  expect(icon.headers["cache-control"]).toBe("no-cache");
  const again = await world.ask("/favicon.svg", { headers: { "if-none-match": String(icon.headers.etag) } });
  expect([again.status, again.text]).toEqual([304, ""]);
});

test("every file goes out under headers that let a browser do no more than it needs", async () => {
  for (const path of ["/", "/assets/index-B4tX9aQz.js", "/favicon.svg"]) {
    const { headers } = await world.ask(path);
    const policy = String(headers["content-security-policy"]).split("; ");
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
      ]),
    );
    expect(policy.join()).not.toMatch(/unsafe|\*|data:|http/);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
    });
    expect(headers["set-cookie"]).toBeUndefined();
  }
});

test("text is sent smaller to those who take it so, and as it is to others", async () => {
  const path = "/assets/index-B4tX9aQz.js";
  for (const accepted of ["gzip", "br, gzip;q=0.8", "deflate, gzip"]) {
    const zipped = await world.ask(path, { headers: { "accept-encoding": accepted } });
    expect([zipped.headers["content-encoding"], zipped.headers.vary]).toEqual(["gzip", "accept-encoding"]);
    expect(zipped.bytes.length).toBeLessThan(SCRIPT.length / 4);
    expect(gunzipSync(zipped.bytes).toString()).toBe(SCRIPT);
  }
  for (const accepted of [undefined, "br", "gzip;q=0", "gzip;q=0.0, br", "xgzip"]) {
    const plain = await world.ask(path, { headers: { "accept-encoding": accepted } });
    expect([plain.headers["content-encoding"], plain.text]).toEqual([undefined, SCRIPT]);
  }
});

describe("nothing else is there:", () => {
  test.each([
    "/index.html",
    "/assets/../index.html",
    "/assets/",
    "/assets",
    "/assets/link.js",
    "/up/secret.js",
    "/../secret.js",
    "/..%2fsecret.js",
    "/%2e%2e/secret.js",
    "/assets/..%5c..%5csecret.js",
    "/assets/index-B4tX9aQz.js.map",
    "/users.json",
    "/.env.js",
    "/assets/a%20b.js",
    "/assets/:id.js",
    "/assets/x.js",
    "/assets/index-B4tX9aQz.js%00.html",
    "//assets/index-B4tX9aQz.js",
    "/etc/passwd",
  ])("%s", async (path) => {
    const answer = await world.ask(path);
    expect([400, 404]).toContain(answer.status);
    expect(answer.json.error.code).toMatch(/^(not-found|malformed)$/);
  });
});

test("a name that was made to point here is given no page, in words for a person", async () => {
  const answer = await world.ask("/", { headers: { host: "evil.example" } });
  expect(answer.status).toBe(403);
  expect(answer.headers["content-type"]).toMatch(/^text\/plain/);
  expect(answer.text).toContain("set http.publicUrl");
});

test("who may not come this way is given no page, which could have been changed on its way", async () => {
  const server = Fastify();
  consoleRoutes(server, {
    files: await readConsole(folder),
    checkWay() {
      throw new ApiError(403, "not-by-proxy", "come through the proxy");
    },
  });
  for (const path of ["/", "/assets/index-B4tX9aQz.js"]) {
    const { statusCode, body } = await server.inject(path);
    expect([statusCode, body]).toEqual([403, "come through the proxy\n"]);
  }
});

test("a checkout that was not built says how to build it, and serves the rest", async () => {
  expect(await readConsole(join(folder, "nowhere"))).toBeUndefined();
  const bare = await anHttpWorld();
  const answer = await bare.ask("/");
  expect([answer.status, answer.text]).toEqual([503, expect.stringContaining("npm run build")]);
  expect(answer.headers["content-security-policy"]).toMatch(/^default-src 'none'/);
  expect((await bare.ask("/healthz")).json).toEqual({ ok: true });
  await bare.end();
});

test("a folder that is no console is not taken into memory", async () => {
  const large = mkdtempSync(join(tmpdir(), "sekisho-console-"));
  writeFileSync(join(large, "index.html"), Buffer.alloc(17 * 2 ** 20));
  await expect(readConsole(large)).rejects.toThrow(/at most 500 files/);
});
