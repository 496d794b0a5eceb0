/** Logging in and out over real HTTP, how long that lasts, and who may stand between. */

import { afterEach, expect, test } from "vitest";
import { without, writeUsers } from "../../src/http/auth/users-file.ts";
import { peersOf } from "../../src/http/peers.ts";
import { type Answer, anHttpWorld, type HttpSketch, type HttpWorld, PASSWORD } from "../support/http.ts";

const HOUR_MS = 3_600_000;
const worlds: HttpWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.end();
});

async function aWorld(sketch?: HttpSketch): Promise<HttpWorld> {
  const world = await anHttpWorld(sketch);
  worlds.push(world);
  return world;
}

const session = (world: HttpWorld, cookie: string, headers = {}): Promise<Answer> =>
  world.ask("/api/session", { headers: { cookie, ...headers } });
const tryPassword = (world: HttpWorld, user: string, headers = {}): Promise<Answer> =>
  world.ask("/api/login", { method: "POST", body: { user, password: "wrong" }, headers });

test("a login is known by its cookie, which no script and no other site can use, until it logs out", async () => {
  const world = await aWorld();
  const body = { user: "hanako", password: PASSWORD };
  const answer = await world.ask("/api/login", { method: "POST", body });
  expect(answer.json).toEqual({
    name: "hanako",
    role: "reviewer",
    by: "password",
    expires: new Date(world.clock.nowMs() + 12 * HOUR_MS).toISOString(),
    csrf: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
  });
  const [set] = answer.headers["set-cookie"] as string[];
  expect(set).toMatch(/^sekisho=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  const cookie = set!.split(";", 1)[0]!;
  expect((await session(world, cookie)).json).toEqual(answer.json);
  const headers = { cookie, "sec-fetch-site": "same-origin", "x-sekisho-csrf": answer.json.csrf };
  const out = await world.ask("/api/logout", { method: "POST", body: {}, headers });
  expect(out.json).toEqual({ ok: true });
  expect((await session(world, cookie)).status).toBe(401);
});

test("a session that is not used for an hour is over, and so is one after twelve", async () => {
  const world = await aWorld();
  const idle = await world.logIn();
  await world.clock.pass(HOUR_MS);
  expect((await session(world, idle)).status).toBe(401);
  const busy = await world.logIn();
  for (let half = 0; half < 24; half++) {
    expect((await session(world, busy)).status).toBe(200);
    await world.clock.pass(HOUR_MS / 2);
  }
  expect((await session(world, busy)).status).toBe(401);
});

test("who logs in anew is given another session, and the one before is over", async () => {
  const world = await aWorld();
  const first = await world.logIn();
  const second = await world.logIn({ cookie: first });
  expect((await session(world, first)).status).toBe(401);
  expect((await session(world, second)).status).toBe(200);
});

test("a user who is taken out of the file is out within a second, and a token as well", async () => {
  const world = await aWorld();
  const cookie = await world.logIn();
  expect((await world.askAs("viewer", "/api/session")).status).toBe(200);
  writeUsers(world.usersFile, without(without(world.users, "hanako")!, "machine-viewer")!);
  await world.clock.pass(1000);
  expect((await session(world, cookie)).status).toBe(401);
  expect((await world.askAs("viewer", "/api/session")).status).toBe(401);
  expect((await world.askAs("reviewer", "/api/session")).status).toBe(200);
});

test("passwords are tried ten times for a user, whatever address is claimed, and a right one waits as well", async () => {
  const world = await aWorld();
  for (let n = 0; n < 10; n++) {
    const answer = await tryPassword(world, "hanako", { "x-forwarded-for": `10.0.0.${n}` });
    expect(answer.json.error.code).toBe("wrong-password");
  }
  const limited = await world.ask("/api/login", {
    method: "POST",
    body: { user: "hanako", password: PASSWORD },
  });
  expect([limited.status, limited.json.error.code]).toEqual([429, "too-many-tries"]);
  expect(Number(limited.headers["retry-after"])).toBe(60);
  await world.clock.pass(60_000);
  await world.logIn();
});

test("an address that is claimed counts as the one that is connected, where no proxy is named", async () => {
  const world = await aWorld();
  for (let n = 0; n < 30; n++)
    await tryPassword(world, `user-${n}`, { "x-forwarded-for": `10.0.0.${n}`, "x-real-ip": `10.0.0.${n}` });
  expect((await tryPassword(world, "other", { "x-forwarded-for": "10.9.9.9" })).status).toBe(429);
});

test("behind a named proxy its word is taken: the cookie is for TLS only, and addresses are told apart", async () => {
  const world = await aWorld({
    http: { behindProxy: ["127.0.0.1"] },
    api: { publicUrl: "https://gateway.plant" },
  });
  const proxied = {
    host: "gateway.plant",
    "x-forwarded-proto": "https",
    "x-forwarded-for": "10.0.0.1",
    origin: "https://gateway.plant",
  };
  const answer = await world.ask("/api/login", {
    method: "POST",
    body: { user: "hanako", password: PASSWORD },
    headers: proxied,
  });
  const [set] = answer.headers["set-cookie"] as string[];
  expect(set).toMatch(/^__Host-sekisho=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
  const cookie = set!.split(";", 1)[0]!;
  expect((await session(world, cookie, proxied)).status).toBe(200);
  for (let n = 0; n < 30; n++) await tryPassword(world, `user-${n}`, proxied);
  expect((await tryPassword(world, "other", proxied)).status).toBe(429);
  expect((await tryPassword(world, "other", { ...proxied, "x-forwarded-for": "10.0.0.2" })).status).toBe(401);
});

test("a proxy that is not the one named is not believed", async () => {
  const world = await aWorld({ http: { behindProxy: ["192.0.2.7"] } });
  const answer = await world.ask("/api/login", {
    method: "POST",
    body: { user: "hanako", password: PASSWORD },
    headers: { "x-forwarded-proto": "https", "x-forwarded-for": "10.0.0.1" },
  });
  expect((answer.headers["set-cookie"] as string[])[0]).toMatch(/^sekisho=/);
});

test.each([
  ["127.0.0.1", true],
  ["::1", true],
  ["::ffff:10.0.0.2", true],
  ["10.0.0.2", true],
  ["10.0.0.3", false],
  ["10.1.200.1", true],
  ["2001:db8::1", false],
  [undefined, false],
])("behind proxies at 10.0.0.2 and 10.1.0.0/16, %s may connect: %s", (address, may) => {
  expect(peersOf(["10.0.0.2", "10.1.0.0/16"])(address)).toBe(may);
});
