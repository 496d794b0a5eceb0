/** The first user over real HTTP: made by the link, once, in time, and by nobody else. */

import { existsSync, readFileSync, statSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { createAccounts } from "../../src/http/auth/accounts.ts";
import { createSetup } from "../../src/http/auth/setup.ts";
import { NOBODY, readUsers, writeUsers } from "../../src/http/auth/users-file.ts";
import { createEntry } from "../../src/http/entry.ts";
import {
  type Answer,
  anHttpWorld,
  type HttpSketch,
  type HttpWorld,
  PASSWORD,
  someBytes,
} from "../support/http.ts";

const MINUTE_MS = 60_000;
const worlds: HttpWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.end();
});

async function aWorld(sketch: HttpSketch = {}): Promise<HttpWorld> {
  const world = await anHttpWorld(sketch);
  worlds.push(world);
  return world;
}
const aNewWorld = (): Promise<HttpWorld> => aWorld({ isNew: true });

const redeem = (world: HttpWorld, is: object = {}, headers = {}): Promise<Answer> => {
  const body = { token: world.setupToken, user: "hanako", password: PASSWORD, ...is };
  return world.ask("/api/setup", { method: "POST", body, headers });
};
const state = async (world: HttpWorld): Promise<unknown> => (await world.ask("/api/setup")).json;
const codeOf = ({ status, json }: Answer): unknown => [status, json.error?.code];

describe("where nobody is known", () => {
  test("the link makes the first user, an engineer, who is in at once, and by password from then on", async () => {
    const world = await aNewWorld();
    expect(world.setupToken).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await state(world)).toEqual({ needed: true, open: true });
    const answer = await redeem(world, {}, { origin: world.origin });
    expect(answer.json).toMatchObject({ name: "hanako", role: "engineer", by: "password" });
    const cookie = String(answer.headers["set-cookie"]).split(";", 1)[0]!;
    expect(String(answer.headers["set-cookie"])).toMatch(/HttpOnly; SameSite=Strict$/);
    expect((await world.ask("/api/session", { headers: { cookie } })).json).toEqual(answer.json);
    expect(await state(world)).toEqual({ needed: false, open: false });
    expect(statSync(world.usersFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(world.usersFile, "utf8")).not.toContain(PASSWORD);
    expect(readUsers(world.usersFile)).toMatchObject({
      ok: true,
      value: { users: [{ name: "hanako", role: "engineer" }], tokens: [] },
    });
    await world.logIn();
  });

  test("nothing else is let in, and nothing is told of", async () => {
    const world = await aNewWorld();
    for (const path of ["/api/session", "/api/reviews", "/api/openapi.json"])
      expect(codeOf(await world.ask(path))).toEqual([401, "unauthenticated"]);
    await world.clock.pass(2000);
    expect(codeOf(await world.ask("/api/session"))).toEqual([401, "unauthenticated"]);
    expect(world.logged).toEqual([]);
  });

  test("the link is good once, also for two who come at the same time", async () => {
    const world = await aNewWorld();
    const answers = await Promise.all([redeem(world), redeem(world, { user: "eve" })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403]);
    expect(codeOf(await redeem(world, { user: "eve" }))).toEqual([409, "setup-done"]);
    const { users } = JSON.parse(readFileSync(world.usersFile, "utf8"));
    expect(users).toHaveLength(1);
  });

  test("the link is good for half an hour, whatever the clock on the wall says", async () => {
    const world = await aNewWorld();
    await world.clock.pass(30 * MINUTE_MS);
    expect(await state(world)).toEqual({ needed: true, open: false });
    const answer = await redeem(world);
    expect(codeOf(answer)).toEqual([403, "link-expired"]);
    expect(answer.json.error.message).toContain("sekisho users add");
    expect(existsSync(world.usersFile)).toBe(false);
  });

  test.each([
    ["another token", { token: "A".repeat(43) }, {}, 403, "wrong-link"],
    ["an empty token", { token: "" }, {}, 400, "malformed"],
    ["a token that is none", { token: 7 }, {}, 400, "malformed"],
    ["a short password", { password: "short" }, {}, 422, "weak-password"],
    ["a name with a slash", { user: "../root" }, {}, 400, "malformed"],
    ["a role of one's own choice", { role: "engineer" }, {}, 400, "malformed"],
    ["a foreign page", {}, { origin: "http://evil.example" }, 403, "foreign-origin"],
    ["a page of another site", {}, { "sec-fetch-site": "cross-site" }, 403, "foreign-origin"],
    ["a name that was made to point here", {}, { host: "evil.example" }, 403, "foreign-host"],
  ])("%s makes nobody, and the link stays good", async (_, is, headers, status, code) => {
    const world = await aNewWorld();
    expect(codeOf(await redeem(world, is, headers))).toEqual([status, code]);
    expect(existsSync(world.usersFile)).toBe(false);
    expect((await redeem(world)).status).toBe(200);
  });

  test("a user who is added by command in the meantime voids the link", async () => {
    const world = await aNewWorld();
    writeUsers(world.usersFile, world.users); // Not yet taken up: looked for at the next second.
    expect(codeOf(await redeem(world, { user: "eve" }))).toEqual([409, "setup-done"]);
    await world.clock.pass(1000);
    expect(await state(world)).toEqual({ needed: false, open: false });
    expect(readUsers(world.usersFile)).toMatchObject({ value: world.users });
  });

  test("a file that cannot be written is said, and the link stays good", async () => {
    const made: string[] = [];
    const setup = createSetup({
      accounts: {
        isEmpty: () => true,
        addFirst({ name }) {
          if (made.push(name) === 1) throw new Error("EROFS: read-only file system");
          return true;
        },
      },
      monotonicMs: () => 0,
      random: someBytes(),
    });
    expect(await setup.redeem(setup.token!, "hanako", PASSWORD)).toMatchObject({
      error: "unavailable",
      message: expect.stringContaining("EROFS"),
    });
    expect(await setup.redeem(setup.token!, "hanako", PASSWORD)).toMatchObject({ ok: true });
  });
});

test("where somebody is known there is no link", async () => {
  const world = await aWorld();
  expect(world.setupToken).toBeUndefined();
  expect(await state(world)).toEqual({ needed: false, open: false });
});

test("where only a machine is known there is no link: whoever made its token is at the terminal", () => {
  const token = { name: "line-3", role: "viewer", sha256: "a".repeat(64) } as const;
  const accounts = createAccounts({
    ...{ file: "/nowhere/users.json", users: { ...NOBODY, tokens: [token] }, nowMs: () => 0 },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  expect(createSetup({ accounts, monotonicMs: () => 0, random: someBytes() }).token).toBeUndefined();
});

describe("a link that lets in without a password", () => {
  test("is good once, and another one follows; whoever comes is led to the console", async () => {
    const entry = createEntry("hanako", someBytes(3));
    const world = await aWorld({ api: { entry } });
    const path = entry.path();
    expect(path).toMatch(/^\/enter\/[A-Za-z0-9_-]{22}$/);
    const first = await world.ask(path);
    expect([first.status, first.headers.location, first.headers["cache-control"]]).toEqual([
      303,
      "/",
      "no-store",
    ]);
    const cookie = String(first.headers["set-cookie"]).split(";", 1)[0]!;
    expect((await world.ask("/api/session", { headers: { cookie } })).json.name).toBe("hanako");
    for (const used of [path, "/enter/A", `/enter/${"A".repeat(22)}`]) {
      const again = await world.ask(used);
      expect([again.status, again.headers.location, again.headers["set-cookie"]]).toEqual([
        303,
        "/",
        undefined,
      ]);
    }
    expect(entry.path()).not.toBe(path);
    expect((await world.ask(entry.path())).headers["set-cookie"]).toBeDefined();
  });

  test("is nothing by a name that was made to point here, and is not spent on it", async () => {
    const entry = createEntry("hanako", someBytes(3));
    const world = await aWorld({ api: { entry } });
    const answer = await world.ask(entry.path(), { headers: { host: "evil.example" } });
    expect([answer.status, answer.headers["set-cookie"]]).toEqual([403, undefined]);
    expect((await world.ask(entry.path())).headers["set-cookie"]).toBeDefined();
  });

  test("is not there but in a demo", async () => {
    const world = await aWorld();
    expect((await world.ask(`/enter/${"A".repeat(22)}`)).status).toBe(404);
  });
});
