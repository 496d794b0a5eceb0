/** Who may use the API, as an engineer sets it up: passwords and tokens in a file of their own. */

import { chmodSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { askSecret } from "../../src/commands/users/ask-secret.ts";
import { verifyPassword } from "../../src/http/auth/password.ts";
import { digestOf } from "../../src/http/auth/token.ts";
import { readUsers, type Users } from "../../src/http/auth/users-file.ts";
import { sekisho } from "../support/cli.ts";

const PASSWORD = "correct horse battery";

/** A folder with a password in it, and the users file that is to come. */
function aPlace(is: { readonly password?: string } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-users-"));
  const path = (name: string): string => join(folder, name);
  writeFileSync(path("password"), `${is.password ?? PASSWORD}\n`, { mode: 0o600 });
  const file = path("users.json");
  const kept = (): Users => {
    const read = readUsers(file);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    return read.value;
  };
  const run = (...args: string[]) => sekisho([...args, "--file", file]);
  const added = async (...args: string[]) => {
    const { status, stderr } = await run("users", "add", ...args, "--password-file", path("password"));
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  };
  return { path, file, kept, run, added };
}

describe("`users`", () => {
  test("adds a person with a password that the API takes, in a file for its owner only", async () => {
    const { file, kept, added, run } = aPlace();
    await added("hanako", "--role", "reviewer");
    await added("taro", "--role", "engineer");
    expect(kept().users.map(({ name, role }) => [name, role])).toEqual([
      ["hanako", "reviewer"],
      ["taro", "engineer"],
    ]);
    expect(await verifyPassword(PASSWORD, kept().users[0]!.password)).toBe(true);
    expect(readFileSync(file, "utf8")).not.toContain(PASSWORD);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { stdout } = await run("users", "list");
    expect(stdout).toBe("name    role\nhanako  reviewer\ntaro    engineer\n");
  });

  test("changes a password, and keeps the role", async () => {
    const { path, kept, added, run } = aPlace();
    await added("hanako", "--role", "reviewer");
    writeFileSync(path("password"), "another long password");
    const { stdout } = await run("users", "passwd", "hanako", "--password-file", path("password"));
    expect(stdout).toBe("hanako has another password; sessions under the old one have ended\n");
    const [user] = kept().users;
    expect(user).toMatchObject({ name: "hanako", role: "reviewer" });
    expect(await verifyPassword("another long password", user!.password)).toBe(true);
    expect(await verifyPassword(PASSWORD, user!.password)).toBe(false);
  });

  test("removes a person, and lists the rest for programs", async () => {
    const { added, run } = aPlace();
    await added("hanako", "--role", "reviewer");
    await added("taro", "--role", "viewer");
    expect((await run("users", "remove", "hanako")).stdout).toBe("hanako may not use the API any more\n");
    expect(JSON.parse((await run("users", "list", "--json")).stdout)).toEqual({
      users: [{ name: "taro", role: "viewer" }],
    });
  });

  test.each<[string, string[], RegExp]>([
    [
      "a person who is there",
      ["add", "hanako", "--role", "viewer"],
      /there is a user hanako already; change the password with `sekisho users passwd hanako`/,
    ],
    [
      "a name with spaces",
      ["add", "ha nako", "--role", "viewer"],
      /expected a name of up to 64 letters, digits, _ and -, found "ha nako"/,
    ],
    ["a person who is not there", ["remove", "jiro"], /there is no user jiro; known are hanako/],
    ["another password of nobody", ["passwd", "jiro"], /there is no user jiro; known are hanako/],
    [
      "a person by the name of a token",
      ["add", "scada", "--role", "viewer"],
      /scada is the name of a token; take another/,
    ],
    [
      "to ask where there is no terminal",
      ["passwd", "hanako"],
      /there is no terminal to ask for the password on; name a file with --password-file, or - for standard input/,
    ],
  ])("refuses %s, and changes nothing", async (_, args, reason) => {
    const { file, added, run } = aPlace();
    await added("hanako", "--role", "reviewer");
    await run("tokens", "add", "scada", "--role", "viewer");
    const before = readFileSync(file, "utf8");
    const { status, stdout, stderr } = await run("users", ...args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(reason);
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  test.each([
    ["short", 0o600, /expected a password of 12 to 256 characters, found 5; nothing was changed/],
    [PASSWORD, 0o644, /others may read this password; chmod 600 it/],
  ])("refuses the password %s in a file of mode %o", async (password, mode, reason) => {
    const { path, run } = aPlace({ password });
    chmodSync(path("password"), mode);
    const { status, stderr } = await run(
      ...["users", "add", "hanako", "--role", "viewer", "--password-file", path("password")],
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(reason);
  });

  test("refuses a file that others can read, and a role that there is not", async () => {
    const { file, added, run } = aPlace();
    await added("hanako", "--role", "viewer");
    chmodSync(file, 0o640);
    expect((await run("users", "list")).stderr).toMatch(
      /others may read or write the users file; chmod 600 it/,
    );
    const { status, stderr } = await run("users", "add", "taro", "--role", "boss");
    expect(status).toBe(2);
    expect(stderr).toMatch(/Allowed choices are viewer, reviewer, engineer/);
  });
});

describe("`tokens`", () => {
  test("prints a token once, and keeps its digest", async () => {
    const { file, kept, run } = aPlace();
    const { stdout, stderr } = await run("tokens", "add", "scada", "--role", "reviewer");
    const token = stdout.trim();
    expect(token).toMatch(/^sekisho_[A-Za-z0-9_-]{43}$/);
    expect(stderr).toMatch(/the token of scada, a reviewer; it is not shown again/);
    expect(kept().tokens).toEqual([
      { name: "scada", role: "reviewer", sha256: digestOf(token).toString("hex") },
    ]);
    expect(readFileSync(file, "utf8")).not.toContain(token);
  });

  test("lists when each ends, and takes it back", async () => {
    const { kept, run } = aPlace();
    await run("tokens", "add", "scada", "--role", "viewer");
    await run("tokens", "add", "press-hmi", "--role", "reviewer", "--expires", "2999-01-31");
    expect((await run("tokens", "list")).stdout).toBe(
      [
        "name       role                       expires",
        "scada      viewer                       never",
        "press-hmi  reviewer  2999-01-31T00:00:00.000Z",
        "",
      ].join("\n"),
    );
    expect((await run("tokens", "revoke", "scada")).stdout).toBe(
      "the token of scada is refused from now on\n",
    );
    expect(kept().tokens.map(({ name }) => name)).toEqual(["press-hmi"]);
  });

  test.each<[string, string[], RegExp]>([
    [
      "a second one of a name",
      ["add", "scada", "--role", "viewer"],
      /there is a token scada already; revoke it first/,
    ],
    [
      "one that has expired",
      ["add", "x", "--role", "viewer", "--expires", "2020-01-01"],
      /--expires: 2020-01-01 has passed already/,
    ],
    [
      "an end that is no time",
      ["add", "x", "--role", "viewer", "--expires", "soon"],
      /--expires: expected a day or a time in UTC/,
    ],
    ["to take back what is not there", ["revoke", "x"], /there is no token x; known are scada/],
  ])("refuses %s", async (_, args, reason) => {
    const { run } = aPlace();
    await run("tokens", "add", "scada", "--role", "viewer");
    const { status, stderr } = await run("tokens", ...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(reason);
  });
});

describe("a password that is typed", () => {
  function aTerminal() {
    const input = new PassThrough();
    const output = new PassThrough();
    output.setEncoding("utf8");
    return { input, output, asked: askSecret("password: ", input, output) };
  }

  test("is not shown", async () => {
    const { input, output, asked } = aTerminal();
    input.write("secret words\r");
    expect(await asked).toBe("secret words");
    expect(output.read()).toBe("password: \n");
  });

  test("is not shown by the terminal either, from before it is asked for", async () => {
    const input = Object.assign(new PassThrough(), {
      setRawMode: (raw: boolean) => void seen.push(`raw ${raw}`),
    });
    const seen: string[] = [];
    const output = new PassThrough();
    output.on("data", (chunk: Buffer) => void seen.push(chunk.toString()));
    const asked = askSecret("password: ", input, output);
    input.write("secret words\r");
    await asked;
    expect(seen.slice(0, 2)).toEqual(["raw true", "password: "]);
  });

  test.each([
    ["Ctrl-C", "\x03"],
    ["Ctrl-D", "\x04"],
  ])("and given up by %s changes nothing", async (_, key) => {
    const { input, asked } = aTerminal();
    input.write(key);
    await expect(asked).rejects.toThrow("no password was given; nothing was changed");
  });
});
