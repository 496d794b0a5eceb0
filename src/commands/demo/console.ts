/** The demo's way into the console: a user of its own, in a file that goes with the demo, and a link that lets in once. */

import { randomBytes } from "node:crypto";
import { hashPassword } from "../../http/auth/password.ts";
import { NOBODY, type Users, withUser, writeUsers } from "../../http/auth/users-file.ts";
import { createEntry, type Entry } from "../../http/entry.ts";

export interface DemoConsole {
  readonly users: Users;
  readonly entry: Entry;
  /** For a second browser, or after a sign-out. */
  readonly password: string;
}

const USER = "demo";
const PASSWORD_BYTES = 12;

/** @param file beside the demo's ledger, where the gateway looks for it */
export async function demoConsole(file: string): Promise<DemoConsole> {
  const password = randomBytes(PASSWORD_BYTES).toString("base64url");
  const kept = await hashPassword(password, randomBytes);
  const users = withUser(NOBODY, { name: USER, role: "engineer", password: kept });
  writeUsers(file, users);
  return { users, entry: createEntry(USER, randomBytes), password };
}

/** What stands on the screen; the link changes when it has been used. */
export function consoleWords({ entry, password }: DemoConsole, httpUrl: string): ConsoleWords {
  return { url: httpUrl + entry.path(), login: `or ${httpUrl} as ${entry.user}, password ${password}` };
}

export interface ConsoleWords {
  readonly url: string;
  readonly login: string;
}
