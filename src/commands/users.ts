/** `sekisho users`: the people who may use the HTTP API, each with a password. */

import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { hashPassword } from "../http/auth/password.ts";
import { type Role, type User, type Users, without, withUser } from "../http/auth/users-file.ts";
import { formatJson } from "../schema/format-json.ts";
import type { Surroundings } from "./run.ts";
import { Refusal, type Terminal } from "./terminal.ts";
import { passwordFor } from "./users/password.ts";
import { type UsersPlace, usersFileOf, withPlace } from "./users/users-place.ts";
import {
  changeStore,
  checkName,
  entryTable,
  known,
  orRefuse,
  readStore,
  readStoreOrNobody,
  roleOption,
} from "./users/users-store.ts";

interface PasswordOptions extends UsersPlace {
  readonly passwordFile?: string;
}
interface AddOptions extends PasswordOptions {
  readonly role: Role;
}

const PASSWORD_FILE = [
  "--password-file <file>",
  "file that holds the password; - for standard input",
] as const;

export function registerUsers(program: Command, terminal: Terminal, surroundings: Surroundings): void {
  const { environment } = surroundings;
  const users = program.command("users").description("people who may use the HTTP API and the console");
  withPlace(users.command("add <name>").description("add a person; the password is asked for"))
    .addOption(roleOption())
    .option(...PASSWORD_FILE)
    .action((name: string, options: AddOptions) => add(name, options, terminal, surroundings));
  withPlace(users.command("passwd <name>").description("change a person's password; ends their sessions"))
    .option(...PASSWORD_FILE)
    .action((name: string, options: PasswordOptions) => passwd(name, options, terminal, surroundings));
  withPlace(users.command("remove <name>").description("remove a person; ends their sessions")).action(
    (name: string, options: UsersPlace) => {
      const file = usersFileOf(options, environment);
      changeStore(file, readStore(file), (all) => {
        userOf(all, name, file);
        return without(all, name)!;
      });
      terminal.out(`${name} may not use the API any more\n`);
    },
  );
  withPlace(users.command("list").description("the people, without their passwords"))
    .option("--json", "print one JSON document")
    .action((options: UsersPlace & { readonly json?: boolean }) => {
      const { users } = readStore(usersFileOf(options, environment));
      const people = users.map(({ name, role }) => ({ name, role }));
      if (options.json) return terminal.out(formatJson({ users: people }));
      terminal.out(
        entryTable(
          ["name", "role"],
          people.map(({ name, role }) => [name, role]),
          terminal,
        ),
      );
    });
}

async function add(
  name: string,
  options: AddOptions,
  terminal: Terminal,
  surroundings: Surroundings,
): Promise<void> {
  checkName(name);
  const file = usersFileOf(options, surroundings.environment);
  const { role } = options;
  const before = readStoreOrNobody(file);
  if (before.users.some((one) => one.name === name)) {
    throw new Refusal(
      `there is a user ${name} already; change the password with \`sekisho users passwd ${name}\`, or remove the user first`,
    );
  }
  orRefuse(() => withUser(before, { name, role, password: "" })); // Before a password is asked for in vain.
  const password = await hashed(name, options, surroundings);
  changeStore(file, readStoreOrNobody(file), (all) =>
    orRefuse(() => withUser(all, { name, role, password })),
  );
  terminal.out(`${name} is a ${role} by ${file}\n`);
}

async function passwd(
  name: string,
  options: PasswordOptions,
  terminal: Terminal,
  surroundings: Surroundings,
): Promise<void> {
  const file = usersFileOf(options, surroundings.environment);
  userOf(readStore(file), name, file);
  const password = await hashed(name, options, surroundings);
  changeStore(file, readStore(file), (all) => withUser(all, { ...userOf(all, name, file), password }));
  terminal.out(`${name} has another password; sessions under the old one have ended\n`);
}

async function hashed(
  name: string,
  { passwordFile }: PasswordOptions,
  surroundings: Surroundings,
): Promise<string> {
  return hashPassword(await passwordFor(name, passwordFile, surroundings), randomBytes);
}

function userOf({ users }: Users, name: string, file: string): User {
  const found = users.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new Refusal(`${file}: there is no user ${name}${known(users)}`);
}
