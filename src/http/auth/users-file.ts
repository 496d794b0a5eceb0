/** The users file: who may use the HTTP API, people by password and machines by token, each with a role. */

import { readFileSync, statSync } from "node:fs";
import Type, { type Static } from "typebox";
import { writeFileAtomically } from "../../schema/atomic-file.ts";
import { type Parsed, type Problem, readDocument } from "../../schema/document.ts";
import { formatJson } from "../../schema/format-json.ts";
import { keptPasswordProblem } from "./password.ts";

/** Lowest first; each may do what those before it may. */
export const ROLES = ["viewer", "reviewer", "engineer"] as const;
export type Role = (typeof ROLES)[number];

export const NAME_PATTERN = "^[A-Za-z0-9_-]{1,64}$";
const ENTRIES_MAX = 1000;

const closed = { additionalProperties: false } as const;
const Name = Type.String({ pattern: NAME_PATTERN });
const OfRole = Type.Enum(ROLES);

const User = Type.Object(
  {
    name: Name,
    role: OfRole,
    password: Type.String({ description: "As `sekisho users` writes it: scrypt$ln=15,r=8,p=3$SALT$KEY." }),
  },
  closed,
);

const Token = Type.Object(
  {
    name: Name,
    role: OfRole,
    sha256: Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256 of the token, in hex." }),
    expires: Type.Optional(
      Type.String({
        pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?Z$",
        description: "RFC 3339, UTC; from then on the token is refused.",
      }),
    ),
  },
  closed,
);

export const UsersSchema = Type.Object(
  {
    users: Type.Array(User, { default: [], maxItems: ENTRIES_MAX }),
    tokens: Type.Array(Token, { default: [], maxItems: ENTRIES_MAX }),
  },
  { ...closed, title: "Sekisho users" },
);

export type Users = Static<typeof UsersSchema>;
export type User = Static<typeof User>;
export type Token = Static<typeof Token>;

export const NOBODY: Users = { users: [], tokens: [] };

export function mayAct(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** Reads and checks a users file. One that others can read is refused: what is in it can be tried at leisure. */
export function readUsers(file: string): Parsed<Users> {
  let text: string;
  try {
    const { mode } = statSync(file);
    if ((mode & 0o077) !== 0) return refused(file, "others may read or write the users file; chmod 600 it");
    text = readFileSync(file, "utf8");
  } catch (error) {
    return refused(
      file,
      `cannot read the users file: ${(error as Error).message}; \`sekisho users add\` makes one`,
    );
  }
  const parsed = readDocument(text, file, UsersSchema);
  if (!parsed.ok) return parsed;
  const problems = contradictions(parsed);
  return problems.length > 0 ? { ok: false, problems } : parsed;
}

function refused(file: string, message: string): Parsed<Users> {
  return { ok: false, problems: [{ file, line: 1, column: 1, message }] };
}

/** What the schema cannot say. */
function contradictions({ value, locate }: Extract<Parsed<Users>, { ok: true }>): readonly Problem[] {
  const problems: Problem[] = [];
  const taken = new Set<string>();
  for (const kind of ["users", "tokens"] as const) {
    for (const [i, { name }] of value[kind].entries()) {
      // An act bears a name only: two of the same could not be told apart.
      if (taken.has(name)) problems.push(locate([kind, i, "name"], `${kind}.${i}.name: ${name} is taken`));
      taken.add(name);
    }
  }
  for (const [i, { password }] of value.users.entries()) {
    const problem = keptPasswordProblem(password);
    if (problem !== undefined)
      problems.push(locate(["users", i, "password"], `users.${i}.password: ${problem}`));
  }
  for (const [i, { expires }] of value.tokens.entries()) {
    if (expires !== undefined && Number.isNaN(Date.parse(expires)))
      problems.push(locate(["tokens", i, "expires"], `tokens.${i}.expires: ${expires} is no time`));
  }
  return problems;
}

/** Writes a users file whole or not at all, for its owner only. A running gateway takes it up by itself. */
export function writeUsers(file: string, users: Users): void {
  writeFileAtomically(file, formatJson(users), "owner");
}

/** Adds a user, or puts them in the place of the one of that name. @throws NameTaken if a token has the name */
export function withUser({ users, tokens }: Users, user: User): Users {
  if (tokens.some(({ name }) => name === user.name)) throw new NameTaken(user.name, "a token");
  return { users: placed(users, user), tokens };
}

/** Adds a token, or puts it in the place of the one of that name. @throws NameTaken if a user has the name */
export function withToken({ users, tokens }: Users, token: Token): Users {
  if (users.some(({ name }) => name === token.name)) throw new NameTaken(token.name, "a user");
  return { users, tokens: placed(tokens, token) };
}

/** Without the user or token of this name; undefined where there is none. */
export function without({ users, tokens }: Users, name: string): Users | undefined {
  const left: Users = {
    users: users.filter((one) => one.name !== name),
    tokens: tokens.filter((one) => one.name !== name),
  };
  const isFound = left.users.length + left.tokens.length < users.length + tokens.length;
  return isFound ? left : undefined;
}

export class NameTaken extends Error {
  override readonly name = "NameTaken";

  constructor(name: string, by: string) {
    super(`${name} is the name of ${by}; take another, since acts are known by their name only`);
  }
}

/** In the place of the one of that name, else at the end. */
function placed<T extends { readonly name: string }>(all: readonly T[], one: T): T[] {
  const at = all.findIndex(({ name }) => name === one.name);
  return at < 0 ? [...all, one] : all.with(at, one);
}
