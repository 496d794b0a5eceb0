/** The users file as commands change and show it: read whole, written whole, its owner kept. */

import { chownSync, existsSync, statSync } from "node:fs";
import { Option } from "commander";
import {
  NAME_PATTERN,
  NameTaken,
  NOBODY,
  ROLES,
  readUsers,
  type Users,
  writeUsers,
} from "../../http/auth/users-file.ts";
import { layOut } from "../prose.ts";
import { Refusal, refuse, type Terminal } from "../terminal.ts";

export function readStore(file: string): Users {
  const read = readUsers(file);
  return read.ok ? read.value : refuse(read.problems);
}

/** A file that is not there yet is begun with the first entry. */
export function readStoreOrNobody(file: string): Users {
  return existsSync(file) ? readStore(file) : NOBODY;
}

export function changeStore(file: string, before: Users, change: (users: Users) => Users): void {
  const after = change(before);
  const owner = statSync(file, { throwIfNoEntry: false });
  writeUsers(file, after);
  // One that root has written anew would be closed to the gateway.
  const now = statSync(file);
  if (owner !== undefined && (owner.uid !== now.uid || owner.gid !== now.gid)) {
    chownSync(file, owner.uid, owner.gid);
  }
}

export function checkName(name: string): void {
  if (new RegExp(NAME_PATTERN).test(name)) return;
  throw new Refusal(`expected a name of up to 64 letters, digits, _ and -, found "${name}"`);
}

export function roleOption(): Option {
  return new Option("--role <role>", "what it may do; each may do what those before it may")
    .choices(ROLES)
    .makeOptionMandatory();
}

/** A name that an entry of the other kind has is no defect. */
export function orRefuse(change: () => Users): Users {
  try {
    return change();
  } catch (error) {
    if (error instanceof NameTaken) throw new Refusal(error.message);
    throw error;
  }
}

export function known(entries: readonly { readonly name: string }[]): string {
  return entries.length === 0 ? "" : `; known are ${entries.map(({ name }) => name).join(", ")}`;
}

export function entryTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  terminal: Terminal,
): string {
  if (rows.length === 0) return "none yet\n";
  return `${layOut([heads, ...rows], terminal.screen().columns).join("\n")}\n`;
}
