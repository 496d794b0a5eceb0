/** `sekisho shadow`: a new bundle beside the live one, what it would do otherwise, and its promotion. */

import type { Command } from "commander";
import type { Surroundings } from "./run.ts";
import { type PromoteOptions, promoteShadow } from "./shadow/promote.ts";
import { type ShadowOptions, showShadow } from "./shadow/show.ts";
import type { Terminal } from "./terminal.ts";

export function registerShadow(program: Command, terminal: Terminal, { environment }: Surroundings): void {
  const shadow = program
    .command("shadow")
    .description("a new bundle that runs in shadow beside the live one");
  shadow
    .command("show <station>")
    .description("what it would do otherwise, from the ledger")
    .option("--config <file>", "the configuration that names ledger and bundles", "sekisho.yaml")
    .option("--ledger <file>", "the ledger; may be in use by a running gateway")
    .option("--json", "print one JSON document")
    .action((station: string, options: ShadowOptions) => showShadow(station, options, terminal, environment));
  shadow
    .command("promote <station>")
    .description("put it and its thresholds in force, by the next revision of the station's thresholds")
    .option("--config <file>", "the configuration that names the bundles", "sekisho.yaml")
    .option("--by <person>", "who promotes it, where its own thresholds do not say")
    .option("--why <text>", "why")
    .option("--json", "print one JSON document")
    .action((station: string, options: PromoteOptions) =>
      promoteShadow(station, options, terminal, environment),
    );
}
