/** `sekisho tokens`: the machines that may use the HTTP API, each with a token that is shown once. */

import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { newToken } from "../http/auth/token.ts";
import { type Role, without, withToken } from "../http/auth/users-file.ts";
import { formatJson } from "../schema/format-json.ts";
import type { Surroundings } from "./run.ts";
import { Refusal, type Terminal } from "./terminal.ts";
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

interface AddOptions extends UsersPlace {
  readonly role: Role;
  readonly expires?: string;
  readonly json?: boolean;
}

export function registerTokens(program: Command, terminal: Terminal, { environment }: Surroundings): void {
  const tokens = program.command("tokens").description("machines that may use the HTTP API");
  withPlace(
    tokens.command("add <name>").description("make a token; it is printed once, and kept as a digest only"),
  )
    .addOption(roleOption())
    .option(
      "--expires <time>",
      "from then on it is refused: a day or a time in UTC, 2027-01-31 or 2027-01-31T06:00:00Z",
    )
    .option("--json", "print one JSON document")
    .action((name: string, options: AddOptions) => add(name, options, terminal, environment));
  withPlace(tokens.command("revoke <name>").description("refuse a token from now on")).action(
    (name: string, options: UsersPlace) => {
      const file = usersFileOf(options, environment);
      changeStore(file, readStore(file), (all) => {
        if (all.tokens.some((one) => one.name === name)) return without(all, name)!;
        throw new Refusal(`${file}: there is no token ${name}${known(all.tokens)}`);
      });
      terminal.out(`the token of ${name} is refused from now on\n`);
    },
  );
  withPlace(tokens.command("list").description("the tokens' names, roles and ends"))
    .option("--json", "print one JSON document")
    .action((options: UsersPlace & { readonly json?: boolean }) => list(options, terminal, environment));
}

function add(
  name: string,
  options: AddOptions,
  terminal: Terminal,
  environment: Surroundings["environment"],
): void {
  checkName(name);
  const { role } = options;
  const expires = options.expires === undefined ? undefined : expiryOf(options.expires, Date.now());
  const { token, sha256 } = newToken(randomBytes);
  const file = usersFileOf(options, environment);
  changeStore(file, readStoreOrNobody(file), (all) => {
    if (all.tokens.some((one) => one.name === name)) {
      throw new Refusal(`there is a token ${name} already; revoke it first, or take another name`);
    }
    return orRefuse(() => withToken(all, { name, role, sha256, ...(expires !== undefined && { expires }) }));
  });
  if (options.json) {
    terminal.out(formatJson({ name, role, token, expires: expires ?? null }));
    return;
  }
  terminal.out(`${token}\n`);
  terminal.err(
    `this is the token of ${name}, a ${role}; it is not shown again: keep it in a file of mode 600\n`,
  );
}

function list(
  options: UsersPlace & { readonly json?: boolean },
  terminal: Terminal,
  environment: Surroundings["environment"],
): void {
  const nowMs = Date.now();
  const all = readStore(usersFileOf(options, environment)).tokens.map(({ name, role, expires }) => ({
    ...{ name, role },
    expires: expires ?? null,
    inForce: expires === undefined || nowMs < Date.parse(expires),
  }));
  if (options.json) {
    terminal.out(formatJson({ tokens: all }));
    return;
  }
  const rows = all.map(({ name, role, expires, inForce }) => [
    ...[name, role],
    expires === null ? "never" : `${expires}${inForce ? "" : ", has passed"}`,
  ]);
  terminal.out(entryTable(["name", "role", "expires"], rows, terminal));
}

function expiryOf(text: string, nowMs: number): string {
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,3})?Z)?$/.test(text);
  const ms = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new Refusal(
      `--expires: expected a day or a time in UTC, such as 2027-01-31 or 2027-01-31T06:00:00Z, found "${text}"`,
    );
  }
  if (ms > nowMs) return new Date(ms).toISOString();
  throw new Refusal(`--expires: ${text} has passed already`);
}
