/** Passwords, tokens, sessions, tries and the users file, each on its own. */

import { chmodSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createPasswordCheck } from "../../src/http/auth/accounts.ts";
import { createLoginLimit } from "../../src/http/auth/login-limit.ts";
import {
  hashPassword,
  keptPasswordProblem,
  passwordProblem,
  verifyPassword,
} from "../../src/http/auth/password.ts";
import { createSessions } from "../../src/http/auth/sessions.ts";
import { digestOf, newToken } from "../../src/http/auth/token.ts";
import {
  NOBODY,
  readUsers,
  type Users,
  without,
  withToken,
  withUser,
  writeUsers,
} from "../../src/http/auth/users-file.ts";
import { formatProblems } from "../../src/schema/document.ts";
import { someBytes } from "../support/http.ts";

const SALT = "A".repeat(22);
const KEY = "B".repeat(43);
const KEPT = `scrypt$ln=15,r=8,p=3$${SALT}$${KEY}`;
const SHA256 = "a".repeat(64);

describe("a password", () => {
  test("is known again, however its characters were put together, and no other is", async () => {
    const kept = await hashPassword("pässwörd 関所", someBytes());
    expect(kept).toMatch(/^scrypt\$ln=15,r=8,p=3\$/);
    expect(keptPasswordProblem(kept)).toBeUndefined();
    expect(await verifyPassword("pässwörd 関所".normalize("NFD"), kept)).toBe(true);
    expect(await verifyPassword("passwörd 関所", kept)).toBe(false);
    expect(await hashPassword("pässwörd 関所", someBytes(2))).not.toBe(kept);
  });

  // Computed by Python: hashlib.scrypt(b"correct horse battery", salt=bytes(range(16)), n=2**14, r=8, p=5, dklen=32).
  test("is checked by the parameters inside the string, as elsewhere", async () => {
    const kept = "scrypt$ln=14,r=8,p=5$AAECAwQFBgcICQoLDA0ODw$1R9aSMtre0xzBbvXRh8rJCrEi4UuO81fOKNB0L6vEmg";
    expect(await verifyPassword("correct horse battery", kept)).toBe(true);
  });

  test.each([
    ["weaker than any that OWASP names", `scrypt$ln=14,r=8,p=4$${SALT}$${KEY}`, /weaker/],
    ["that would take all memory", `scrypt$ln=30,r=8,p=1$${SALT}$${KEY}`, /more than a gateway/],
    ["that would take all day", `scrypt$ln=15,r=8,p=99$${SALT}$${KEY}`, /more than a gateway/],
    ["without a salt", `scrypt$ln=15,r=8,p=3$$${KEY}`, /expected scrypt/],
    ["of another kind", "$2b$12$abcdefghijklmnopqrstuv", /expected scrypt/],
    ["in the clear", "correct horse battery", /expected scrypt/],
  ])("%s is refused", async (_, kept, words) => {
    expect(keptPasswordProblem(kept)).toMatch(words);
    await expect(verifyPassword("x", kept)).rejects.toThrow(RangeError);
  });

  test("is to have 12 characters at least", () => {
    expect(passwordProblem("関".repeat(12))).toBeUndefined();
    expect(passwordProblem("関".repeat(11))).toMatch(/12 to 256 characters, found 11/);
  });

  test("is checked two at a time, in the order asked, and a crowd is seen", async () => {
    let running = 0;
    let most = 0;
    const open: (() => void)[] = [];
    const check = createPasswordCheck(async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => open.push(resolve));
      running--;
      return true;
    });
    const all = Array.from({ length: 18 }, () => check.isRight("a", "b"));
    expect(check.isFull()).toBe(true);
    for (let done = 0; done < all.length; done++) {
      open.shift()!();
      expect(await all[done]).toBe(true);
      await Promise.resolve();
    }
    expect(most).toBe(2);
    expect(check.isFull()).toBe(false);
  });
});

test("a token has 256 random bits, and only its digest is kept", () => {
  const { token, sha256 } = newToken(someBytes());
  expect(token).toMatch(/^sekisho_[A-Za-z0-9_-]{43}$/);
  expect(digestOf(token).toString("hex")).toBe(sha256);
  expect(newToken(someBytes(2)).token).not.toBe(token);
});

describe("a session", () => {
  const HOUR_MS = 3_600_000;
  function some(is: { sessionsMax?: number; perUserMax?: number } = {}) {
    const clock = { ms: 0, setByMs: 0 };
    const sessions = createSessions({
      nowMs: () => clock.ms + clock.setByMs,
      monotonicMs: () => clock.ms,
      random: someBytes(),
      idleMs: HOUR_MS,
      lifetimeMs: 3 * HOUR_MS,
      sessionsMax: 100,
      perUserMax: 10,
      ...is,
    });
    return { clock, sessions };
  }

  test("ends when it is not used for an hour, and being looked at is no use", () => {
    const { clock, sessions } = some();
    const { id } = sessions.open("hanako", KEPT);
    clock.ms = HOUR_MS - 1;
    expect(sessions.use(id)).toMatchObject({ name: "hanako" });
    clock.ms += HOUR_MS - 1;
    expect(sessions.look(id)).toMatchObject({ name: "hanako" });
    clock.ms += 1;
    expect(sessions.look(id)).toBeUndefined();
    expect(sessions.use(id)).toBeUndefined();
  });

  test.each([-100, -1, 1, 100])("lasts as long where the system's clock is set by %d hours", (hours) => {
    const { clock, sessions } = some();
    const { id } = sessions.open("hanako", KEPT);
    clock.setByMs = hours * HOUR_MS;
    clock.ms = HOUR_MS - 1;
    expect(sessions.use(id)).toMatchObject({ endsAtMs: 3 * HOUR_MS + clock.setByMs });
    clock.ms += HOUR_MS;
    expect(sessions.use(id)).toBeUndefined();
  });

  test("ends after three hours, however it is used", () => {
    const { clock, sessions } = some();
    const { id, endsAtMs } = sessions.open("hanako", KEPT);
    for (; clock.ms < endsAtMs; clock.ms += HOUR_MS / 2) expect(sessions.use(id)).toBeDefined();
    expect(sessions.use(id)).toBeUndefined();
    expect(sessions.count()).toBe(0);
  });

  test("makes room: for one more of a user their own, for one more of all that used longest ago", () => {
    const { sessions } = some({ sessionsMax: 3, perUserMax: 2 });
    const [a, b, c] = ["hanako", "hanako", "hanako"].map((name) => sessions.open(name, KEPT).id);
    expect([a, b, c].map((id) => sessions.use(id!) !== undefined)).toEqual([false, true, true]);
    const [d, e] = ["taro", "jiro"].map((name) => sessions.open(name, KEPT).id);
    expect([b, c, d, e].map((id) => sessions.use(id!) !== undefined)).toEqual([false, true, true, true]);
    expect(sessions.count()).toBe(3);
  });

  test("is closed for good", () => {
    const { sessions } = some();
    const { id } = sessions.open("hanako", KEPT);
    sessions.close(id);
    expect(sessions.use(id)).toBeUndefined();
  });
});

describe("tries of passwords", () => {
  test("for one user are ten, from wherever they come, and one more a minute", () => {
    let now = 0;
    const limit = createLoginLimit(() => now, someBytes());
    for (let n = 0; n < 10; n++) expect(limit.take("hanako", `10.0.0.${n}`)).toBe(0);
    expect(limit.take("hanako", "10.0.1.1")).toBe(60_000);
    expect(limit.take("taro", "10.0.1.1")).toBe(0);
    now = 59_999;
    expect(limit.take("hanako", "10.0.1.1")).toBeGreaterThan(0);
    now = 60_000;
    expect(limit.take("hanako", "10.0.1.1")).toBe(0);
  });

  test.each([
    ["one address", () => "10.0.0.1"],
    ["one IPv6 network", (n: number) => `2001:db8:0:7::${n.toString(16)}`],
    ["one IPv6 network, written out", (n: number) => `2001:db8:0:7:${n.toString(16)}:0:0:1`],
  ])("from %s are thirty, for whomever", (_, address) => {
    const limit = createLoginLimit(() => 0, someBytes());
    for (let n = 0; n < 30; n++) expect(limit.take(`user-${n}`, address(n))).toBe(0);
    expect(limit.take("somebody", address(31))).toBeGreaterThan(0);
    expect(limit.take("somebody", "2001:db8:0:8::1")).toBe(0);
  });

  test("that were right do not count", () => {
    const limit = createLoginLimit(() => 0, someBytes());
    for (let n = 0; n < 100; n++) {
      expect(limit.take("hanako", "10.0.0.1")).toBe(0);
      limit.giveBack("hanako", "10.0.0.1");
    }
  });
});

describe("the users file", () => {
  function aFile(text: string, mode = 0o600): string {
    const file = join(mkdtempSync(join(tmpdir(), "sekisho-users-")), "users.yaml");
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  }
  const user = (name: string, password = KEPT): string =>
    `  - {name: ${name}, role: viewer, password: "${password}"}\n`;

  test("is read as it was written, by its owner only", () => {
    const file = aFile("", 0o644);
    const users = withToken(withUser(NOBODY, { name: "hanako", role: "reviewer", password: KEPT }), {
      name: "line-3",
      role: "viewer",
      sha256: SHA256,
      expires: "2030-01-01T00:00:00Z",
    });
    writeUsers(file, users);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readUsers(file)).toMatchObject({ ok: true, value: users });
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(users);
  });

  test("takes a user in the place of the one of that name, and gives one up", () => {
    const one = withUser(NOBODY, { name: "hanako", role: "viewer", password: KEPT });
    const two = withUser(withUser(one, { name: "taro", role: "viewer", password: KEPT }), {
      name: "hanako",
      role: "engineer",
      password: KEPT,
    });
    expect(two.users.map(({ name, role }) => `${name} ${role}`)).toEqual(["hanako engineer", "taro viewer"]);
    expect(without(two, "hanako")!.users.map(({ name }) => name)).toEqual(["taro"]);
    expect(without(two, "jiro")).toBeUndefined();
    expect(() => withToken(two, { name: "taro", role: "viewer", sha256: SHA256 })).toThrow(/name of a user/);
    const machines: Users = { users: [], tokens: [{ name: "taro", role: "viewer", sha256: SHA256 }] };
    expect(() => withUser(machines, { name: "taro", role: "viewer", password: KEPT })).toThrow(
      /name of a token/,
    );
  });

  test.each([
    ["that others can read", `users:\n${user("a")}`, 0o640, /^\S+:1:1: others may read .* chmod 600/],
    [
      "with a role that there is not",
      `users:\n${user("a").replace("viewer", "admin")}`,
      0o600,
      /:2:21: users\.0\.role: expected one of "viewer", "reviewer", "engineer", found "admin"/,
    ],
    ["with a key that there is not", "userz: []\n", 0o600, /:1:1: unknown key "userz"; did you mean "users"/],
    ["with a name twice", `users:\n${user("a")}${user("a")}`, 0o600, /:3:12: users\.1\.name: a is taken/],
    [
      "with a name of a user and of a token",
      `users:\n${user("a")}tokens:\n  - {name: a, role: viewer, sha256: "${SHA256}"}\n`,
      0o600,
      /:4:12: tokens\.0\.name: a is taken/,
    ],
    [
      "with a password in the clear",
      `users:\n${user("a", "secret")}`,
      0o600,
      /:2:39: users\.0\.password: expected scrypt/,
    ],
    [
      "with a name that is none",
      `users:\n${user('"../a"')}`,
      0o600,
      /:2:12: users\.0\.name: expected text that matches/,
    ],
    [
      "with a digest that is none",
      'tokens:\n  - {name: a, role: viewer, sha256: "00"}\n',
      0o600,
      /:2:37: tokens\.0\.sha256/,
    ],
    [
      "with a time that there is not",
      `tokens:\n  - {name: a, role: viewer, sha256: "${SHA256}", expires: "2030-13-01T00:00:00Z"}\n`,
      0o600,
      /:2:\d+: tokens\.0\.expires: 2030-13-01T00:00:00Z is no time/,
    ],
  ] as const)("%s is refused", (_, text, mode, words) => {
    const read = readUsers(aFile(text, mode));
    if (read.ok) throw new Error("expected a problem");
    expect(formatProblems(read.problems)).toMatch(words);
  });

  test("that is not there says how one is made", () => {
    const read = readUsers("/nowhere/users.json");
    expect(read.ok ? "" : formatProblems(read.problems)).toMatch(/sekisho users add/);
  });
});
