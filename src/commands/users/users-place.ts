/** Which users file a command is about. */

import type { Command } from "commander";
import { parseConfig } from "../../config/config.ts";
import { usersFileOf as usersFileIn } from "../../config/http.ts";
import type { Surroundings } from "../run.ts";
import { refuse } from "../terminal.ts";

export interface UsersPlace {
  readonly file?: string;
  readonly config: string;
}

export function withPlace(command: Command): Command {
  return command
    .option("--file <file>", "the users file, in place of the configuration's http.usersFile")
    .option("--config <file>", "the configuration", "sekisho.yaml");
}

export function usersFileOf({ file, config }: UsersPlace, environment: Surroundings["environment"]): string {
  if (file !== undefined) return file;
  const parsed = parseConfig(config, environment);
  if (!parsed.ok) return refuse(parsed.problems);
  return usersFileIn(parsed.value).file;
}
