/** Where a password comes from: typed twice, or read from a file; never from the command line, which others can see. */

import { readFileSync, statSync } from "node:fs";
import { passwordProblem } from "../../http/auth/password.ts";
import type { Surroundings } from "../run.ts";
import { Refusal } from "../terminal.ts";

/** @param file `-` for standard input; where left out it is asked for */
export async function passwordFor(
  name: string,
  file: string | undefined,
  { stdin }: Surroundings,
): Promise<string> {
  const password = file === undefined ? await asked(name, stdin) : await read(file, stdin);
  const problem = passwordProblem(password);
  if (problem === undefined) return password;
  throw new Refusal(`${problem}; nothing was changed`);
}

async function asked(name: string, stdin: Surroundings["stdin"]): Promise<string> {
  if (!stdin.isTerminal) {
    throw new Refusal(
      "there is no terminal to ask for the password on; name a file with --password-file, or - for standard input",
    );
  }
  const password = await stdin.askSecret(`password of ${name}: `);
  if ((await stdin.askSecret("once more: ")) === password) return password;
  throw new Refusal("these were two different passwords; nothing was changed");
}

async function read(file: string, stdin: Surroundings["stdin"]): Promise<string> {
  if (file !== "-" && (statSync(file).mode & 0o077) !== 0) {
    throw new Refusal(`${file}: others may read this password; chmod 600 it`);
  }
  const text = file === "-" ? await stdin.readAll() : readFileSync(file, "utf8");
  // An editor or echo ends the line, which is no part of the password.
  return text.replace(/\r?\n$/, "");
}
